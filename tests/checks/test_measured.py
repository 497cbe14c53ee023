"""The checks are measured on labelled takes by `bench/checks.py`; these floors lie just under what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def measured() -> Any:
    """Return what the bench prints."""
    ran = subprocess.run(
        [sys.executable, ROOT / "bench" / "checks.py", "--json"],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    return json.loads(ran.stdout)


@pytest.mark.parametrize(
    ("split", "group", "precision", "recall"),
    [
        ("dev", "all", 0.98, 0.98),
        ("dev", "blocking", 0.97, 0.97),
        ("dev", "sentences", 0.95, 0.95),
        ("held_out", "all", 0.93, 0.95),
        ("held_out", "blocking", 0.88, 0.93),
        ("held_out", "evidence", 0.98, 0.98),
        ("held_out", "sentences", 0.93, 0.95),
    ],
)
def test_findings_agree_with_the_labels(
    measured: Any, split: str, group: str, precision: float, recall: float
) -> None:
    figures = measured["takes"][split][group]
    assert figures["precision"] >= precision
    assert figures["recall"] >= recall


def test_payloads_are_flagged(measured: Any) -> None:
    payloads = measured["payloads"]
    assert payloads["flagged"] / (payloads["flagged"] + payloads["missed"]) >= 0.97
    assert measured["clean"] >= 100
    assert measured["false_alarms"] == 0

"""Whole batches, through the command line, on either kind of database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from panel.cli import run
from vendors import Vendors

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = Path(__file__).parents[2] / "fixtures" / "tools"


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    """A model server on loopback."""
    server = Vendors()
    yield server
    server.close()


def test_a_batch_runs_and_resumes_on_either_database(
    where: str,
    vendors: Vendors,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A batch drafts its tools once; resumed when it is done it asks nothing; the database is sound afterwards."""
    monkeypatch.setenv("PANEL_DATABASE_URL", where)
    monkeypatch.chdir(tmp_path)
    model = ("--model", "openai-compatible:m", "--base-url", f"{vendors.url}/v1")
    assert run(["batch", "run", str(TOOLS), *model, "-q"]) == 0
    assert len(vendors.calls) == 10
    assert run(["batch", "resume", "1", "-q"]) == 0
    assert run(["review", str(TOOLS / "smollm3.yaml"), *model, "-q"]) == 0
    assert len(vendors.calls) == 10
    capfd.readouterr()
    assert run(["batch", "status", "1", "--json"]) == 0
    standing = json.loads(capfd.readouterr().out)
    assert (standing["state"], standing["drafts"], standing["calls"]["answered"]) == ("done", 2, 10)
    assert run(["db", "check"]) == 0

"""The model server and the fork server, which outlive every test of one worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from durability.harness.world import Bench, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The servers that all worlds share."""
    with prepared(tmp_path_factory.mktemp("learning")) as bench:
        yield bench

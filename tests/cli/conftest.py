"""The command line, run in the process and in a folder of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.stage import Stage
from panel.cli import run
from vendors import Vendors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def panel(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ran]:
    """Run `panel` with the arguments given, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def panel(*arguments: object) -> Ran:
        code = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return panel


@pytest.fixture
def tools() -> list[Path]:
    """The two tools of the seed comparison."""
    return [ROOT / "fixtures" / "tools" / name for name in ("smollm3.yaml", "skillclaw.yaml")]


@pytest.fixture
def replay() -> str:
    """Answers with the seed comparison's scores and verdicts."""
    return f"replay:{ROOT / 'fixtures' / 'replies' / 'seed'}"


@pytest.fixture
def vendors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendors]:
    """Both vendors on loopback, with a key for each."""
    server = Vendors()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai-EXAMPLE")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-anthropic-EXAMPLE")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    yield server
    server.close()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """OpenAI on loopback, whose critics have parts of their own."""
    server = Stage()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai-EXAMPLE")
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    yield server
    server.close()


@pytest.fixture
def database(own_world: Path) -> Path:
    """Where the store is unless it is said otherwise."""
    return own_world / "data" / "panel.db"

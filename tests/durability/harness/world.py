"""A folder with tools, a store and reports of its own, in which a batch is begun, killed and gone on with."""

from __future__ import annotations

import json
import os
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from durability.harness.database import DraftSnapshot, kept
from durability.harness.ledger import Ledger
from durability.harness.lives import PANEL, Start, Zygote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from durability.harness.lives import Life

SEATS = 5
CONCURRENCY = 8
REVIEWS = "reviews"
PASSED_ON = ("PATH", "LANG", "PYTHONPATH")


@dataclass(frozen=True, slots=True)
class Bench:
    """What all worlds of a run share.

    Attributes:
        zygote: what processes are forked from.
        ledger: the provider.
        env: what every process finds in its environment.
    """

    zygote: Zygote
    ledger: Ledger
    env: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def prepared(folder: Path) -> Iterator[Bench]:
    """Start a provider and a process to fork from."""
    with closing(Ledger()) as ledger, learned(folder, ledger) as bench:
        yield bench


@contextmanager
def learned(folder: Path, ledger: Ledger, env: Mapping[str, str] | None = None) -> Iterator[Bench]:
    """Start a process to fork from, which learns from a batch of one tool what there is to import.

    Args:
        folder: where that batch takes place.
        ledger: the provider.
        env: what it and every process finds in its environment.
    """
    with closing(Zygote(env)) as zygote:
        bench = Bench(zygote, ledger, env or {})
        zygote.learn(World(bench, folder, 1).ready())
        yield bench


class World:
    """One batch, from its first process to the last.

    Args:
        bench: where its processes come from, and whom they ask.
        folder: its folder, which is made.
        tools: how many tools it has.
        data: where its store is, if not in its folder.
        out: where its reports are, likewise.

    Attributes:
        kills: processes of its that were ended early.
        lives: processes that it has had.
        lost: answers that were paid for and not kept.
        target: what its processes run; see `lives.Start`.
    """

    target = PANEL

    def __init__(
        self, bench: Bench, folder: Path, tools: int, *, data: Path | None = None, out: Path | None = None
    ) -> None:
        self.bench = bench
        self.folder = folder
        self.tools = tools
        self.kills = self.lives = self.lost = 0
        self.data = data or folder / "data"
        self.out = out or folder / "out"
        self._listed = folder / "tools.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        self._listed.write_text("".join(json.dumps(_tool(n)) + "\n" for n in range(tools)), "utf-8")
        bench.ledger.blank()

    @property
    def database(self) -> Path:
        return self.data / "panel.db"

    @property
    def env(self) -> dict[str, str]:
        """The environment of its processes: nothing of the caller's settings."""
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return {**passed, **self.bench.env, "HOME": str(self.folder), "PANEL_DATA_DIR": str(self.data)}

    def kept(self, *, thorough: bool = False) -> DraftSnapshot:
        """Return what its store holds."""
        return kept(self.database, thorough=thorough)

    def command(self) -> list[str]:
        """Return the command that goes on with its run, or begins it."""
        run = self.kept().run
        return self.begin() if run is None else self.resume(run)

    def begin(self, *more: str) -> list[str]:
        """Return the command that begins its run."""
        asked = ["--model", "openai-compatible:m", "--base-url", self.bench.ledger.url]
        written = ["--out", str(self.out), "--format", "json"]
        limits = ["--concurrency", str(CONCURRENCY)]
        return ["batch", "run", str(self._listed), *asked, *limits, *written, "-q", *more]

    @staticmethod
    def resume(run: int) -> list[str]:
        """Return the command that goes on with a run."""
        return ["batch", "resume", str(run), "-q"]

    def ready(self, argv: list[str] | None = None, **more: Any) -> Start:
        """Return how one of its processes is started; by default one that goes on with the run."""
        known = {"cwd": self.folder, "env": self.env, "target": self.target}
        return Start(argv or self.command(), **{**known, **more})

    def start(self, argv: list[str] | None = None, **more: Any) -> Life:
        """Start one of its processes; see `ready`."""
        self.lives += 1
        self.bench.ledger.new_life()
        return self.bench.zygote.start(self.ready(argv, **more))

    def words(self, life: Life) -> str:
        """Return the last that its processes said, for a report of what is wrong."""
        return life.err[-600:]


def _tool(number: int) -> dict[str, str]:
    name = f"Tool {number:05}"
    return {
        "name": name,
        "description": (
            f"{name} reads the logs of machine {number} and tells which of its {number + 3} services "
            f"wrote the line that matters. It is one file, and is free for teams of {number % 7 + 2}."
        ),
    }

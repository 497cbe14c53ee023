"""A folder with tools, a store and reports, in which a batch is started, killed and resumed."""

from __future__ import annotations

import json
import os
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from durability.harness.database import DraftSnapshot, kept
from durability.harness.ledger import Ledger
from durability.harness.processes import PANEL, ForkServer, Start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from durability.harness.processes import PanelProcess

SEATS = 5
CONCURRENCY = 8
REVIEWS = "reviews"
PASSED_ON = ("PATH", "LANG", "PYTHONPATH")


@dataclass(frozen=True, slots=True)
class Bench:
    """The servers that all worlds share.

    Attributes:
        fork_server: server from which processes are forked.
        ledger: the model server, which records questions and answers.
        env: variables of every process.
    """

    fork_server: ForkServer
    ledger: Ledger
    env: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def prepared(folder: Path) -> Iterator[Bench]:
    """Start the model server and the fork server."""
    with closing(Ledger()) as ledger, learned(folder, ledger) as bench:
        yield bench


@contextmanager
def learned(folder: Path, ledger: Ledger, env: Mapping[str, str] | None = None) -> Iterator[Bench]:
    """Start a fork server that imports what a batch of one tool needs, which runs in `folder`; `env` is for it and every process."""
    with closing(ForkServer(env)) as fork_server:
        bench = Bench(fork_server, ledger, env or {})
        fork_server.learn(World(bench, folder, 1).ready())
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
        target: what its processes run; see `processes.Start`.
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

    def start(self, argv: list[str] | None = None, **more: Any) -> PanelProcess:
        """Start one of its processes; see `ready`."""
        self.lives += 1
        self.bench.ledger.new_life()
        return self.bench.fork_server.start(self.ready(argv, **more))

    def words(self, life: PanelProcess) -> str:
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

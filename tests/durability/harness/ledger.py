"""The record of the model server, which is a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from durability.harness.processes import PanelProcess

LATENCY = 0.02
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Page:
    """Numbers of times that each question was asked and answered, and the number of refusals."""

    started: Mapping[str, int]
    answered: Mapping[str, int]
    refused: int

    @property
    def starts(self) -> int:
        return sum(self.started.values())

    @property
    def answers(self) -> int:
        return sum(self.answered.values())

    @property
    def repeats(self) -> int:
        """Answers beyond the first one of each question: what was paid in vain."""
        return sum(times - 1 for times in self.answered.values() if times)


class Ledger:
    """A model server that keeps the books."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "durability.harness.ledger_server"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout is not None
        port = int(self._server.stdout.readline())
        self.url = f"http://127.0.0.1:{port}/v1"
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)

    def close(self) -> None:
        self._connection.close()
        self._server.communicate(timeout=10)

    def page(self) -> Page:
        return Page(**self._say("GET", "/ledger"))

    @property
    def starts(self) -> int:
        """How many questions were asked; unlike `page` it costs nothing, however many there are."""
        return int(self._say("GET", "/starts"))

    def blank(self) -> None:
        """Forget what was asked, and answer as usual."""
        self._say("PUT", "/blank")
        self.behave()

    def behave(self, latency: float = LATENCY, **behaviour: Any) -> None:
        """Answer otherwise from now on; see `ledger_server.Behaviour`."""
        self._say("PUT", "/behaviour", {"latency": latency, **behaviour})

    def new_life(self) -> None:
        """Forget that something was asked before now."""
        self._say("PUT", "/life")

    def wait_for(self, life: PanelProcess) -> bool:
        """Wait until a process asks its first question; return whether it did before it ended."""
        while not self._say("GET", f"/first?{LOOK_SECONDS}"):
            if life.ended:
                return bool(self._say("GET", "/first?0"))
        return True

    def _say(self, method: str, path: str, body: object = None) -> Any:
        self._connection.request(method, path, None if body is None else json.dumps(body))
        return json.load(self._connection.getresponse())

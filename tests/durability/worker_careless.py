"""A worker of the usual design, by which the test of kills is tested: results in memory, and all of them dumped every ten tools.

It takes the command line of `panel batch`, and asks the same ledger. The durability tests must find it out.
"""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from durability.harness.world import CONCURRENCY, REVIEWS, SEATS

EVERY = 10
DUMP = Path(REVIEWS) / "results.json"


class Careless:
    """Asks all seats of all tools.

    Args:
        listed: the file of tools.
        url: where the provider answers.
        out: the folder of the dump.
    """

    def __init__(self, listed: Path, url: str, out: Path) -> None:
        lines = listed.read_text("utf-8").splitlines()
        self._todo = [f"{json.loads(line)['name']}.{seat}" for line in lines for seat in range(SEATS)]
        self._host = urlsplit(url)
        self._dump = out / DUMP
        self._results = loaded(self._dump)
        self._since = 0

    async def work(self) -> None:
        left = iter([step for step in self._todo if step not in self._results])
        await asyncio.gather(*(self._ask(left) for _ in range(CONCURRENCY)))
        self._write()

    async def _ask(self, left: object) -> None:
        reader, writer = await asyncio.open_connection(self._host.hostname, self._host.port)
        for step in left:  # type: ignore[attr-defined]  # an iterator that all workers share
            body = json.dumps({"model": "m", "prompt": step}).encode()
            head = f"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            length = int(
                (await reader.readuntil(b"\r\n\r\n")).split(b"content-length: ")[1].split(b"\r\n")[0]
            )
            self._results[step] = json.loads(await reader.readexactly(length))
            self._since += 1
            if self._since == EVERY * SEATS:
                self._since = 0
                self._write()
        writer.close()

    def _write(self) -> None:
        self._dump.parent.mkdir(parents=True, exist_ok=True)
        self._dump.write_text(json.dumps(self._results, indent=1), "utf-8")


def loaded(dump: Path) -> dict[str, dict[str, str]]:
    """Return what an earlier process dumped; nothing if that cannot be read."""
    try:
        results: dict[str, dict[str, str]] = json.loads(dump.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return results


def run() -> int:
    """Take a command line of `panel batch run`, and return the exit code."""
    argv = sys.argv[1:]
    named = dict(pairwise(argv))
    asyncio.run(Careless(Path(argv[2]), named["--base-url"], Path(named["--out"])).work())
    return 0

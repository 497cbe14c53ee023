"""Speed and memory of a batch: takes per second with every answer committed, peak memory, and the time to resume a finished run.

    python bench/batch.py                    1,000 and 10,000 tools x 5 seats against a server that answers immediately
    python bench/batch.py --tools 500 2000

Each run is the command itself, `panel batch run`, in a process of its own and with a database of its own. Memory is the process's
resident set, sampled ten times a second; `flat` is the peak of the larger run divided by that of the smaller.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from overhead import SEATS, fake_server

CONCURRENCY = 64
LOOK_SECONDS = 0.1
TARGETS = {"takes/s": 150.0, "peak MB": 300.0, "flat": 1.25, "resume s": 5.0}


@dataclass(frozen=True, slots=True)
class Ran:
    """Measurements of one command.

    Attributes:
        seconds: wall time.
        peak: largest resident set in MB.
        calls: requests that the server received.
    """

    seconds: float
    peak: float
    calls: int


def main() -> None:
    """Run batches of each size, resume each, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tools", type=int, nargs="+", default=[1_000, 10_000], help="sizes of the runs")
    sizes = sorted(parser.parse_args().tools)
    peaks = []
    print(f"{'tools':>8} {'takes/s':>8} {'seconds':>8} {'peak MB':>8} {'database MB':>12} {'resume s':>9}")
    for size in sizes:
        with fake_server() as server, TemporaryDirectory() as folder:
            first, again, stored = measured(server, Path(folder), size)
        if (first.calls, again.calls) != (size * SEATS, 0):
            raise SystemExit(f"{size} tools took {first.calls} calls, and {again.calls} more when resumed")
        peaks.append(first.peak)
        rate = size * SEATS / first.seconds
        print(
            f"{size:8,} {rate:8.0f} {first.seconds:8.1f} {first.peak:8.0f} {stored:12.0f} {again.seconds:9.2f}",
            flush=True,
        )
    print(f"flat: {peaks[-1] / peaks[0]:.2f} (peak of the last over the first)")
    print("targets:", ", ".join(f"{name} {target:g}" for name, target in TARGETS.items()))


def measured(server: str, folder: Path, size: int) -> tuple[Ran, Ran, float]:
    """Run a batch and resume it; return what each took, and the size of the database in MB."""
    tools = folder / "tools.jsonl"
    with tools.open("w", encoding="utf-8") as file:
        for number in range(size):
            file.write(json.dumps(tool(number)) + "\n")
    model = ("--model", "openai-compatible:m", "--base-url", f"{server}/fixed/0/v1")
    asking = ("run", str(tools), *model, "--concurrency", str(CONCURRENCY))
    first = timed(server, folder, asking)
    again = timed(server, folder, ("resume", "1"))
    stored = sum(path.stat().st_size for path in folder.glob("panel.db*")) / 1e6
    return first, again, stored


def tool(number: int) -> dict[str, str]:
    """Return a listing unlike the others."""
    return {
        "name": f"Tool {number:06d}",
        "tagline": f"The one with the number {number}",
        "description": f"Shows run history, row counts and schema diffs for scheduled jobs of kind {number * 7919 % 9973}. "
        "It connects to three warehouses and posts to chat when a run drifts.",
        "category": "Developer Tools",
        "pricing": "Free, then $40/month",
        "url": f"https://tool-{number}.example/",
    }


def timed(server: str, folder: Path, arguments: tuple[str, ...]) -> Ran:
    """Run one `panel batch` command to its end."""
    counted(server)
    command = [sys.executable, "-m", "panel", "batch", *arguments, "--quiet"]
    environment = {**os.environ, "PANEL_DATA_DIR": str(folder)}
    began, peak = time.monotonic(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment, cwd=folder) as process:  # noqa: S603 - our own
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(LOOK_SECONDS)
    seconds = time.monotonic() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    return Ran(seconds, peak, counted(server))


def resident(process: int) -> float:
    """Return a process's resident set in MB; 0 once it has ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def counted(server: str) -> int:
    """Return the calls that the server has seen since this was last asked."""
    with urlopen(f"{server}/counters") as answer:  # noqa: S310 - a loopback address
        return int(json.load(answer)["requests"])


if __name__ == "__main__":
    main()

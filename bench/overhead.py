"""What panel costs on top of a model's own time, against a fake server: one table, and each target with whether it is met.

    python bench/overhead.py            all of it, in about four minutes
    python bench/overhead.py --quick    less work, in under a minute

Tools x 5 seats are reviewed at a fixed latency and concurrency by several clients, each in a process of its own, in turns; the
figures are medians of the rounds. The ideal time is calls x latency / concurrency. On a machine that does other work as well,
trust the ratios of processor time. The floor is left out if aiohttp and orjson are not installed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).resolve().parent
SEATS = 5
FLOOR, SDK, BEST = "floor", "sdk", "openai-aiohttp"
LONE = ("openai-httpx2", "anthropic-httpx2")
"""Clients of which a single panel is timed; so few calls go through httpx2 by themselves."""

LONG_TAILED = "lognormal/0.{},0.6"
WORDS = {
    FLOOR: "aiohttp and orjson alone",
    SDK: "openai SDK, create",
    "openai-aiohttp": "panel, openai, aiohttp",
    "openai-httpx2": "panel, openai, httpx2",
    "anthropic-aiohttp": "panel, anthropic, aiohttp",
    "anthropic-httpx2": "panel, anthropic, httpx2",
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """So many tools at a concurrency and a latency in seconds."""

    name: str
    latency: float
    concurrency: int
    tools: int

    @property
    def load(self) -> str:
        """The scenario as `clients.py` takes it."""
        return f"fixed/{self.latency}:{self.concurrency}:{self.tools}"

    @property
    def ideal(self) -> float:
        """Seconds that the calls take if a client takes none."""
        return self.tools * SEATS * self.latency / self.concurrency


@dataclass(frozen=True, slots=True)
class Result:
    """Medians of one client in one scenario."""

    over_ideal: float
    per_call: float
    memory: float


Results = dict[tuple[str, str], Result]


@contextmanager
def fake_server() -> Iterator[str]:
    """Run the server for as long as the block does, and return its address."""
    command = [sys.executable, str(HERE / "fake_server.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"  # type: ignore[union-attr]  # piped
        finally:
            process.kill()


def script(name: str, *arguments: object) -> Any:  # noqa: ANN401 - its JSON
    """Run a script beside this one in a process of its own, and return what it measured."""
    command = [sys.executable, str(HERE / name), *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)  # noqa: S603 - our own


def client(server: str, name: str, *loads: str) -> list[dict[str, float]]:
    """Return what a client takes for each load in turn.

    Raises:
        AssertionError: the server saw other calls than were asked for, or too many at once.
    """
    pieces: list[dict[str, float]] = script("clients.py", name, server, *loads)
    for piece, load in zip(pieces, loads, strict=True):
        _, concurrency, tools = load.split(":")
        if piece["requests"] != int(tools) * SEATS or piece["most_in_flight"] > int(concurrency):
            raise AssertionError(f"{name}, {load}: {piece}")
    return pieces


def compare(server: str, scenarios: Sequence[Scenario], names: Sequence[str], rounds: int) -> Results:
    """Run all clients in all scenarios, in turns."""
    runs: dict[tuple[str, str], list[dict[str, float]]] = {}
    for number in range(rounds):
        for name in names:
            print(f"\rround {number + 1} of {rounds}: {WORDS[name]:40}", end="", file=sys.stderr)
            pieces = client(server, name, *(scenario.load for scenario in scenarios))
            for scenario, piece in zip(scenarios, pieces, strict=True):
                runs.setdefault((scenario.name, name), []).append(piece)
    print("\r" + " " * 60, end="\r", file=sys.stderr)
    by_name = {scenario.name: scenario for scenario in scenarios}
    return {key: result(by_name[key[0]], pieces) for key, pieces in runs.items()}


def result(scenario: Scenario, pieces: Sequence[dict[str, float]]) -> Result:
    """Return the medians of several runs."""
    wall, processor, memory = (
        median(piece[what] for piece in pieces) for what in ("wall", "processor", "memory")
    )
    return Result(wall / scenario.ideal, 1000 * processor / (scenario.tools * SEATS), memory)


def growth(server: str, name: str, tools: int) -> float:
    """Return the megabytes that a thousand tools add, from a run of so many tools and one of four times as many."""
    few, many = (client(server, name, f"fixed/0.02:64:{number}")[0] for number in (tools, 4 * tools))
    return (many["memory"] - few["memory"]) / (3 * tools / 1000)


def one_panel(server: str, name: str, panels: int) -> float:
    """Return how long one panel takes over its slowest seat, where some answers take much longer than others."""
    pieces = client(
        server, name, *(f"{LONG_TAILED.format(40 + number)}:{SEATS}:1" for number in range(panels))
    )
    return median(piece["wall"] / piece["slowest"] for piece in pieces)


def show(scenarios: Sequence[Scenario], results: Results, grown: dict[str, float]) -> None:
    """Print the table."""
    print(f"{'':28}{'wall /':>8}{'CPU ms':>9}{'CPU over':>10}{'peak':>9}{'MB per':>13}")
    print(f"{'':28}{'ideal':>8}{'per call':>9}{'floor':>10}{'RSS MB':>9}{'1,000 tools':>13}")
    for scenario in scenarios:
        print(
            f"{scenario.name}: {scenario.tools} tools x {SEATS} seats, {scenario.concurrency} calls at once, "
            f"{scenario.latency:g} s each"
        )
        floor = results.get((scenario.name, FLOOR))
        for name, words in WORDS.items():
            if one := results.get((scenario.name, name)):
                over = f"{one.per_call / floor.per_call:.1f}x" if floor else "-"
                more = f"{grown[name]:.2f}" if name in grown else "-"
                print(
                    f"  {words:26}"
                    f"{one.over_ideal:8.2f}{one.per_call:9.3f}{over:>10}{one.memory:9.0f}{more:>13}"
                )


def target(words: str, figure: float | None, most: float, unit: str = "") -> None:
    """Print a figure beside its target."""
    if figure is None:
        print(f"  {words:58}     not measured")
        return
    verdict = "met" if figure <= most else "NOT MET"
    print(f"  {words:58}{figure:8.2f}{unit:3} at most {most:.2f}{unit:3} {verdict}")


def judge(results: Results, grown: dict[str, float], lone: dict[str, float], cold: dict[str, float]) -> None:
    """Print each target with whether it is met."""
    print("\nTargets, of panel with openai on aiohttp unless another is named")
    best = {name: one for (name, client_), one in results.items() if client_ == BEST}
    floors = {name: one for (name, client_), one in results.items() if client_ == FLOOR}
    if best:
        target("wall over ideal, 64 calls of 0.2 s", best["A"].over_ideal, 1.12)
        target("  and over the SDK beside it", best["A"].over_ideal / results["A", SDK].over_ideal, 1.0)
        target("wall over ideal, 256 calls of 0.2 s", best["B"].over_ideal, 1.5)
        for name, one in best.items():
            over = one.per_call / floors[name].per_call if floors else None
            target(f"processor time over the floor, {name}", over, 4.0, "x")
    for name, figure in lone.items():
        target(f"one panel over its slowest seat: {WORDS[name]}", figure, 1.05)
    for name, figure in grown.items():
        target(f"MB per 1,000 tools: {WORDS[name]}", figure, 1.0)
    target("`panel --help` over a bare typer app", cold["help"] / cold["bare"], 1.15)
    for provider in ("openai", "anthropic"):
        asked, imported = cold[f"ask {provider}"], cold[f"import {provider}"]
        target(f"first request over importing {provider} ({imported:.2f} s)", asked / imported, 1.1)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="less work: one round, fewer clients")
    parser.add_argument("--rounds", type=int, help="rounds (default: 3; 1 if quick)")
    parser.add_argument("--scale", type=float, help="times as many tools (default: 1; 0.5 if quick)")
    parser.add_argument("--clients", nargs="+", choices=WORDS, metavar="NAME", help=f"of {', '.join(WORDS)}")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    given = options()
    rounds = given.rounds or (1 if given.quick else 3)
    scale = given.scale or (0.5 if given.quick else 1.0)
    scenarios = [
        Scenario("A", 0.2, 64, int(128 * scale)),
        Scenario("B", 0.2, 256, int(256 * scale)),
        Scenario("C", 0.02, 64, int(96 * scale)),
    ]
    fast = find_spec("aiohttp") is not None
    missing = {name for name in WORDS if "aiohttp" in name and not fast}
    missing |= set() if fast and find_spec("orjson") else {FLOOR}
    usual = [name for name in WORDS if not (given.quick and "httpx2" in name)]
    names = [name for name in given.clients or usual if name not in missing]
    for name in sorted(missing):
        print(f"{WORDS[name]}: left out, because a package that it needs is not installed")
    with fake_server() as server:
        results = compare(server, scenarios, names, rounds)
        grown = {name: growth(server, name, 250) for name in names if name == BEST and not given.quick}
        lone = {name: one_panel(server, name, rounds) for name in LONE}
        cold = script("cold_start.py", server, rounds)
    show(scenarios, results, grown)
    judge(results, grown, lone, cold)


if __name__ == "__main__":
    main()

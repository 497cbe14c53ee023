"""Hold the embedded model's panels against the raw speed of its runtime, in one run.

The raw time of a panel is what the runtime would take for the same tokens with nothing around it: uncached prompt tokens by the
rate at which it reads, plus written tokens by the rate at which it writes. Both rates are measured here, before and after. Reading
is slower in small pieces than in large ones, and a panel reads mostly small ones, so the rate is given for both.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import resource
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from panel.domain.completion import Completion, ModelConfig, Usage
from panel.domain.tool import Tool
from panel.loaders.personas import load_personas
from panel.loaders.prompts import PromptBook
from panel.providers.local import LocalProvider
from panel.providers.local.engine import Engine, Lane, Tokens
from panel.providers.local.weights import find_weights, load_runtime

ROOT = Path(__file__).resolve().parent.parent
FIXTURE = ROOT / "fixtures" / "embedded" / "calibration.jsonl"
CONFIG = ModelConfig(model="smollm2-135m-instruct")
NOTHING = Usage(input_tokens=0, cached_tokens=0, output_tokens=0)
LARGE, SMALL, WRITTEN = 256, 32, 48
REPEATS = 4


@dataclass(frozen=True, slots=True)
class Rates:
    """Tokens per second on one thread: read in large pieces and in small ones, and written."""

    large: float
    small: float
    written: float

    def seconds(self, usage: Usage, reading: float) -> float:
        """Return the raw time of a usage at a rate of reading."""
        unread = (usage.input_tokens or 0) - (usage.cached_tokens or 0)
        return unread / reading + (usage.output_tokens or 0) / self.written


def rates_of(engine: Engine, seed: int) -> Rates:
    """Measure the runtime alone, on tokens that it has not seen."""
    chance = random.Random(seed)  # noqa: S311 - any tokens serve

    def tokens(count: int) -> Tokens:
        return tuple(chance.randrange(100, 40_000) for _ in range(count))

    def read(count: int) -> float:
        base = tokens(8)
        engine.ask(Lane.READ, (base, tokens(1)))
        return min(_timed(engine, (base, tokens(count))) for _ in range(REPEATS))

    path = (tokens(8), tokens(8))
    _timed(engine, path, written=WRITTEN)
    one, many = (min(_timed(engine, path, written=count) for _ in range(REPEATS)) for count in (1, WRITTEN))
    return Rates(LARGE / read(LARGE), SMALL / read(SMALL), (WRITTEN - 1) / (many - one))


def _timed(engine: Engine, path: tuple[Tokens, Tokens], *, written: int = 1) -> float:
    start = time.perf_counter()
    engine.ask(Lane.READ, path, again=written > 1, max_tokens=written, ignore_eos=True)
    return time.perf_counter() - start


async def panels(tools: list[Tool], servers: int) -> tuple[float, list[Completion]]:
    """Return the wall time of all tools' panels, without loading, and their answers."""
    personas = load_personas(ROOT / "personas").values()
    book = PromptBook([ROOT / "prompts"], b"bench", scaffolded=True)
    provider = LocalProvider(servers)
    try:
        warm = Tool(name="Warm-up", description="A tool that is read to load the model.")
        await asyncio.gather(*(provider.complete(book.take(warm, one), CONFIG) for one in personas))
        start = time.perf_counter()
        answers = await asyncio.gather(
            *(provider.complete(book.take(tool, one), CONFIG) for tool in tools for one in personas)
        )
        return time.perf_counter() - start, answers
    finally:
        await provider.aclose()


def report(servers: int, wall: float, answers: list[Completion], rates: Rates) -> None:
    """Print one run."""
    usage = sum((answer.usage for answer in answers), NOTHING)
    reuse = (usage.cached_tokens or 0) / (usage.input_tokens or 1)
    ratios = [wall * servers / rates.seconds(usage, reading) for reading in (rates.large, rates.small)]
    digest = hashlib.sha256("\n".join(answer.text for answer in answers).encode()).hexdigest()
    print(f"\n{servers} server(s): {wall:.1f} s for {len(answers)} seats")
    print(f"  prompt tokens {usage.input_tokens}, of these cached {reuse:.1%}; written {usage.output_tokens}")
    print(
        f"  wall x servers / raw time: {ratios[0]:.2f} at the large pieces' rate, {ratios[1]:.2f} at the small pieces'"
    )
    print(
        f"  answers {digest[:16]}, peak memory of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tools", type=int, default=4, help="tools to review (default: %(default)s)")
    arguments = parser.parse_args()
    lines = FIXTURE.read_text(encoding="utf-8").splitlines()[:: max(24 // arguments.tools, 1)][
        : arguments.tools
    ]
    tools = [Tool.model_validate(json.loads(line)["tool"]) for line in lines]
    engine = Engine(load_runtime(), find_weights())
    before = rates_of(engine, 1)
    walls = {}
    for servers in (1, 2):
        walls[servers], answers = asyncio.run(panels(tools, servers))
        after = rates_of(engine, 1 + servers)
        rates = Rates(
            *(statistics.fmean(pair) for pair in zip(_figures(before), _figures(after), strict=True))
        )
        print(
            f"\nraw tokens/s: read {rates.large:.0f} by {LARGE}, {rates.small:.0f} by {SMALL}; written {rates.written:.0f}"
        )
        report(servers, walls[servers], list(answers), rates)
        before = after
    print(f"\ntwo servers against one: {walls[1] / walls[2]:.2f}x")
    engine.close()


def _figures(rates: Rates) -> tuple[float, float, float]:
    return rates.large, rates.small, rates.written


if __name__ == "__main__":
    main()

"""Compare the embedded model's panels with the raw speed of its runtime, in one run.

The raw time of a panel is that of its tokens alone: uncached prompt tokens by the runtime's reading rate, plus written tokens by its
writing rate. Both rates are measured before and after each run, in pieces of the size that is usual in a panel. On a busy machine, trust
the ratio of processor time.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import resource
import time
from dataclasses import dataclass
from pathlib import Path

from panel.core.completion import Completion, ModelConfig, Usage
from panel.core.tool import Tool
from panel.prompts.files import load_personas
from panel.prompts.templates import PromptBook
from panel.providers.local.provider import LocalProvider
from panel.providers.local.runtime import Engine, Lane, Tokens
from panel.providers.local.weights import find_weights, load_runtime

ROOT = Path(__file__).resolve().parent.parent
FIXTURE = ROOT / "fixtures" / "embedded" / "calibration.jsonl"
CONFIG = ModelConfig(model="smollm2-135m-instruct")
NOTHING = Usage(input_tokens=0, cached_tokens=0, output_tokens=0)
PREFIX, PIECE, PIECES = 256, 40, 8
"""Tokens of a cached prefix, tokens read or written after it at a time, and times."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall time and of processor time, of one token or of many."""

    wall: float
    processor: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.wall + other.wall, self.processor + other.processor)

    def __mul__(self, times: float) -> Cost:
        return Cost(self.wall * times, self.processor * times)


class Stopwatch:
    """A stopwatch that runs from its construction."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    @property
    def cost(self) -> Cost:
        """The time since the start."""
        return Cost(time.perf_counter() - self._wall, time.process_time() - self._processor)


def raw_costs(engine: Engine, seed: int) -> tuple[Cost, Cost]:
    """Measure the runtime's cost of reading an uncached token and of writing one."""
    chance = random.Random(seed)  # noqa: S311 - any tokens serve

    def tokens(count: int) -> Tokens:
        return tuple(chance.randrange(100, 40_000) for _ in range(count))

    base = tokens(PREFIX)
    engine.generate(Lane.READ, (base, tokens(1)))
    read = Stopwatch()
    for _ in range(PIECES):
        engine.generate(Lane.READ, (base, tokens(PIECE)))
    read_cost = read.cost
    path = (base, tokens(1))
    engine.generate(Lane.READ, path)
    written = Stopwatch()
    for _ in range(PIECES):
        engine.generate(Lane.READ, path, again=True, max_tokens=PIECE, ignore_eos=True)
    return read_cost * (1 / (PIECES * PIECE)), written.cost * (1 / (PIECES * PIECE))


def raw_cost(usage: Usage, read: Cost, written: Cost) -> Cost:
    """Return the cost of a usage."""
    unread = (usage.input_tokens or 0) - (usage.cached_tokens or 0)
    return read * unread + written * (usage.output_tokens or 0)


async def panels(tools: list[Tool], servers: int) -> tuple[Cost, list[Completion]]:
    """Return the cost of all tools' panels without loading, and their answers."""
    personas = load_personas(ROOT / "personas").values()
    book = PromptBook([ROOT / "prompts"], b"bench", scaffolded=True)
    provider = LocalProvider(servers)
    try:
        warm = Tool(name="Warm-up", description="A tool that is read to load the model.")
        await asyncio.gather(*(provider.complete(book.take(warm, one), CONFIG) for one in personas))
        watch = Stopwatch()
        questions = [book.take(tool, one) for tool in tools for one in personas]
        answers = await asyncio.gather(*(provider.complete(question, CONFIG) for question in questions))
        return watch.cost, answers
    finally:
        await provider.aclose()


def report(servers: int, took: Cost, answers: list[Completion], raw: Cost) -> None:
    """Print one run."""
    usage = sum((answer.usage for answer in answers), NOTHING)
    reuse = (usage.cached_tokens or 0) / (usage.input_tokens or 1)
    digest = hashlib.sha256("\n".join(answer.text for answer in answers).encode()).hexdigest()
    print(
        f"{servers} server(s): {took.wall:.1f} s for {len(answers)} seats, processor {took.processor:.1f} s"
    )
    print(f"  prompt tokens {usage.input_tokens}, of these cached {reuse:.1%}; written {usage.output_tokens}")
    print(
        f"  over raw: wall {took.wall * servers / raw.wall:.2f}, processor {took.processor / raw.processor:.2f}"
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"  answers {digest[:16]}; most memory so far, with the raw server beside, {memory} MB")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tools", type=int, default=4, help="tools to review, at most 24 (default: %(default)s)"
    )
    arguments = parser.parse_args()
    lines = FIXTURE.read_text(encoding="utf-8").splitlines()
    chosen = lines[:: max(len(lines) // arguments.tools, 1)][: arguments.tools]
    tools = [Tool.model_validate(json.loads(line)["tool"]) for line in chosen]
    engine = Engine(load_runtime(), find_weights())
    walls = {}
    costs = [raw_costs(engine, 0)]
    for servers in (1, 2):
        took, answers = asyncio.run(panels(tools, servers))
        costs.append(raw_costs(engine, servers))
        read, written = ((before + after) * 0.5 for before, after in zip(*costs[-2:], strict=True))
        print(
            f"\nraw runtime: reads {1 / read.wall:.0f} tokens/s in pieces of {PIECE}, writes {1 / written.wall:.0f}"
        )
        usage = sum((answer.usage for answer in answers), NOTHING)
        report(servers, took, answers, raw_cost(usage, read, written))
        walls[servers] = took.wall
    engine.close()
    print(f"\ntwo servers against one: {walls[1] / walls[2]:.2f} times as fast")


if __name__ == "__main__":
    main()

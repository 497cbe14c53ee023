"""Measure where the embedded model's readings lie, and write the scales of all personas to personas/calibration.json.

Each reading's scale is its mean and standard deviation over the calibration tools. The scale of the judgement, which is the sum of
both readings, is a logistic fit to the labels: the probabilities of a ship are taken to be 0.85 for great, 0.5 for middling and
0.15 for awful tools, and centre and spread are those that make the labels likeliest. Equal input gives an equal file.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panel.core.prompt import Calibration, Scale
from panel.core.tool import Tool
from panel.prompts.files import CALIBRATION_FILE, load_personas
from panel.prompts.templates import PromptBook
from panel.providers.local.decoding import UNCALIBRATED, Reading
from panel.providers.local.provider import LocalProvider
from panel.providers.local.weights import SHA256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.persona import Persona

ROOT = Path(__file__).resolve().parent.parent
FIXTURE = ROOT / "fixtures" / "embedded" / "calibration.jsonl"
MODEL = "smollm2-135m-instruct"
SHIPS = {"great": 0.85, "middling": 0.5, "awful": 0.15}
SECRET = b"calibration"
"""Makes the fences around the listings, which differ between installations; any value serves."""

STEPS, RATE = 4_000, 0.5

Row = dict[str, Any]


def scale_of(figures: Sequence[float]) -> Scale:
    """Return the mean and the standard deviation."""
    return Scale(centre=round(statistics.fmean(figures), 4), spread=round(statistics.pstdev(figures), 4))


def logistic_fit(figures: Sequence[float], shares: Sequence[float]) -> Scale:
    """Return the scale on which the logistic function of the figures fits the shares best, by gradient ascent."""
    slope, offset = 1.0, 0.0
    for _ in range(STEPS):
        errors = [
            share - 1 / (1 + math.exp(-slope * x - offset)) for x, share in zip(figures, shares, strict=True)
        ]
        slope += RATE * statistics.fmean(error * x for error, x in zip(errors, figures, strict=True))
        offset += RATE * statistics.fmean(errors)
    return Scale(centre=round(-offset / slope, 4), spread=round(1 / slope, 4))


def calibration_of(readings: Sequence[Reading], bands: Sequence[str]) -> Calibration:
    """Return the scales of one persona from its readings of the labelled tools."""
    parts = UNCALIBRATED.model_copy(
        update={
            "whole": scale_of([reading.whole for reading in readings]),
            "sentences": scale_of([reading.mean for reading in readings]),
        }
    )
    sums = [reading.judgement(parts) for reading in readings]
    fit = logistic_fit(sums, [SHIPS[band] for band in bands])
    return parts.model_copy(update={"model": MODEL, "judgement": fit})


async def readings_of(
    provider: LocalProvider, book: PromptBook, persona: Persona, tools: Sequence[Tool]
) -> list[Reading]:
    """Return a persona's readings of all tools, in their order."""
    return [await provider.read(book.take(tool, persona)) for tool in tools]


async def measure(
    personas: Sequence[Persona], book: PromptBook, rows: Sequence[Row], servers: int | None
) -> dict[str, Calibration]:
    """Return each persona's scales."""
    tools, bands = [Tool.model_validate(row["tool"]) for row in rows], [str(row["band"]) for row in rows]
    provider = LocalProvider(servers)
    try:
        readings = await asyncio.gather(
            *(readings_of(provider, book, persona, tools) for persona in personas)
        )
    finally:
        await provider.aclose()
    return {persona.id: calibration_of(own, bands) for persona, own in zip(personas, readings, strict=True)}


def content_of(
    personas: Sequence[Persona], book: PromptBook, figures: dict[str, Calibration]
) -> dict[str, Any]:
    """Return the content of the calibration file: the scales, and what they were measured with."""
    return {
        "model": MODEL,
        "weights_sha256": SHA256,
        "fixture_sha256": hashlib.sha256(FIXTURE.read_bytes()).hexdigest(),
        "prompt_digest": book.digest,
        "persona_digests": {one.id: one.digest for one in personas},
        "personas": {name: own.model_dump(exclude={"model"}) for name, own in figures.items()},
    }


def main() -> None:
    """Measure and write, or only print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--servers", type=int, help="servers of one thread each; by default one per core")
    parser.add_argument("--print", action="store_true", help="print the figures and write nothing")
    arguments = parser.parse_args()
    personas = [
        one.model_copy(update={"calibration": None}) for one in load_personas(ROOT / "personas").values()
    ]
    book = PromptBook([ROOT / "prompts"], SECRET, scaffolded=True)
    rows = [json.loads(line) for line in FIXTURE.read_text(encoding="utf-8").splitlines()]
    figures = asyncio.run(measure(personas, book, rows, arguments.servers))
    text = json.dumps(content_of(personas, book, figures), indent=2) + "\n"
    if not arguments.print:
        (ROOT / "personas" / CALIBRATION_FILE).write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()

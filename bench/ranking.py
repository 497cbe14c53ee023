"""Rank invented tools by the embedded model's scores, and say how well the ranking agrees with their labels.

AUC is the share of pairs, one tool of each band, in which the better tool has the higher mean score; ties count half. The tools of
`ranking.jsonl` took no part in choosing prompts, words or scales.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from panel.core.tool import Tool
from panel.prompts.files import load_personas
from panel.prompts.templates import PromptBook
from panel.providers.local.provider import LOWEST_SHIP_SCORE, LocalProvider, score_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "fixtures" / "embedded"
PAIRS = (("great", "awful"), ("great", "middling"), ("middling", "awful"))
BANDS = ("great", "middling", "awful")
SECRET = b"ranking"

Row = dict[str, str]


def auc(better: Sequence[float], worse: Sequence[float]) -> float:
    """Return the share of pairs that are in the right order."""
    wins = sum((high > low) + 0.5 * (high == low) for high in better for low in worse)
    return wins / (len(better) * len(worse))


async def scores_of(tools: Sequence[Tool], servers: int | None) -> list[dict[str, int]]:
    """Return every persona's score of each tool."""
    personas = load_personas(ROOT / "personas")
    book = PromptBook([ROOT / "prompts"], SECRET, scaffolded=True)
    provider = LocalProvider(servers)

    async def of(tool: Tool) -> dict[str, int]:
        readings = await asyncio.gather(*(provider.read(book.take(tool, one)) for one in personas.values()))
        return {
            name: score_of(reading.probability(personas[name].calibration))
            for name, reading in zip(personas, readings, strict=True)
        }

    try:
        return await asyncio.gather(*map(of, tools))
    finally:
        await provider.aclose()


def print_ranking(rows: Sequence[Row], scores: Sequence[Mapping[str, int]]) -> None:
    """Print the tools from the highest mean score to the lowest, then the agreement with their labels."""
    means = [statistics.fmean(one.values()) for one in scores]
    print(f"{'mean':>5}  {'band':9}{'tool':20}", *(f"{name:>9}" for name in scores[0]))
    for mean, row, own in sorted(zip(means, rows, scores, strict=True), key=lambda one: -one[0]):
        print(f"{mean:5.1f}  {row['band']:9}{row['name']:20}", *(f"{score:9}" for score in own.values()))
    columns = {"panel": means} | {name: [float(one[name]) for one in scores] for name in scores[0]}
    for better, worse in PAIRS:
        print(
            f"AUC {better} over {worse}:",
            *(f"{name} {_auc(rows, own, better, worse):.2f}" for name, own in columns.items()),
        )
    ships = {
        band: [
            mean >= LOWEST_SHIP_SCORE for mean, row in zip(means, rows, strict=True) if row["band"] == band
        ]
        for band in BANDS
    }
    print(
        f"mean of {LOWEST_SHIP_SCORE} or more:",
        *(f"{band} {sum(own)}/{len(own)}" for band, own in ships.items()),
    )


def _auc(rows: Sequence[Row], figures: Sequence[float], better: str, worse: str) -> float:
    def of(band: str) -> list[float]:
        return [figure for figure, row in zip(figures, rows, strict=True) if row["band"] == band]

    return auc(of(better), of(worse))


def main() -> None:
    """Print the ranking of each split."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--file", default="ranking.jsonl", help="a file of fixtures/embedded (default: %(default)s)"
    )
    parser.add_argument("--servers", type=int, help="servers of one thread each; by default one per core")
    arguments = parser.parse_args()
    lines = (FOLDER / arguments.file).read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    tools = [Tool.model_validate(record["tool"]) for record in records]
    scores = asyncio.run(scores_of(tools, arguments.servers))
    rows = [{"band": one["band"], "split": one["split"], "name": one["tool"]["name"]} for one in records]
    for split in dict.fromkeys(row["split"] for row in rows):
        chosen = [index for index, row in enumerate(rows) if row["split"] == split]
        print(f"\n{split}: {len(chosen)} tools")
        print_ranking([rows[index] for index in chosen], [scores[index] for index in chosen])


if __name__ == "__main__":
    main()

"""Time and memory of `panel site build`: per page, in total, and for a rebuild after one change.

    python bench/site_build.py                     1,000 and 10,000 reviews (30,000 pages); filling the store takes longer than building
    python bench/site_build.py --reviews 200 1000

Reviews go through panel's own steps: drafted, opened, approved and published. Each build is the command itself in a process of its own.
Memory is the resident set of the process, sampled ten times a second. `flat` is the peak of the largest build over that of the smallest,
`per page` the ratio of their times per page.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from batch import LOOK_SECONDS, resident
from panel.approval import ApprovalService, DraftCommand
from panel.core.actor import Actor, Role
from panel.core.completion import ModelConfig, Usage
from panel.core.draft_edits import ScoreChange
from panel.core.draft_state import Action
from panel.core.review import PanelReview, ReviewSetup
from panel.core.take import Provenance, Seat, Take, Verdict
from panel.core.tool import Tool
from panel.store import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panel.checks import Finding

CRITICS = ("builder", "skeptic", "futurist", "founder", "creator")
CATEGORIES = 40
TOGETHER = 50
KIM = Actor(name="Kim", role=Role.PUBLISHER)
TARGETS = {"flat": 1.25, "per page": 1.15, "one change": 0.01}
SENTENCES = (
    "It connects to three warehouses and posts to chat when a run drifts, which is most of what an on-call engineer asks for.",
    "A cron job and a query do the same until the second warehouse, and then they do not.",
    "The schema diff is the part that ages well; the chat posts are the part that will be muted.",
    "Whoever pays for the warehouse will ask why it does not come with it, and will not get a good answer.",
    "Nothing here is for somebody who makes things, unless what they make is tables.",
    "The price is for a team, the job is one person's, and the trial ends before the quarter does.",
    "What it reads it keeps, and the listing says for how long, which few of its kind say.",
)


@dataclass(frozen=True, slots=True)
class Built:
    """Figures of one build.

    Attributes:
        seconds: wall time, including the start of the interpreter.
        peak: largest resident set in MB.
        pages: HTML files of the site.
        written: files that were new or had changed.
    """

    seconds: float
    peak: float
    pages: int
    written: int


def main() -> None:
    """Build sites of each size, change one review, build again, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reviews", type=int, nargs="+", default=[1_000, 10_000], help="sizes of the sites")
    peaks, rates = [], []
    head = ("reviews", "pages", "full s", "ms/page", "peak MB", "same s", "change s", "share", "written")
    print(" ".join(f"{name:>9}" for name in head))
    for size in sorted(parser.parse_args().reviews):
        with TemporaryDirectory() as folder:
            full, same, change = measured(Path(folder), size)
        peaks.append(full.peak)
        rates.append(full.seconds / full.pages * 1_000)
        print(
            f"{size:9,} {full.pages:9,} {full.seconds:9.1f} {rates[-1]:9.2f} {full.peak:9.0f} {same.seconds:9.2f} "
            f"{change.seconds:9.2f} {change.seconds / full.seconds:9.2%} {change.written:9,}",
            flush=True,
        )
    print(f"flat: {peaks[-1] / peaks[0]:.2f}; per page: {rates[-1] / rates[0]:.2f} (the last over the first)")
    print("targets:", ", ".join(f"{name} {target:g}" for name, target in TARGETS.items()))


def measured(folder: Path, size: int) -> tuple[Built, Built, Built]:
    """Fill a store and build its site: from nothing, without a change, and after one."""
    database = folder / "panel.db"
    draft = asyncio.run(fill(database, size))
    full, same = built(folder), built(folder)
    if same.written:
        raise SystemExit(f"a build without a change wrote {same.written} files")
    asyncio.run(correct(database, draft))
    return full, same, built(folder)


async def fill(database: Path, size: int) -> int:
    """Publish reviews, and return the number of a draft in the middle."""
    async with open_store(database) as store:
        run = await store.runs.create("batch", {})
        drafts: list[int] = []
        for start in range(0, size, TOGETHER):
            reviews = [review(number) for number in range(start, min(start + TOGETHER, size))]
            await store.runs.add_tools(run, (one.tool for one in reviews))
            drafts += await asyncio.gather(*(publish(store, run, one) for one in reviews))
    return drafts[size // 2]


async def publish(store: Store, run: int, one: PanelReview) -> int:
    """Draft a review, approve it and publish it."""
    version = await store.tools.put(one.tool)
    draft = await store.drafts.put(one, run, version, anew=True, checks=unchecked)
    shown = (await ApprovalService(store, unchecked).view(draft)).shown.hash
    for action in (Action.OPEN, Action.APPROVE, Action.PUBLISH):
        await ApprovalService(store, unchecked).execute(
            draft, DraftCommand(action=action, actor=KIM, seen=shown)
        )
    return draft


async def correct(database: Path, draft: int) -> None:
    """Change a score of a published review, and publish it again."""
    async with open_store(database) as store:
        for action, more in ((Action.EDIT, edit()), (Action.APPROVE, {}), (Action.PUBLISH, {})):
            seen = (await ApprovalService(store, unchecked).view(draft)).shown.hash
            await ApprovalService(store, unchecked).execute(
                draft, DraftCommand(action=action, actor=KIM, seen=seen, **more)
            )


def edit() -> dict[str, Any]:
    """Return the fields of an edit."""
    return {"changes": (ScoreChange(persona="builder", value=41),), "reason": "It was mistyped."}


def unchecked(_review: PanelReview) -> tuple[Finding, ...]:
    """Find nothing: the time of checks is measured by `checks.py`."""
    return ()


def review(number: int) -> PanelReview:
    """Return a distinct review."""
    config = ModelConfig(model="m-1")
    source = Provenance(
        provider="openai",
        model="m-1",
        config=config,
        prompt_digest="a1" * 32,
        persona_digest="b2" * 32,
        asks=1,
        attempts=1,
        usage=Usage(input_tokens=1_250, output_tokens=210, cost_usd=0.0034),
    )
    seats = tuple(
        Seat(persona=name, name=name.title(), outcome=take(number, place), provenance=source)
        for place, name in enumerate(CRITICS)
    )
    return PanelReview(
        tool=tool(number),
        setup=ReviewSetup(
            provider="openai", config=config, prompts="c3" * 32, personas=dict.fromkeys(CRITICS, "b2" * 32)
        ),
        seats=seats,
        reviewed_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number),
    )


def take(number: int, place: int) -> Take:
    """Return a take of a review."""
    score = (number * 37 + place * 23) % 101
    words = " ".join(chosen(SENTENCES, number * 5 + place, 4))
    return Take(verdict=Verdict.SHIP if score >= 50 else Verdict.SKIP, score=score, take=words)  # noqa: PLR2004 - the middle


def chosen(sentences: tuple[str, ...], start: int, most: int) -> Iterable[str]:
    """Return some sentences in a distinct order."""
    return (sentences[(start + step * (1 + start % 3)) % len(sentences)] for step in range(most))


def tool(number: int) -> Tool:
    """Return a distinct tool."""
    return Tool(
        name=f"Tool {number:06d}",
        tagline=f"The one with the number {number}",
        description=f"Shows run history, row counts and schema diffs for scheduled jobs of kind {number * 7919 % 9973}.\n\n"
        "It connects to three warehouses and posts to chat when a run drifts.",
        category=f"Category {number % CATEGORIES:02d}",
        pricing="Free, then $40/month",
        url=f"https://tool-{number}.example/",
    )


def built(folder: Path) -> Built:
    """Run `panel site build` to its end."""
    words = [
        "site",
        "build",
        "--out",
        str(folder / "site"),
        "--site-url",
        "https://reviews.example",
        "--json",
    ]
    command = [sys.executable, "-m", "panel", *words, "--quiet"]
    environment = {**os.environ, "PANEL_DATA_DIR": str(folder)}
    began, peak = time.monotonic(), 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=folder) as process:  # noqa: S603 - our own
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(LOOK_SECONDS)
        seconds = time.monotonic() - began
        told = process.stdout.read() if process.stdout else b""
    if process.returncode:
        raise SystemExit(f"the build ended with {process.returncode}")
    counts = json.loads(told)
    return Built(seconds, peak, counts["pages"], counts["written"])


if __name__ == "__main__":
    main()

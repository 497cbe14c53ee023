"""What the queue takes to open with 100,000 drafts, against one of 100.

    python bench/approval_queue.py                       SQLite, and PostgreSQL where its server is installed
    python bench/approval_queue.py --drafts 1000 --kinds sqlite

Each list is asked for through the store, as the terminal and the browser do, and timed from outside: the median and the 95th percentile
in ms. `ratio` is the larger store's median over that of the smaller.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, text

from databases import databases
from panel.approval import ApprovalService
from panel.checks import check_review
from panel.core.completion import ModelConfig, Usage
from panel.core.draft_state import State
from panel.core.frozen import digest_of
from panel.core.review import PanelReview, ReviewSetup
from panel.core.take import Provenance, Seat, Take, Verdict
from panel.core.tool import Tool
from panel.store import Order, QueueFilter, Split, open_store
from panel.store.draft_records import review_columns
from panel.store.schema import drafts, events, open_kinds, runs, takes, tool_names, tool_versions, tools

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from sqlalchemy import Connection, Engine

    from panel.store import Store

SMALL = 100
ROUNDS = 40
CHUNK = 1_000
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
ROSTER = ("builder", "skeptic", "futurist", "founder", "creator")
PROSE = (
    "The primitive is clear and the defaults are sane, but there is no export and the price assumes a team of ten. "
    "Somebody who runs jobs at night wants to know which of them drifted, and this tells them before the report is read. "
)
# Shares of what a site has after a year: most is published, and some hundreds wait.
STATES = (
    (("drafted",), 0.04),
    (("drafted", "open"), 0.02),
    (("drafted", "open", "request_changes"), 0.01),
    (("drafted", "open", "approve"), 0.01),
    (("drafted", "open", "reject"), 0.12),
    (("drafted", "open", "approve", "publish"), 0.80),
)
AFTER = {
    "drafted": State.DRAFTED,
    "open": State.IN_REVIEW,
    "request_changes": State.CHANGES_REQUESTED,
    "approve": State.APPROVED,
    "reject": State.REJECTED,
    "publish": State.PUBLISHED,
}
KINDS = (
    ("number", 0.5),
    ("price", 0.2),
    ("first_person", 0.01),
    ("hidden", 0.0001),
)
CATEGORIES = (*(f"Category {n}" for n in range(40)), "Rare")
WEIGHTS = (*(100 / (n + 1) for n in range(40)), 0.05)


@dataclass(frozen=True, slots=True)
class Took:
    """What one kind of question took, in ms."""

    middle: float
    late: float


def main() -> None:
    """Fill stores of both sizes on each kind of database, ask, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--drafts", type=int, default=100_000, help="of the larger store")
    parser.add_argument("--kinds", nargs="+", choices=["sqlite", "postgresql"], help="of databases")
    arguments = parser.parse_args()
    with databases() as found:
        for kind, where in found.items():
            if kind in (arguments.kinds or found):
                asyncio.run(_compared(kind, where, arguments.drafts))


async def _compared(kind: str, where: Callable[[], str], size: int) -> None:
    few, many = [await _measured(where(), count) for count in (SMALL, size)]
    print(f"\n{kind:40} {SMALL:>8,} drafts {size:>14,} drafts")
    print(f"{'':40} {'median':>7} {'p95':>7} {'median':>10} {'p95':>9} {'ratio':>8}")
    for name, one in few.items():
        other = many[name]
        print(
            f"{name:40} {one.middle:7.2f} {one.late:7.2f} {other.middle:10.2f} {other.late:9.2f} "
            f"{other.middle / one.middle:8.2f}",
            flush=True,
        )


async def _measured(where: str, size: int) -> dict[str, Took]:
    async with open_store(where) as store:
        began = time.perf_counter()
        for first in range(1, size + 1, CHUNK):
            rows = _rows(range(first, min(first + CHUNK, size + 1)), size)
            await store._db.write(partial(_insert, rows=rows))  # noqa: SLF001 - a bench fills it
        await store._db.run_in_thread(lambda: _vacuumed(store._db.database.engine))  # noqa: SLF001 - likewise
        print(f"{size:,} drafts in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        return {name: await _timed(ask) for name, ask in _questions(store, size)}


def _questions(store: Store, size: int) -> Iterator[tuple[str, Callable[[], Awaitable[Any]]]]:
    def asked(wanted: QueueFilter, after: str | None = None) -> Callable[[], Awaitable[Any]]:
        return lambda: store.queue.page(wanted, after=after)

    yield "counts", store.queue.counts
    yield "categories", store.queue.categories
    yield "categories of a state", lambda: store.queue.categories(State.IN_REVIEW)
    yield "view", lambda: ApprovalService(store, lambda review: check_review(review, {})).view(size // 2)
    yield "all, deep", asked(QueueFilter(), f"{size // 2}.{size // 2}")
    for order in Order:
        yield f"all, {order} first", asked(QueueFilter(order=order))
    for state in (State.IN_REVIEW, State.PUBLISHED):
        for order in Order:
            yield f"{state}, {order} first", asked(QueueFilter(state=state, order=order))
    filters: dict[str, dict[str, Any]] = {
        "category, large": {"category": CATEGORIES[0]},
        "category, rare": {"category": CATEGORIES[-1]},
        "category, none": {"category": "Nothing"},
        "search, many": {"search": "tool"},
        "search, one": {"search": f"tool {size // 2:06d}"},
        "search, none": {"search": "nothing of the kind"},
        "flag, half": {"flag": "number"},
        "flag, rare": {"flag": "hidden"},
        "flag, none": {"flag": "markup"},
        "split, unanimous": {"split": Split.UNANIMOUS},
        "split, close": {"split": Split.CLOSE},
        "verdict of a persona": {"persona": "skeptic", "verdict": Verdict.SKIP},
        "verdict of nobody": {"persona": "nobody", "verdict": Verdict.SKIP},
        "cost, none": {"cost": 5.0},
        "cost, half": {"cost": 0.05},
        "before, all": {"before": BEGUN + timedelta(days=400)},
        "before, none": {"before": BEGUN},
    }
    for name, wanted in filters.items():
        yield name, asked(QueueFilter(**wanted))
        yield f"{name}, in review", asked(QueueFilter(**wanted, state=State.IN_REVIEW))
        yield f"{name}, findings first", asked(QueueFilter(**wanted, order=Order.FINDINGS))


async def _timed(ask: Callable[[], Awaitable[Any]]) -> Took:
    await ask()
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - began) * 1000)
    return Took(median(took), quantiles(took, n=20)[-1])


def _vacuumed(engine: Engine) -> None:
    # PostgreSQL does it by itself, some time later; nobody does it for SQLite.
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _insert(connection: Connection, rows: dict[str, list[dict[str, Any]]]) -> None:
    # The database's own triggers count the drafts.
    for table in (runs, tools, tool_names, tool_versions, drafts, takes, events, open_kinds):
        if rows[table.name]:
            connection.execute(insert(table), rows[table.name])


def _rows(numbers: range, size: int) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of some drafts, by table."""
    rows: dict[str, list[dict[str, Any]]] = {
        table.name: []
        for table in (runs, tools, tool_names, tool_versions, drafts, takes, events, open_kinds)
    }
    if numbers[0] == 1:
        settings = {"kind": "batch", "settings": {}, "state": "done", "created_at": BEGUN, "lease_beat": 0}
        rows["runs"].append({"id": 1, **settings})
    for number in numbers:
        for table, found in _rows_of(number, size).items():
            rows[table] += found
    return rows


def _rows_of(number: int, size: int) -> dict[str, list[dict[str, Any]]]:
    random = Random(number)  # noqa: S311 - figures to sort by
    made = _review(number, random)
    review = made.model_dump(mode="json")
    moment, shown = BEGUN + timedelta(days=300 * number / size), digest_of(review)
    (kinds,) = random.choices([kinds for kinds, _ in STATES], [share for _, share in STATES])
    # What was approved has no open findings.
    opened = [kind for kind, share in KINDS if random.random() < share and "approve" not in kinds]
    key = {"id": number, "tool_id": number}
    return {
        "tools": [
            {
                "id": number,
                "canonical": made.tool.canonical,
                "name": made.tool.name,
                "slug": made.tool.slug,
                "first_seen": moment,
            }
        ],
        "tool_names": [{"tool_id": number, "name": made.tool.canonical}],
        "tool_versions": [
            {**key, "digest": made.tool.digest, "content": review["tool"], "first_seen": moment}
        ],
        "drafts": [
            {
                **key,
                "run_id": 1,
                "version_id": number,
                "review_id": made.id,
                "review": review,
                "shown": shown,
                "state": AFTER[kinds[-1]],
                "drafted_at": moment,
                "updated_at": moment,
                "live": shown if kinds[-1] == "publish" else None,
                "open_findings": sum(random.randint(1, 4) for _ in opened),
                **review_columns(made),
            }
        ],
        "takes": [
            {
                "draft_id": number,
                "persona": seat.persona,
                "position": n,
                "verdict": seat.take and seat.take.verdict,
            }
            for n, seat in enumerate(made.seats)
        ],
        "events": [_event(number, kind, shown, moment) for kind in kinds],
        "open_kinds": [{"draft_id": number, "kind": kind} for kind in opened],
    }


def _event(draft: int, kind: str, shown: str, moment: datetime) -> dict[str, Any]:
    actor, before = ("panel", None) if kind == "drafted" else ("Kim", shown)
    about: dict[str, Any] = {"hash_before": before, "hash_after": shown, "payload": {}, "at": moment}
    return {"draft_id": draft, "actor": actor, "kind": kind, **about}


def _review(number: int, random: Random) -> PanelReview:
    tool = Tool(
        name=f"Tool {number:06d}",
        description=f"Shows run history and schema diffs for jobs of kind {number}. " + PROSE * 3,
        category=random.choices(CATEGORIES, WEIGHTS)[0],
        pricing="Free, then $40/month",
    )
    seats = tuple(_seat(name, random) for name in ROSTER)
    return PanelReview(tool=tool, setup=SETUP, seats=seats, reviewed_at=BEGUN)


def _seat(persona: str, random: Random) -> Seat:
    score = random.randint(5, 95)
    verdict = Verdict.SHIP if score >= 50 else Verdict.SKIP  # noqa: PLR2004 - half of the scale
    take = Take(verdict=verdict, score=score, take=" ".join(random.choices(PROSE.split(), k=90)))
    usage = Usage(input_tokens=1250, output_tokens=210, cost_usd=round(random.random() / 50, 6))
    source = Provenance(**{**KNOWN, "usage": usage})
    return Seat(persona=persona, name=persona.title(), outcome=take, provenance=source)


CONFIG = ModelConfig(model="m-1")
SETUP = ReviewSetup(
    provider="openai", config=CONFIG, prompts="c3" * 32, personas=dict.fromkeys(ROSTER, "b2" * 32)
)
KNOWN: dict[str, Any] = {
    "provider": "openai",
    "model": "m-1",
    "config": CONFIG,
    "prompt_digest": "a1" * 32,
    "persona_digest": "b2" * 32,
    "asks": 1,
    "attempts": 1,
}

if __name__ == "__main__":
    main()

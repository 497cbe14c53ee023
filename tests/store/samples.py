"""What the tests of the store put into it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

import builders
from panel.core.completion import CallKey, CallRecord, Completion, Failure, FinishReason, Usage
from panel.core.frozen import digest_of
from panel.core.review import PanelReview
from panel.core.take import Seat
from panel.store.schema import calls

if TYPE_CHECKING:
    from panel.core.take import NoTake, Take
    from panel.core.tool import Tool
    from panel.store import DraftLock, Publication, RecordedEvent, Store

KEY = digest_of("step")


class OpenCall(NamedTuple):
    id: int
    key: CallKey


def call_key(key: str = KEY, **fields: Any) -> CallKey:
    known = {"label": "lantern.builder", "provider": "openai", "model": "m-1", "prompt_digest": "a1" * 32}
    return CallKey(key=key, **{**known, **fields})


def answered(text: str = "answer", key: str = KEY, **usage: Any) -> CallRecord:
    known = {"input_tokens": 10, "output_tokens": 2, "cost_usd": 0.25}
    completion = Completion(
        text=text,
        finish=FinishReason.COMPLETE,
        provider="openai",
        model="m-1",
        usage=Usage(**{**known, **usage}),
        request_id="req-1",
    )
    return CallRecord(key=key, completion=completion)


def failed(key: str = KEY, lost_calls: int = 3) -> CallRecord:
    return CallRecord(
        key=key, failure=Failure(kind="timeout", message="slow", attempts=4, lost_calls=lost_calls)
    )


def review(of: Tool | None = None, *outcomes: Take | NoTake) -> PanelReview:
    given = outcomes or (builders.take(), builders.take(80), builders.no_take())
    names = builders.ROSTER[: len(given)]
    source = builders.provenance(attempts=1)
    seats = (
        Seat(persona=name, name=name.title(), outcome=outcome, provenance=source)
        for name, outcome in zip(names, given, strict=True)
    )
    return PanelReview(
        tool=of or builders.tool(),
        setup=builders.setup(roster=names),
        seats=tuple(seats),
        reviewed_at=builders.REVIEWED_AT,
    )


def python(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)


async def events_of(store: Store, draft: int) -> list[RecordedEvent]:
    return await store.drafts.read(draft, lambda record, _: list(record.history))


async def lock_of(store: Store, draft: int) -> DraftLock | None:
    return await store.drafts.read(draft, lambda _, lock: lock)


async def publication_of(store: Store, draft: int) -> Publication | None:
    """Return the publication of a draft that is on the site."""
    history = await store.publications.history(draft)
    return history.live if history else None


async def open_calls(store: Store, run: int | None = None) -> list[OpenCall]:
    """Return the calls without an outcome, of one run or of all."""
    query = select(calls).where(calls.c.state == "open").order_by(calls.c.id)
    query = query if run is None else query.where(calls.c.run_id == run)
    rows = await store._db.read(lambda connection: connection.execute(query).mappings().all())
    names = set(CallKey.model_fields) - {"run"}
    return [
        OpenCall(row["id"], CallKey(run=row["run_id"], **{name: row[name] for name in names})) for row in rows
    ]

"""The queue: which drafts wait, and for what."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from starlette.requests import Request  # noqa: TC002 - starlette looks at what handlers take

from panel.checks import all_checks
from panel.core.draft_rules import State
from panel.core.text import canonical
from panel.store import QueueFilter
from panel.web import wording
from panel.web.filters import ALL, read_filters
from panel.web.notes import note_of
from panel.web.render import render
from panel.web.services import services_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from panel.core.draft_rules import Actor
    from panel.store import Store

PAGE = 50
_AHEAD = 20
_WAITING = (State.DRAFTED, State.IN_REVIEW)


async def queue(request: Request) -> Response:
    """Answer with a page of the queue."""
    services, store = services_of(request), services_of(request).store
    filters = read_filters(request.query_params, services.personas)
    after = request.query_params.get("after")
    page = await store.queue.page(filters.wanted, after=after or None, limit=PAGE)
    counts = await store.queue.counts()
    return render(
        request,
        "queue.html.j2",
        filters=filters,
        page=page,
        first=after is None,
        counts=counts,
        total=sum(counts.values()),
        categories=_categories(await store.queue.categories(filters.state), filters.wanted.category),
        personas=services.personas,
        flags=sorted(((check.kind, check.label) for check in all_checks().values()), key=itemgetter(1)),
        wording=wording,
        all=ALL,
        note=await note_of(request),
        list=filters.list,
    )


def _categories(counts: Mapping[str, int], chosen: str | None) -> list[tuple[str, str]]:
    """Return the categories to choose from with how many drafts are of each; the chosen one is there even if none is."""
    known = {chosen: 0, **counts} if chosen else counts
    return [(name, f"{name} ({count:,})") for name, count in known.items()]


async def next_draft(
    store: Store, actor: Actor, other_than: int, wanted: QueueFilter | None = None
) -> int | None:
    """Return the next draft of a list that waits and is with nobody else, or None if there is none; new ones come first.

    Args:
        store: where drafts are.
        actor: who asks.
        other_than: the draft that they have just dealt with.
        wanted: of which drafts, and in what order, whatever their state; all, the oldest first, unless given.
    """
    for state in _WAITING:
        page = await store.queue.page(
            (wanted or QueueFilter()).model_copy(update={"state": state}), limit=_AHEAD
        )
        for line in page.rows:
            free = line.holder is None or canonical(line.holder) == canonical(actor.name)
            if free and line.id != other_than:
                return line.id
    return None

"""What was ever published: for the site, which shows the latest of it and tells what became of the rest."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from panel.core.base import Frozen
from panel.core.draft_edits import EditedReview
from panel.core.draft_state import Action, DraftState, derive_state
from panel.core.resolution import RecordedResolution
from panel.errors import StorageError
from panel.store.draft_records import load_draft
from panel.store.repository import Repository
from panel.store.schema import drafts, events, run_tools, runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from panel.core.draft_state import LiveVersion
    from panel.store.draft_records import DraftRecord
    from panel.store.events import RecordedEvent

COMPARE = "compare"
"""The kind of the runs in which an editor put tools side by side."""


class ListedDraft(Frozen):
    """A draft that is on the site, or was until it was retracted.

    Attributes:
        draft: its number.
        tool: the number of its tool, lower for those that were seen first.
        version: a number that grows with all that happens to the draft.
    """

    draft: int
    tool: int
    version: int


class Publication(Frozen):
    """What was published of a draft at one time.

    Attributes:
        draft: the draft's number.
        shown: what was shown since.
        ticks: how findings were dealt with.
        approved_by: the editor who approved it.
        approved_at: when.
        at: when it was published.
    """

    draft: int
    shown: EditedReview
    ticks: tuple[RecordedResolution, ...]
    approved_by: str
    approved_at: datetime
    at: datetime


class Retraction(Frozen):
    """That a draft was taken from the site.

    Attributes:
        of: which publication of the draft it took back, from 0.
        by: who did it.
        reason: why, in their words, which readers see.
        at: when.
    """

    of: int
    by: str
    reason: str
    at: datetime


class PublicationHistory(Frozen):
    """All that was ever published of a draft.

    Attributes:
        draft: its number.
        publications: in order; never empty.
        retractions: each time it was taken back, in order.
    """

    draft: int
    publications: tuple[Publication, ...]
    retractions: tuple[Retraction, ...] = ()

    def retraction(self, number: int) -> Retraction | None:
        """Return that a publication was taken back; None if it was not."""
        return next((one for one in self.retractions if one.of == number), None)

    @property
    def live(self) -> Publication | None:
        """What is on the site."""
        last = len(self.publications) - 1
        return None if self.retraction(last) else self.publications[last]


class Publications(Repository):
    """What was ever published."""

    async def get(self, draft: int) -> Publication | None:
        """Return what of a draft is on the site, or None if nothing is.

        Raises:
            StorageError: there is none of this number, or it was altered.
        """
        return await self._db.read(lambda connection: _published(load_draft(connection, draft)))

    async def live(self, *, after: int = 0, limit: int = 50) -> list[Publication]:
        """Return what is on the site, the oldest draft first; `after` is the last number of the page before.

        Raises:
            StorageError: one of them was altered.
        """
        return await self._db.read(lambda connection: _all_live(connection, after, limit))

    async def listed(self) -> list[ListedDraft]:
        """Return the drafts that are on the site or were retracted, by tool and draft."""
        return await self._db.read(_listed)

    async def history(self, draft: int) -> PublicationHistory | None:
        """Return all that was ever published of a draft, or None if nothing was.

        Raises:
            StorageError: there is none of this number, or it was altered.
        """
        return await self._db.read(lambda connection: _publishing(load_draft(connection, draft)))

    async def compared_tools(self) -> list[tuple[int, ...]]:
        """Return the numbers of the tools that were put side by side in one command, a tuple for each."""
        return await self._db.read(_compared)


def _published(record: DraftRecord) -> Publication | None:
    live = record.current.live
    return _publication(record, live, derive_state(record.history[: live.place + 1])) if live else None


def _all_live(connection: Connection, after: int, limit: int) -> list[Publication]:
    query = select(drafts.c.id).where(drafts.c.live.is_not(None), drafts.c.id > after)
    numbers = connection.execute(query.order_by(drafts.c.id).limit(limit)).scalars().all()
    found = (_published(load_draft(connection, number)) for number in numbers)
    return [published for published in found if published]


def _listed(connection: Connection) -> list[ListedDraft]:
    last = select(func.max(events.c.id)).where(events.c.draft_id == drafts.c.id).scalar_subquery()
    query = select(drafts.c.id.label("draft"), drafts.c.tool_id.label("tool"), last.label("version"))
    # Whatever became of a draft that was retracted: readers keep being told.
    retracted = select(events.c.draft_id).where(events.c.kind == Action.RETRACT)
    query = query.where(or_(drafts.c.live.is_not(None), drafts.c.id.in_(retracted)))
    rows = connection.execute(query.order_by(drafts.c.tool_id, drafts.c.id)).mappings()
    return [ListedDraft.model_validate(dict(row)) for row in rows]


def _compared(connection: Connection) -> list[tuple[int, ...]]:
    query = select(run_tools.c.run_id, run_tools.c.tool_id).join_from(run_tools, runs)
    query = query.where(runs.c.kind == COMPARE).order_by(run_tools.c.run_id, run_tools.c.position)
    together: dict[int, list[int]] = {}
    for run, tool in connection.execute(query):
        together.setdefault(run, []).append(tool)
    return list(dict.fromkeys(tuple(tools) for tools in together.values() if len(tools) > 1))


def _publishing(record: DraftRecord) -> PublicationHistory | None:
    publications: list[Publication] = []
    retractions: list[Retraction] = []
    state: DraftState | None = None
    for place, event in enumerate(record.history):
        if event.kind not in {Action.PUBLISH, Action.RETRACT}:
            continue
        state = derive_state(record.history[: place + 1])
        live = state.live
        if event.kind == Action.PUBLISH and live and live.place == place:
            publications.append(_publication(record, live, state))
        elif event.kind == Action.RETRACT and publications and live is None:
            retractions.append(_retraction(event, len(publications) - 1))
    if not publications:
        return None
    return PublicationHistory(
        draft=record.id, publications=tuple(publications), retractions=tuple(retractions)
    )


def _publication(record: DraftRecord, live: LiveVersion, state: DraftState) -> Publication:
    shown = record.shown_at(live.place)
    if shown.hash != live.hash:
        raise StorageError(
            f"draft {record.id} is not what was approved; run panel db check, or restore a backup"
        )
    return Publication(
        draft=record.id,
        shown=shown,
        ticks=state.resolutions,
        approved_by=live.approval.by,
        approved_at=record.history[live.approval.place].at,
        at=record.history[live.place].at,
    )


def _retraction(event: RecordedEvent, of: int) -> Retraction:
    return Retraction(of=of, by=event.actor, reason=event.reason or "", at=event.at)

"""Publications: what the site shows, and the history of corrections and retractions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from panel.core.draft_edits import EditedReview
from panel.core.draft_state import Action, DraftState, derive_state
from panel.core.finding import RecordedResolution
from panel.core.frozen import Frozen
from panel.errors import StorageError
from panel.store.draft_records import load_draft
from panel.store.schema import drafts, events, run_tools, runs
from panel.store.transactions import Repository, load, reads

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from panel.core.draft_state import LiveVersion
    from panel.store.draft_records import DraftRecord

COMPARE = "compare"
"""Kind of the runs that compare tools."""


class ListedDraft(Frozen):
    """A draft that is or was published: its id, its tool's id, and a version that grows with each of its events."""

    draft: int
    tool: int
    version: int


class Publication(Frozen):
    """A version of a draft that was published, with the resolutions of its findings; `at` is the time of publication."""

    draft: int
    shown: EditedReview
    resolutions: tuple[RecordedResolution, ...]
    approved_by: str
    approved_at: datetime
    at: datetime


class Retraction(Frozen):
    """The retraction of a publication, with the reason that readers see; `of` is the publication's index."""

    of: int
    by: str
    reason: str
    at: datetime


class PublicationHistory(Frozen):
    """All publications of a draft, at least one, and its retractions, in order."""

    draft: int
    publications: tuple[Publication, ...]
    retractions: tuple[Retraction, ...] = ()

    def retraction(self, number: int) -> Retraction | None:
        """Return the retraction of the publication at an index, or None."""
        return next((one for one in self.retractions if one.of == number), None)

    @property
    def live(self) -> Publication | None:
        """The publication that is on the site."""
        last = len(self.publications) - 1
        return None if self.retraction(last) else self.publications[last]


class Publications(Repository):
    """Publications of drafts. Reading a draft that was altered raises StorageError."""

    @reads
    def live(self, connection: Connection, *, after: int = 0, limit: int = 50) -> list[Publication]:
        """Return the publications on the site by draft; `after` is the last draft of the previous page."""
        query = select(drafts.c.id).where(drafts.c.live.is_not(None), drafts.c.id > after)
        numbers = connection.scalars(query.order_by(drafts.c.id).limit(limit)).all()
        records = (load_draft(connection, number) for number in numbers)
        return [
            _publication(record, live, derive_state(record.history[: live.place + 1]))
            for record in records
            if (live := record.current.live)
        ]

    @reads
    def listed(self, connection: Connection) -> list[ListedDraft]:
        """Return the drafts that are on the site or were retracted, by tool and draft."""
        last = select(func.max(events.c.id)).where(events.c.draft_id == drafts.c.id).scalar_subquery()
        query = select(drafts.c.id.label("draft"), drafts.c.tool_id.label("tool"), last.label("version"))
        # Readers see a retraction in every later state of the draft.
        retracted = select(events.c.draft_id).where(events.c.kind == Action.RETRACT)
        query = query.where(or_(drafts.c.live.is_not(None), drafts.c.id.in_(retracted)))
        return load(connection, ListedDraft, query.order_by(drafts.c.tool_id, drafts.c.id))

    @reads
    def history(self, connection: Connection, draft: int) -> PublicationHistory | None:
        """Return the publications of a draft, or None if it was never published."""
        return _history(load_draft(connection, draft))

    @reads
    def compared_tools(self, connection: Connection) -> list[tuple[int, ...]]:
        """Return the ids of the tools of each comparison, without repetitions."""
        query = select(run_tools.c.run_id, run_tools.c.tool_id).join_from(run_tools, runs)
        query = query.where(runs.c.kind == COMPARE).order_by(run_tools.c.run_id, run_tools.c.position)
        by_run: dict[int, list[int]] = {}
        for run, tool in connection.execute(query).all():
            by_run.setdefault(run, []).append(tool)
        return list(dict.fromkeys(tuple(tools) for tools in by_run.values() if len(tools) > 1))


def _history(record: DraftRecord) -> PublicationHistory | None:
    publications: list[Publication] = []
    retractions: list[Retraction] = []
    for place, event in enumerate(record.history):
        if event.kind not in {Action.PUBLISH, Action.RETRACT}:
            continue
        state = derive_state(record.history[: place + 1])
        live = state.live
        if event.kind == Action.PUBLISH and live and live.place == place:
            publications.append(_publication(record, live, state))
        elif event.kind == Action.RETRACT and publications and live is None:
            last = len(publications) - 1
            retractions.append(Retraction(of=last, by=event.actor, reason=event.reason or "", at=event.at))
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
        resolutions=state.resolutions,
        approved_by=live.approval.by,
        approved_at=record.history[live.approval.place].at,
        at=record.history[live.place].at,
    )

"""Summaries of published tools, from which lists and logs are made without reading whole reviews again."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from panel.core.frozen import Frozen, digest_of
from panel.core.text import one_line
from panel.report.wording import opening

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panel.core.review import PanelReview
    from panel.core.tool import Tool
    from panel.store import PublicationHistory

EXCERPT_CHARS = 240
_WORD = re.compile(r"[^\W_]+")


class CriticScore(NamedTuple):
    """A critic's verdict and score: `builder`, `ship`, 87."""

    critic: str
    verdict: str
    score: int


class ToolSummary(NamedTuple):
    """A tool in a list; `digest` is of all that the site shows of it.

    Attributes:
        tool: number in the store; tools that were added first come first.
        draft: the published draft; after a retraction the one that was published last.
        verdict: `ship`, `skip`, `mixed` or `none`.
        verdict_line: `Ship · 3 ship / 1 skip`; `percent` is the panel's ship %, None without a take.
        changed: time of the current publication, or of the retraction.
        former_slugs: under which its page was published before.
        corrected: whether the corrections log has an entry about it.
        models: as `provider:model`; `prompts` is a digest.
    """

    tool: int
    draft: int
    slug: str
    name: str
    tagline: str
    category: str
    verdict: str
    verdict_line: str
    percent: int | None
    scores: tuple[CriticScore, ...]
    first_published: datetime
    changed: datetime
    approved_by: str
    retracted: bool
    former_slugs: tuple[str, ...]
    corrected: bool
    models: tuple[str, ...]
    prompts: str
    reviewed_on: date
    embedded: bool
    digest: str

    @property
    def path(self) -> str:
        """Path of its page."""
        return f"tools/{self.slug}/"

    @property
    def thin(self) -> bool:
        """Whether its panel gave too few takes for a verdict."""
        return self.verdict == "none"


class PublishedVerdict(Frozen):
    """An entry of a tool's verdict history."""

    at: datetime
    verdict_line: str
    models: tuple[str, ...]
    approved_by: str
    retracted_at: datetime | None = None


class Correction(Frozen):
    """An entry of the corrections log: a correction, or a retraction.

    A correction has `changes`, such as `Skeptic's verdict, take`, and the verdict lines `before` and `after` it. A retraction has a
    `reason`. `by` is the editor who approved or retracted.
    """

    at: datetime
    slug: str
    name: str
    changes: tuple[str, ...] = ()
    before: str
    after: str = ""
    by: str
    reason: str = ""


class ToolRecord(Frozen):
    """Everything that lists and logs show of a tool.

    The excerpts are the beginnings of the takes, each with its score. History and corrections have the latest entry first. The search
    words are those of its name, tagline, category, maker and aliases, without case and accents.
    """

    summary: ToolSummary
    excerpts: tuple[tuple[CriticScore, str], ...]
    history: tuple[PublishedVerdict, ...]
    corrections: tuple[Correction, ...]
    search_words: tuple[str, ...]


def record_of(number: int, drafts: Sequence[PublicationHistory]) -> ToolRecord:
    """Return the record of a tool by its number in the store, from the publications of its drafts."""
    by_time = attrgetter("at")
    publications = sorted((each for draft in drafts for each in draft.publications), key=by_time)
    # The latest review stands for the tool: once it is retracted, an earlier one does not come back in its place.
    last = publications[-1]
    review = last.shown.review
    tool, tally = review.tool, review.tally
    takes = [
        (
            CriticScore(seat.persona, seat.take.verdict, seat.take.score),
            opening(seat.take.take, EXCERPT_CHARS),
        )
        for seat in review.seats
        if seat.take
    ]
    corrections = sorted(_corrections(drafts, tool.slug), key=by_time)[::-1]
    live = any(draft.live == last for draft in drafts)
    slugs = dict.fromkeys(each.shown.review.tool.slug for each in publications)
    summary = ToolSummary(
        tool=number,
        draft=last.draft,
        slug=tool.slug,
        name=one_line(tool.name),
        tagline=one_line(tool.tagline or ""),
        category=one_line(tool.category or ""),
        verdict=tally.verdict.name.lower(),
        verdict_line=tally.line,
        percent=tally.ship_percent,
        scores=tuple(score for score, _ in takes),
        first_published=_utc(publications[0].at),
        changed=_utc(last.at if live else corrections[0].at),
        approved_by=last.approved_by,
        retracted=not live,
        former_slugs=tuple(slug for slug in slugs if slug != tool.slug),
        corrected=bool(corrections),
        models=review.setup.asked_models,
        prompts=review.setup.prompts,
        reviewed_on=_utc(review.reviewed_at).date(),
        embedded=review.embedded,
        digest="",
    )
    record = ToolRecord(
        summary=summary,
        excerpts=tuple(takes),
        history=tuple(sorted(_history(drafts), key=by_time)[::-1]),
        corrections=tuple(corrections),
        search_words=_search_words(tool),
    )
    digest = digest_of([last.model_dump(mode="json"), record.model_dump(mode="json")])
    return record.model_copy(update={"summary": summary._replace(digest=digest)})


def _search_words(tool: Tool) -> tuple[str, ...]:
    parts = (tool.name, tool.tagline, tool.category, tool.maker, *tool.aliases)
    letters = unicodedata.normalize("NFKD", " ".join(part for part in parts if part))
    plain = "".join(char for char in letters if not unicodedata.category(char).startswith("M"))
    return tuple(sorted(set(_WORD.findall(plain.lower()))))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _history(drafts: Iterable[PublicationHistory]) -> Iterator[PublishedVerdict]:
    for draft in drafts:
        for number, publication in enumerate(draft.publications):
            review = publication.shown.review
            retraction = draft.retraction(number)
            yield PublishedVerdict(
                at=_utc(publication.at),
                verdict_line=review.tally.line,
                models=review.setup.asked_models,
                approved_by=publication.approved_by,
                retracted_at=_utc(retraction.at) if retraction else None,
            )


def _corrections(drafts: Iterable[PublicationHistory], slug: str) -> Iterator[Correction]:
    for draft in drafts:
        for before, after in pairwise(draft.publications):
            old, new = before.shown.review, after.shown.review
            if changes := tuple(_changes(old, new)):
                yield Correction(
                    at=_utc(after.at),
                    slug=slug,
                    name=one_line(new.tool.name),
                    changes=changes,
                    before=old.tally.line,
                    after=new.tally.line,
                    by=after.approved_by,
                )
        for retraction in draft.retractions:
            review = draft.publications[retraction.of].shown.review
            yield Correction(
                at=_utc(retraction.at),
                slug=slug,
                name=one_line(review.tool.name),
                before=review.tally.line,
                by=retraction.by,
                reason=retraction.reason,
            )


def _changes(before: PanelReview, after: PanelReview) -> Iterator[str]:
    """Name the parts in which two versions of a review differ."""
    if before.tool.price_class != after.tool.price_class:
        yield "the tool's price class"
    if before.tool.facts != after.tool.facts:
        yield "the tool's checked facts"
    apart = {"price_class", "facts"}
    if before.tool.model_dump(exclude=apart) != after.tool.model_dump(exclude=apart):
        yield "the tool's listing"
    for seat in after.seats:
        earlier = before.seat_of(seat.persona)
        if earlier is None or earlier.outcome == seat.outcome:
            continue
        old, new = earlier.take, seat.take
        fields = ["take"]
        if old and new:
            parts = {"verdict": "verdict", "score": "score", "take": "take", "evidence": "quotes"}
            fields = [name for part, name in parts.items() if getattr(old, part) != getattr(new, part)]
        if fields:
            yield f"{one_line(seat.name)}'s {', '.join(fields)}"

"""Summaries of published tools, from which lists and logs are made without reading whole reviews again."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from panel.core.base import Frozen, digest_of
from panel.core.tally import PanelVerdict
from panel.core.text import one_line
from panel.report.wording import opening

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panel.core.review import PanelReview
    from panel.core.tool import Tool
    from panel.store import Publication, PublicationHistory

EXCERPT_CHARS = 240
VERDICT_KEYS = {
    PanelVerdict.SHIP: "ship",
    PanelVerdict.SKIP: "skip",
    PanelVerdict.MIXED: "mixed",
    PanelVerdict.NONE: "none",
}
_WORD = re.compile(r"[^\W_]+")


class CriticScore(NamedTuple):
    """A critic's verdict and score: `builder`, `ship`, 87."""

    critic: str
    verdict: str
    score: int


class ToolSummary(NamedTuple):
    """A tool in a list.

    Attributes:
        tool: number in the store; tools that were added first come first.
        draft: the published draft; after a retraction the one that was published last.
        verdict: `ship`, `skip`, `mixed` or `none`.
        verdict_line: `Ship · 3 ship / 1 skip`.
        first_published: time of the tool's first publication.
        changed: time of the current publication, or of the retraction.
        retracted: whether no review of it is published any more.
        former_slugs: under which its page was published before.
        corrected: whether the corrections log has an entry about it.
        models: as `provider:model`.
        prompts: digest of the prompts.
        embedded: whether the embedded model wrote any of its takes.
        digest: of all that the site shows of it.
    """

    tool: int
    draft: int
    slug: str
    name: str
    tagline: str
    category: str
    verdict: str
    verdict_line: str
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
        return self.verdict == VERDICT_KEYS[PanelVerdict.NONE]

    @property
    def percent(self) -> int | None:
        """Panel ship %, halves rounded up; None without a take."""
        given, ships = len(self.scores), sum(one.verdict == "ship" for one in self.scores)
        return (200 * ships + given) // (2 * given) if given else None


class TakeExcerpt(Frozen):
    """The beginning of a critic's take, with its score."""

    critic: str
    verdict: str
    score: int
    text: str


class PublishedVerdict(Frozen):
    """An entry of a tool's verdict history."""

    at: datetime
    verdict_line: str
    models: tuple[str, ...]
    approved_by: str
    retracted_at: datetime | None = None


class Correction(Frozen):
    """An entry of the corrections log: a correction, or a retraction.

    Attributes:
        slug: of the tool's page.
        changes: corrected parts, such as `Skeptic's verdict, take`; empty for a retraction.
        before: verdict line until then.
        after: verdict line since; empty for a retraction.
        by: the editor who approved the correction, or who retracted the review.
        reason: of a retraction; empty for a correction.
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

    Attributes:
        history: published verdicts, the latest first.
        corrections: the latest first.
        search_words: words of its name, tagline, category, maker and aliases, without case and accents.
    """

    summary: ToolSummary
    excerpts: tuple[TakeExcerpt, ...]
    history: tuple[PublishedVerdict, ...]
    corrections: tuple[Correction, ...]
    search_words: tuple[str, ...]


def record_of(tool: int, drafts: Sequence[PublicationHistory]) -> ToolRecord:
    """Return the record of a tool.

    Args:
        tool: its number in the store.
        drafts: publications of each of its drafts; at least one.
    """
    publications = sorted((each for draft in drafts for each in draft.publications), key=lambda one: one.at)
    # The latest review stands for the tool: once it is retracted, an earlier one does not come back in its place.
    last = publications[-1]
    live = any(draft.live == last for draft in drafts)
    review = last.shown.review
    history = sorted(_history(drafts), key=lambda one: one.at)[::-1]
    corrections = sorted(_corrections(drafts, review.tool.slug), key=lambda one: one.at)[::-1]
    summary = _summarize(
        tool, publications, retracted_at=None if live else corrections[0].at, corrected=bool(corrections)
    )
    record = ToolRecord(
        summary=summary,
        excerpts=tuple(_excerpts(review)),
        history=tuple(history),
        corrections=tuple(corrections),
        search_words=_search_words(review.tool),
    )
    digest = digest_of([last.model_dump(mode="json"), record.model_dump(mode="json")])
    return record.model_copy(update={"summary": summary._replace(digest=digest)})


def _summarize(
    number: int, publications: Sequence[Publication], *, retracted_at: datetime | None, corrected: bool
) -> ToolSummary:
    last = publications[-1]
    review = last.shown.review
    tool, tally = review.tool, review.tally
    slugs = dict.fromkeys(each.shown.review.tool.slug for each in publications)
    return ToolSummary(
        tool=number,
        draft=last.draft,
        slug=tool.slug,
        name=one_line(tool.name),
        tagline=one_line(tool.tagline or ""),
        category=one_line(tool.category or ""),
        verdict=VERDICT_KEYS[tally.verdict],
        verdict_line=tally.line,
        scores=tuple(
            CriticScore(seat.persona, seat.take.verdict, seat.take.score)
            for seat in review.seats
            if seat.take
        ),
        first_published=_utc(publications[0].at),
        changed=_utc(retracted_at or last.at),
        approved_by=last.approved_by,
        retracted=retracted_at is not None,
        former_slugs=tuple(slug for slug in slugs if slug != tool.slug),
        corrected=corrected,
        models=review.setup.asked_models,
        prompts=review.setup.prompts,
        reviewed_on=_utc(review.reviewed_at).date(),
        embedded=review.embedded,
        digest="",
    )


def _search_words(tool: Tool) -> tuple[str, ...]:
    parts = (tool.name, tool.tagline, tool.category, tool.maker, *tool.aliases)
    letters = unicodedata.normalize("NFKD", " ".join(part for part in parts if part))
    plain = "".join(char for char in letters if not unicodedata.category(char).startswith("M"))
    return tuple(sorted(set(_WORD.findall(plain.lower()))))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _excerpts(review: PanelReview) -> Iterator[TakeExcerpt]:
    for seat in review.seats:
        if take := seat.take:
            text = opening(take.take, EXCERPT_CHARS)
            yield TakeExcerpt(critic=seat.persona, verdict=take.verdict, score=take.score, text=text)


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
        if old is None or new is None:
            yield f"{one_line(seat.name)}'s take"
            continue
        fields = [name for name in ("verdict", "score", "take") if getattr(old, name) != getattr(new, name)]
        fields += ["quotes"] if old.evidence != new.evidence else []
        if fields:
            yield f"{one_line(seat.name)}'s {', '.join(fields)}"

"""What lists and logs need to know of a tool, so that they are made without reading its reviews again."""

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

SENTENCE_CHARS = 240
_WORD = re.compile(r"[^\W_]+")
KEYS = {
    PanelVerdict.SHIP: "ship",
    PanelVerdict.SKIP: "skip",
    PanelVerdict.MIXED: "mixed",
    PanelVerdict.NONE: "none",
}


class CriticScore(NamedTuple):
    """What a critic gave a tool: `builder`, `ship`, 87."""

    critic: str
    verdict: str
    score: int


class ToolSummary(NamedTuple):
    """A tool in a list.

    Attributes:
        tool: its number; tools that were seen first come first.
        draft: the draft that is on the site; the last one that was, if none is.
        slug: the end of its page's address.
        name: as it is shown.
        tagline: likewise; may be empty.
        category: likewise.
        entry: its entry price.
        verdict: `ship`, `skip`, `mixed` or `none`.
        line: `Ship · 3 ship / 1 skip`.
        marks: what the critics gave it.
        first: when it was first published.
        at: when what is shown was published, or when it was retracted.
        by: the editor who approved it.
        retracted: whether nothing of it is on the site any more.
        former: ends of addresses that its page had before.
        corrected: whether the log has an entry about it.
        models: who was asked, as `provider:model`.
        prompts: digest of the prompts.
        reviewed: the day on which the panel sat.
        embedded: whether the embedded model wrote any of it.
        digest: of all that the site shows of it.
    """

    tool: int
    draft: int
    slug: str
    name: str
    tagline: str
    category: str
    entry: str
    verdict: str
    line: str
    marks: tuple[CriticScore, ...]
    first: datetime
    at: datetime
    by: str
    retracted: bool
    former: tuple[str, ...]
    corrected: bool
    models: tuple[str, ...]
    prompts: str
    reviewed: date
    embedded: bool
    digest: str

    @property
    def thin(self) -> bool:
        """Whether its panel gave too few takes for a verdict."""
        return self.verdict == KEYS[PanelVerdict.NONE]

    @property
    def percent(self) -> int | None:
        """Panel ship %, halves rounded up; None without a take."""
        given, ships = len(self.marks), sum(mark.verdict == "ship" for mark in self.marks)
        return (200 * ships + given) // (2 * given) if given else None


class TakeExcerpt(Frozen):
    """What a critic said of a tool, in short.

    Attributes:
        critic: its id.
        verdict: ship or skip.
        score: 0-100.
        sentence: how the take begins.
    """

    critic: str
    verdict: str
    score: int
    sentence: str


class VerdictHistory(Frozen):
    """A verdict that was published.

    Attributes:
        at: when.
        line: the verdict.
        models: who was asked.
        by: the editor who approved it.
        retracted: when it was taken back; None if it was not.
    """

    at: datetime
    line: str
    models: tuple[str, ...]
    by: str
    retracted: datetime | None = None


class Correction(Frozen):
    """Something that changed on the site after it was published.

    Attributes:
        at: when.
        slug: of the tool's page.
        name: of the tool.
        what: what was changed, such as `Skeptic: verdict, take`; empty for a retraction.
        before: the panel's verdict until then.
        after: the panel's verdict since; empty for a retraction.
        by: the editor who approved the correction, or who took the review back.
        reason: why it was taken back; empty for a correction.
    """

    at: datetime
    slug: str
    name: str
    what: tuple[str, ...] = ()
    before: str
    after: str = ""
    by: str
    reason: str = ""


class Record(Frozen):
    """All that lists and logs know of a tool.

    Attributes:
        card: the tool in a list.
        said: what the critics said of it.
        history: the verdicts that were published, the latest first.
        log: what changed after it was published, the latest first.
        words: what it is found by: those of its name, tagline, category, maker and other names, without case and accents.
    """

    card: ToolSummary
    said: tuple[TakeExcerpt, ...]
    history: tuple[VerdictHistory, ...]
    log: tuple[Correction, ...]
    words: tuple[str, ...]


def record_of(tool: int, past: Sequence[PublicationHistory]) -> Record:
    """Return what lists and logs know of a tool.

    Args:
        tool: its number.
        past: all that was published of each of its drafts; at least one.
    """
    publications = sorted((each for one in past for each in one.publications), key=_when)
    # The latest review stands for the tool: once it is taken back, an earlier one does not come back in its place.
    last = publications[-1]
    live = any(one.live == last for one in past)
    review = last.shown.review
    slug = review.tool.slug
    history = sorted(_history(past), key=lambda one: one.at)
    log = sorted(_log(past, slug), key=lambda one: one.at)
    record = Record(
        card=_card(tool, last, publications, retracted_at=None if live else log[-1].at, corrected=bool(log)),
        said=tuple(_said(review)),
        history=tuple(history[::-1]),
        log=tuple(log[::-1]),
        words=_words(review.tool),
    )
    digest = digest_of([last.model_dump(mode="json"), record.model_dump(mode="json")])
    return record.model_copy(update={"card": record.card._replace(digest=digest)})


def _when(publication: Publication) -> datetime:
    return publication.at


def _card(
    tool: int,
    last: Publication,
    publications: Sequence[Publication],
    *,
    retracted_at: datetime | None,
    corrected: bool,
) -> ToolSummary:
    review = last.shown.review
    listed, tally = review.tool, review.tally
    slugs = dict.fromkeys(each.shown.review.tool.slug for each in publications)
    return ToolSummary(
        tool=tool,
        draft=last.draft,
        slug=listed.slug,
        name=one_line(listed.name),
        tagline=one_line(listed.tagline or ""),
        category=one_line(listed.category or ""),
        entry=one_line(listed.entry_price),
        verdict=KEYS[tally.verdict],
        line=tally.line,
        marks=tuple(
            CriticScore(seat.persona, seat.take.verdict, seat.take.score)
            for seat in review.seats
            if seat.take
        ),
        first=_utc(publications[0].at),
        at=_utc(retracted_at or last.at),
        by=last.approved_by,
        retracted=retracted_at is not None,
        former=tuple(slug for slug in slugs if slug != listed.slug),
        corrected=corrected,
        models=review.setup.asked_models,
        prompts=review.setup.prompts,
        reviewed=_utc(review.reviewed_at).date(),
        embedded=review.embedded,
        digest="",
    )


def _words(listed: Tool) -> tuple[str, ...]:
    parts = (listed.name, listed.tagline, listed.category, listed.maker, *listed.aliases)
    return tuple(sorted(words_in(" ".join(part for part in parts if part))))


def words_in(text: str) -> set[str]:
    """Return the words of a text, without case and accents."""
    letters = unicodedata.normalize("NFKD", text)
    flat = "".join(char for char in letters if not unicodedata.category(char).startswith("M"))
    return set(_WORD.findall(flat.lower()))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _said(review: PanelReview) -> Iterator[TakeExcerpt]:
    for seat in review.seats:
        if take := seat.take:
            sentence = opening(take.take, SENTENCE_CHARS)
            yield TakeExcerpt(critic=seat.persona, verdict=take.verdict, score=take.score, sentence=sentence)


def _history(past: Iterable[PublicationHistory]) -> Iterator[VerdictHistory]:
    for one in past:
        for number, publication in enumerate(one.publications):
            review = publication.shown.review
            retraction = one.retraction(number)
            yield VerdictHistory(
                at=_utc(publication.at),
                line=review.tally.line,
                models=review.setup.asked_models,
                by=publication.approved_by,
                retracted=_utc(retraction.at) if retraction else None,
            )


def _log(past: Iterable[PublicationHistory], slug: str) -> Iterator[Correction]:
    for one in past:
        for before, after in pairwise(one.publications):
            if what := tuple(_changed(before.shown.review, after.shown.review)):
                yield Correction(
                    at=_utc(after.at),
                    slug=slug,
                    name=one_line(after.shown.review.tool.name),
                    what=what,
                    before=before.shown.review.tally.line,
                    after=after.shown.review.tally.line,
                    by=after.approved_by,
                )
        for retraction in one.retractions:
            review = one.publications[retraction.of].shown.review
            yield Correction(
                at=_utc(retraction.at),
                slug=slug,
                name=one_line(review.tool.name),
                before=review.tally.line,
                by=retraction.by,
                reason=retraction.reason,
            )


def _changed(before: PanelReview, after: PanelReview) -> Iterator[str]:
    """Return what differs between two versions of a review, in words."""
    if before.tool.price_class != after.tool.price_class:
        yield "the tool's price class"
    if before.tool.facts != after.tool.facts:
        yield "the tool's checked facts"
    if before.tool.model_dump(exclude={"price_class", "facts"}) != after.tool.model_dump(
        exclude={"price_class", "facts"}
    ):
        yield "the tool's listing"
    for seat in after.seats:
        was = before.seat_of(seat.persona)
        if was is None or was.outcome == seat.outcome:
            continue
        old, new = was.take, seat.take
        if old is None or new is None:
            yield f"{one_line(seat.name)}'s take"
            continue
        fields = [name for name in ("verdict", "score", "take") if getattr(old, name) != getattr(new, name)]
        fields += ["quotes"] if old.evidence != new.evidence else []
        if fields:
            yield f"{one_line(seat.name)}'s {', '.join(fields)}"

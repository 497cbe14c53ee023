"""The page of each comparison of two tools. Its address has their slugs in alphabetical order; the other order redirects to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from panel.core.comparison import Comparison
from panel.core.take import Verdict
from panel.core.text import one_line
from panel.report.score_chart import lay_out
from panel.report.wording import opening
from panel.site.pages import Entries, Files, Page
from panel.site.renderer import INDEX, Renderer, SiteFile
from panel.site.review_page import Reviews, redirect_file, render_reviews, retraction_file, score_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.review import PanelReview
    from panel.core.take import Take
    from panel.site.catalog import Pair
    from panel.site.tool_summary import ToolSummary
    from panel.store import Publication

MIN_LEAD = 5
"""Points by which a critic must score a tool above the other to prefer it, where both got the same verdict."""
MOST_REASONS = 2
REASON_CHARS = 260
MARK_GAP = 8
"""Least points between two marks on a line of 320 px; a closer one is drawn below the line."""


class Reason(NamedTuple):
    """A reason to pick a tool: the beginning of a critic's take, with its score, and that of the other tool if it has one."""

    critic: str
    score: int
    other_score: int | None
    text: str


class Point(NamedTuple):
    """A score on a critic's line: of the first (0) or the second tool (1), on the line or below it."""

    score: int
    verdict: str
    tool: int
    below: bool


class ScoreLine(NamedTuple):
    """A critic's scores of both tools, for a drawing and in words."""

    critic: str
    points: tuple[Point, ...]
    text: str


def _files(renderer: Renderer) -> Files:
    pairs = renderer.catalog.pairs
    for pair in pairs:
        yield redirect_file(renderer, f"compare/{pair.reversed_slug}/", pair.path, pair.title)
        if pair.retracted:
            retracted = tuple(tool for tool in pair if tool.retracted)
            yield retraction_file(renderer, pair.path, pair.title, retracted)
            continue
        inputs = (*(tool.digest for tool in pair), *(renderer.community(tool.slug) for tool in pair))
        yield SiteFile(pair.path + INDEX, inputs, partial(_page, renderer, pair))
        yield score_picture(renderer, pair.path, "AI tool comparison", pair)
    yield from _former_addresses(renderer, pairs)


def _former_addresses(renderer: Renderer, pairs: Sequence[Pair]) -> Files:
    """Yield redirects from the addresses that comparisons had under former slugs of their tools."""
    moved: dict[str, Pair] = {}
    for pair in pairs:
        for tool in pair:
            other = pair.other(tool)
            for former in tool.former_slugs:
                for slug in f"{former}-vs-{other.slug}", f"{other.slug}-vs-{former}":
                    moved.setdefault(slug, pair)
    for pair in pairs:
        moved.pop(pair.slug, None)
        moved.pop(pair.reversed_slug, None)
    for slug, pair in moved.items():
        yield redirect_file(renderer, f"compare/{slug}/", pair.path, pair.title)


async def _page(renderer: Renderer, pair: Pair) -> bytes:
    publications = [await renderer.catalog.publication(tool) for tool in pair]
    page = Comparison(reviews=tuple(map(_with_page_slug, publications, pair)))
    one, other = page.reviews
    reasons = _reasons(one, other), _reasons(other, one)
    return render_reviews(
        renderer,
        "compare.html.j2",
        pair.path,
        Reviews(page, pair, publications),
        noindex=not pair.listed,
        tool_pages=tuple(f"../../{tool.path}" for tool in pair),
        picks=tuple(zip(page.headings, reasons, strict=True)),
        score_lines=_score_lines(page),
    )


def _with_page_slug(publication: Publication, tool: ToolSummary) -> PanelReview:
    """Return a review whose tool has the slug of its page, which differs for tools of equal slugs."""
    review = publication.shown.review
    listed = review.tool.model_copy(update={"slug": tool.slug})
    return review if review.tool == listed else review.model_copy(update={"tool": listed})


def _reasons(review: PanelReview, other: PanelReview) -> tuple[Reason, ...]:
    """Return reasons to pick a tool and not the other, the strongest first."""
    found: list[tuple[int, Reason]] = []
    for seat in review.seats:
        other_seat = other.seat_of(seat.persona)
        other_take = other_seat.take if other_seat else None
        if seat.take and (preference := _preference(seat.take, other_take)):
            text = opening(seat.take.take, REASON_CHARS)
            other_score = other_take.score if other_take else None
            found.append((preference, Reason(one_line(seat.name), seat.take.score, other_score, text)))
    found.sort(key=lambda pair: -pair[0])
    return tuple(reason for _, reason in found[:MOST_REASONS])


def _preference(take: Take, other: Take | None) -> int:
    """Return how strongly a critic prefers a tool to the other; 0 if not at all."""
    if take.verdict is not Verdict.SHIP:
        return 0
    if other is None:
        return 1
    lead = take.score - other.score
    if other.verdict is Verdict.SKIP:
        return 100 + lead
    return lead if lead >= MIN_LEAD else 0


def _score_lines(page: Comparison) -> tuple[ScoreLine, ...]:
    """Return a line for each critic who gave a take on one of the two tools."""
    lines = []
    for row in page.scorecard:
        takes = [(tool, seat.take) for tool, seat in enumerate(row.seats) if seat and seat.take]
        if takes:
            name = one_line(row.name)
            words = (f"{one_line(page.headings[tool])} {take.label}" for tool, take in takes)
            lines.append(ScoreLine(name, tuple(_points(takes)), f"{name}: {'; '.join(words)}"))
    return tuple(lines)


def _points(takes: Sequence[tuple[int, Take]]) -> list[Point]:
    placed = lay_out([take.score for _, take in takes], MARK_GAP)
    return [
        Point(score, take.verdict, tool, below=lane > 0)
        for (tool, take), (score, lane) in zip(takes, placed, strict=True)
    ]


def _sitemap(renderer: Renderer) -> Entries:
    for pair in renderer.catalog.pairs:
        if pair.listed:
            yield pair.path, pair.changed.isoformat()


PAGES = (Page(order=90, reserves=frozenset({"compare"}), files=_files, sitemap=_sitemap),)

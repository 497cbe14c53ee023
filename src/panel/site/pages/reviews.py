"""Pages of reviews: one for each tool, and one for each comparison of two.

The address of a comparison has the slugs in alphabetical order; the other order and former addresses redirect to it. A notice takes
the place of a page whose review was retracted.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from panel.core.addresses import safe_href
from panel.core.comparison import Comparison
from panel.core.take import Verdict
from panel.core.text import one_line
from panel.report import Editorial, ReportContext
from panel.report.json_ld import application, item_list, origin
from panel.report.score_chart import lay_out
from panel.report.wording import EMBEDDED_MARK, answer_sentence, opening
from panel.site.og_image import Bar, Picture, png
from panel.site.pages import Entries, Files, Page
from panel.site.renderer import INDEX, PICTURE, Head, Renderer, SiteFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from panel.core.review import PanelReview
    from panel.core.take import Take
    from panel.site.catalog import Pair
    from panel.site.tool_summary import ToolSummary
    from panel.store import Publication

PICTURE_NOTE = "Scores by AI personas; approved by an editor"
MIN_LEAD = 5
"""Points by which a critic must score a tool above the other to prefer it, where both got the same verdict."""
MOST_REASONS, REASON_CHARS = 2, 260
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


def _tools(renderer: Renderer) -> Files:
    catalog = renderer.catalog
    slugs = {tool.slug for tool in catalog.tools}
    for tool in catalog.tools:
        for slug in set(tool.former_slugs) - slugs:
            yield _redirect(renderer, f"tools/{slug}/", tool.path, tool.name)
        if tool.retracted:
            yield _retraction(renderer, tool.path, tool.name, (tool,))
            continue
        pairs = catalog.pairs_by_tool[tool.tool]
        links = tuple((pair.slug, pair.title, pair.other(tool).verdict_line) for pair in pairs)
        inputs = (tool.digest, renderer.community(tool.slug), links)
        yield SiteFile(tool.path + INDEX, inputs, partial(_tool_page, renderer, tool))
        yield _score_picture(renderer, tool.path, "AI tool review", (tool,), tool.tagline)


def _comparisons(renderer: Renderer) -> Files:
    pairs = renderer.catalog.pairs
    for pair in pairs:
        yield _redirect(renderer, f"compare/{pair.reversed_slug}/", pair.path, pair.title)
        if pair.retracted:
            yield _retraction(renderer, pair.path, pair.title, pair)
            continue
        inputs = (*(tool.digest for tool in pair), *(renderer.community(tool.slug) for tool in pair))
        yield SiteFile(pair.path + INDEX, inputs, partial(_comparison_page, renderer, pair))
        yield _score_picture(renderer, pair.path, "AI tool comparison", pair)
    former: dict[str, Pair] = {}
    for pair in pairs:
        for tool in pair:
            other = pair.other(tool).slug
            for slug in tool.former_slugs:
                former.setdefault(f"{slug}-vs-{other}", pair)
                former.setdefault(f"{other}-vs-{slug}", pair)
    for pair in pairs:
        former.pop(pair.slug, None)
        former.pop(pair.reversed_slug, None)
    for slug, pair in former.items():
        yield _redirect(renderer, f"compare/{slug}/", pair.path, pair.title)


async def _tool_page(renderer: Renderer, tool: ToolSummary) -> bytes:
    publication = await renderer.catalog.publication(tool)
    page, pairs = Comparison.of_one(publication.shown.review), renderer.catalog.pairs_by_tool[tool.tool]
    head = Head(tool.path, tool.name, answer_sentence(page), (("Tools", "tools/"),))
    return _render(renderer, "tool.html.j2", head, {tool: publication}, page=page, pairs=pairs)


async def _comparison_page(renderer: Renderer, pair: Pair) -> bytes:
    reviews = {tool: await renderer.catalog.publication(tool) for tool in pair}
    page = Comparison(reviews=tuple(_with_page_slug(one, tool) for tool, one in reviews.items()))
    one, other = page.reviews
    reasons = _reasons(one, other), _reasons(other, one)
    parents = (("Compare", "compare/"),)
    head = Head(pair.path, page.title, answer_sentence(page), parents, noindex=not pair.listed)
    return _render(
        renderer,
        "compare.html.j2",
        head,
        reviews,
        page=page,
        tool_pages=tuple(f"../../{tool.path}" for tool in pair),
        picks=tuple(zip(page.headings, reasons, strict=True)),
        score_lines=tuple(_score_lines(page)),
    )


def _with_page_slug(publication: Publication, tool: ToolSummary) -> PanelReview:
    """Return a review whose tool has the slug of its page, which differs for tools of equal slugs."""
    review = publication.shown.review
    listed = review.tool.model_copy(update={"slug": tool.slug})
    return review if review.tool == listed else review.model_copy(update={"tool": listed})


def _render(
    renderer: Renderer, template: str, head: Head, reviews: dict[ToolSummary, Publication], **values: object
) -> bytes:
    """Return the page of one review or more, rendered with further values."""
    options, tools, publications = renderer.options, tuple(reviews), reviews.values()
    applications = [
        {**application(one.shown.review.tool), "mainEntityOfPage": options.address(tool.path)}
        for tool, one in reviews.items()
    ]
    data = {
        "datePublished": max(tool.first_published for tool in tools).isoformat(),
        "dateModified": max(tool.changed for tool in tools).isoformat(),
        **origin(options.generator, [one.approved_by for one in publications]),
        "mainEntity": item_list({"item": each} for each in applications),
    }
    editorials = [
        Editorial(marks=one.shown.marks, approved_by=one.approved_by, approved_at=one.approved_at)
        for one in publications
    ]
    mottos = {critic.id: critic.motto for critic in options.critics}
    return renderer.page(
        template,
        replace(head, data=data, picture=head.path, caption=head.description),
        tools=tools,
        editorials=editorials,
        histories=[renderer.catalog.record(tool).history for tool in tools],
        sources=[tuple(_sources(one)) for one in publications],
        context=ReportContext(generator=options.generator, mottos=mottos),
        community=[renderer.community(tool.slug) for tool in tools],
        **values,
    )


def _sources(publication: Publication) -> Iterator[tuple[str, str, date | None]]:
    """Yield the sources of statements on a page: statement, address, and the day on which somebody checked it, if that is known."""
    tool = publication.shown.review.tool
    if href := safe_href(tool.url):
        yield "The tool's own pages, as its listing names them", href, None
    for fact in tool.facts:
        if href := safe_href(fact.source):
            yield fact.claim, href, fact.checked_on
    checked_on = publication.approved_at.date()
    for href in dict.fromkeys(one.source for one in publication.resolutions if one.source):
        yield "Supports a claim of a take, according to the editor", href, checked_on


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


def _score_lines(page: Comparison) -> Iterator[ScoreLine]:
    """Yield a line for each critic who gave a take on one of the two tools."""
    for row in page.scorecard:
        takes = [(tool, seat.take) for tool, seat in enumerate(row.seats) if seat and seat.take]
        if takes:
            placed = lay_out([take.score for _, take in takes], MARK_GAP)
            points = tuple(
                Point(score, take.verdict, tool, below=lane > 0)
                for (tool, take), (score, lane) in zip(takes, placed, strict=True)
            )
            name = one_line(row.name)
            words = (f"{one_line(page.headings[tool])} {take.label}" for tool, take in takes)
            yield ScoreLine(name, points, f"{name}: {'; '.join(words)}")


def _score_picture(
    renderer: Renderer, path: str, kicker: str, tools: Sequence[ToolSummary], about: str = ""
) -> SiteFile:
    """Return the preview picture of a page of reviews, with the scores of each tool."""
    names = renderer.options.critic_names
    bars = tuple(
        Bar(
            name=tool.name,
            slug=tool.slug,
            verdict=tool.verdict,
            verdict_line=tool.verdict_line,
            share="" if tool.percent is None else f"{tool.percent}% panel ship",
            scores=tuple(
                (names.get(one.critic, one.critic.title())[:2], one.score, one.verdict) for one in tool.scores
            ),
        )
        for tool in tools
    )
    kicker += f" · {EMBEDDED_MARK}" * any(tool.embedded for tool in tools)
    title = " vs ".join(tool.name for tool in tools)
    picture = Picture(renderer.options.name, kicker, title, about=about, bars=bars, note=PICTURE_NOTE)
    return SiteFile(path + PICTURE, (picture,), partial(png, picture))


def _redirect(renderer: Renderer, path: str, target: str, title: str) -> SiteFile:
    """Return a page that leads readers and search engines from one path to another."""
    head = Head(path, title, description="", kind="", noindex=True)
    return renderer.file("moved.html.j2", head, (target, title), target=target)


def _retraction(renderer: Renderer, path: str, title: str, tools: Sequence[ToolSummary]) -> SiteFile:
    """Return the notice that takes the place of a page with a retracted review."""
    head = Head(path, title, "This review was retracted.", kind="", noindex=True)
    retracted = [tool for tool in tools if tool.retracted]

    def render() -> bytes:
        logs = [renderer.catalog.record(tool).corrections for tool in retracted]
        return renderer.page("retracted.html.j2", head, retractions=[log[0] for log in logs if log])

    return SiteFile(path + INDEX, (title, *(tool.digest for tool in retracted)), render)


def _comparison_entries(renderer: Renderer) -> Entries:
    return ((pair.path, pair.changed.isoformat()) for pair in renderer.catalog.pairs if pair.listed)


def _tool_entries(renderer: Renderer) -> Entries:
    return ((tool.path, tool.changed.isoformat()) for tool in renderer.catalog.live)


PAGES = (
    Page(80, frozenset({"tools"}), _tools, _tool_entries),
    Page(90, frozenset({"compare"}), _comparisons, _comparison_entries),
)

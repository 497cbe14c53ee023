"""The parts that a tool's page and a comparison share: reviews with their sources, redirects, and notices of retractions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from panel.core.urls import safe_href
from panel.report import Editorial, ReportContext
from panel.report.json_ld import application, item_list, origin
from panel.report.wording import EMBEDDED_MARK, answer_sentence
from panel.site.og_image import Bar, Picture, png
from panel.site.renderer import INDEX, PICTURE, Head, Renderer, SiteFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from panel.core.comparison import Comparison
    from panel.site.tool_summary import ToolSummary
    from panel.store import Publication

PICTURE_NOTE = "Scores by AI personas; approved by an editor"


class Source(NamedTuple):
    """A source of a statement on a page, with the day on which somebody checked it, if that is known."""

    statement: str
    href: str
    checked_on: date | None


class Reviews(NamedTuple):
    """The reviews on a page, with summaries of their tools and the publications in the same order."""

    page: Comparison
    tools: Sequence[ToolSummary]
    publications: Sequence[Publication]


def render_reviews(
    renderer: Renderer,
    template: str,
    path: str,
    reviews: Reviews,
    *,
    noindex: bool = False,
    **values: Any,  # noqa: ANN401 - depends on the template
) -> bytes:
    """Return a page of one or more reviews, rendered from its template with further values."""
    page, tools, publications = reviews
    options = renderer.options
    section, title = ("Tools", tools[0].name) if len(tools) == 1 else ("Compare", page.title)
    description = answer_sentence(page)
    listed = (
        {
            "item": {
                **application(publication.shown.review.tool),
                "mainEntityOfPage": options.address(tool.path),
            }
        }
        for publication, tool in zip(publications, tools, strict=True)
    )
    head = Head(
        path=path,
        title=title,
        description=description,
        trail=((section, f"{path.partition('/')[0]}/"), (title, path)),
        data={
            "datePublished": max(tool.first_published for tool in tools).isoformat(),
            "dateModified": max(tool.changed for tool in tools).isoformat(),
            **origin(options.generator, [one.approved_by for one in publications]),
            "mainEntity": item_list(listed),
        },
        picture=path,
        caption=description,
        noindex=noindex,
    )
    return renderer.page(
        template,
        head,
        page=page,
        tools=tools,
        editorials=[_editorial(one) for one in publications],
        histories=[renderer.catalog.record(tool).history for tool in tools],
        sources=[tuple(_sources(one)) for one in publications],
        context=ReportContext(
            generator=options.generator, mottos={critic.id: critic.motto for critic in options.critics}
        ),
        community=[renderer.community(tool.slug) for tool in tools],
        **values,
    )


def score_picture(
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
                (names.get(one.critic, one.critic.title())[:2], one.score, str(one.verdict))
                for one in tool.scores
            ),
        )
        for tool in tools
    )
    kicker += f" · {EMBEDDED_MARK}" * any(tool.embedded for tool in tools)
    title = " vs ".join(tool.name for tool in tools)
    picture = Picture(renderer.options.name, kicker, title, about=about, bars=bars, note=PICTURE_NOTE)
    return SiteFile(path + PICTURE, (picture,), partial(png, picture))


def redirect_file(renderer: Renderer, path: str, target: str, title: str) -> SiteFile:
    """Return a page that leads readers and search engines from one path to another."""
    head = Head(path, title, description="", kind="", noindex=True)
    return renderer.file("moved.html.j2", head, (target, title), target=target)


def retraction_file(renderer: Renderer, path: str, title: str, retracted: Sequence[ToolSummary]) -> SiteFile:
    """Return the notice that takes the place of a page whose reviews were retracted."""
    head = Head(path, title, "This review was retracted.", kind="", noindex=True)

    def render() -> bytes:
        logs = [renderer.catalog.record(tool).corrections for tool in retracted]
        return renderer.page("retracted.html.j2", head, retractions=[log[0] for log in logs if log])

    return SiteFile(path + INDEX, (title, *(tool.digest for tool in retracted)), render)


def _editorial(publication: Publication) -> Editorial:
    return Editorial(
        marks=publication.shown.marks,
        approved_by=publication.approved_by,
        approved_at=publication.approved_at,
    )


def _sources(publication: Publication) -> Iterator[Source]:
    tool = publication.shown.review.tool
    if href := safe_href(tool.url):
        yield Source("The tool's own pages, as its listing names them", href, None)
    for fact in tool.facts:
        if href := safe_href(fact.source):
            yield Source(fact.claim, href, fact.checked_on)
    checked_on = publication.approved_at.date()
    for href in dict.fromkeys(tick.source for tick in publication.resolutions if tick.source):
        yield Source("Supports a claim of a take, according to the editor", href, checked_on)

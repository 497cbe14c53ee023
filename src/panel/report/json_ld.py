"""What search engines read: a page, its tools and its place, and that a trained algorithm wrote it.

Terms are those of schema.org; the source type is IPTC's. There are no ratings and no reviews, because
no user wrote any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.core.text import one_line
from panel.core.urls import safe_href
from panel.report.wording import answer_sentence, breadcrumb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from panel.core.comparison import Comparison
    from panel.core.tool import Tool
    from panel.report.context import Editorial, ReportContext

SOURCE_TYPE = "https://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def linked_data(page: Comparison, context: ReportContext, known: Sequence[Editorial] = ()) -> dict[str, Any]:
    """Return a page's JSON-LD as plain values.

    Args:
        page: the reviews.
        context: what the page says beside them.
        known: what is known of each of them; the page names its editors once all of them are approved.
    """
    return {
        "@context": "https://schema.org",
        "@type": "WebPage",
        "name": one_line(page.title),
        "description": answer_sentence(page),
        "inLanguage": "en",
        "dateCreated": max(review.reviewed_at for review in page.reviews).isoformat(),
        "digitalSourceType": SOURCE_TYPE,
        "creator": {"@type": "SoftwareApplication", "name": one_line(context.generator)},
        **_editors(known),
        "breadcrumb": _breadcrumb(page),
        "mainEntity": {"@type": "ItemList", "itemListElement": _positions(page.tools)},
    }


def _editors(known: Sequence[Editorial]) -> dict[str, Any]:
    names = dict.fromkeys(each.approved_by for each in known)
    people = [{"@type": "Person", "name": one_line(name)} for name in names if name]
    return {"editor": people} if people and None not in names else {}


def _breadcrumb(page: Comparison) -> dict[str, Any]:
    steps = enumerate(breadcrumb(page), start=1)
    items = [{"@type": "ListItem", "position": n, "name": one_line(name)} for n, name in steps]
    return {"@type": "BreadcrumbList", "itemListElement": items}


def _positions(tools: Iterable[Tool]) -> list[dict[str, Any]]:
    return [
        {"@type": "ListItem", "position": n, "item": application(t)} for n, t in enumerate(tools, start=1)
    ]


def application(tool: Tool) -> dict[str, Any]:
    """Return a tool as search engines know it."""
    stated = {
        "description": tool.tagline,
        "applicationCategory": tool.category,
        "license": tool.license,
    }
    application: dict[str, Any] = {"@type": "SoftwareApplication", "name": one_line(tool.name)}
    application |= {term: one_line(value) for term, value in stated.items() if value}
    if href := safe_href(tool.url):
        application["url"] = href
    if tool.maker:
        application["creator"] = {"@type": "Organization", "name": one_line(tool.maker)}
    return application

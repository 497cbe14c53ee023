"""What search engines read of a page of the site: the page, its place, the tools on it, and who made it.

Terms are those of schema.org. There are no ratings and no reviews, because no user wrote any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.report.json_ld import SOURCE_TYPE, application

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from panel.site.options import SiteOptions
    from panel.site.tool_summary import ToolSummary
    from panel.store import Publication

CallKey = tuple[str, str]
"""A step of a breadcrumb: what it is called, and its path."""


def web_page(
    options: SiteOptions, kind: str, steps: Sequence[CallKey], description: str, **more: object
) -> dict[str, Any]:
    """Return a page's JSON-LD as plain values.

    Args:
        options: what the site is told about itself.
        kind: such as `WebPage` or `CollectionPage`.
        steps: the way to the page from the first one, which they end with.
        description: what the page says, in a sentence.
        more: further terms.
    """
    name, path = steps[-1]
    url = options.address(path)
    return {
        "@context": "https://schema.org",
        "@type": kind,
        "@id": url,
        "url": url,
        "name": name,
        "description": description,
        "inLanguage": "en",
        "isPartOf": {"@type": "WebSite", "name": options.name, "url": options.address("")},
        "breadcrumb": {
            "@type": "BreadcrumbList",
            "itemListElement": [
                {"@type": "ListItem", "position": n, "name": step, "item": options.address(place)}
                for n, (step, place) in enumerate((("Home", ""), *steps), start=1)
            ],
        },
        **more,
    }


def reviewed(
    options: SiteOptions, publications: Sequence[Publication], cards: Sequence[ToolSummary]
) -> dict[str, Any]:
    """Return the terms of a page about reviewed tools: its tools, its dates, its editors, and that a model wrote it."""
    editors = dict.fromkeys(one.approved_by for one in publications)
    tools = [one.shown.review.tool for one in publications]
    return {
        "datePublished": _moment(card.first for card in cards),
        "dateModified": _moment(card.at for card in cards),
        "digitalSourceType": SOURCE_TYPE,
        "creator": {"@type": "SoftwareApplication", "name": options.generator},
        "editor": [{"@type": "Person", "name": name} for name in editors],
        "mainEntity": {
            "@type": "ItemList",
            "itemListElement": [
                {
                    "@type": "ListItem",
                    "position": n,
                    "item": {**application(tool), "mainEntityOfPage": options.address(f"tools/{card.slug}/")},
                }
                for n, (tool, card) in enumerate(zip(tools, cards, strict=True), start=1)
            ],
        },
    }


def items(options: SiteOptions, cards: Iterable[ToolSummary]) -> dict[str, Any]:
    """Return the terms of a page that lists tools."""
    return {
        "mainEntity": {
            "@type": "ItemList",
            "itemListElement": [
                {
                    "@type": "ListItem",
                    "position": n,
                    "name": card.name,
                    "url": options.address(f"tools/{card.slug}/"),
                }
                for n, card in enumerate(cards, start=1)
            ],
        }
    }


def _moment(moments: Iterable[datetime]) -> str:
    return max(moments).isoformat()

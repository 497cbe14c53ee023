"""JSON-LD of pages for search engines, in terms of schema.org; the source type is IPTC's.

There are no ratings and no reviews in it, because no user wrote any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from panel.core.addresses import safe_href
from panel.core.text import one_line
from panel.report.wording import answer_sentence, breadcrumb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from panel.core.comparison import Comparison
    from panel.core.tool import Tool
    from panel.report.editorial import Editorial, ReportContext

SOURCE_TYPE = "https://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


class WebSite(NamedTuple):
    """The site that a page belongs to: its name, and a function from paths to addresses."""

    name: str
    address: Callable[[str], str]


def web_page(
    kind: str,
    steps: Sequence[tuple[str, str]],
    description: str,
    site: WebSite | None = None,
    **terms: object,
) -> dict[str, Any]:
    """Return the JSON-LD of a page of a schema.org type, such as `WebPage`, as plain values.

    `steps` are the names and paths of the breadcrumb, the page itself last. A report has no `site` and so no address.
    """
    name, path = steps[-1]
    data: dict[str, Any] = {"@context": "https://schema.org", "@type": kind, "name": name}
    data |= {"description": description, "inLanguage": "en", **terms}
    crumbs = [{"name": step} for step, _ in steps]
    if site:
        url, home = site.address(path), site.address("")
        data |= {"@id": url, "url": url, "isPartOf": {"@type": "WebSite", "name": site.name, "url": home}}
        crumbs = [{"name": step, "item": site.address(place)} for step, place in (("Home", ""), *steps)]
    return data | {"breadcrumb": item_list(crumbs, "BreadcrumbList")}


def linked_data(page: Comparison, context: ReportContext, known: Sequence[Editorial] = ()) -> dict[str, Any]:
    """Return the JSON-LD of a report, which names its editors once all reviews are approved."""
    editors = [each.approved_by for each in known]
    return web_page(
        "WebPage",
        [(one_line(name), "") for name in breadcrumb(page)],
        answer_sentence(page),
        dateCreated=max(review.reviewed_at for review in page.reviews).isoformat(),
        **origin(context.generator, [name for name in editors if name] if None not in editors else []),
        mainEntity=item_list({"item": application(tool)} for tool in page.tools),
    )


def origin(generator: str, editors: Iterable[str]) -> dict[str, Any]:
    """Return the terms for how a page was made: by a trained algorithm, a program, and editors."""
    people = [{"@type": "Person", "name": one_line(name)} for name in dict.fromkeys(editors)]
    return {
        "digitalSourceType": SOURCE_TYPE,
        "creator": {"@type": "SoftwareApplication", "name": one_line(generator)},
        **({"editor": people} if people else {}),
    }


def item_list(items: Iterable[dict[str, Any]], kind: str = "ItemList") -> dict[str, Any]:
    """Return a list of things in their order."""
    elements = [{"@type": "ListItem", "position": n, **item} for n, item in enumerate(items, start=1)]
    return {"@type": kind, "itemListElement": elements}


def application(tool: Tool) -> dict[str, Any]:
    """Return a tool as a software application."""
    stated = {"description": tool.tagline, "applicationCategory": tool.category, "license": tool.license}
    application: dict[str, Any] = {"@type": "SoftwareApplication", "name": one_line(tool.name)}
    application |= {term: one_line(value) for term, value in stated.items() if value}
    if href := safe_href(tool.url):
        application["url"] = href
    if tool.maker:
        application["creator"] = {"@type": "Organization", "name": one_line(tool.maker)}
    return application

"""Reports as GitHub-flavoured Markdown, in which every value is text and nothing else.

Each expression of the template is escaped on its way out, unless a filter here has made Markdown of it.
What a renderer would turn into a link by itself (an address, a mention) becomes code, because several
renderers link such words even behind a backslash.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from panel.core.tally import RULE
from panel.core.text import one_line
from panel.report import consumption, edits, findings, provenance, wording
from panel.report.context import PLAIN
from panel.report.editorial import NOTHING, aligned
from panel.report.page import one_column, safe_href

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.comparison import Comparison
    from panel.core.review import PanelReview
    from panel.report.context import ReportContext
    from panel.report.editorial import Editorial

_RUN = re.compile(r"[^\s`|]+")
_LINKING = re.compile(r"//|www\.|@|mailto:|xmpp:", re.IGNORECASE)
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~$#&{}]")
_LINE_START = re.compile(r"^(\d*)([-+=:.)])")
_URL_CHARS = "/:?#[]@!$&'+,;=%-._~"


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def review_markdown(review: PanelReview, context: ReportContext = PLAIN, known: Editorial = NOTHING) -> str:
    """Return one review as Markdown; its arguments are those of `review_html`."""
    return comparison_markdown(one_column(review), context, (known,))


def comparison_markdown(
    comparison: Comparison, context: ReportContext = PLAIN, known: Sequence[Editorial] = ()
) -> str:
    """Return a comparison as Markdown; its arguments are those of `comparison_html`."""
    values = {"page": comparison, "context": context, "known": aligned(comparison, known)}
    text = _environment().get_template("page.md.j2").render(values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def escaped(value: object) -> str:
    """Return a value as Markdown for itself on one line; what is Markdown already stays as it is."""
    if isinstance(value, Markdown):
        return value
    line = one_line(str(value))
    pieces, end = [], 0
    for match in _RUN.finditer(line):
        if not _LINKING.search(match[0]):
            continue
        pieces += [_plain(line[end : match.start()]), f"`{match[0]}`"]
        end = match.end()
    return _LINE_START.sub(r"\1\\\2", "".join([*pieces, _plain(line[end:])]))


def quoted(text: str) -> Markdown:
    """Return a text of several paragraphs as a block quote."""
    blocks = ["\\\n> ".join(escaped(line) for line in lines) for lines in wording.paragraphs(text)]
    return Markdown("> " + "\n>\n> ".join(blocks))


def link(url: str) -> Markdown:
    """Return a link to a public web address; any other address as text."""
    href = safe_href(url)
    if href is None:
        return Markdown(escaped(url))
    # Escaped so that no character of an address can end the link or the cell it stands in.
    return Markdown(f"[{_plain(href.partition('://')[2])}]({quote(href, safe=_URL_CHARS)})")


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("panel", "report/templates"),
        autoescape=False,  # noqa: S701 - `finalize` escapes, for Markdown instead of HTML
        finalize=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"quoted": quoted, "link": link, "verbatim": Markdown}
    environment.globals |= {
        "rule": RULE,
        "words": wording,
        "origins": provenance,
        "consumption": consumption,
        "edits": edits,
        "checked": findings,
    }
    return environment

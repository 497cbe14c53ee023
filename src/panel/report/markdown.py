"""Reports as GitHub-flavoured Markdown, in which every value is plain text.

Each expression of the template is escaped, unless a filter of this module has turned it into Markdown. Words that a renderer would link by
itself (addresses, mentions) become code, because several renderers link them even after a backslash.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from panel.core.addresses import safe_href
from panel.core.tally import RULE
from panel.core.text import one_line
from panel.report import editorial, findings, wording
from panel.report.editorial import PLAIN, columns_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.comparison import Comparison
    from panel.core.review import PanelReview
    from panel.report.editorial import Editorial, ReportContext

_RUN = re.compile(r"[^\s`|]+")
_LINKING = re.compile(r"//|www\.|@|mailto:|xmpp:", re.IGNORECASE)
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~$#&{}]")
_LINE_START = re.compile(r"^(\d*)([-+=:.)])")
_URL_CHARS = "/:?#[]@!$&'+,;=%-._~"


class Markdown(str):
    """Text that is Markdown, which is not escaped."""

    __slots__ = ()


def markdown_report(
    page: PanelReview | Comparison, context: ReportContext = PLAIN, editorials: Sequence[Editorial] = ()
) -> str:
    """Return a review or a comparison as Markdown; `editorials` are in the order of the reviews, or empty."""
    comparison, each = columns_of(page, editorials)
    text = _environment().get_template("page.md.j2").render(page=comparison, context=context, editorials=each)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def escaped(value: object) -> str:
    """Return a value as escaped text on one line; Markdown stays as it is."""
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
    """Return a link to a public web address, or any other address as text."""
    href = safe_href(url)
    if href is None:
        return Markdown(escaped(url))
    # Escaped so that no character of an address can end the link or its table cell.
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
    environment.globals |= {"rule": RULE, "words": wording, "edits": editorial, "findings": findings}
    return environment

"""Reports as one HTML file each: no script, no request to anywhere, and every value escaped by its template."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from panel.core.addresses import safe_href
from panel.core.tally import RULE
from panel.core.text import one_line
from panel.report import editorial, findings, wording
from panel.report.editorial import PLAIN, Community, columns_of
from panel.report.json_ld import linked_data
from panel.report.score_chart import score_chart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import BaseLoader

    from panel.core.comparison import Comparison
    from panel.core.review import PanelReview
    from panel.report.editorial import Editorial, ReportContext

_ROW_HEAD_REM, _COLUMN_REM = 14, 13  # a table stacks its cells where a column would be narrower
_SHOWN_PARAGRAPHS = 3


def html_report(
    page: PanelReview | Comparison, context: ReportContext = PLAIN, editorials: Sequence[Editorial] = ()
) -> str:
    """Return the page of a review or a comparison; `editorials` are in the order of the reviews, or empty."""
    comparison, each = columns_of(page, editorials)
    return _environment().get_template("page.html.j2").render(
        page=comparison,
        editorials=each,
        community=(Community(),) * len(comparison.reviews),
        tool_pages=(),
        critic_pages={},
        context=context,
        policy=policy(),
        style=_style("style.css"),
        stacked_style=_style("stacked.css"),
        stack_below=_ROW_HEAD_REM + _COLUMN_REM * len(comparison.reviews),
        linked_data=linked_data(comparison, context, each),
        breadcrumb=wording.breadcrumb(comparison),
    )  # fmt: skip


def environment(loader: BaseLoader) -> Environment:
    """Return a template environment for HTML pages, with the filters and globals that `report/templates` need.

    Every value is escaped, and a missing one is an error.
    """
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"line": one_line, "host": _host, "href": safe_href, "paragraphs": wording.paragraphs}
    made.globals |= {
        "rule": RULE,
        "words": wording,
        "edits": editorial,
        "findings": findings,
        "score_chart": score_chart,
        "shown_paragraphs": _SHOWN_PARAGRAPHS,
    }
    return made


@cache
def policy() -> str:
    """Return the security policy of every page: its own styles, and nothing else."""
    # Each hash is of everything between <style> and </style>.
    digests = [hashlib.sha256(_style(name).encode()).digest() for name in ("style.css", "stacked.css")]
    hashes = " ".join(f"'sha256-{b64encode(digest).decode('ascii')}'" for digest in digests)
    return f"default-src 'none'; style-src {hashes}; base-uri 'none'; form-action 'none'"


@cache
def _environment() -> Environment:
    return environment(PackageLoader("panel", "report/templates"))


@cache
def _style(name: str) -> Markup:
    style = files("panel.report").joinpath("templates", name).read_text(encoding="utf-8")
    return Markup(style)  # noqa: S704 - this project's own file


def _host(url: str) -> str:
    return urlsplit(url).netloc.removeprefix("www.")

"""Reports as one HTML file each: no script, no request to anywhere, and every value escaped by its template."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import PackageLoader
from markupsafe import Markup

from panel.report.community import NO_COMMUNITY
from panel.report.context import PLAIN
from panel.report.editorial import NOTHING, aligned
from panel.report.environment import environment
from panel.report.json_ld import linked_data
from panel.report.page import one_column, trail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from panel.core.comparison import Comparison
    from panel.core.review import PanelReview
    from panel.report.context import ReportContext
    from panel.report.editorial import Editorial

ROW_HEAD_REM, COLUMN_REM = 14, 13  # a table stacks its cells where a column would be narrower


def review_html(review: PanelReview, context: ReportContext = PLAIN, known: Editorial = NOTHING) -> str:
    """Return the page of one review.

    Args:
        review: the review, as it is shown.
        context: what the page says beside it.
        known: what checks found in it, what editors changed, and who approved it.
    """
    return comparison_html(one_column(review), context, (known,))


def comparison_html(
    comparison: Comparison, context: ReportContext = PLAIN, known: Sequence[Editorial] = ()
) -> str:
    """Return the page of a comparison.

    Args:
        comparison: the reviews, as they are shown.
        context: what the page says beside them.
        known: what is known of each of them, in their order; nothing by default.
    """
    editorials = aligned(comparison, known)
    return _environment().get_template("page.html.j2").render(
        page=comparison,
        known=editorials,
        community=(NO_COMMUNITY,) * len(comparison.reviews),
        tool_pages=(),
        critic_pages={},
        context=context,
        policy=policy(),
        style=_style("style.css"),
        stacked_style=_style("stacked.css"),
        stack_below=ROW_HEAD_REM + COLUMN_REM * len(comparison.reviews),
        linked_data=linked_data(comparison, context, editorials),
        trail=trail(comparison),
    )  # fmt: skip


@cache
def _environment() -> Environment:
    return environment(PackageLoader("panel", "report/templates"))


@cache
def _style(name: str) -> Markup:
    style = files("panel.report").joinpath("templates", name).read_text(encoding="utf-8")
    return Markup(style)  # noqa: S704 - this project's own file


@cache
def policy() -> str:
    """Return the security policy of every page: its own styles, and nothing else."""
    # Each hash is of all that stands between <style> and </style>.
    digests = [hashlib.sha256(_style(name).encode()).digest() for name in ("style.css", "stacked.css")]
    hashes = " ".join(f"'sha256-{b64encode(digest).decode('ascii')}'" for digest in digests)
    return f"default-src 'none'; style-src {hashes}; base-uri 'none'; form-action 'none'"

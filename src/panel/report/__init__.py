"""Reviews and comparisons as HTML, Markdown, JSON and terminal text. Reports are returned; nothing is written to disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.report.documents import (
    REVIEW_KIND,
    StoredReview,
    comparison_json,
    json_schema,
    read_review,
    review_json,
)
from panel.report.editorial import NOTHING, PLAIN, Editorial, ReportContext
from panel.report.html import comparison_html, review_html
from panel.report.markdown import comparison_markdown, review_markdown
from panel.report.wording import usage_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.comparison import Comparison
    from panel.core.review import PanelReview

__all__ = [
    "NOTHING",
    "REVIEW_KIND",
    "Editorial",
    "ReportContext",
    "StoredReview",
    "comparison_html",
    "comparison_json",
    "comparison_markdown",
    "comparison_reports",
    "json_schema",
    "read_review",
    "review_html",
    "review_json",
    "review_markdown",
    "review_reports",
    "usage_line",
]


def review_reports(
    review: PanelReview, context: ReportContext = PLAIN, editorial: Editorial = NOTHING
) -> dict[str, str]:
    """Return the report files of a review by their endings: html, md, json."""
    return {
        "html": review_html(review, context, editorial),
        "md": review_markdown(review, context, editorial),
        "json": review_json(review, editorial),
    }


def comparison_reports(
    comparison: Comparison, context: ReportContext = PLAIN, editorials: Sequence[Editorial] = ()
) -> dict[str, str]:
    """Return the report files of a comparison by their endings; `editorials` are in the order of the reviews, or empty."""
    return {
        "html": comparison_html(comparison, context, editorials),
        "md": comparison_markdown(comparison, context, editorials),
        "json": comparison_json(comparison, editorials),
    }

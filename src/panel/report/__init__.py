"""Reviews and comparisons as HTML, Markdown, JSON and terminal text. Reports are returned; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.report.consumption import usage_line
from panel.report.context import PLAIN, ReportContext
from panel.report.data import REVIEW_KIND, comparison_json, review_json
from panel.report.editorial import NOTHING, Editorial
from panel.report.html import comparison_html, review_html
from panel.report.markdown import comparison_markdown, review_markdown
from panel.report.read_json import StoredReview, read_review
from panel.report.schemas import json_schema
from panel.report.terminal import comparison_text, scorecard_text

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
    "comparison_text",
    "json_schema",
    "read_review",
    "review_html",
    "review_json",
    "review_markdown",
    "review_reports",
    "scorecard_text",
    "usage_line",
]


def review_reports(
    review: PanelReview, context: ReportContext = PLAIN, known: Editorial = NOTHING
) -> dict[str, str]:
    """Return the report files of a review by their endings: html, md, json.

    Args:
        review: the review, as it is shown.
        context: what its pages say beside it.
        known: what checks found in it, what editors changed, and who approved it.
    """
    return {
        "html": review_html(review, context, known),
        "md": review_markdown(review, context, known),
        "json": review_json(review, known),
    }


def comparison_reports(
    comparison: Comparison, context: ReportContext = PLAIN, known: Sequence[Editorial] = ()
) -> dict[str, str]:
    """Return the report files of a comparison by their endings: html, md, json.

    Args:
        comparison: the reviews, as they are shown.
        context: what its pages say beside them.
        known: what is known of each of them, in their order; nothing by default.
    """
    return {
        "html": comparison_html(comparison, context, known),
        "md": comparison_markdown(comparison, context, known),
        "json": comparison_json(comparison, known),
    }

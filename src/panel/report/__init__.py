"""Reviews and comparisons as HTML, Markdown, JSON and terminal text. Reports are returned; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.report.consumption import usage_line
from panel.report.context import PLAIN, ReportContext
from panel.report.data import REVIEW_KIND, comparison_json, read_review, review_json
from panel.report.html import comparison_html, review_html
from panel.report.markdown import comparison_markdown, review_markdown
from panel.report.schemas import json_schema
from panel.report.text import comparison_text, scorecard_text

if TYPE_CHECKING:
    from panel.domain.comparison import Comparison
    from panel.domain.review import PanelReview

__all__ = [
    "REVIEW_KIND",
    "ReportContext",
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


def review_reports(review: PanelReview, context: ReportContext = PLAIN) -> dict[str, str]:
    """Return the report files of a review by their endings: html, md, json."""
    return {
        "html": review_html(review, context),
        "md": review_markdown(review, context),
        "json": review_json(review),
    }


def comparison_reports(comparison: Comparison, context: ReportContext = PLAIN) -> dict[str, str]:
    """Return the report files of a comparison by their endings: html, md, json."""
    return {
        "html": comparison_html(comparison, context),
        "md": comparison_markdown(comparison, context),
        "json": comparison_json(comparison),
    }

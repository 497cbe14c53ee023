"""Reviews and comparisons as HTML, Markdown, JSON and terminal text. Reports are returned; nothing is written to disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.report.documents import REVIEW_KIND, StoredReview, json_report, json_schema, read_review
from panel.report.editorial import NOTHING, PLAIN, Editorial, ReportContext
from panel.report.html import html_report
from panel.report.markdown import markdown_report
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
    "html_report",
    "json_report",
    "json_schema",
    "markdown_report",
    "read_review",
    "render_report",
    "usage_line",
]


def render_report(
    page: PanelReview | Comparison,
    ending: str,
    context: ReportContext = PLAIN,
    editorials: Sequence[Editorial] = (),
) -> str:
    """Return a review or a comparison in the format of a file's ending: html, md or json."""
    if ending == "json":
        return json_report(page, editorials)
    render = {"html": html_report, "md": markdown_report}[ending]
    return render(page, context, editorials)

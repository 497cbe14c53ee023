"""Reports as their readers see them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

from panel.core.text import one_line
from panel.report import html_report, markdown_report
from panel.report.editorial import PLAIN
from panel.report.terminal import terminal_report

if TYPE_CHECKING:
    from panel.core.comparison import Comparison
    from panel.core.review import PanelReview
    from panel.report import Editorial, ReportContext


class Page(HTMLParser):
    """Visible text, ids, links, table cells by row, and marked words after the title of each mark."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.ids: list[str] = []
        self.links: list[str] = []
        self.rows: list[list[str]] = []
        self.marks: list[list[str]] = []
        self._within: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if tag == "a" else []
        if tag == "tr":
            self.rows.append([])
        if tag in {"th", "td"}:
            self.rows[-1].append("")
        if tag in {"dt", "dd"}:
            self.text += " "
        if tag == "mark":
            self.marks.append([])
        if tag == "a" and "mark" in self._within:
            self.marks[-1] += [given["title"], ""]
        if tag in {"style", "script", "title", "mark"}:
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if "mark" in self._within:
            self.marks[-1][-1] += data
        if not {"style", "script", "title"} & set(self._within):
            self.text += data
            if self.rows and self.rows[-1]:
                self.rows[-1][-1] += data


def words_of(
    page: PanelReview | Comparison, *editorials: Editorial, context: ReportContext = PLAIN
) -> list[str]:
    """Return the words of a page in each format for readers, on one line each."""
    return [
        one_line(Page(html_report(page, context, editorials)).text),
        one_line(markdown_report(page, context, editorials).replace("\\", "").replace("`", "")),
        one_line(terminal_report(page, 120, editorials, color=False)),
    ]

"""How templates of pages are read: every value is escaped where it is put, and one that is missing is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jinja2 import Environment, StrictUndefined

from panel.core.tally import RULE
from panel.core.text import one_line
from panel.report import consumption, edits, findings, highlight, provenance, wording
from panel.report.page import safe_href
from panel.report.score_chart import score_chart

if TYPE_CHECKING:
    from jinja2 import BaseLoader

SHOWN_PARAGRAPHS = 3


def environment(loader: BaseLoader) -> Environment:
    """Return what makes pages of the templates that a loader finds; those in `report/templates` need what it knows."""
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
        "origins": provenance,
        "consumption": consumption,
        "edits": edits,
        "checked": findings,
        "marked": highlight,
        "score_chart": score_chart,
        "shown": SHOWN_PARAGRAPHS,
    }
    return made


def _host(url: str) -> str:
    return urlsplit(url).netloc.removeprefix("www.")

"""Reports for a terminal: a scorecard and a comparison as plain or coloured text.

Values become rich's Text, which reads no markup, after everything invisible is taken out of them.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from panel.domain.tally import RULE
from panel.domain.text import one_line
from panel.report import consumption, origins, words
from panel.report.page import one_column

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from panel.domain.comparison import Comparison
    from panel.domain.review import PanelReview
    from panel.domain.take import Seat
    from panel.domain.tool import Tool

SUMMARY_CHARS, CELL_CHARS = 280, 200
BAR_CELLS = 10
FIRST_COLUMN, NARROWEST_COLUMN = 14, 22
QUIET = "dim"

_STYLES = {"ship": "green", "skip": "red", "mixed": "yellow", "no verdict": ""}
_MARKS = {"ship": "●", "skip": "◆", "mixed": "◐", "no verdict": "○"}
_EIGHTHS = " ▏▎▍▌▋▊▉"


def scorecard_text(review: PanelReview, width: int, *, color: bool) -> str:
    """Return a review's scorecard with a line feed at its end.

    Args:
        review: what is shown.
        width: columns to fill, 60-120.
        color: whether colour codes may stand in it.
    """
    page = one_column(review)
    head = [_text(review.tool.name, "bold"), *_listing(review.tool), _blank(), *_head(review)]
    return _rendered([*head, _seats(review), *_notices(page)], width, color=color)


def comparison_text(comparison: Comparison, width: int, *, color: bool) -> str:
    """Return a comparison's tables with a line feed at its end; tools follow each other where columns are too narrow.

    Args:
        comparison: what is shown.
        width: columns to fill, 60-120.
        color: whether colour codes may stand in it.
    """
    fits = (width - FIRST_COLUMN) // len(comparison.reviews) >= NARROWEST_COLUMN
    tables = _side_by_side(comparison) if fits else _one_by_one(comparison)
    title = _text(comparison.title, "bold")
    answer = _text(words.answer_sentence(comparison))
    listing = _listing(comparison.tools[-1]) if comparison.of_one_tool else []
    return _rendered([title, answer, *listing, _blank(), *tables, *_notices(comparison)], width, color=color)


def _rendered(parts: list[RenderableType], width: int, *, color: bool) -> str:
    from rich.console import Console, Group

    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        legacy_windows=False,
        highlight=False,
    )
    with console.capture() as capture:
        console.print(Group(*parts))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _text(value: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(one_line(value), style=style, overflow="fold")


def _blank() -> Text:
    return _text("")


def _listing(tool: Tool) -> list[RenderableType]:
    filed = _text(" · ".join(part for part in (tool.category, tool.entry) if part))
    return [filed, *([_text(tool.tagline, "italic")] if tool.tagline else [])]


def _head(review: PanelReview) -> list[RenderableType]:
    tally = review.tally
    share = f"{words.ship_share(review)} panel ship ({words.share_basis(review)}, {words.counted(review.panel_size, 'seat')})"
    return [
        _vote(tally.verdict, tally.line),
        _text(share),
        _text(words.score_line(tally.scores)),
        *(_text(line, QUIET) for line in _means(review)),
        _blank(),
    ]


def _means(review: PanelReview) -> list[str]:
    """Return what was consumed and, where not all seats asked the same model, which asked whom."""
    asked = [f"Asked {origins.asked_line(review, origins.model)}"] if review.setup.exceptions else []
    return [*asked, consumption.usage_line(review.usage)]


def _vote(verdict: str, label: str) -> Text:
    key = verdict.lower()
    return _text(f"{_MARKS[key]} {label}", f"bold {_STYLES[key]}".strip())


def _seats(review: PanelReview) -> Table:
    from rich.table import Table

    table = Table(box=None, show_header=False, expand=True, pad_edge=False, padding=(0, 2, 1, 0))
    table.add_column(max_width=FIRST_COLUMN)
    table.add_column(ratio=1)
    for seat in review.seats:
        table.add_row(_text(seat.name, "bold"), _answer(seat, SUMMARY_CHARS, bar=True))
    return table


def _answer(seat: Seat | None, limit: int, *, bar: bool) -> Text:
    if seat is None:
        return _text(words.NO_SEAT)
    if seat.take is None:
        return _no_take(seat, limit)
    take = seat.take
    vote = _vote(take.verdict, take.label)
    head = _text(_bar(take.score), _STYLES[take.verdict]).append("  ").append_text(vote) if bar else vote
    flag = f"\n{words.CONTRADICTION}" if take.flags else ""
    return head.append(f"{flag}\n{words.opening(take.take, limit)}", style="not bold default")


def _no_take(seat: Seat, limit: int) -> Text:
    outcome = seat.outcome
    reason = (
        "" if outcome.kind == "take" else f"{outcome.reason.label}: {words.opening(outcome.detail, limit)}"
    )
    return _text(f"○ {outcome.label}").append(f"\n{reason}")


def _bar(score: int) -> str:
    whole, eighths = divmod(score * BAR_CELLS * 8 // 100, 8)
    return ("█" * whole + _EIGHTHS[eighths].strip()).ljust(BAR_CELLS, "·")


def _side_by_side(comparison: Comparison) -> list[RenderableType]:
    decisions, scorecard = _table("Decision", comparison, 0), _table("Critic", comparison, 1)
    for row in comparison.decisions:
        decisions.add_row(_text(row.label, "bold"), *(_text(cell) for cell in row.cells))
    for line in comparison.scorecard:
        answers = [_answer(seat, CELL_CHARS, bar=False) for seat in line.seats]
        scorecard.add_row(_text(line.name, "bold"), *answers)
    scorecard.add_row(_text("The panel", "bold"), *(_total(review) for review in comparison.reviews))
    return [decisions, _blank(), scorecard]


def _table(first: str, comparison: Comparison, leading: int) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, show_edge=False, leading=leading)
    table.add_column(first, width=FIRST_COLUMN - 1)
    for heading in comparison.headings:
        table.add_column(_text(heading), ratio=1)
    return table


def _total(review: PanelReview) -> Text:
    tally = review.tally
    scores = f"\n{words.ship_share(review)} panel ship\n{words.score_line(tally.scores)}"
    total = _vote(tally.verdict, tally.line).append(scores, style="not bold default")
    for line in _means(review):
        total.append("\n").append_text(_text(line, f"not bold default {QUIET}"))
    return total


def _one_by_one(comparison: Comparison) -> list[RenderableType]:
    from rich.rule import Rule

    parts: list[RenderableType] = []
    for column, (heading, review) in enumerate(comparison.columns):
        listing = [] if comparison.of_one_tool else _listing(review.tool)
        head = [_text(heading, "bold"), *listing, _blank(), *_head(review)]
        answers = [f"{row.label}: {row.cells[column]}" for row in comparison.decisions[1:]]
        parts += [Rule(style=""), *head, *map(_text, answers), _blank(), _seats(review)]
    return parts


def _notices(page: Comparison) -> list[RenderableType]:
    fragile = [f"{name}: {words.FRAGILE}" for name, review in page.columns if review.tally.fragile]
    return [*map(_text, ["", *fragile, *page.warnings, RULE, words.AI_NOTICE]), *_embedded(page)]


def _embedded(page: Comparison) -> list[RenderableType]:
    from rich.padding import Padding

    models = ", ".join(origins.embedded_models(page))
    if not models:
        return []
    takes, names = origins.embedded_takes(page)
    notice = f"{takes} {names} were written by {models}, {words.EMBEDDED_NOTICE}"
    commands = [Padding(_text(command), (0, 0, 0, 2)) for command in origins.rerun_commands(page)]
    return [_blank(), _text("Embedded draft", "bold"), _text(notice), _text(words.STRONGER), *commands]

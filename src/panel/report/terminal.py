"""Reports for a terminal: a scorecard and a comparison as plain or coloured text.

Values become rich's Text, which reads no markup, after `one_line` has taken out everything invisible.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from panel.core.review import PanelReview
from panel.core.take import NoTake
from panel.core.tally import RULE
from panel.core.text import counted, one_line
from panel.report import editorial as notes
from panel.report import findings, wording
from panel.report.editorial import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from panel.core.comparison import Comparison
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.report.editorial import Editorial

    Editorials = tuple[Editorial, ...]

_SUMMARY_CHARS, _CELL_CHARS = 280, 200
_BAR_CELLS = 10
_FIRST_COLUMN, _NARROWEST_COLUMN = 14, 22
_QUIET, _PLAIN = "dim", "not bold default"

_STYLES = {"ship": "green", "skip": "red", "mixed": "yellow", "no verdict": ""}
_SYMBOLS = {"ship": "●", "skip": "◆", "mixed": "◐", "no verdict": "○"}
_EIGHTHS = " ▏▎▍▌▋▊▉"


def terminal_report(
    page: PanelReview | Comparison, width: int, editorials: Sequence[Editorial] = (), *, color: bool
) -> str:
    """Return a review's scorecard or a comparison's tables, `width` columns wide (60-120), with a line feed at its end.

    Where columns would be too narrow, the tools follow each other. `editorials` are in the order of the reviews, or empty.
    """
    comparison, each = columns_of(page, editorials)
    of_one = isinstance(page, PanelReview)
    shared_listing = of_one or comparison.of_one_tool
    parts: list[RenderableType] = [_text(comparison.title, "bold")]
    parts += [] if of_one else [_text(wording.answer_sentence(comparison))]
    parts += _listing(comparison.tools[-1]) if shared_listing else []
    for tool in comparison.tools:
        of = "" if shared_listing else f"{one_line(tool.name)}: "
        parts += [_text(f"{of}{note.line}", _QUIET) for note in notes.tool_notes(comparison, each, tool)]
    parts += [_text(approval.line, _QUIET) for approval in notes.approvals(comparison, each)]
    parts.append(_text(""))
    if of_one:
        parts += [*_result(comparison.reviews[0], each[0]), _seats(comparison.reviews[0], each[0])]
    elif (width - _FIRST_COLUMN) // len(comparison.reviews) >= _NARROWEST_COLUMN:
        parts += _side_by_side(comparison, each)
    else:
        parts += _one_by_one(comparison, each)
    return _rendered([*parts, *_notices(comparison, each)], width, color=color)


def _rendered(parts: Iterable[RenderableType], width: int, *, color: bool) -> str:
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
    return Text(one_line(value), style=style, overflow="fold")


def _listing(tool: Tool) -> Iterator[Text]:
    yield _text(" · ".join(part for part in (tool.category, tool.entry_price) if part))
    if tool.tagline:
        yield _text(tool.tagline, "italic")


def _result(review: PanelReview, editorial: Editorial) -> Iterator[Text]:
    basis = f"{wording.share_basis(review)}, {counted(review.panel_size, 'seat')}"
    note = notes.panel_note(review, editorial)
    yield _vote(review.tally.verdict, review.tally.line)
    if note:
        yield _text(note.line, _QUIET)
    yield _text(f"{wording.ship_share(review)} panel ship ({basis})")
    yield _text(wording.score_line(review.tally.scores))
    yield from (_text(line, _QUIET) for line in _models_and_usage(review))
    yield _text("")


def _models_and_usage(review: PanelReview) -> list[str]:
    """Return the usage and, if the seats asked different models, the models."""
    asked = [f"Asked {wording.by_seat_line(review, 'model')}"] if review.setup.seat_models else []
    return [*asked, wording.usage_line(review.usage)]


def _vote(verdict: str, label: str) -> Text:
    key = verdict.lower()
    return _text(f"{_SYMBOLS[key]} {label}", f"bold {_STYLES[key]}".strip())


def _seats(review: PanelReview, editorial: Editorial) -> Table:
    table = Table(box=None, show_header=False, expand=True, pad_edge=False, padding=(0, 2, 1, 0))
    table.add_column(max_width=_FIRST_COLUMN)
    table.add_column(ratio=1)
    for seat in review.seats:
        table.add_row(_text(seat.name, "bold"), _answer(seat, editorial, _SUMMARY_CHARS, bar=True))
    return table


def _answer(seat: Seat | None, editorial: Editorial, limit: int, *, bar: bool) -> Text:
    if seat is None:
        return _text(wording.NO_SEAT)
    outcome = seat.outcome
    if isinstance(outcome, NoTake):
        reason = f"{outcome.reason.label}: {wording.opening(outcome.detail, limit)}"
        answer = _text(f"○ {outcome.label}").append(f"\n{reason}")
    else:
        answer = _vote(outcome.verdict, outcome.label)
        if bar:
            answer = _text(_bar(outcome.score), _STYLES[outcome.verdict]).append("  ").append_text(answer)
        _add_lines(answer, (note.line for note in notes.verdict_notes(seat, editorial)))
        flag = f"\n{wording.CONTRADICTION}" if outcome.flags else ""
        answer.append(f"{flag}\n{wording.opening(outcome.take, limit)}", style=_PLAIN)
    return _add_lines(answer, (note.line for note in notes.text_notes(seat, editorial)))


def _add_lines(text: Text, lines: Iterable[str]) -> Text:
    for line in lines:
        text.append("\n").append_text(_text(line, f"{_PLAIN} {_QUIET}"))
    return text


def _bar(score: int) -> str:
    whole, eighths = divmod(score * _BAR_CELLS * 8 // 100, 8)
    return ("█" * whole + _EIGHTHS[eighths].strip()).ljust(_BAR_CELLS, "·")


def _side_by_side(comparison: Comparison, editorials: Editorials) -> list[RenderableType]:
    decisions, scorecard = _table("Decision", comparison, 0), _table("Critic", comparison, 1)
    for row in comparison.decisions:
        decisions.add_row(_text(row.label, "bold"), *map(_text, row.cells))
    for line in comparison.scorecard:
        pairs = zip(line.seats, editorials, strict=True)
        answers = [_answer(seat, editorial, _CELL_CHARS, bar=False) for seat, editorial in pairs]
        scorecard.add_row(_text(line.name, "bold"), *answers)
    scorecard.add_row(_text("The panel", "bold"), *map(_panel_cell, comparison.reviews, editorials))
    return [decisions, _text(""), scorecard]


def _table(first: str, comparison: Comparison, leading: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, show_edge=False, leading=leading)
    table.add_column(first, width=_FIRST_COLUMN - 1)
    for heading in comparison.headings:
        table.add_column(_text(heading), ratio=1)
    return table


def _panel_cell(review: PanelReview, editorial: Editorial) -> Text:
    tally, note = review.tally, notes.panel_note(review, editorial)
    scores = f"\n{wording.ship_share(review)} panel ship\n{wording.score_line(tally.scores)}"
    cell = _vote(tally.verdict, tally.line).append(scores, style=_PLAIN)
    return _add_lines(cell, [*([note.line] if note else []), *_models_and_usage(review)])


def _one_by_one(comparison: Comparison, editorials: Editorials) -> Iterator[RenderableType]:
    for column, (heading, review) in enumerate(comparison.columns):
        yield from (Rule(style=""), _text(heading, "bold"))
        yield from () if comparison.of_one_tool else _listing(review.tool)
        yield from (_text(""), *_result(review, editorials[column]))
        yield from (_text(f"{row.label}: {row.cells[column]}") for row in comparison.decisions[1:])
        yield from (_text(""), _seats(review, editorials[column]))


def _notices(page: Comparison, editorials: Editorials) -> Iterator[RenderableType]:
    for (heading, review), editorial in zip(page.columns, editorials, strict=True):
        if summary := findings.summary(editorial):
            of = f": {one_line(heading)}" if len(page.reviews) > 1 else ""
            yield from (_text(""), _text(f"{findings.TITLE}{of}", "bold"), _text(summary))
        for group in findings.groups(review, editorial):
            yield _text(f"{group.label}. {group.note}")
            yield from (_indented(f'{found.where}: "{found.words}"', _QUIET) for found in group.found)
    fragile = [f"{name}: {wording.FRAGILE}" for name, review in page.columns if review.tally.fragile]
    yield from map(_text, ["", *fragile, *page.warnings, RULE, wording.AI_NOTICE])
    if models := ", ".join(wording.embedded_models(page)):
        takes, names = wording.embedded_takes(page)
        yield from (_text(""), _text("Embedded draft", "bold"))
        yield _text(f"{takes} {names} were written by {models}, {wording.EMBEDDED_NOTICE}")
        yield _text(wording.STRONGER)
        yield from map(_indented, wording.rerun_commands(page))


def _indented(text: str, style: str = "") -> Padding:
    return Padding(_text(text, style), (0, 0, 0, 2))

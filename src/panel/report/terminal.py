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

from panel.core.comparison import Comparison
from panel.core.tally import RULE
from panel.core.text import one_line
from panel.report import edits, findings, wording
from panel.report.context import NOTHING, aligned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from panel.core.review import PanelReview
    from panel.core.take import Seat, Take
    from panel.core.tool import Tool
    from panel.report.context import Editorial
    from panel.report.edits import EditNote

    Editorials = tuple[Editorial, ...]

_SUMMARY_CHARS, _CELL_CHARS = 280, 200
_BAR_CELLS = 10
_FIRST_COLUMN, _NARROWEST_COLUMN = 14, 22
_QUIET, _PLAIN = "dim", "not bold default"

_STYLES = {"ship": "green", "skip": "red", "mixed": "yellow", "no verdict": ""}
_SYMBOLS = {"ship": "●", "skip": "◆", "mixed": "◐", "no verdict": "○"}
_EIGHTHS = " ▏▎▍▌▋▊▉"


def scorecard_text(review: PanelReview, width: int, editorial: Editorial = NOTHING, *, color: bool) -> str:
    """Return a review's scorecard, `width` columns wide (60-120), with a line feed at its end."""
    page, editorials = Comparison.of_one(review), (editorial,)
    parts = [
        _text(review.tool.name, "bold"),
        *_listing(review.tool),
        *_tool_notes(page, editorials, review.tool),
        *(_text(approval.line, _QUIET) for approval in edits.approvals(page, editorials)),
        _text(""),
        *_result(review, editorial),
        _seats(review, editorial),
        *_notices(page, editorials),
    ]
    return _rendered(parts, width, color=color)


def comparison_text(
    comparison: Comparison, width: int, editorials: Sequence[Editorial] = (), *, color: bool
) -> str:
    """Return a comparison's tables, `width` columns wide (60-120), with a line feed at its end.

    Where the columns would be too narrow, the tools follow each other. `editorials` are in the order of the reviews, or empty.
    """
    each = aligned(comparison, editorials)
    fits = (width - _FIRST_COLUMN) // len(comparison.reviews) >= _NARROWEST_COLUMN
    one_tool = comparison.of_one_tool
    parts = [
        _text(comparison.title, "bold"),
        _text(wording.answer_sentence(comparison)),
        *(_listing(comparison.tools[-1]) if one_tool else ()),
        *(
            note
            for tool in comparison.tools
            for note in _tool_notes(comparison, each, tool, named=not one_tool)
        ),
        *(_text(approval.line, _QUIET) for approval in edits.approvals(comparison, each)),
        _text(""),
        *(_side_by_side(comparison, each) if fits else _one_by_one(comparison, each)),
        *_notices(comparison, each),
    ]
    return _rendered(parts, width, color=color)


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


def _tool_notes(page: Comparison, editorials: Editorials, tool: Tool, *, named: bool = False) -> list[Text]:
    of = f"{one_line(tool.name)}: " if named else ""
    return [_text(f"{of}{note.line}", _QUIET) for note in edits.tool_notes(page, editorials, tool)]


def _result(review: PanelReview, editorial: Editorial) -> list[Text]:
    """Return the lines of the panel's result above the seats."""
    tally = review.tally
    basis = f"{wording.share_basis(review)}, {wording.counted(review.panel_size, 'seat')}"
    note = edits.panel_note(review, editorial)
    return [
        _vote(tally.verdict, tally.line),
        *([_text(note.line, _QUIET)] if note else []),
        _text(f"{wording.ship_share(review)} panel ship ({basis})"),
        _text(wording.score_line(tally.scores)),
        *(_text(line, _QUIET) for line in _models_and_usage(review)),
        _text(""),
    ]


def _models_and_usage(review: PanelReview) -> list[str]:
    """Return the usage and, if the seats asked different models, the models."""
    usage = wording.usage_line(review.usage)
    if not review.setup.seat_models:
        return [usage]
    return [f"Asked {wording.by_seat_line(review, 'model')}", usage]


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
    answer = _take(seat, seat.take, editorial, limit, bar=bar) if seat.take else _no_take(seat, limit)
    return _with_notes(answer, edits.text_notes(seat, editorial))


def _with_notes(text: Text, notes: Iterable[EditNote]) -> Text:
    for note in notes:
        text.append("\n").append_text(_text(note.line, f"{_PLAIN} {_QUIET}"))
    return text


def _take(seat: Seat, take: Take, editorial: Editorial, limit: int, *, bar: bool) -> Text:
    vote = _vote(take.verdict, take.label)
    head = _text(_bar(take.score), _STYLES[take.verdict]).append("  ").append_text(vote) if bar else vote
    flag = f"\n{wording.CONTRADICTION}" if take.flags else ""
    _with_notes(head, edits.verdict_notes(seat, editorial))
    return head.append(f"{flag}\n{wording.opening(take.take, limit)}", style=_PLAIN)


def _no_take(seat: Seat, limit: int) -> Text:
    outcome = seat.outcome
    reason = (
        "" if outcome.kind == "take" else f"{outcome.reason.label}: {wording.opening(outcome.detail, limit)}"
    )
    return _text(f"○ {outcome.label}").append(f"\n{reason}")


def _bar(score: int) -> str:
    whole, eighths = divmod(score * _BAR_CELLS * 8 // 100, 8)
    return ("█" * whole + _EIGHTHS[eighths].strip()).ljust(_BAR_CELLS, "·")


def _side_by_side(comparison: Comparison, editorials: Editorials) -> list[RenderableType]:
    decisions, scorecard = _table("Decision", comparison, 0), _table("Critic", comparison, 1)
    for row in comparison.decisions:
        decisions.add_row(_text(row.label, "bold"), *(_text(cell) for cell in row.cells))
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
    tally = review.tally
    scores = f"\n{wording.ship_share(review)} panel ship\n{wording.score_line(tally.scores)}"
    cell = _vote(tally.verdict, tally.line).append(scores, style=_PLAIN)
    note = edits.panel_note(review, editorial)
    for line in [*([note.line] if note else []), *_models_and_usage(review)]:
        cell.append("\n").append_text(_text(line, f"{_PLAIN} {_QUIET}"))
    return cell


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
            yield from _findings(review, editorial)
    fragile = [f"{name}: {wording.FRAGILE}" for name, review in page.columns if review.tally.fragile]
    yield from map(_text, ["", *fragile, *page.warnings, RULE, wording.AI_NOTICE])
    yield from _embedded(page)


def _findings(review: PanelReview, editorial: Editorial) -> Iterator[RenderableType]:
    for group in findings.groups(review, editorial):
        yield _text(f"{group.label}. {group.note}")
        for found in group.found:
            yield Padding(_text(f'{found.where}: "{found.words}"', _QUIET), (0, 0, 0, 2))


def _embedded(page: Comparison) -> Iterator[RenderableType]:
    models = ", ".join(wording.embedded_models(page))
    if models:
        takes, names = wording.embedded_takes(page)
        yield from (_text(""), _text("Embedded draft", "bold"))
        yield _text(f"{takes} {names} were written by {models}, {wording.EMBEDDED_NOTICE}")
        yield _text(wording.STRONGER)
        yield from (Padding(_text(command), (0, 0, 0, 2)) for command in wording.rerun_commands(page))

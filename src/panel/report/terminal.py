"""Reports for a terminal: a scorecard and a comparison as plain or coloured text.

Values become rich's Text, which reads no markup, after everything invisible is taken out of them.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from panel.core.tally import RULE
from panel.core.text import one_line
from panel.report import consumption, edits, findings, provenance, wording
from panel.report.editorial import NOTHING, aligned
from panel.report.page import one_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from panel.core.comparison import Comparison
    from panel.core.review import PanelReview
    from panel.core.take import Seat, Take
    from panel.core.tool import Tool
    from panel.report.editorial import Editorial
    from panel.report.edits import EditNote

    Known = tuple[Editorial, ...]

SUMMARY_CHARS, CELL_CHARS = 280, 200
BAR_CELLS = 10
FIRST_COLUMN, NARROWEST_COLUMN = 14, 22
QUIET = "dim"

_STYLES = {"ship": "green", "skip": "red", "mixed": "yellow", "no verdict": ""}
_MARKS = {"ship": "●", "skip": "◆", "mixed": "◐", "no verdict": "○"}
_EIGHTHS = " ▏▎▍▌▋▊▉"


def scorecard_text(review: PanelReview, width: int, known: Editorial = NOTHING, *, color: bool) -> str:
    """Return a review's scorecard with a line feed at its end.

    Args:
        review: what is shown.
        width: columns to fill, 60-120.
        known: what checks found in it, what editors changed, and who approved it.
        color: whether colour codes may stand in it.
    """
    page, all_known = one_column(review), (known,)
    notes = _tool_notes(page, all_known, review.tool)
    head = [_text(review.tool.name, "bold"), *_listing(review.tool), *notes, *_approval(page, all_known)]
    body = [_blank(), *_head(review, known), _seats(review, known)]
    return _rendered([*head, *body, *_notices(page, all_known)], width, color=color)


def comparison_text(
    comparison: Comparison, width: int, known: Sequence[Editorial] = (), *, color: bool
) -> str:
    """Return a comparison's tables with a line feed at its end; tools follow each other where columns are too narrow.

    Args:
        comparison: what is shown.
        width: columns to fill, 60-120.
        known: what is known of each review, in their order; nothing by default.
        color: whether colour codes may stand in it.
    """
    each = aligned(comparison, known)
    fits = (width - FIRST_COLUMN) // len(comparison.reviews) >= NARROWEST_COLUMN
    tables = _side_by_side(comparison, each) if fits else _one_by_one(comparison, each)
    head: list[RenderableType] = [_text(comparison.title, "bold"), _text(wording.answer_sentence(comparison))]
    if comparison.of_one_tool:
        head += _listing(comparison.tools[-1])
    for tool in comparison.tools:
        head += _tool_notes(comparison, each, tool, named=not comparison.of_one_tool)
    head += _approval(comparison, each)
    return _rendered([*head, _blank(), *tables, *_notices(comparison, each)], width, color=color)


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
    filed = _text(" · ".join(part for part in (tool.category, tool.entry_price) if part))
    return [filed, *([_text(tool.tagline, "italic")] if tool.tagline else [])]


def _approval(page: Comparison, known: Known) -> list[Text]:
    return [_text(approval.line, QUIET) for approval in edits.approvals(page, known)]


def _tool_notes(page: Comparison, known: Known, tool: Tool, *, named: bool = False) -> list[Text]:
    of = f"{one_line(tool.name)}: " if named else ""
    return [_text(f"{of}{note.line}", QUIET) for note in edits.tool_notes(page, known, tool)]


def _head(review: PanelReview, known: Editorial) -> list[RenderableType]:
    tally = review.tally
    share = f"{wording.ship_share(review)} panel ship ({wording.share_basis(review)}, {wording.counted(review.panel_size, 'seat')})"
    return [
        _vote(tally.verdict, tally.line),
        *(_text(line, QUIET) for line in _panel_note(review, known)),
        _text(share),
        _text(wording.score_line(tally.scores)),
        *(_text(line, QUIET) for line in _means(review)),
        _blank(),
    ]


def _panel_note(review: PanelReview, known: Editorial) -> list[str]:
    note = edits.panel_note(review, known)
    return [note.line] if note else []


def _means(review: PanelReview) -> list[str]:
    """Return what was consumed and, where not all seats asked the same model, which asked whom."""
    asked = [f"Asked {provenance.asked_line(review, provenance.model)}"] if review.setup.seat_models else []
    return [*asked, consumption.usage_line(review.usage)]


def _vote(verdict: str, label: str) -> Text:
    key = verdict.lower()
    return _text(f"{_MARKS[key]} {label}", f"bold {_STYLES[key]}".strip())


def _seats(review: PanelReview, known: Editorial) -> Table:
    from rich.table import Table

    table = Table(box=None, show_header=False, expand=True, pad_edge=False, padding=(0, 2, 1, 0))
    table.add_column(max_width=FIRST_COLUMN)
    table.add_column(ratio=1)
    for seat in review.seats:
        table.add_row(_text(seat.name, "bold"), _answer(seat, known, SUMMARY_CHARS, bar=True))
    return table


def _answer(seat: Seat | None, known: Editorial, limit: int, *, bar: bool) -> Text:
    if seat is None:
        return _text(wording.NO_SEAT)
    answer = _take(seat, seat.take, known, limit, bar=bar) if seat.take else _no_take(seat, limit)
    return _noted(answer, edits.text_notes(seat, known))


def _noted(text: Text, notes: Iterable[EditNote]) -> Text:
    for note in notes:
        text.append("\n").append_text(_text(note.line, f"not bold default {QUIET}"))
    return text


def _take(seat: Seat, take: Take, known: Editorial, limit: int, *, bar: bool) -> Text:
    vote = _vote(take.verdict, take.label)
    head = _text(_bar(take.score), _STYLES[take.verdict]).append("  ").append_text(vote) if bar else vote
    flag = f"\n{wording.CONTRADICTION}" if take.flags else ""
    _noted(head, edits.verdict_notes(seat, known))
    return head.append(f"{flag}\n{wording.opening(take.take, limit)}", style="not bold default")


def _no_take(seat: Seat, limit: int) -> Text:
    outcome = seat.outcome
    reason = (
        "" if outcome.kind == "take" else f"{outcome.reason.label}: {wording.opening(outcome.detail, limit)}"
    )
    return _text(f"○ {outcome.label}").append(f"\n{reason}")


def _bar(score: int) -> str:
    whole, eighths = divmod(score * BAR_CELLS * 8 // 100, 8)
    return ("█" * whole + _EIGHTHS[eighths].strip()).ljust(BAR_CELLS, "·")


def _side_by_side(comparison: Comparison, known: Known) -> list[RenderableType]:
    decisions, scorecard = _table("Decision", comparison, 0), _table("Critic", comparison, 1)
    for row in comparison.decisions:
        decisions.add_row(_text(row.label, "bold"), *(_text(cell) for cell in row.cells))
    for line in comparison.scorecard:
        pairs = zip(line.seats, known, strict=True)
        answers = [_answer(seat, known_, CELL_CHARS, bar=False) for seat, known_ in pairs]
        scorecard.add_row(_text(line.name, "bold"), *answers)
    scorecard.add_row(_text("The panel", "bold"), *map(_total, comparison.reviews, known))
    return [decisions, _blank(), scorecard]


def _table(first: str, comparison: Comparison, leading: int) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, show_edge=False, leading=leading)
    table.add_column(first, width=FIRST_COLUMN - 1)
    for heading in comparison.headings:
        table.add_column(_text(heading), ratio=1)
    return table


def _total(review: PanelReview, known: Editorial) -> Text:
    tally = review.tally
    scores = f"\n{wording.ship_share(review)} panel ship\n{wording.score_line(tally.scores)}"
    total = _vote(tally.verdict, tally.line).append(scores, style="not bold default")
    for line in [*_panel_note(review, known), *_means(review)]:
        total.append("\n").append_text(_text(line, f"not bold default {QUIET}"))
    return total


def _one_by_one(comparison: Comparison, known: Known) -> list[RenderableType]:
    from rich.rule import Rule

    parts: list[RenderableType] = []
    for column, (heading, review) in enumerate(comparison.columns):
        listing = [] if comparison.of_one_tool else _listing(review.tool)
        head = [_text(heading, "bold"), *listing, _blank(), *_head(review, known[column])]
        answers = [f"{row.label}: {row.cells[column]}" for row in comparison.decisions[1:]]
        parts += [Rule(style=""), *head, *map(_text, answers), _blank(), _seats(review, known[column])]
    return parts


def _notices(page: Comparison, known: Known) -> list[RenderableType]:
    fragile = [f"{name}: {wording.FRAGILE}" for name, review in page.columns if review.tally.fragile]
    said = ["", *fragile, *page.warnings, RULE, wording.AI_NOTICE]
    return [*_checks(page, known), *map(_text, said), *_embedded(page)]


def _checks(page: Comparison, known: Known) -> Iterable[RenderableType]:
    for (heading, review), known_ in zip(page.columns, known, strict=True):
        if told := findings.summary(known_):
            of = f": {one_line(heading)}" if len(page.reviews) > 1 else ""
            yield from (_blank(), _text(f"{findings.TITLE}{of}", "bold"), _text(told))
            yield from _open(review, known_)


def _open(review: PanelReview, known: Editorial) -> Iterator[RenderableType]:
    from rich.padding import Padding

    for group in findings.groups(review, known):
        yield _text(f"{group.label}. {group.note}")
        for found in group.found:
            yield Padding(_text(f'{found.where}: "{found.words}"', QUIET), (0, 0, 0, 2))


def _embedded(page: Comparison) -> list[RenderableType]:
    from rich.padding import Padding

    models = ", ".join(provenance.embedded_models(page))
    if not models:
        return []
    takes, names = provenance.embedded_takes(page)
    notice = f"{takes} {names} were written by {models}, {wording.EMBEDDED_NOTICE}"
    commands = [Padding(_text(command), (0, 0, 0, 2)) for command in provenance.rerun_commands(page)]
    return [_blank(), _text("Embedded draft", "bold"), _text(notice), _text(wording.STRONGER), *commands]

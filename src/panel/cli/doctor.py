"""`panel doctor`: what is set up, what is missing, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from panel.diagnostics import Line

HELP = """Check what is set up, what is missing, and what to do about it.

Nothing is asked and nothing is paid for, except with --ask: one cheap call to the model in force.

Examples:

  panel doctor

  panel doctor --ask --model openai
"""
BLOCKED, UNANSWERED = 2, 75
MARK_WIDTH = 9
COLORS = {"ok": "32", "note": "33", "problem": "31", "failed": "31"}


def doctor(
    ask: Annotated[bool, typer.Option("--ask", help="Make one cheap call to the model in force.")] = False,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> int:
    """Check what is set up."""
    from dataclasses import asdict

    from panel.cli.console import colorful, result, result_json, width

    lines = list(_examined(options.given(model=model, base_url=base_url), config, ask=ask))
    if as_json:
        result_json([{"subject": line.subject, **asdict(line.finding)} for line in lines])
    else:
        color = colorful(refused=no_color)
        result("\n".join([*_printed(lines, width(), color=color), "", _summary(lines)]))
    return _code(lines)


def _examined(flags: dict[str, str], config: Path | None, *, ask: bool) -> Iterator[Line]:
    from panel.diagnostics import (
        asking,
        configuration,
        database,
        embedded,
        examine,
        materials,
        models,
        network,
        software,
    )
    from panel.diagnostics.case import Case

    case = Case(flags, config)
    lines = examine(
        case,
        [
            ("Software", software.this_program),
            ("Software", software.libraries),
            ("Software", software.extras),
            ("Settings", configuration.files),
            ("Settings", configuration.variables),
            ("Settings", configuration.limits),
            ("Folders", materials.data),
            ("Folders", materials.reports),
            ("Personas", materials.personas),
            ("Keys", models.keys),
            ("Model", models.model),
            ("Model", models.other_models),
            ("Model", models.addresses),
            ("Model", models.prices),
            ("Prompts", materials.prompts),
            ("Embedded model", embedded.weights),
            ("Embedded model", embedded.runtime),
            ("Network", network.certificates),
            ("Network", network.proxies),
            ("Database", database.database),
        ],
    )
    blocked = False
    for line in lines:
        blocked = blocked or line.finding.mark == "problem"
        yield line
    if ask and not blocked:
        yield from examine(case, [("Call", asking.ask)])


def _printed(lines: Iterable[Line], width: int, *, color: bool) -> Iterator[str]:
    subject = ""
    for line in lines:
        if line.subject != subject:
            yield line.subject if not subject else f"\n{line.subject}"
            subject = line.subject
        mark = line.finding.mark.value
        first, *rest = [*_wrapped(line.finding.found, width), *_wrapped(line.finding.advice, width, "→ ")]
        yield f"  {_painted(mark, color=color)}{' ' * (MARK_WIDTH - len(mark))}{first.strip()}"
        yield from rest


def _wrapped(text: str, width: int, bullet: str = "") -> list[str]:
    """Return a text in lines, without characters that could steer a terminal."""
    import textwrap

    from panel.core.text import one_line

    indent = " " * (MARK_WIDTH + 2)
    return textwrap.wrap(
        one_line(text),
        width,
        initial_indent=indent + bullet,
        subsequent_indent=indent + " " * len(bullet),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _painted(mark: str, *, color: bool) -> str:
    return f"\x1b[{COLORS[mark]}m{mark}\x1b[0m" if color else mark


def _summary(lines: Sequence[Line]) -> str:
    code = _code(lines)
    if code == BLOCKED:
        problems = sum(line.finding.mark == "problem" for line in lines)
        return "One problem stands in the way." if problems == 1 else f"{problems} problems stand in the way."
    if code == UNANSWERED:
        return "All is set up, but the model in force did not answer."
    return "All is set up: the model in force can be asked."


def _code(lines: Sequence[Line]) -> int:
    marks = {line.finding.mark.value for line in lines}
    return BLOCKED if "problem" in marks else UNANSWERED if "failed" in marks else 0

"""`panel doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panel.diagnostics.installation import Observation

    Line = tuple[str, Observation]

HELP = """Check what is set up, what is missing, and what to do about it.

No model is called and nothing is paid for, except with --ask: one cheap call to the model in force.

Examples:

  panel doctor

  panel doctor --ask --model openai
"""
BLOCKED, UNANSWERED = 2, 75
LEVEL_WIDTH = 9
COLORS = {"ok": "32", "note": "33", "problem": "31", "failed": "31"}


def doctor(
    ask: Annotated[bool, typer.Option("--ask", help="Make one cheap call to the model in force.")] = False,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> int:
    """Run the checks, print them and return the exit code."""
    from panel.cli.console import colorful, result, result_json, width
    from panel.diagnostics.doctor import diagnose

    lines = list(diagnose(options.given(model=model, base_url=base_url), config, ask=ask))
    if as_json:
        result_json(
            [
                {"subject": subject, "mark": one.level, "found": one.found, "advice": one.advice}
                for subject, one in lines
            ]
        )
    else:
        color = colorful(refused=no_color)
        result("\n".join([*_printed(lines, width(), color=color), "", _summary(lines)]))
    return _exit_code(lines)


def _printed(lines: Iterable[Line], width: int, *, color: bool) -> Iterator[str]:
    current = ""
    for subject, observation in lines:
        if subject != current:
            yield f"\n{subject}" if current else subject
            current = subject
        level = observation.level.value
        first, *rest = [*_wrapped(observation.found, width), *_wrapped(observation.advice, width, "→ ")]
        painted = f"\x1b[{COLORS[level]}m{level}\x1b[0m" if color else level
        yield f"  {painted}{' ' * (LEVEL_WIDTH - len(level))}{first.strip()}"
        yield from rest


def _wrapped(text: str, width: int, bullet: str = "") -> list[str]:
    """Return a text in lines, without terminal control characters."""
    import textwrap

    from panel.core.text import one_line

    indent = " " * (LEVEL_WIDTH + 2)
    return textwrap.wrap(
        one_line(text),
        width,
        initial_indent=indent + bullet,
        subsequent_indent=indent + " " * len(bullet),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _summary(lines: Sequence[Line]) -> str:
    code = _exit_code(lines)
    if code == BLOCKED:
        problems = sum(observation.level == "problem" for _, observation in lines)
        return f"{problems} problem{'' if problems == 1 else 's'} must be solved before a review can run."
    if code == UNANSWERED:
        return "Everything is set up, but the model in force did not answer."
    return "Everything is set up: the model in force can be called."


def _exit_code(lines: Sequence[Line]) -> int:
    levels = {observation.level.value for _, observation in lines}
    return BLOCKED if "problem" in levels else UNANSWERED if "failed" in levels else 0

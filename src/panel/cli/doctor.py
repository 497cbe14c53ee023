"""`panel doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    levels = [observation.level.value for _, observation in lines]
    code, summary = 0, "Everything is set up: the model in force can be called."
    if problems := levels.count("problem"):
        noun = "problem" if problems == 1 else "problems"
        code, summary = BLOCKED, f"{problems} {noun} must be solved before a review can run."
    elif "failed" in levels:
        code, summary = UNANSWERED, "Everything is set up, but the model in force did not answer."
    if as_json:
        rows = ((subject, one.level, one.found, one.advice) for subject, one in lines)
        result_json([dict(zip(("subject", "mark", "found", "advice"), row, strict=True)) for row in rows])
    else:
        result("\n".join([*_printed(lines, width(), color=colorful(refused=no_color)), "", summary]))
    return code


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

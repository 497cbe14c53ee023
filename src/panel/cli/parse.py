"""`panel parse`: parse a raw reply of a model."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.core.finish_reason import FinishReason

if TYPE_CHECKING:
    from panel.core.tool import Tool
    from panel.prompts.reply_parser import Reply

HELP = """Parse a raw reply of a model and show the take, or the problems.

Examples:

  panel parse reply.txt --persona skeptic

  panel parse --persona builder --json < reply.txt
"""


def parse(
    persona: Annotated[str, typer.Option("--persona", metavar="NAME", help="Persona that was asked.")],
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="File with the raw reply; - or nothing for stdin.")
    ] = "-",
    finish: Annotated[
        FinishReason, typer.Option("--finish", help="How the model stopped.")
    ] = FinishReason.COMPLETE,
    canary: Annotated[
        str | None, typer.Option("--canary", metavar="TAG", help="Canary tag of the prompt.")
    ] = None,
    tool: Annotated[
        str | None, typer.Option("--tool", metavar="TOOL", help="Tool file of the reviewed tool.")
    ] = None,
    personas: options.Personas = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Parse a raw reply of a model and show the take, or the problems."""
    from panel.cli.console import plain_result, result_json
    from panel.prompts.reply_parser import ReplyContext, parse_reply

    roster = _roster(persona, personas, config)
    reviewed = _tool(tool)
    context = ReplyContext(
        persona=persona,
        roster=roster,
        canary=canary,
        tagline=reviewed.tagline if reviewed else None,
        host=reviewed.host if reviewed else None,
    )
    reply = parse_reply(_read(file), finish, context)
    if as_json:
        shown = reply.model_dump(mode="json", include={"outcome", "problems", "no_take"})
        take = reply.take.model_dump(mode="json") if reply.take and reply.no_take is None else None
        result_json({"outcome": shown["outcome"], "take": take, **shown})
    else:
        plain_result(_summary(reply))


def _read(file: str) -> str:
    from panel.errors import InputError, Problem
    from panel.tool_files.files import MAX_BYTES, reason_of

    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError([Problem(file, f"{reason_of(error)}; name a file that holds a reply")]) from error
    if len(raw) > MAX_BYTES:
        raise InputError([Problem(file, f"is larger than {MAX_BYTES // 1_000_000} MB; no reply is")])
    return raw.decode("utf-8", errors="replace")


def _roster(persona: str, folder: Path | None, config: Path | None) -> tuple[str, ...]:
    from panel.orchestrator.setup import available_personas
    from panel.prompts.files import seat_roster
    from panel.settings.resolve import resolve

    known = available_personas(resolve(options.given(personas=folder), config))
    seat_roster(known, (persona,))
    return tuple(known)


def _tool(file: str | None) -> Tool | None:
    from panel.errors import SettingsError
    from panel.tool_files.files import source_of
    from panel.web_pages.sources import load_tools

    if file is None:
        return None
    loaded = load_tools([source_of(file)])
    if len(loaded) > 1:
        raise SettingsError(f"--tool takes one tool; {file} holds {len(loaded)}")
    return loaded[0]


def _summary(reply: Reply) -> str:
    lines = [f"outcome: {reply.outcome}"]
    if reply.take is not None:
        lines += [f"take: {reply.take.label}", reply.take.take]
    if reply.no_take is not None:
        no_take = reply.no_take
        lines.append(f"if not asked again: {no_take.label}, {no_take.reason.label}: {no_take.detail}")
    return "\n".join([*lines, *(f"- {problem}" for problem in reply.problems)])

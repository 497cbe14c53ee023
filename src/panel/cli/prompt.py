"""`panel prompt` and `panel parse`: show the prompt of one seat, and parse a raw reply to it."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.console import plain_result, result_json
from panel.core.finish_reason import FinishReason
from panel.errors import InputError, Problem, SettingsError

if TYPE_CHECKING:
    from panel.core.tool import Tool

HELP = options.help_text(
    "Show the exact prompt that a model would get for one tool and one persona.",
    "panel prompt tool.yaml --persona skeptic",
    "panel prompt tool.yaml --persona skeptic --json --model openai",
)
PARSE_HELP = options.help_text(
    "Parse a raw reply of a model and show the take, or the problems.",
    "panel parse reply.txt --persona skeptic",
    "panel parse --persona builder --json < reply.txt",
)


def prompt(
    tool: Annotated[str, typer.Argument(metavar="TOOL", help="Tool file, or - for stdin.")],
    persona: Annotated[str, typer.Option("--persona", metavar="NAME", help="Persona to ask.")],
    model: options.Model = None,
    personas: options.Personas = None,
    prompts: options.Prompts = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the exact prompt for one tool and one persona."""
    from panel.orchestrator.setup import build_setup

    resolved = options.resolved_settings(
        config, model=model, personas=personas, prompts=prompts, roster=persona
    )
    setup = build_setup(resolved, to_ask=False)
    loaded = _tools(tool)
    if len(loaded) != 1 or len(setup.personas) != 1:
        counts = f"{len(loaded)} and {len(setup.personas)}"
        raise SettingsError(f"prompt takes one tool and one persona, not {counts}")
    rendered = setup.model.prompts.take(loaded[0], setup.personas[0])
    texts = {"system": rendered.system, "user": rendered.user, "digest": rendered.digest}
    if as_json:
        parts = rendered.model_dump(mode="json", include={"label", "answer_schema", "scaffold"})
        result_json({"model": str(setup.model.choice), "digest": rendered.digest, **texts, **parts})
    else:
        plain_result("\n\n".join(f"# {name}\n\n{text}" for name, text in texts.items()))


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
    from panel.orchestrator.setup import available_personas
    from panel.prompts.files import seat_roster
    from panel.prompts.reply_parser import ReplyContext, parse_reply

    roster = available_personas(options.resolved_settings(config, personas=personas))
    seat_roster(roster, (persona,))
    loaded = _tools(tool) if tool else []
    if len(loaded) > 1:
        raise SettingsError(f"--tool takes one tool; {tool} holds {len(loaded)}")
    tagline, host = (loaded[0].tagline, loaded[0].host) if loaded else (None, None)
    context = ReplyContext(persona=persona, roster=tuple(roster), canary=canary, tagline=tagline, host=host)
    reply = parse_reply(_read(file), finish, context)
    if as_json:
        shown = reply.model_dump(mode="json", include={"outcome", "problems", "no_take"})
        take = reply.take.model_dump(mode="json") if reply.take and reply.no_take is None else None
        result_json({"outcome": shown["outcome"], "take": take, **shown})
        return
    lines = [f"outcome: {reply.outcome}"]
    if reply.take is not None:
        lines += [f"take: {reply.take.label}", reply.take.take]
    if no_take := reply.no_take:
        lines.append(f"if not asked again: {no_take.label}, {no_take.reason.label}: {no_take.detail}")
    plain_result("\n".join([*lines, *(f"- {problem}" for problem in reply.problems)]))


def _read(file: str) -> str:
    from panel.tool_files.files import MAX_BYTES, reason_of

    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError([Problem(file, f"{reason_of(error)}; name a file that holds a reply")]) from error
    if len(raw) > MAX_BYTES:
        raise InputError([Problem(file, f"is larger than {MAX_BYTES // 1_000_000} MB; no reply is")])
    return raw.decode("utf-8", errors="replace")


def _tools(file: str) -> list[Tool]:
    from panel.tool_files.files import source_of
    from panel.web_pages.sources import load_tools

    return load_tools([source_of(file)])

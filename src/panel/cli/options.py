"""Flags and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from panel.errors import SettingsError

if TYPE_CHECKING:
    from panel.core.take import NoTakeReason
    from panel.settings.resolve import Resolved

Command = TypeVar("Command", bound=Callable[..., None])

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="PROVIDER:NAME",
        help="Model to ask: local, openai:NAME, anthropic:NAME, openai-compatible:NAME, replay:DIR, or mock.",
    ),
]
BaseUrl = Annotated[str | None, typer.Option("--base-url", metavar="URL", help="Where the provider answers.")]
Concurrency = Annotated[
    int | None,
    typer.Option("--concurrency", metavar="N", help="Largest number of calls at the same time, 1-256."),
]
Roster = Annotated[
    str | None,
    typer.Option(
        "--roster",
        metavar="NAMES",
        help="Personas to seat, separated by commas; NAME=PROVIDER:MODEL seats one on another model.",
    ),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help="Column of a table that holds a field; `COLUMN=` ignores a column. May be repeated.",
    ),
]
PagesUnread = Annotated[
    bool,
    typer.Option("--pages-unread", help="Skip the question about the text that was read from web pages."),
]
Record = Annotated[
    Path | None,
    typer.Option(
        "--record",
        metavar="DIR",
        help="Record every answer in DIR, a folder that can be copied; recorded answers are not paid for again.",
    ),
]
Fresh = Annotated[
    bool,
    typer.Option("--fresh", help="Ask and pay for all seats anew, although the store has their answers."),
]
NoStore = Annotated[
    bool, typer.Option("--no-store", help="Store no answers and no drafts, and use no stored ones.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Ask no model; print the estimated calls, tokens and cost.")
]
Budget = Annotated[
    float | None, typer.Option("--budget", metavar="USD", help="US dollars that the run may cost at most.")
]
_ALLOW_UNKNOWN_PRICE = typer.Option(
    "--allow-unknown-price",
    help="Run although a model has no known price; it does not count towards --budget.",
)
AllowUnknownPrice = Annotated[bool, _ALLOW_UNKNOWN_PRICE]
# A resumed run keeps its own choice unless the flag is given.
MayAllowUnknownPrice = Annotated[bool | None, _ALLOW_UNKNOWN_PRICE]
AlsoOut = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Also write report files to this folder.")
]
Events = Annotated[
    bool, typer.Option("--json", help="Print one event per line on stdout, as JSON, for programs.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder for the report files; ./outputs by default."),
]
Formats = Annotated[
    str | None, typer.Option("--format", metavar="KINDS", help="Report files to write, of html,md,json.")
]
Personas = Annotated[Path | None, typer.Option("--personas", metavar="DIR", help="Folder of persona files.")]
Prompts = Annotated[Path | None, typer.Option("--prompts", metavar="DIR", help="Folder of prompt templates.")]
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings file to use in place of ./panel.yaml."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say more on stderr: re-asks, digests, sources.")
]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colour; NO_COLOR does the same.")]

RunNumber = Annotated[
    int, typer.Argument(metavar="RUN", min=1, help="Number of a run, from `panel batch list`.")
]
Reasons = Annotated[
    str | None,
    typer.Option(
        "--reason",
        metavar="REASONS",
        help="Only seats that failed for these reasons, separated by commas: refused, invalid, truncated, timed_out, over_budget, provider_error.",
    ),
]


def given(**flags: Any) -> dict[str, Any]:  # noqa: ANN401 - flags of any type
    """Return the settings that flags were given for."""
    return {name: value for name, value in flags.items() if value is not None}


def option(name: str, metavar: str, text: str, **limits: Any) -> Any:  # noqa: ANN401 - as typer has it
    """Return the declaration of a flag with a value."""
    return typer.Option(name, metavar=metavar, help=text, **limits)


def add_command(app: typer.Typer, name: str, *examples: str) -> Callable[[Command], Command]:
    """Return a decorator that adds a command; its docstring and the examples are the help."""

    def add(command: Command) -> Command:
        return app.command(name, help=help_text(cleandoc(command.__doc__ or ""), *examples))(command)

    return add


def help_text(text: str, *examples: str) -> str:
    """Return the help of a command: a text, and examples that can be run as they stand."""
    return "\n\n".join([text, "Examples:", *(f"  {example}" for example in examples)]) + "\n"


def resolved_settings(config: Path | None, **flags: Any) -> Resolved:  # noqa: ANN401 - flags of any type
    """Return the settings in force with those flags that were given; raises as `resolve` does."""
    from panel.settings.resolve import resolve

    return resolve(given(**flags), config)


def failure_reasons(given: str | None) -> tuple[NoTakeReason, ...]:
    """Return the reasons in a comma-separated list, or all without one; raise `SettingsError` if one is unknown."""
    from panel.core.take import NoTakeReason
    from panel.store import FAILURES

    known = {reason.value: reason for reason in NoTakeReason if reason in FAILURES}
    named = [name.strip().lower().replace("-", "_") for name in given.split(",")] if given else list(known)
    unknown = next((name for name in named if name not in known), None)
    if unknown is not None:
        raise SettingsError(f"--reason: '{unknown}' is no reason; choose from {', '.join(known)}")
    return tuple(known[name] for name in named)

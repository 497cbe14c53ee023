"""`panel personas`: list the critics, and show one in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from panel.core.persona import Persona

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_personas(
    personas: options.Personas = None, config: options.Config = None, as_json: options.AsJson = False
) -> None:
    """List the critics with their mottos."""
    from panel.cli.console import plain_result, result_json

    available = _available(personas, config)
    if as_json:
        names = ("id", "name", "motto", "digest")
        result_json([{name: getattr(one, name) for name in names} for one in available.values()])
    else:
        widest = max(map(len, available))
        plain_result("\n".join(f"{one.id:<{widest}}  {one.motto}" for one in available.values()))


@app.command("show")
def show_persona(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name from `panel personas list`.")],
    personas: options.Personas = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Show one critic in full."""
    from panel.cli.console import plain_result, result_json
    from panel.prompts.files import seat_roster

    (persona,) = seat_roster(_available(personas, config), (name,))
    if as_json:
        result_json(persona.model_dump(mode="json") | {"digest": persona.digest})
    else:
        plain_result(_persona_text(persona))


def _available(folder: Path | None, config: Path | None) -> dict[str, Persona]:
    from panel.orchestrator.setup import available_personas
    from panel.settings.resolve import resolve

    return available_personas(resolve(options.given(personas=folder), config))


def _persona_text(persona: Persona) -> str:
    def listed(title: str, lines: tuple[str, ...]) -> str:
        return "\n".join([title, *(f"  - {line}" for line in lines)])

    scoring = tuple(f"{score}: {meaning}" for score, meaning in sorted(persona.scoring.items()))
    return "\n\n".join(
        [
            f"{persona.name}: {persona.motto}",
            persona.body,
            listed("Asks", persona.lens),
            listed("Is excited by", persona.excited_by),
            listed("Is tired of", persona.tired_of),
            f"Remit\n  {persona.remit}",
            listed("Never says", persona.never_says),
            listed("Scores", scoring),
        ]
    )

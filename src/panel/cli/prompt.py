"""`panel prompt`: show the prompt for one tool and one persona."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli import options

HELP = """Show the exact prompt that a model would get for one tool and one persona.

Examples:

  panel prompt tool.yaml --persona skeptic

  panel prompt tool.yaml --persona skeptic --json --model openai
"""


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
    from panel.cli.console import plain_result, result_json
    from panel.errors import SettingsError
    from panel.orchestrator.setup import build_setup
    from panel.settings.resolve import resolve
    from panel.tool_files.files import source_of
    from panel.web_pages.sources import load_tools

    flags = options.given(model=model, personas=personas, prompts=prompts, roster=persona)
    resolved = resolve(flags, config)
    setup = build_setup(resolved, to_ask=False)
    loaded = load_tools([source_of(tool)])
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

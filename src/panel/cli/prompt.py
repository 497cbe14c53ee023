"""`panel prompt`: exactly what would be sent."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli import options

HELP = """Show exactly what would be sent for one tool and one persona.

Examples:

  panel prompt tool.yaml --persona skeptic

  panel prompt tool.yaml --persona skeptic --json --model openai
"""


def prompt(
    tool: Annotated[str, typer.Argument(metavar="TOOL", help="Tool file, or - for stdin.")],
    persona: Annotated[str, typer.Option("--persona", metavar="NAME", help="Who is asked.")],
    model: options.Model = None,
    personas: options.Personas = None,
    prompts: options.Prompts = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Show exactly what would be sent for one tool and one persona."""
    from panel.cli.console import plain_result, result_json
    from panel.errors import SettingsError
    from panel.orchestrator.setup import available_personas, build_setup
    from panel.settings.resolve import resolve
    from panel.tool_files.files import source_of
    from panel.web_pages.sources import load_tools

    flags = options.given(model=model, personas=personas, prompts=prompts, roster=persona)
    resolved = resolve(flags, config)
    cast_ = build_setup(resolved, available_personas(resolved), to_ask=False)
    loaded = load_tools([source_of(tool)])
    if len(loaded) != 1 or len(cast_.personas) != 1:
        raise SettingsError(
            f"prompt takes one tool and one persona, not {len(loaded)} and {len(cast_.personas)}"
        )
    question = cast_.prompts.take(loaded[0], cast_.personas[0])
    if as_json:
        shown = {
            "model": str(cast_.choice),
            "digest": question.digest,
            "system": question.system,
            "user": question.user,
        }
        more = question.model_dump(mode="json", include={"label", "answer_schema", "scaffold"})
        result_json(shown | more)
    else:
        plain_result(
            f"# system\n\n{question.system}\n\n# user\n\n{question.user}\n\n# digest\n\n{question.digest}"
        )

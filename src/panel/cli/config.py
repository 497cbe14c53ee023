"""`panel config` and `panel schema`: the settings in force, and the JSON schemas of reports."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from panel.cli import options

HELP = """Show every setting, its value and its source.

Settings come from flags, the environment (PANEL_NAME), ./panel.yaml, the user's config.yaml, or a default, in this order.

Examples:

  panel config

  PANEL_CONCURRENCY=4 panel config --json
"""
SCHEMA_HELP = """Print the JSON schema of a report.

Examples:

  panel schema review

  panel schema comparison
"""


class Document(StrEnum):
    """A type of JSON report."""

    REVIEW = "review"
    COMPARISON = "comparison"


def config(file: options.Config = None, model: options.Model = None, as_json: options.AsJson = False) -> None:
    """Show every setting, its value and its source."""
    from panel.cli.console import plain_result, result_json
    from panel.settings.model_choice import choose_model
    from panel.settings.resolve import resolve

    resolved = resolve(options.given(model=model), file)
    rows = resolved.rows()
    choice = choose_model(resolved.settings.model, resolved.sources["model"])
    if as_json:
        in_force = {"provider": choice.provider, "model": choice.model, "why": choice.why}
        result_json({"settings": rows, "model_in_force": in_force})
        return
    names, values = max(len(row["name"]) for row in rows), max(len(row["shown"]) for row in rows)
    lines = [f"{row['name']:<{names}}  {row['shown']:<{values}}  {row['source']}" for row in rows]
    plain_result("\n".join([*lines, "", f"model in force: {choice} ({choice.why})"]))


def schema(document: Annotated[Document, typer.Argument(help="review or comparison.")]) -> None:
    """Print the JSON schema of a report."""
    from panel.cli.console import result
    from panel.report import json_schema

    result(json_schema(document.value))

"""`panel schema`: the JSON schemas of reports."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

HELP = """Print the JSON schema of a report.

Examples:

  panel schema review

  panel schema comparison
"""


class Document(StrEnum):
    """A type of JSON report."""

    REVIEW = "review"
    COMPARISON = "comparison"


def schema(document: Annotated[Document, typer.Argument(help="review or comparison.")]) -> None:
    """Print the JSON schema of a report."""
    from panel.cli.console import result
    from panel.report import json_schema

    result(json_schema(document.value))

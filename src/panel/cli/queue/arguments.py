"""How commands name a draft, and why something is done with it."""

from __future__ import annotations

from typing import Annotated

import typer

DraftNumber = Annotated[
    int,
    typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="Number of a draft, from `panel queue list`."),
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why, for the draft's history.")]
PublicReason = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Why, as readers will see it.")
]
Seen = Annotated[
    str | None,
    typer.Option(
        "--seen", metavar="HASH", help="What you were shown: the hash that `panel queue show` ends with."
    ),
]

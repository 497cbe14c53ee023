"""The commands of `panel`. What a command needs is imported when it runs, so that `--help` stays quick."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli import (
    batch,
    config,
    db,
    doctor,
    newsletter,
    page,
    personas,
    prompt,
    queue,
    review,
    serve,
    site,
    users,
)

app = typer.Typer(
    name="panel",
    help="Review new software tools with a panel of AI critics, and compare them side by side.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("review", help=review.HELP)(review.review)
app.command("compare", help=review.COMPARE_HELP)(review.compare)
app.add_typer(batch.app, name="batch", help="Review many tools in one run; stop, resume and inspect runs.")
app.command("serve", help=serve.HELP)(serve.serve)
app.add_typer(site.app, name="site", help="Build the published site, and preview it.")
app.command("digest", help=newsletter.DIGEST_HELP)(newsletter.digest)
app.add_typer(
    newsletter.subscribers_app,
    name="subscribers",
    help="List, export or forget the newsletter's subscribers.",
)
app.add_typer(users.app, name="users", help="Manage the accounts of people who work with drafts.")
app.command("prompt", help=prompt.HELP)(prompt.prompt)
app.add_typer(queue.app, name="queue", help="Read, correct, approve and publish drafts.")
app.command("page", help=page.HELP)(page.page)
app.command("parse", help=prompt.PARSE_HELP)(prompt.parse)
app.add_typer(personas.app, name="personas", help="List or show the critics.")
app.add_typer(db.app, name="db", help="Check or copy the database of answers and drafts.")
app.command("doctor", help=doctor.HELP)(doctor.doctor)
app.command("config", help=config.HELP)(config.config)
app.command("schema", help=config.SCHEMA_HELP)(config.schema)


def _print_version(wanted: bool) -> None:
    if wanted:
        from panel.version import __version__

        typer.echo(f"panel {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and leave.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Take the flags that come before a command."""

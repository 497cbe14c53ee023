"""`panel batch`: many tools in one run, stopped and gone on with, and what became of it."""

from __future__ import annotations

import typer

from panel.cli.batch import cancel, failures, listing, resume, retry, run, status

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.command("run", help=run.HELP)(run.run)
app.command("resume", help=resume.HELP)(resume.resume)
app.command("retry", help=retry.HELP)(retry.retry)
app.command("list", help=listing.HELP)(listing.list_runs)
app.command("status", help=status.HELP)(status.status)
app.command("failures", help=failures.HELP)(failures.failures)
app.command("cancel", help=cancel.HELP)(cancel.cancel)

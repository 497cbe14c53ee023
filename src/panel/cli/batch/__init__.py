"""`panel batch`: many tools in one run, which can be stopped and resumed; and what became of it."""

from __future__ import annotations

import typer

from panel.cli.batch import commands, views

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.command("run", help=commands.RUN_HELP)(commands.run)
app.command("resume", help=commands.RESUME_HELP)(commands.resume)
app.command("retry", help=commands.RETRY_HELP)(commands.retry)
app.command("list", help=views.LIST_HELP)(views.list_runs)
app.command("status", help=views.STATUS_HELP)(views.status)
app.command("failures", help=views.FAILURES_HELP)(views.failures)
app.command("cancel", help=views.CANCEL_HELP)(views.cancel)

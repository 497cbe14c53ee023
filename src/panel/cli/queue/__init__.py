"""`panel queue`: drafts read, corrected, approved, published and taken back, from a terminal."""

from __future__ import annotations

import typer

from panel.cli.queue import approve, decide, edit, history, listing, rerun, show, tick, walk

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.command("list", help=listing.HELP)(listing.list_drafts)
app.command("next", help=walk.HELP)(walk.walk)
app.command("show", help=show.HELP)(show.show)
app.command("edit", help=edit.HELP)(edit.edit)
app.command("tick", help=tick.HELP)(tick.tick)
app.command("rerun", help=rerun.HELP)(rerun.rerun)
app.command("approve", help=approve.HELP)(approve.approve)
app.command("request-changes", help=decide.REQUEST_CHANGES)(decide.request_changes)
app.command("reject", help=decide.REJECT)(decide.reject)
app.command("publish", help=decide.PUBLISH)(decide.publish)
app.command("retract", help=decide.RETRACT)(decide.retract)
app.command("reopen", help=decide.REOPEN)(decide.reopen)
app.command("undo", help=decide.UNDO)(decide.undo)
app.command("take-over", help=decide.TAKE_OVER)(decide.take_over)
app.command("history", help=history.HELP)(history.history)

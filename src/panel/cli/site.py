"""`panel site`: build the published site, and preview it."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.console import plain_result, result_json, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


BUILD_HELP = """Build the site of all published reviews in DIR.

DIR has the old site until the new one is complete, and is then replaced in one step. Files that did not change since the last build
are kept; --full makes all of them again. Links within the site work wherever DIR is served; --site-url, or the setting site_url, is its
public address, for feeds, search engines and previews.

Examples:

  panel site build --site-url https://reviews.example.org

  panel site build --out /srv/reviews --json
"""
SERVE_HELP = """Preview a built site in a browser on this machine.

It serves the files of DIR and nothing else, like any web server. For readers' votes, use panel serve --public.

Examples:

  panel site serve

  panel site serve /srv/reviews --port 9000
"""
PORT, HOST = 8378, "127.0.0.1"
PROGRESS_ON_TERMINAL, PROGRESS_IN_LOGS = 100, 10_000
"""Files between two reports of progress."""

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("build", help=BUILD_HELP)
def build(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder of the site; panel replaces it as a whole.")
    ] = Path("site"),
    url: Annotated[
        str | None, typer.Option("--site-url", metavar="URL", help="Public address of the site.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Make every file again.")] = False,
    quiet: options.Quiet = False,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Build the site.

    JSON: `{out, url, reviews, retracted, pages, files, written, kept, removed, seconds}`.
    """
    from panel.core.text import counted
    from panel.orchestrator.store_access import use_store
    from panel.settings.resolve import resolve
    from panel.site import build_site, configured_build

    resolved = resolve(options.given(site_url=url), config)
    site_options, paths = configured_build(resolved, out)
    start = time.monotonic()
    with _progress(quiet=quiet) as progress:
        built = use_store(
            resolved, lambda store: build_site(store, site_options, paths, full=full, progress=progress)
        )
    seconds = round(time.monotonic() - start, 2)
    if as_json:
        result_json({"out": str(out), "url": site_options.url, **built.model_dump(), "seconds": seconds})
        return
    if not built.reviews and built.retracted:
        plain_result("Nothing is published any more: the site only has notices of retracted reviews.")
    elif not built.reviews:
        plain_result("Nothing is published yet: see panel queue list, approve a draft and publish it.")
    made = f"{counted(built.reviews, 'review')}, {counted(built.pages, 'page')} in {out}/ ({seconds:.1f} s)."
    changes = f"{counted(built.written, 'file')} written, {built.kept} kept, {built.removed} removed."
    plain_result(f"{made}\n{changes}\nLook at it: panel site serve {out}")


@app.command("serve", help=SERVE_HELP)
def serve(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the site.")] = Path("site"),
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65_535, help="Port; 0 takes any that is free.")
    ] = PORT,
) -> None:
    """Serve a built site until Ctrl-C."""
    from panel.cli.serve import require_site, require_web, serve_until_signal

    require_web()
    from panel.web.public.app import create_preview
    from panel.web.server import WebServer, listen, url_of

    require_site(folder)
    with listen(HOST, port) as listener:
        tell(f"Serving {folder} at {url_of(listener)}. Ctrl-C ends it.")
        asyncio.run(serve_until_signal(WebServer(create_preview(folder.absolute())), listener))


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Yield a function that reports the number of ready files on stderr; on a terminal it updates one line."""
    live = sys.stderr.isatty()
    every = PROGRESS_ON_TERMINAL if live else PROGRESS_IN_LOGS

    def report(ready: int) -> None:
        if quiet or ready % every:
            return
        if live:
            sys.stderr.write(f"\r{ready:,} files ready")
            sys.stderr.flush()
        else:
            tell(f"{ready:,} files ready")

    try:
        yield report
    finally:
        if live and not quiet:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

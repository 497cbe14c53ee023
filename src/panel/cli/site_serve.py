"""`panel site serve`: a look at a built site."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

HELP = """Show a built site in a browser on this machine.

It serves the files of DIR and nothing else, as any web server would. For readers' votes, use panel serve --public.

Examples:

  panel site serve

  panel site serve /srv/reviews --port 9000
"""
PORT = 8378
HOST = "127.0.0.1"


def serve_files(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the site.")] = Path("site"),
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65_535, help="Port; 0 takes any that is free.")
    ] = PORT,
) -> None:
    """Serve a built site until Ctrl-C."""
    from panel.cli.serve import require_web, serve_until_signal

    require_web()
    from panel.cli.console import tell
    from panel.cli.public import check_site
    from panel.web.public.app import create_preview
    from panel.web.server import listen, url_of

    check_site(folder)
    with listen(HOST, port) as place:
        tell(f"Serving {folder} at {url_of(place)}. Ctrl-C ends it.")
        asyncio.run(serve_until_signal(create_preview(folder.absolute()), place))

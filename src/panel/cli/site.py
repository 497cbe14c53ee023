"""`panel site`: the published site, made and looked at."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.site_serve import HELP as SERVE_HELP
from panel.cli.site_serve import serve_files
from panel.errors import SettingsError

if TYPE_CHECKING:
    from panel.settings.resolve import Resolved
    from panel.site import Built, Place, SiteOptions
    from panel.store import Store

BUILD_HELP = """Build the site of all published reviews in DIR.

DIR holds the old site until the new one is whole, and takes its place in one step. What did not change since the last build is not made
again; --full makes all of it anew. The site's links lead wherever DIR is served; --site-url, or the setting site_url, says where that will be, for
feeds, search engines and previews.

Examples:

  panel site build --site-url https://reviews.example.org

  panel site build --out /srv/reviews --json
"""
MEMORY = "sites"

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("build", help=BUILD_HELP)
def build(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder of the site; panel replaces it as a whole.")
    ] = Path("site"),
    url: Annotated[
        str | None, typer.Option("--site-url", metavar="URL", help="Where readers will find the site.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Make every file anew.")] = False,
    quiet: options.Quiet = False,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Build the site.

    JSON: `{out, url, reviews, retracted, pages, files, written, kept, removed, seconds}`.
    """
    from panel.cli.console import plain_result, result_json
    from panel.cli.site_options import site_options
    from panel.orchestrator.stores import use_store
    from panel.settings.resolve import resolve
    from panel.site import Place

    _require_pictures()
    resolved = resolve(options.given(site_url=url), config)
    told = site_options(resolved)
    memory = _memory(resolved, out)
    begun = time.monotonic()
    built = use_store(resolved, lambda store: _build(store, told, Place(out, memory, full), quiet))
    seconds = round(time.monotonic() - begun, 2)
    if as_json:
        result_json({"out": str(out), "url": told.url, **built.model_dump(), "seconds": seconds})
    else:
        plain_result(_said(built, out, seconds))


def _require_pictures() -> None:
    from importlib.util import find_spec

    if find_spec("PIL") is None:
        raise SettingsError("the site's pictures need the site extra: pip install 'panel-review[site]'")


def _memory(resolved: Resolved, out: Path) -> Path:
    """Return where one build leaves for the next what it needs to know: with the user's data, by the folder and the store."""
    from panel.orchestrator.stores import store_address

    place = f"{out.absolute()}\n{store_address(resolved)}".encode("utf-8", "surrogateescape")
    return resolved.data_dir / MEMORY / f"{hashlib.sha256(place).hexdigest()[:16]}.db"


async def _build(store: Store, told: SiteOptions, place: Place, quiet: bool) -> Built:
    from panel.cli.site_progress import counter
    from panel.site import build_site

    with counter(quiet=quiet) as count:
        return await build_site(store, told, place, count)


def _said(built: Built, out: Path, seconds: float) -> str:
    from panel.report.wording import counted

    lines = [
        f"{counted(built.reviews, 'review')}, {counted(built.pages, 'page')} in {out}/ ({seconds:.1f} s).",
        f"{counted(built.written, 'file')} written, {built.kept} kept, {built.removed} removed.",
        f"Look at it: panel site serve {out}",
    ]
    if not built.reviews and built.retracted:
        lines.insert(0, "Nothing is published any more: the site has notices of what was retracted.")
    elif not built.reviews:
        lines.insert(0, "Nothing is published yet: see panel queue list, approve a draft and publish it.")
    return "\n".join(lines)


app.command("serve", help=SERVE_HELP)(serve_files)

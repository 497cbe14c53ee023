"""`panel serve`: the approval queue in a browser."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.errors import SettingsError

if TYPE_CHECKING:
    from panel.settings.resolve import Resolved

HELP = """Read, correct, approve and publish drafts in a browser.

Without accounts there is one user, who must sit at this machine: the setting `editor` says who that is. With accounts, made by
panel users add, people sign in, and the server may listen elsewhere with --host. Browsers keep a sign-in over HTTPS only, except on
this machine, so put a server that speaks it in front.

With --public it serves the published site to its readers instead, and counts their votes where the setting `voting` is on; a proxy at
--proxy-address is believed about their addresses.

Examples:

  panel serve --open

  panel serve --host 0.0.0.0 --allow-host reviews.example.org

  panel serve --allow-host reviews.example.org --proxy-header X-Remote-User --proxy-address 127.0.0.1

  panel serve --public --site site --host 0.0.0.0 --allow-host reviews.example.org --proxy-address 127.0.0.1
"""
PORT = 8377
UNGUARDED = "without accounts, whoever reaches the server could approve; add one first: panel users add NAME"
_HEADER = re.compile("[A-Za-z0-9-]+")
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")
_NEEDED = ("argon2", "limits", "python_multipart", "starlette", "uvicorn")


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What was asked for.

    Attributes:
        host: where to listen.
        port: likewise; 0 for any that is free.
        names: further names that browsers may call the server by.
        header: the header in which a proxy names who signed in; None if there is no such proxy.
        addresses: IP addresses of such proxies.
        show: whether to open the queue in a browser.
    """

    host: str
    port: int
    names: tuple[str, ...] = ()
    header: str | None = None
    addresses: tuple[str, ...] = ()
    show: bool = False


def serve(
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65_535, help="Port; 0 takes any that is free.")
    ] = PORT,
    host: Annotated[
        str, typer.Option("--host", metavar="HOST", help="Address of this machine to listen at.")
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host", metavar="NAME", help="Name that browsers call the server by. May be repeated."
        ),
    ] = None,
    proxy_header: Annotated[
        str | None,
        typer.Option(
            "--proxy-header",
            metavar="HEADER",
            help="Header in which a proxy that signs people in names them; it must drop the header from what it receives.",
        ),
    ] = None,
    proxy_address: Annotated[
        list[str] | None,
        typer.Option(
            "--proxy-address", metavar="IP", help="Address of a proxy, believed alone. May be repeated."
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the queue in a browser.")] = False,
    public: Annotated[
        bool,
        typer.Option("--public", help="Serve the published site and readers' votes instead of the queue."),
    ] = False,
    site: Annotated[
        Path | None,
        typer.Option(
            "--site", metavar="DIR", help="Folder of the published site, with --public.  [default: site]"
        ),
    ] = None,
    config: options.Config = None,
) -> None:
    """Serve the queue, or the published site, until Ctrl-C."""
    from panel.settings.resolve import resolve

    require_web()
    from panel.cli.serving import serve_until_signal
    from panel.web.server import bound

    wish = ServeOptions(host, port, tuple(allow_host or ()), proxy_header, tuple(proxy_address or ()), show)
    _check_words(wish, public=public)
    if site is not None and not public:
        raise SettingsError(
            f"--site {site}: goes with --public, which serves the published site instead of the queue"
        )
    resolved = resolve(options.given(), config)
    if public:
        from panel.cli.public import serve_public

        serve_public(resolved, wish, site or Path("site"))
        return
    with bound(host, port) as place:
        _check(resolved, wish, place.getsockname()[0])
        asyncio.run(serve_until_signal(resolved, wish, place))


def require_web() -> None:
    """Raise if a package of the web extra is missing.

    Raises:
        SettingsError: one is.
    """
    from importlib.util import find_spec

    if not all(find_spec(name) for name in _NEEDED):
        raise SettingsError("the web pages need the web extra: pip install 'panel-review[web]'")


def _check(resolved: Resolved, wish: ServeOptions, address: str) -> None:
    """Refuse to let in everybody, before anything is written.

    Args:
        resolved: the settings.
        wish: what was asked for.
        address: the IP address that the server listens at.

    Raises:
        SettingsError: everybody could come in, or nobody.
    """
    from panel.cli.acting import WHO
    from panel.orchestrator.stores import inspect_store, use_store
    from panel.web.origins import is_loopback

    if wish.header or (
        inspect_store(resolved).exists and use_store(resolved, lambda store: store.users.all())
    ):
        return
    if not is_loopback(address):
        raise SettingsError(f"--host {wish.host}: {UNGUARDED}")
    if wish.names:
        raise SettingsError(f"--allow-host {wish.names[0]}: {UNGUARDED}")
    if resolved.settings.editor is None:
        raise SettingsError(WHO)


def _check_words(wish: ServeOptions, *, public: bool) -> None:
    if public and (wish.header or wish.show):
        raise SettingsError("--public signs nobody in; leave out --proxy-header and --open")
    if bool(wish.header) != bool(wish.addresses) and not public:
        raise SettingsError("--proxy-header and --proxy-address go together; give both, or neither")
    if wish.header and not _HEADER.fullmatch(wish.header):
        raise SettingsError(
            f"--proxy-header {wish.header}: expected the name of a header, such as X-Remote-User"
        )
    for text in wish.addresses:
        try:
            ip_address(text)
        except ValueError:
            raise SettingsError(
                f"--proxy-address {text}: expected an IP address, such as 127.0.0.1"
            ) from None
    for name in wish.names:
        if not _HOST.fullmatch(name):
            raise SettingsError(
                f"--allow-host {name}: expected a name without a port, such as reviews.example.org"
            )

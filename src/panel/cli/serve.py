"""`panel serve`: the approval queue in a browser, or the published site with readers' votes."""

from __future__ import annotations

import asyncio
import re
import webbrowser
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.serving import ServeOptions, require_web, serve_until_signal
from panel.errors import SettingsError

if TYPE_CHECKING:
    import socket

    from panel.settings.resolve import Resolved
    from panel.store import Store
    from panel.web.auth import Accounts, SingleUser, TrustedProxy

HELP = """Read, correct, approve and publish drafts in a browser.

Without accounts there is one user, on this machine, named by the setting `editor`. With accounts, made by panel users add, users sign
in, and the server may listen on other addresses with --host. Browsers keep a sign-in over HTTPS only, except on this machine, so put a
server that speaks HTTPS in front.

With --public it serves the published site to readers instead, and counts their votes if the setting `voting` is on; a proxy at
--proxy-address is trusted to name their addresses.

Examples:

  panel serve --open

  panel serve --host 0.0.0.0 --allow-host reviews.example.org

  panel serve --allow-host reviews.example.org --proxy-header X-Remote-User --proxy-address 127.0.0.1

  panel serve --public --site site --host 0.0.0.0 --allow-host reviews.example.org --proxy-address 127.0.0.1
"""
PORT = 8377
UNGUARDED = "without accounts, whoever reaches the server could approve; add one first: panel users add NAME"
INSECURE = (
    "Browsers on other machines keep a sign-in over HTTPS only: put a server that speaks HTTPS in front."
)
_HEADER = re.compile("[A-Za-z0-9-]+")
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")


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
            help="Header in which a proxy that signs users in names them; it must drop the header from what it receives.",
        ),
    ] = None,
    proxy_address: Annotated[
        list[str] | None,
        typer.Option("--proxy-address", metavar="IP", help="Address of a trusted proxy. May be repeated."),
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
    from panel.web.server import listen

    chosen = ServeOptions(host, port, tuple(allow_host or ()), proxy_header, tuple(proxy_address or ()), show)
    _check_options(chosen, public=public)
    if site is not None and not public:
        raise SettingsError(
            f"--site {site}: goes with --public, which serves the published site instead of the queue"
        )
    resolved = resolve(options.given(), config)
    if public:
        from panel.cli.public import serve_public

        serve_public(resolved, chosen, site or Path("site"))
        return
    with listen(host, port) as listener:
        _check_guarded(resolved, chosen, listener.getsockname()[0])
        asyncio.run(_serve_queue(resolved, chosen, listener))


async def _serve_queue(resolved: Resolved, chosen: ServeOptions, listener: socket.socket) -> None:
    from panel.cli.console import tell
    from panel.orchestrator.stores import configured_store
    from panel.web.app import configured_app
    from panel.web.auth import SingleUser
    from panel.web.security import is_loopback
    from panel.web.server import WebServer, allowed_hosts, url_of

    async with configured_store(resolved) as store:
        mode = await _access_mode(resolved, store, chosen)
        app = configured_app(resolved, store, mode, allowed_hosts(chosen.host, chosen.names))
        url = url_of(listener)
        user = f" as {mode.actor.name}" if isinstance(mode, SingleUser) else ""
        tell(f"Serving the queue at {url}{user}. Press Ctrl-C to stop.")
        if not is_loopback(chosen.host):
            tell(INSECURE)
        if chosen.open_browser:
            # Some browsers block the caller until they are closed.
            asyncio.get_running_loop().run_in_executor(None, webbrowser.open, url)
        await serve_until_signal(WebServer(app), listener)


async def _access_mode(
    resolved: Resolved, store: Store, chosen: ServeOptions
) -> SingleUser | Accounts | TrustedProxy:
    from panel.cli.actor import current_actor
    from panel.web.auth import Accounts, SingleUser, TrustedProxy
    from panel.web.security import plain_address

    if chosen.proxy_header:
        return TrustedProxy(chosen.proxy_header, frozenset(map(plain_address, chosen.proxies)))
    return Accounts() if await store.users.all() else SingleUser(await current_actor(resolved, store))


def _check_guarded(resolved: Resolved, chosen: ServeOptions, address: str) -> None:
    """Refuse to serve other machines without sign-in, and to serve this one without a named editor."""
    from panel.cli.actor import NO_EDITOR
    from panel.orchestrator.stores import inspect_store, use_store
    from panel.web.security import is_loopback

    has_accounts = inspect_store(resolved).exists and use_store(resolved, lambda store: store.users.all())
    if chosen.proxy_header or has_accounts:
        return
    if not is_loopback(address):
        raise SettingsError(f"--host {chosen.host}: {UNGUARDED}")
    if chosen.names:
        raise SettingsError(f"--allow-host {chosen.names[0]}: {UNGUARDED}")
    if resolved.settings.editor is None:
        raise SettingsError(NO_EDITOR)


def _check_options(chosen: ServeOptions, *, public: bool) -> None:
    if public and (chosen.proxy_header or chosen.open_browser):
        raise SettingsError("--public signs nobody in; leave out --proxy-header and --open")
    if bool(chosen.proxy_header) != bool(chosen.proxies) and not public:
        raise SettingsError("--proxy-header and --proxy-address go together; give both, or neither")
    if chosen.proxy_header and not _HEADER.fullmatch(chosen.proxy_header):
        raise SettingsError(
            f"--proxy-header {chosen.proxy_header}: expected the name of a header, such as X-Remote-User"
        )
    for address in chosen.proxies:
        try:
            ip_address(address)
        except ValueError:
            raise SettingsError(
                f"--proxy-address {address}: expected an IP address, such as 127.0.0.1"
            ) from None
    for name in chosen.names:
        if not _HOST.fullmatch(name):
            raise SettingsError(
                f"--allow-host {name}: expected a name without a port, such as reviews.example.org"
            )

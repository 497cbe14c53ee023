"""`panel serve`: the approval queue in a browser, or the published site with readers' votes and sign-up."""

from __future__ import annotations

import asyncio
import re
import signal
import webbrowser
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli.options import Config, help_text, option
from panel.errors import SettingsError

if TYPE_CHECKING:
    import socket

    from panel.newsletter.mail import MailMessage
    from panel.settings.resolve import Resolved
    from panel.web.public.newsletter import Newsletter
    from panel.web.server import WebServer

HELP = help_text(
    """Read, correct, approve and publish drafts in a browser.

Without accounts there is one user, on this machine, named by the setting `editor`. With accounts, made by panel users add, users sign
in, and the server may listen on other addresses with --host. Browsers keep a sign-in over HTTPS only, except on this machine, so put a
server that speaks HTTPS in front.

With --public it serves the published site to readers instead, and counts their votes if the setting `voting` is on; a proxy at
--proxy-address is trusted to name their addresses.""",
    "panel serve --open",
    "panel serve --host 0.0.0.0 --allow-host reviews.example.org",
    "panel serve --allow-host reviews.example.org --proxy-header X-Remote-User --proxy-address 127.0.0.1",
    "panel serve --public --site site --host 0.0.0.0 --allow-host reviews.example.org --proxy-address 127.0.0.1",
)
PORT = 8377
UNGUARDED = "without accounts, whoever reaches the server could approve; add one first: panel users add NAME"
INSECURE = (
    "Browsers on other machines keep a sign-in over HTTPS only: put a server that speaks HTTPS in front."
)
LEAVING = "Finishing open requests; press Ctrl-C again to leave at once."
_PACKAGES = ("argon2", "limits", "python_multipart", "starlette", "uvicorn")
_HEADER = re.compile("[A-Za-z0-9-]+")
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")
_READERS_KEY = b"readers of the published site"


@dataclass(frozen=True)
class ServeOptions:
    """The options of the command: `names` are further host names that browsers may use, `proxies` IP addresses of trusted proxies."""

    host: str
    port: int
    names: tuple[str, ...]
    proxy_header: str | None
    proxies: tuple[str, ...]
    open_browser: bool


def serve(
    port: Annotated[int, option("--port", "N", "Port; 0 takes any that is free.", min=0, max=65_535)] = PORT,
    host: Annotated[str, option("--host", "HOST", "Address of this machine to listen at.")] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        option("--allow-host", "NAME", "Name that browsers call the server by. May be repeated."),
    ] = None,
    proxy_header: Annotated[
        str | None,
        option(
            "--proxy-header",
            "HEADER",
            "Header in which a proxy that signs users in names them; it must drop the header from what it receives.",
        ),
    ] = None,
    proxy_address: Annotated[
        list[str] | None,
        option("--proxy-address", "IP", "Address of a trusted proxy. May be repeated."),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the queue in a browser.")] = False,
    public: Annotated[
        bool,
        typer.Option("--public", help="Serve the published site and readers' votes instead of the queue."),
    ] = False,
    site: Annotated[
        Path | None,
        option("--site", "DIR", "Folder of the published site, with --public.  [default: site]"),
    ] = None,
    config: Config = None,
) -> None:
    """Serve the queue, or the published site, until Ctrl-C."""
    from panel.settings.resolve import resolve

    require_web()
    chosen = ServeOptions(host, port, tuple(allow_host or ()), proxy_header, tuple(proxy_address or ()), show)
    _check_options(chosen, public=public)
    if site is not None and not public:
        raise SettingsError(
            f"--site {site}: goes with --public, which serves the published site instead of the queue"
        )
    resolved = resolve({}, config)
    if public:
        _serve_public(resolved, chosen, site or Path("site"))
    else:
        _serve_queue(resolved, chosen)


def require_web() -> None:
    """Raise SettingsError if a package of the web extra is missing."""
    if not all(find_spec(name) for name in _PACKAGES):
        raise SettingsError("the web pages need the web extra: pip install 'panel-review[web]'")


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


def _serve_queue(resolved: Resolved, chosen: ServeOptions) -> None:
    from panel.cli.console import tell
    from panel.cli.users import current_actor
    from panel.orchestrator.store_access import configured_store
    from panel.web.app import configured_app
    from panel.web.auth import Accounts, SingleUser, TrustedProxy
    from panel.web.security import is_loopback, plain_address
    from panel.web.server import WebServer, allowed_hosts, listen, url_of

    async def run(listener: socket.socket) -> None:
        url, user = url_of(listener), ""
        async with configured_store(resolved) as store:
            mode: SingleUser | Accounts | TrustedProxy
            if chosen.proxy_header:
                mode = TrustedProxy(chosen.proxy_header, frozenset(map(plain_address, chosen.proxies)))
            elif await store.users.all():
                mode = Accounts()
            else:
                mode = SingleUser(await current_actor(resolved, store))
                user = f" as {mode.actor.name}"
            app = configured_app(resolved, store, mode, allowed_hosts(chosen.host, chosen.names))
            tell(f"Serving the queue at {url}{user}. Press Ctrl-C to stop.")
            if not is_loopback(chosen.host):
                tell(INSECURE)
            if chosen.open_browser:
                # Some browsers block the caller until they are closed.
                asyncio.get_running_loop().run_in_executor(None, webbrowser.open, url)
            await serve_until_signal(WebServer(app), listener)

    with listen(chosen.host, chosen.port) as listener:
        _check_guarded(resolved, chosen, listener.getsockname()[0])
        asyncio.run(run(listener))


def _check_guarded(resolved: Resolved, chosen: ServeOptions, address: str) -> None:
    """Refuse to serve other machines without sign-in, and to serve this one without a named editor."""
    from panel.cli.users import NO_EDITOR
    from panel.orchestrator.store_access import use_existing_store
    from panel.web.security import is_loopback

    has_accounts = use_existing_store(resolved, lambda store: store.users.all())
    if chosen.proxy_header or has_accounts:
        return
    if not is_loopback(address):
        raise SettingsError(f"--host {chosen.host}: {UNGUARDED}")
    if chosen.names:
        raise SettingsError(f"--allow-host {chosen.names[0]}: {UNGUARDED}")
    if resolved.settings.editor is None:
        raise SettingsError(NO_EDITOR)


def _serve_public(resolved: Resolved, chosen: ServeOptions, site: Path) -> None:
    import hashlib
    import hmac
    from urllib.parse import urlsplit

    from panel.cli.console import tell
    from panel.orchestrator.store_access import configured_store, require_store
    from panel.settings.secret import read_secret
    from panel.site.options import OWN
    from panel.web.public.app import create_public_app
    from panel.web.public.requests import PublicServices
    from panel.web.security import is_loopback, plain_address
    from panel.web.server import WebServer, allowed_hosts, listen, url_of

    require_site(site)
    require_store(resolved)
    folder, settings = site.absolute(), resolved.settings
    newsletter = _newsletter(resolved) if settings.newsletter == OWN else None
    site_host = urlsplit(settings.site_url or "").hostname
    names = frozenset(name.lower() for name in (*chosen.names, site_host) if name)

    async def run(listener: socket.socket) -> None:
        async with configured_store(resolved) as store:
            services = PublicServices(
                store=store,
                site=folder,
                secret=hmac.new(read_secret(resolved.data_dir), _READERS_KEY, hashlib.sha256).digest(),
                hosts=allowed_hosts(chosen.host, chosen.names) | names,
                proxies=frozenset(map(plain_address, chosen.proxies)),
                voting=settings.voting,
                shown_from=settings.votes_shown_from,
            )
            routes = newsletter.routes() if newsletter else []
            votes = "with readers' votes" if settings.voting else "without votes (the setting voting is off)"
            tell(f"Serving {folder} at {url_of(listener)}, {votes}. Ctrl-C ends it.")
            await serve_until_signal(WebServer(create_public_app(services, routes)), listener)

    with listen(chosen.host, chosen.port) as listener:
        if not is_loopback(listener.getsockname()[0]) and not names:
            raise SettingsError(
                f"--host {chosen.host}: name the host that readers use, with the setting site_url or --allow-host reviews.example.org"
            )
        asyncio.run(run(listener))


def require_site(folder: Path) -> None:
    """Raise SettingsError if a folder holds no site."""
    if not (folder / "index.html").is_file():
        raise SettingsError(f"{folder}: holds no site; build one first: panel site build --out {folder}")


def _newsletter(resolved: Resolved) -> Newsletter:
    from panel.cli.newsletter import link_key, site_url
    from panel.newsletter.mail import connect, mail_server
    from panel.web.public.newsletter import Newsletter

    server = mail_server(resolved.settings)

    def send(message: MailMessage) -> None:
        with connect(server) as send_now:
            send_now(message)

    return Newsletter(
        name=resolved.settings.site_name, url=site_url(resolved), key=link_key(resolved), send=send
    )


async def serve_until_signal(server: WebServer, listener: socket.socket) -> None:
    """Run a web server until Ctrl-C or a signal, then finish the open requests.

    Raises:
        SignalReceived: always, in the end.
    """
    from panel.cli.console import tell
    from panel.cli.signals import Interrupts, SignalReceived

    interrupts = Interrupts()

    def leave() -> None:
        server.should_exit = True
        tell(LEAVING)

    try:
        with interrupts.caught(leave):
            await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        if interrupts.number is None:
            raise
        await server.abort()
    raise SignalReceived(interrupts.number or signal.SIGINT, "interrupted")

"""`panel serve --public`: the published site, with readers' votes and sign-up."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from panel.cli.console import tell
from panel.cli.newsletter import link_key, site_url
from panel.cli.serving import serve_until_signal
from panel.errors import SettingsError
from panel.newsletter.mail import connect, mail_server
from panel.orchestrator.stores import configured_store, require_store
from panel.settings.secret import read_secret
from panel.site.options import OWN
from panel.web.public.app import create_public_app
from panel.web.public.newsletter import Newsletter
from panel.web.public.requests import PublicServices
from panel.web.security import is_loopback, plain_address
from panel.web.server import WebServer, allowed_hosts, listen, url_of

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from panel.cli.serving import ServeOptions
    from panel.newsletter.mail import MailMessage
    from panel.settings.resolve import Resolved

_PURPOSE = b"readers of the published site"


def serve_public(resolved: Resolved, wanted: ServeOptions, site: Path) -> None:
    """Serve a built site and readers' votes until Ctrl-C.

    Raises:
        SettingsError: there is no site or no store, or a setting is missing.
        SignalReceived: serving was ended.
    """
    require_site(site)
    require_store(resolved)
    newsletter = _newsletter(resolved) if resolved.settings.newsletter == OWN else None
    with listen(wanted.host, wanted.port) as listener:
        if not is_loopback(listener.getsockname()[0]) and not _public_names(resolved, wanted):
            raise SettingsError(
                f"--host {wanted.host}: name the host that readers use, with the setting site_url or --allow-host reviews.example.org"
            )
        asyncio.run(_serve(resolved, wanted, site.absolute(), newsletter, listener))


def require_site(folder: Path) -> None:
    """Raise if a folder holds no site.

    Raises:
        SettingsError: it does not.
    """
    if not (folder / "index.html").is_file():
        raise SettingsError(f"{folder}: holds no site; build one first: panel site build --out {folder}")


def _public_names(resolved: Resolved, wanted: ServeOptions) -> frozenset[str]:
    """Return the host names of the server: those of --allow-host, and that of the site."""
    host = urlsplit(resolved.settings.site_url or "").hostname
    return frozenset(name.lower() for name in (*wanted.names, host) if name)


def _newsletter(resolved: Resolved) -> Newsletter:
    server = mail_server(resolved.settings)

    def send(message: MailMessage) -> None:
        with connect(server) as connection:
            connection.send(message)

    return Newsletter(
        name=resolved.settings.site_name, url=site_url(resolved), key=link_key(resolved), send=send
    )


async def _serve(
    resolved: Resolved,
    wanted: ServeOptions,
    site: Path,
    newsletter: Newsletter | None,
    listener: socket.socket,
) -> None:
    settings = resolved.settings
    async with configured_store(resolved) as store:
        services = PublicServices(
            store=store,
            site=site,
            secret=hmac.new(read_secret(resolved.data_dir), _PURPOSE, hashlib.sha256).digest(),
            hosts=allowed_hosts(wanted.host, wanted.names) | _public_names(resolved, wanted),
            proxies=frozenset(map(plain_address, wanted.proxies)),
            voting=settings.voting,
            shown_from=settings.votes_shown_from,
        )
        routes = newsletter.routes() if newsletter else []
        votes = "with readers' votes" if settings.voting else "without votes (the setting voting is off)"
        tell(f"Serving {site} at {url_of(listener)}, {votes}. Ctrl-C ends it.")
        await serve_until_signal(WebServer(create_public_app(services, routes)), listener)

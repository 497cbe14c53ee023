"""`panel serve --public`: the published site, with readers' votes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from panel.cli.console import tell
from panel.cli.mailing import mail_secret, post_of, site_url
from panel.cli.serve import serve_until_signal
from panel.errors import SettingsError
from panel.newsletter.smtp import line_to
from panel.orchestrator.stores import configured_store, require_store
from panel.settings.secret import read_secret
from panel.site.options import OWN
from panel.web.origins import is_loopback, plain_address
from panel.web.public import newsletter
from panel.web.public.app import create_public_app
from panel.web.public.services import PublicServices
from panel.web.server import allowed_hosts, listen, url_of

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from panel.cli.serve import ServeOptions
    from panel.core.mail import Message
    from panel.settings.resolve import Resolved

_PURPOSE = b"readers of the published site"
INDEX = "index.html"


def serve_public(resolved: Resolved, wish: ServeOptions, site: Path) -> None:
    """Serve a built site and readers' votes until Ctrl-C.

    Raises:
        SettingsError: there is no site, or no store.
        SignalReceived: that is how serving ends.
    """
    check_site(site)
    require_store(resolved)
    if resolved.settings.newsletter == OWN:
        _newsletter(resolved)  # what is missing is told before anything is served
    with listen(wish.host, wish.port) as place:
        if not is_loopback(place.getsockname()[0]) and not _names(resolved, wish):
            raise SettingsError(
                f"--host {wish.host}: say by which name readers reach the server, with the setting site_url, or --allow-host reviews.example.org"
            )
        asyncio.run(_serve(resolved, wish, site.absolute(), place))


def _names(resolved: Resolved, wish: ServeOptions) -> frozenset[str]:
    """Return the names that readers call the server by: those that were given, and the site's own."""
    host = urlsplit(resolved.settings.site_url or "").hostname
    return frozenset(name.lower() for name in (*wish.names, host) if name)


def check_site(site: Path) -> None:
    """Raise if a folder holds no site.

    Raises:
        SettingsError: it does not.
    """
    if not (site / INDEX).is_file():
        raise SettingsError(f"{site}: holds no site; build one first: panel site build --out {site}")


def _newsletter(resolved: Resolved) -> newsletter.Newsletter:
    post = post_of(resolved)

    def send(message: Message) -> None:
        with line_to(post) as line:
            line.send(message, datetime.now(UTC))

    return newsletter.Newsletter(
        name=resolved.settings.site_name, url=site_url(resolved), secret=mail_secret(resolved), send=send
    )


async def _serve(resolved: Resolved, wish: ServeOptions, site: Path, place: socket.socket) -> None:
    settings = resolved.settings
    async with configured_store(resolved) as store:
        services = PublicServices(
            store=store,
            site=site,
            secret=hmac.new(read_secret(resolved.data_dir), _PURPOSE, hashlib.sha256).digest(),
            hosts=allowed_hosts(wish.host, wish.names) | _names(resolved, wish),
            proxies=frozenset(map(plain_address, wish.proxies)),
            voting=settings.voting,
            shown_from=settings.votes_shown_from,
        )
        letters = newsletter.routes(services, _newsletter(resolved)) if settings.newsletter == OWN else []
        votes = "with readers' votes" if settings.voting else "without votes (the setting voting is off)"
        tell(f"Serving {site} at {url_of(place)}, {votes}. Ctrl-C ends it.")
        await serve_until_signal(create_public_app(services, letters), place)

"""What `panel serve` puts together, and how it ends."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import signal
import webbrowser
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING

from panel.cli.acting import acting
from panel.cli.console import tell
from panel.cli.rerun import rerun
from panel.cli.signals import Interrupts, SignalReceived
from panel.orchestrator.setup import available_personas, report_context, review_checks
from panel.orchestrator.stores import configured_store
from panel.prompts.persona_files import seat_roster
from panel.settings.secret import read_secret
from panel.web.access import Access, Accounts, Open, Proxy
from panel.web.app import create_app
from panel.web.origins import is_loopback, plain_address
from panel.web.server import Serving
from panel.web.services import Services

if TYPE_CHECKING:
    import socket

    from panel.cli.serve import ServeOptions
    from panel.settings.resolve import Resolved
    from panel.store import Store

_PURPOSE = b"forms of the web pages"
LEAVING = "Finishing what is in flight; Ctrl-C again leaves at once."
INSECURE = "Browsers elsewhere keep a sign-in over HTTPS only: put a server that speaks it in front."


async def serve_until_signal(resolved: Resolved, wish: ServeOptions, place: socket.socket) -> None:
    """Serve the queue until the user, or the system, wants it to end.

    Args:
        resolved: the settings.
        wish: what was asked for.
        place: a socket that listens.

    Raises:
        SignalReceived: that is how serving ends.
        PanelError: it cannot begin.
    """
    async with configured_store(resolved) as store:
        access = await _access(resolved, store, wish)
        server = Serving(create_app(_services(resolved, store), access))
        url = url_of(place)
        tell(f"Serving the queue at {url}{_whom(access)} Ctrl-C ends it.")
        if not is_loopback(wish.host):
            tell(INSECURE)
        if wish.show:
            # Some browsers keep whoever opens them waiting until they are closed.
            asyncio.get_running_loop().run_in_executor(None, webbrowser.open, url)
        await serve_until_left(server, place)


async def serve_until_left(server: Serving, place: socket.socket) -> None:
    """Serve until the user, or the system, wants it to end, and finish what is in flight.

    Raises:
        SignalReceived: that is how serving ends.
    """
    interrupts = Interrupts()

    def leave() -> None:
        server.should_exit = True
        tell(LEAVING)

    try:
        with interrupts.caught(leave):
            await server.serve(sockets=[place])
    except asyncio.CancelledError:
        if interrupts.number is None:
            raise
        await server.abandon()
    raise SignalReceived(interrupts.number or signal.SIGINT, "interrupted")


def _services(resolved: Resolved, store: Store) -> Services:
    known = available_personas(resolved)
    names = [entry.partition("=")[0].strip() for entry in resolved.settings.roster]
    return Services(
        store=store,
        checks=review_checks(known),
        rerun=partial(rerun, resolved, store),
        context=report_context(known.values()),
        personas={persona.id: persona.name for persona in (*seat_roster(known, names), *known.values())},
    )


async def _access(resolved: Resolved, store: Store, wish: ServeOptions) -> Access:
    secret = hmac.new(read_secret(resolved.data_dir), _PURPOSE, hashlib.sha256).digest()
    return Access(await _way(resolved, store, wish), hosts_of(wish), secret)


async def _way(resolved: Resolved, store: Store, wish: ServeOptions) -> Open | Accounts | Proxy:
    if wish.header:
        return Proxy(wish.header, frozenset(map(plain_address, wish.addresses)))
    if await store.users.all():
        return Accounts()
    return Open(await acting(resolved, store))


def hosts_of(wish: ServeOptions) -> frozenset[str]:
    """Return the names that browsers may call the server by; `0.0.0.0` is none, although some take it for one."""
    names = {name.lower() for name in wish.names}
    return frozenset(names if _is_unspecified(wish.host) else {*names, wish.host.lower()})


def _is_unspecified(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _whom(access: Access) -> str:
    return f" as {access.way.actor.name};" if isinstance(access.way, Open) else "."


def url_of(place: socket.socket) -> str:
    """Return the address at which browsers on this machine find what listens at a socket."""
    host, port = place.getsockname()[:2]
    shown = "127.0.0.1" if _is_unspecified(host) else host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"

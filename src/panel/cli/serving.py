"""Running a web server from the command line: its options, and its end on Ctrl-C or a signal."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.errors import SettingsError

if TYPE_CHECKING:
    import socket

    from panel.web.server import WebServer

LEAVING = "Finishing open requests; press Ctrl-C again to leave at once."
_PACKAGES = ("argon2", "limits", "python_multipart", "starlette", "uvicorn")


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options of the command.

    Attributes:
        host: address to listen at.
        port: 0 for any that is free.
        names: further host names that browsers may use.
        proxy_header: the header in which a proxy names the user; None without such a proxy.
        proxies: IP addresses of trusted proxies.
        open_browser: whether to open the queue in a browser.
    """

    host: str
    port: int
    names: tuple[str, ...] = ()
    proxy_header: str | None = None
    proxies: tuple[str, ...] = ()
    open_browser: bool = False


def require_web() -> None:
    """Raise SettingsError if a package of the web extra is missing."""
    from importlib.util import find_spec

    if not all(find_spec(name) for name in _PACKAGES):
        raise SettingsError("the web pages need the web extra: pip install 'panel-review[web]'")


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

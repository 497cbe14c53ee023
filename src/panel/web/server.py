"""The server: a socket of its own, and uvicorn without its voice and its trust in headers."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from uvicorn import Config, Server

from panel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

GRACE_SECONDS = 180
"""What requests in flight get when the server ends: a seat that is asked again may take two minutes."""
_BACKLOG = 128


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Args:
        host: a name or an IP address of this machine.
        port: 0 for any that is free.

    Raises:
        SettingsError: it cannot be had; the message says why.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server((str(place[0]), port), family=family, backlog=_BACKLOG)
    except (socket.gaierror, UnicodeError) as error:
        raise SettingsError(f"--host {host}: there is no such host; use 127.0.0.1") from error
    except OSError as error:
        raise SettingsError(_why(host, port, error)) from error


class Serving(Server):
    """Serves an application; ends when `should_exit` is set, once what is in flight is answered.

    Args:
        app: the application.
    """

    def __init__(self, app: Starlette) -> None:
        config = Config(
            app,
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the command, which has a database to close."""
        yield

    async def abandon(self) -> None:
        """Give up what is in flight."""
        tasks = set(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken; end what uses it, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} may not be used; choose one from 1024 on with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--host {host}: not an address of this machine; use 127.0.0.1"
    return f"--host {host}: {error.strerror or error}"

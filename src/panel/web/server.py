"""The server process: a listening socket, and uvicorn without its own logs, signals and trust in proxy headers."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING

from uvicorn import Config, Server

from panel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from starlette.applications import Starlette

_GRACE_SECONDS = 180
"""Time for open requests when the server stops; asking a seat again may take two minutes."""
_BACKLOG = 128


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on a host name or IP address of this machine; port 0 takes any that is free.

    Raises:
        SettingsError: host or port cannot be used; the message says why.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server((str(address[0]), port), family=family, backlog=_BACKLOG)
    except (socket.gaierror, UnicodeError) as error:
        raise SettingsError(f"--host {host}: there is no such host; use 127.0.0.1") from error
    except OSError as error:
        messages = {
            errno.EADDRINUSE: f"port {port} is taken; end what uses it, or choose another with --port",
            errno.EACCES: f"port {port} may not be used; choose one from 1024 on with --port",
            errno.EADDRNOTAVAIL: f"--host {host}: not an address of this machine; use 127.0.0.1",
        }
        message = messages.get(error.errno or 0, f"--host {host}: {error.strerror or error}")
        raise SettingsError(message) from error


def url_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket for browsers on this machine."""
    host, port = listener.getsockname()[:2]
    shown = "127.0.0.1" if _is_unspecified(host) else host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def allowed_hosts(host: str, names: Iterable[str]) -> frozenset[str]:
    """Return the host names that the server answers to, in lower case; an address such as `0.0.0.0` is none."""
    every = names if _is_unspecified(host) else (*names, host)
    return frozenset(name.lower() for name in every)


def _is_unspecified(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


class WebServer(Server):
    """Serves an application until `should_exit` is set and open requests are answered."""

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
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the command, which must close the database."""
        yield

    async def abort(self) -> None:
        """Cancel the open requests."""
        tasks = set(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

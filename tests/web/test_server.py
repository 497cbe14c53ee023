"""The application behind a real socket."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import httpx2
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from panel.errors import SettingsError
from panel.web.app import HEADERS
from panel.web.server import WebServer, listen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def running(app: Starlette) -> AsyncIterator[tuple[WebServer, str, asyncio.Task[None]]]:
    with listen("127.0.0.1", 0) as listener:
        server = WebServer(app)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield server, f"http://127.0.0.1:{listener.getsockname()[1]}", task
        finally:
            server.should_exit = True
            await task


async def test_the_application_is_served(app: Starlette) -> None:
    async with running(app) as (_, url, _), httpx2.AsyncClient(base_url=url) as client:
        answer = await client.get("/nowhere", headers={"x-forwarded-for": "192.0.2.1"})
        assert answer.status_code == 404
        assert {key: answer.headers[key] for key in HEADERS} == HEADERS
        assert "server" not in answer.headers
        assert (await client.get("/", headers={"host": "exfil.invalid"})).status_code == 400


async def _is_open(url: str) -> bool:
    async with httpx2.AsyncClient(base_url=url) as late:
        try:
            await late.get("/nowhere", headers={"connection": "close"})
        except httpx2.TransportError:
            return False
    return True


async def test_open_requests_are_answered_at_the_end(app: Starlette) -> None:
    asked, released = asyncio.Event(), asyncio.Event()

    async def slow(_request: Request) -> Response:
        asked.set()
        await released.wait()
        return PlainTextResponse("done")

    app.router.routes.append(Route("/slow", slow))
    async with running(app) as (server, url, task), httpx2.AsyncClient(base_url=url) as client:
        answer = asyncio.create_task(client.get("/slow"))
        await asked.wait()
        server.should_exit = True
        while await _is_open(url):
            assert not task.done()
        released.set()
        assert (await answer).text == "done"


async def test_open_requests_can_be_cancelled(app: Starlette, caplog: pytest.LogCaptureFixture) -> None:
    asked = asyncio.Event()

    async def endless(_request: Request) -> Response:
        asked.set()
        await asyncio.Event().wait()
        return PlainTextResponse("never")

    app.router.routes.append(Route("/endless", endless))
    async with running(app) as (server, url, task), httpx2.AsyncClient(base_url=url) as client:
        answer = asyncio.create_task(client.get("/endless"))
        await asked.wait()
        server.should_exit = True
        await server.abort()
        ended = await answer
        await task
    assert (ended.status_code, "check what was saved" in ended.text) == (503, True)
    assert caplog.text == ""


async def test_a_visitor_who_leaves_is_no_bug(app: Starlette, caplog: pytest.LogCaptureFixture) -> None:
    async with running(app) as (server, url, _):
        port = int(url.rpartition(":")[2])
        with closing(socket.create_connection(("127.0.0.1", port))) as half:
            kind = "application/x-www-form-urlencoded"
            half.sendall(
                f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: 9\r\n\r\na=".encode()
            )
            while not server.server_state.tasks:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0)
    assert caplog.text == ""


async def test_an_unusable_address_is_explained() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(
            SettingsError, match=f"port {port} is taken; end what uses it, or choose another with --port"
        ):
            listen("127.0.0.1", port)
    with pytest.raises(
        SettingsError, match=r"--host 192\.0\.2\.1: not an address of this machine; use 127\.0\.0\.1"
    ):
        listen("192.0.2.1", 0)
    with pytest.raises(SettingsError, match="there is no such host"):
        listen("no host", 0)

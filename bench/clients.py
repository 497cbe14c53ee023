"""One client of the fake server, in a process of its own: what tools x seats take it, as a line of JSON.

`floor` is aiohttp and orjson with requests that are ready made; `sdk` is OpenAI's SDK by itself, with the same ones; the others
are panel with all that it does for a seat: the tool, the prompt, every wrapper around the adapter, the reply, the review.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time
import urllib.request
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from itertools import count, cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panel.core.completion import ModelConfig
from panel.orchestrator.panel import PanelSession, one_by_one
from panel.orchestrator.seat import Observer, SeatModel
from panel.prompts.files import load_personas
from panel.prompts.templates import PromptBook
from panel.providers import open_provider
from panel.providers.base import Connection, StopSignal
from panel.providers.middleware.rate_limit import CallLimits, RateLimiter
from panel.providers.middleware.stack import wrap_hosted
from panel.providers.openai import responses_request
from panel.tool_files.files import source_of
from panel.web_pages.sources import load_tools

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    import httpx2

    from panel.core.review import PanelReview
    from panel.core.tool import Tool

    Request = dict[str, Any]
    Work = Callable[[int], Awaitable[None]]
    """A function that has a number of tools reviewed by all seats."""

ROOT = Path(__file__).resolve().parent.parent
MODELS = {"openai": "gpt-6-luna", "anthropic": "claude-haiku-5-5"}
PERSONAS = tuple(load_personas(ROOT / "personas").values())
PROMPTS = PromptBook([ROOT / "prompts"], b"bench", scaffolded=False)
READY_MADE = 16
"""Tools whose requests are built beforehand for the clients that build none."""


@dataclass(frozen=True, slots=True)
class Load:
    """The load of one client: address, calls in flight and number of tools."""

    server: str
    latency: str
    concurrency: int
    tools: int

    @classmethod
    def parse(cls, server: str, text: str) -> Load:
        """Read a load such as `fixed/0.2:64:100`."""
        latency, concurrency, number = text.split(":")
        return cls(server, latency, int(concurrency), int(number))

    @property
    def address(self) -> str:
        """The base address of the calls."""
        return f"{self.server}/{self.latency}"


def tools() -> Iterator[Tool]:
    """Yield new tools of the usual length without end."""
    (tool,) = load_tools([source_of(str(ROOT / "fixtures" / "tools" / "smollm3.yaml"))])
    fields = tool.model_dump(exclude={"slug"})
    return (type(tool).model_validate({**fields, "name": f"{tool.name} {number}"}) for number in count())


def requests() -> Iterator[Request]:
    """Yield requests to the Responses API without end."""
    config = ModelConfig(model=MODELS["openai"])
    prompts = [PROMPTS.take(tool, seat) for tool in islice(tools(), READY_MADE) for seat in PERSONAS]
    return cycle([responses_request(prompt, config) for prompt in prompts])


async def worked_off(
    endless: Iterator[Request],
    workers: int,
    call: Callable[[Request], Awaitable[dict[str, Any]]],
    number: int,
) -> None:
    """Make the calls of a number of tools with a number of workers, and read each answer."""
    waiting = islice(endless, number * len(PERSONAS))

    async def work() -> None:
        for request in waiting:
            body = await call(request)
            if "take" not in json.loads(body["output"][0]["content"][0]["text"]):
                raise AssertionError("an answer without a take")

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())


@asynccontextmanager
async def floor(load: Load) -> AsyncIterator[Work]:
    """Open the cheapest client in Python, aiohttp and orjson, as the floor."""
    import aiohttp  # noqa: PLC0415 - only this client needs it
    import orjson  # noqa: PLC0415 - likewise

    url, headers = f"{load.address}/v1/responses", {"content-type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=load.concurrency)) as session:

        async def call(request: Request) -> dict[str, Any]:
            async with session.post(url, data=orjson.dumps(request), headers=headers) as response:
                body: dict[str, Any] = orjson.loads(await response.read())
            return body

        yield partial(worked_off, requests(), load.concurrency, call)


@asynccontextmanager
async def sdk(load: Load) -> AsyncIterator[Work]:
    """Open OpenAI's SDK with its defaults, as its documentation shows."""
    import openai  # noqa: PLC0415 - only this client needs it

    async with openai.AsyncOpenAI(api_key="bench", base_url=f"{load.address}/v1", max_retries=0) as client:

        async def call(request: Request) -> dict[str, Any]:
            response = await client.responses.with_raw_response.create(**request)
            body: dict[str, Any] = json.loads(response.http_response.content)
            return body

        yield partial(worked_off, requests(), load.concurrency, call)


@asynccontextmanager
async def panel(provider: str, transport: str, load: Load) -> AsyncIterator[Work]:
    """Open panel with the middleware of the command line."""
    stop, endless = StopSignal(), tools()
    connection = Connection(
        provider,
        f"{load.address}/v1" if provider == "openai" else load.address,
        api_key="bench",
        concurrency=load.concurrency,
        http_client=http_client(provider, transport, load.concurrency),
    )
    answering = wrap_hosted(
        open_provider(connection),
        RateLimiter(CallLimits(load.concurrency), stop),
        timeout=120.0,
        attempts=3,
        base_url=connection.base_url,
    )
    seats = PanelSession(
        model=SeatModel(answering, PROMPTS, ModelConfig(model=MODELS[provider])),
        personas=PERSONAS,
        concurrency=load.concurrency,
        observer=Observer(),
        clock=partial(datetime.now, UTC),
        stop=stop,
    )

    async def work(number: int) -> None:
        async for review in seats.reviews(one_by_one(islice(endless, number))):
            check(review)

    yield work
    await answering.aclose()


def http_client(provider: str, transport: str, calls: int) -> httpx2.AsyncClient:
    """Return an HTTP client with the named transport."""
    import httpx2  # noqa: PLC0415 - it is slow to import

    vendor = import_module(provider)
    make = vendor.DefaultAioHttpClient if transport == "aiohttp" else vendor.DefaultAsyncHttpxClient
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=calls)
    client: httpx2.AsyncClient = make(limits=limits, follow_redirects=False)
    return client


def check(review: PanelReview) -> None:
    """Check that each seat was asked once and has its take."""
    for seat in review.seats:
        if seat.take is None or seat.provenance is None or seat.provenance.attempts != 1:
            raise AssertionError(f"a seat without its take at the first attempt: {seat}")


CLIENTS: dict[str, Callable[[Load], AbstractAsyncContextManager[Work]]] = {
    "floor": floor,
    "sdk": sdk,
    "openai-aiohttp": partial(panel, "openai", "aiohttp"),
    "openai-httpx2": partial(panel, "openai", "httpx2"),
    "anthropic-aiohttp": partial(panel, "anthropic", "aiohttp"),
    "anthropic-httpx2": partial(panel, "anthropic", "httpx2"),
}


def counted(server: str) -> dict[str, float]:
    """Return the server's counts since the last query."""
    with urllib.request.urlopen(f"{server}/counters") as response:  # noqa: S310 - loopback
        counters: dict[str, float] = json.load(response)
    return counters


async def measured(name: str, load: Load) -> dict[str, float]:
    """Return the seconds and megabytes of a load, after one tool to warm up, and the server's counts."""
    async with CLIENTS[name](load) as work:
        await work(1)
        counted(load.server)
        wall, processor = time.perf_counter(), time.process_time()
        await work(load.tools)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall": wall, "processor": processor, "memory": memory, **counted(load.server)}


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=CLIENTS, help="which client")
    parser.add_argument("server", help="the fake server: http://127.0.0.1:PORT")
    parser.add_argument("loads", nargs="+", help="LATENCY:CONCURRENCY:TOOLS, such as fixed/0.2:64:100")
    given = parser.parse_args()
    loads = [Load.parse(given.server, text) for text in given.loads]
    print(json.dumps([asyncio.run(measured(given.name, load)) for load in loads]))


if __name__ == "__main__":
    main()

"""What the adapters to both vendors' SDKs share: one client, and the one place where foreign exceptions become panel's.

The SDKs are made by the same generator, so their clients and their exceptions have the same names. Their own retries are off.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import httpx2

from panel.core.text import one_line
from panel.errors import ProviderError, ProviderTimeout, ProviderUnreachable
from panel.providers.http_errors import MAX_MESSAGE_CHARS, fault_of_status, json_object
from panel.providers.rate_limit_headers import limits_of

if TYPE_CHECKING:
    from types import ModuleType

    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

    from panel.core.completion import RateLimits
    from panel.providers import Connection

MANY_CALLS = 64
"""Calls in flight from which aiohttp's transport is worth it; below, httpx2's takes no longer (`bench/overhead.py`)."""

CONNECT_SECONDS = 10.0

NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.ProxyError,
)
NOT_SENT_BY_AIOHTTP = {"ClientConnectorError", "ConnectionTimeoutError", "ClientHttpProxyError", "InvalidURL"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of an API: its JSON object, and what its headers say about limits."""

    body: dict[str, Any]
    limits: RateLimits | None


class Caller:
    """Makes calls with an SDK, and turns what it raises into panel's errors.

    It posts a body as it is and reads the answer itself. The SDKs' `create` walks through every value of a request to rename what
    needs no renaming, which takes as long as all the rest of a call (`bench/overhead.py`), and their `parse` loses the usage of
    an answer that does not validate.

    Args:
        provider: who is called, for messages.
        sdk: the module `openai` or `anthropic`.
        client: its client.
        secret: the key, which is cut out of every message.
    """

    def __init__(
        self, provider: str, sdk: ModuleType, client: AsyncOpenAI | AsyncAnthropic, secret: str
    ) -> None:
        self._provider = provider
        self._sdk = sdk
        self._client = client
        self._secret = secret

    async def post(self, path: str, body: dict[str, Any]) -> Answer:
        """Make one call.

        Args:
            path: of the API, below its base address.
            body: JSON object.

        Raises:
            ProviderError: one of its kinds, for whatever went wrong.
        """
        try:
            response = await self._client.post(path, body=body, cast_to=httpx2.Response)
        except Exception as error:
            raise self.fault(error) from error
        answer = json_object(self._provider, response.status_code, response.content, self._secret)
        return Answer(answer, limits_of(response.headers))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    def fault(self, error: Exception) -> ProviderError:
        """Return what an exception of the SDK, or of what it stands on, means."""
        sdk = self._sdk
        if isinstance(error, sdk.APIStatusError):
            response = error.response
            return fault_of_status(
                self._provider, response.status_code, error.body, response.headers, self._secret
            )
        sent = 0 if was_not_sent(error) else 1
        raised = by_aiohttp(error)
        if isinstance(raised or error, sdk.APITimeoutError | httpx2.TimeoutException | TimeoutError):
            return ProviderTimeout(f"{self._provider} did not answer in time", lost_calls=sent)
        if raised or isinstance(error, sdk.APIConnectionError | httpx2.TransportError):
            said = self._said(error.__cause__ or error)
            return ProviderUnreachable(f"{self._provider} could not be reached: {said}", lost_calls=sent)
        return ProviderError(f"{self._provider} failed: {self._said(error)}", lost_calls=sent)

    def _said(self, error: BaseException) -> str:
        text = one_line(str(error)) or type(error).__name__
        return (text.replace(self._secret, "[key]") if self._secret else text)[:MAX_MESSAGE_CHARS]


def time_limit(connection: Connection) -> httpx2.Timeout:
    """Return the limits of a call: to be connected is a matter of seconds, whatever the answer may take."""
    return httpx2.Timeout(connection.timeout, connect=min(connection.timeout, CONNECT_SECONDS))


def http_client(sdk: ModuleType, connection: Connection) -> httpx2.AsyncClient:
    """Return the transport for one provider: connections for all calls in flight are kept, and redirects are not followed."""
    if connection.http_client is not None:
        return connection.http_client
    calls = connection.concurrency
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=max(calls, 20))
    fast = calls >= MANY_CALLS and all(find_spec(name) for name in ("aiohttp", "yarl"))
    make = sdk.DefaultAioHttpClient if fast else sdk.DefaultAsyncHttpxClient
    client: httpx2.AsyncClient = make(limits=limits, follow_redirects=False)
    return client


def was_not_sent(error: BaseException) -> bool:
    """Whether a call surely never reached the provider, and so cannot be billed."""
    raised = by_aiohttp(error)
    if raised is not None:
        return any(kind.__name__ in NOT_SENT_BY_AIOHTTP for kind in type(raised).__mro__)
    return isinstance(error.__cause__ or error, NOT_SENT)


def by_aiohttp(error: BaseException | None) -> BaseException | None:
    """Return what aiohttp itself raised, if its transport carried the call.

    The transport reports a connection that broke as one that was never made or as a timeout, and a broken head not at all.
    """
    while error is not None and not type(error).__module__.startswith("aiohttp"):
        error = error.__cause__
    return error

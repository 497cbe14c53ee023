"""Calls through the SDKs of OpenAI and Anthropic, and the translation of their exceptions into panel's.

The same generator makes both SDKs, so their clients and exceptions have the same names. Their own retries are off.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from panel.core.text import one_line
from panel.errors import ProviderError, ProviderTimeout, ProviderUnreachable
from panel.providers.http_errors import MAX_MESSAGE_CHARS, error_of_status, json_object
from panel.providers.http_headers import rate_limits

if TYPE_CHECKING:
    from types import ModuleType

    import httpx2
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

    from panel.core.completion import RateLimits
    from panel.providers.base import Connection

ANSWER_NAME = "panel_answer"
"""Name of the answer's JSON schema in requests to OpenAI's APIs."""

NO_KEY = "not-needed"
"""Sent to servers without keys, because the SDK demands one."""

AIOHTTP_FROM_CALLS = 64
"""Calls in flight from which aiohttp's transport is faster than httpx2's (`bench/overhead.py`)."""

CONNECT_SECONDS = 10.0
KEEPALIVE_CONNECTIONS = 20

NOT_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError"}
"""httpx2's exceptions after which a call surely never reached the provider."""
NOT_SENT_BY_AIOHTTP = {"ClientConnectorError", "ConnectionTimeoutError", "ClientHttpProxyError", "InvalidURL"}


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON object that an API answered with, and the rate limits in its headers."""

    body: dict[str, Any]
    limits: RateLimits | None


class Caller:
    """Makes calls with an SDK.

    It posts a ready body and reads the answer itself. The SDKs' `create` walks through every value of a request to rename
    keys, which takes as long as the rest of a call (`bench/overhead.py`), and their `parse` loses the usage of an answer that
    does not validate. `sdk` is the module `openai` or `anthropic`; `secret` is the key, which is cut out of every message.
    """

    def __init__(
        self, provider: str, sdk: ModuleType, client: AsyncOpenAI | AsyncAnthropic, secret: str
    ) -> None:
        self._provider = provider
        self._sdk = sdk
        self._client = client
        self._secret = secret

    async def post(self, path: str, body: dict[str, Any]) -> Answer:
        """Make one call to a path below the API's base URL.

        Raises:
            ProviderError: the call failed; the subclass says how.
        """
        import httpx2

        try:
            response = await self._client.post(path, body=body, cast_to=httpx2.Response)
        except Exception as error:
            raise self.translate(error) from error
        answer = json_object(self._provider, response.status_code, response.content, self._secret)
        return Answer(answer, rate_limits(response.headers))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    def translate(self, error: Exception) -> ProviderError:
        """Return the ProviderError for an exception of the SDK or of its transport."""
        import httpx2

        sdk = self._sdk
        if isinstance(error, sdk.APIStatusError):
            response = error.response
            return error_of_status(
                self._provider, response.status_code, error.body, response.headers, self._secret
            )
        lost = 0 if was_not_sent(error) else 1
        raised = aiohttp_cause(error)
        if isinstance(raised or error, sdk.APITimeoutError | httpx2.TimeoutException | TimeoutError):
            return ProviderTimeout(f"{self._provider} did not answer in time", lost_calls=lost)
        if raised or isinstance(error, sdk.APIConnectionError | httpx2.TransportError):
            detail = self._message(error.__cause__ or error)
            return ProviderUnreachable(f"{self._provider} could not be reached: {detail}", lost_calls=lost)
        return ProviderError(f"{self._provider} failed: {self._message(error)}", lost_calls=lost)

    def _message(self, error: BaseException) -> str:
        text = one_line(str(error)) or type(error).__name__
        return (text.replace(self._secret, "[key]") if self._secret else text)[:MAX_MESSAGE_CHARS]


def openai_caller(connection: Connection, base_url: str) -> Caller:
    """Return a caller for OpenAI or for a server that is compatible with it."""
    import openai

    key = connection.api_key or NO_KEY
    client = openai.AsyncOpenAI(
        api_key=key,
        base_url=base_url,
        max_retries=0,
        timeout=time_limit(connection),
        http_client=http_client(openai, connection),
    )
    if connection.provider != "openai":
        # The SDK reads these from the environment. They are OpenAI's and must not be sent to other servers.
        client.organization = client.project = None
    return Caller(connection.provider, openai, client, key)


def time_limit(connection: Connection) -> httpx2.Timeout:
    """Return the time limits of a call. Connecting has a short one of its own, however long an answer may take."""
    import httpx2

    return httpx2.Timeout(connection.timeout, connect=min(connection.timeout, CONNECT_SECONDS))


def http_client(sdk: ModuleType, connection: Connection) -> httpx2.AsyncClient:
    """Return an HTTP client that keeps a connection for each call in flight and follows no redirects."""
    import httpx2

    if connection.http_client is not None:
        return connection.http_client
    calls = connection.concurrency
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=max(calls, KEEPALIVE_CONNECTIONS))
    fast = calls >= AIOHTTP_FROM_CALLS and all(find_spec(name) for name in ("aiohttp", "yarl"))
    make = sdk.DefaultAioHttpClient if fast else sdk.DefaultAsyncHttpxClient
    client: httpx2.AsyncClient = make(limits=limits, follow_redirects=False)
    return client


def was_not_sent(error: BaseException) -> bool:
    """Whether a call surely never reached the provider, and so cannot be billed."""
    raised = aiohttp_cause(error)
    names = NOT_SENT if raised is None else NOT_SENT_BY_AIOHTTP
    return any(kind.__name__ in names for kind in type(raised or error.__cause__ or error).__mro__)


def aiohttp_cause(error: BaseException | None) -> BaseException | None:
    """Return the exception that aiohttp raised, if its transport carried the call.

    The transport reports a broken connection as one that was never made or as a timeout, and a broken header not at all.
    """
    while error is not None and not type(error).__module__.startswith("aiohttp"):
        error = error.__cause__
    return error

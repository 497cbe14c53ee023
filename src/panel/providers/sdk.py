"""Calls through the SDKs of OpenAI and Anthropic, and the translation of their exceptions into panel's.

The same generator makes both SDKs, so their clients and exceptions have the same names. Their own retries are off.
"""

from __future__ import annotations

from abc import abstractmethod
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypedDict

from panel.core.completion import Completion
from panel.core.text import one_line
from panel.errors import ProviderError, ProviderTimeout, ProviderUnreachable
from panel.providers.base import Provider
from panel.providers.http_errors import MAX_MESSAGE_CHARS, error_of_status, json_object
from panel.providers.response_fields import label_of, rate_limits

if TYPE_CHECKING:
    from types import ModuleType

    import httpx2
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

    from panel.core.completion import FinishReason, Usage
    from panel.providers.base import Connection

ANSWER_NAME = "panel_answer"
"""Name of the answer's JSON schema in requests to OpenAI's APIs."""

NO_KEY = "not-needed"
"""Sent to servers without keys, because the SDK demands one."""

AIOHTTP_FROM_CALLS = 64
"""Calls in flight from which aiohttp's transport is faster than httpx2's (`bench/overhead.py`)."""

CONNECT_SECONDS = 10.0
"""Limit on connecting, however long an answer may take."""
KEEPALIVE_CONNECTIONS = 20

NOT_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError"}
"""httpx2's exceptions after which a call surely never reached the provider."""
NOT_SENT_BY_AIOHTTP = {"ClientConnectorError", "ConnectionTimeoutError", "ClientHttpProxyError", "InvalidURL"}


class Answer(TypedDict):
    """The parts of a completion that each API words in its own way."""

    text: str
    finish: FinishReason
    usage: Usage
    detail: str | None


class SdkProvider(Provider):
    """An adapter that makes its calls with an SDK, the module `openai` or `anthropic`.

    It posts a ready body and reads the answer itself. The SDKs' `create` walks through every value of a request to rename
    keys, which takes as long as the rest of a call (`bench/overhead.py`), and their `parse` loses the usage of an answer that
    does not validate. The API key is cut out of every message.
    """

    def __init__(
        self,
        connection: Connection,
        sdk: ModuleType,
        client_class: type[AsyncOpenAI | AsyncAnthropic],
        base_url: str,
    ) -> None:
        import httpx2

        self._sdk = sdk
        self._secret = connection.api_key or NO_KEY
        seconds = connection.timeout
        client = connection.http_client
        self._client = client_class(
            api_key=self._secret,
            base_url=base_url,
            max_retries=0,
            timeout=httpx2.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
            http_client=_http_client(sdk, connection.concurrency) if client is None else client,
        )

    @abstractmethod
    def read_answer(self, body: dict[str, Any]) -> Answer:
        """Return the parts of an answer of the API; raise a ProviderError if it holds none."""

    async def post(self, path: str, request: dict[str, Any]) -> Completion:
        """Make one call to a path below the API's base URL; raise the ProviderError that says how it failed."""
        import httpx2

        try:
            response = await self._client.post(path, body=request, cast_to=httpx2.Response)
        except Exception as error:
            raise self.translate(error) from error
        body = json_object(self.name, response.status_code, response.content, self._secret)
        return Completion(
            provider=self.name,
            model=label_of(body.get("model")) or request["model"],
            request_id=label_of(body.get("id")) or None,
            limits=rate_limits(response.headers),
            **self.read_answer(body),
        )

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
                self.name, response.status_code, error.body, response.headers, self._secret
            )
        raised = _aiohttp_cause(error)
        cause, not_sent = (raised, NOT_SENT_BY_AIOHTTP) if raised else (error.__cause__ or error, NOT_SENT)
        # A call that surely never reached the provider cannot be billed.
        lost = 0 if any(kind.__name__ in not_sent for kind in type(cause).__mro__) else 1
        if isinstance(raised or error, sdk.APITimeoutError | httpx2.TimeoutException | TimeoutError):
            return ProviderTimeout(f"{self.name} did not answer in time", lost_calls=lost)
        if raised or isinstance(error, sdk.APIConnectionError | httpx2.TransportError):
            detail = self._message(error.__cause__ or error)
            return ProviderUnreachable(f"{self.name} could not be reached: {detail}", lost_calls=lost)
        return ProviderError(f"{self.name} failed: {self._message(error)}", lost_calls=lost)

    def _message(self, error: BaseException) -> str:
        text = one_line(str(error)) or type(error).__name__
        return text.replace(self._secret, "[key]")[:MAX_MESSAGE_CHARS]


def _http_client(sdk: ModuleType, calls: int) -> httpx2.AsyncClient:
    """Return an HTTP client that keeps a connection for each call in flight and follows no redirects."""
    import httpx2

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=max(calls, KEEPALIVE_CONNECTIONS))
    fast = calls >= AIOHTTP_FROM_CALLS and all(find_spec(name) for name in ("aiohttp", "yarl"))
    make = sdk.DefaultAioHttpClient if fast else sdk.DefaultAsyncHttpxClient
    client: httpx2.AsyncClient = make(limits=limits, follow_redirects=False)
    return client


def _aiohttp_cause(error: BaseException | None) -> BaseException | None:
    """Return the exception that aiohttp raised, if its transport carried the call.

    The transport reports a broken connection as one that was never made or as a timeout, and a broken header not at all.
    """
    while error is not None and not type(error).__module__.startswith("aiohttp"):
        error = error.__cause__
    return error

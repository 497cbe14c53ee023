"""Whatever the SDKs, or the transports below them, can raise becomes one of panel's errors."""

from __future__ import annotations

import inspect
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion

from panel.errors import (
    ProviderBusy,
    ProviderDown,
    ProviderError,
    ProviderGarbled,
    ProviderTimeout,
    ProviderUnreachable,
)
from panel.providers import open_provider
from panel.providers.base import Connection
from panel.providers.sdk import SdkProvider
from vendor_forms import FORMS, KEY, MODEL

if TYPE_CHECKING:
    from types import ModuleType

    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt

SDKS: dict[str, tuple[ModuleType, type[Exception]]] = {
    "openai": (openai, openai.OpenAIError),
    "anthropic": (anthropic, anthropic.AnthropicError),
}
REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1/anything", headers={"authorization": f"Bearer {KEY}"})
MESSAGE = f"something went wrong with {KEY}"
BODY = {"error": {"message": MESSAGE, "type": "some_error"}}
COMPLETION = ChatCompletion(id="c", choices=[], created=0, model=MODEL, object="chat.completion")

DOWN = {401, 402, 403, 404}
BUSY = {408, 409, 429}
NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


def exported(module: ModuleType, base: type[Exception]) -> list[type[Exception]]:
    """Return the exception classes that a module offers by name."""
    offered = [getattr(module, name) for name in dir(module) if not name.startswith("_")]
    found = {kind for kind in offered if inspect.isclass(kind) and issubclass(kind, base)}
    return sorted(found, key=lambda kind: kind.__name__)


def instance(kind: type[Exception], status: int) -> Exception:
    """Build an exception; a parameter that is not known here is a KeyError, and so fails the test that asks."""
    known = {
        "message": MESSAGE,
        "request": REQUEST,
        "response": httpx2.Response(status, json=BODY, request=REQUEST),
        "body": BODY,
        "completion": COMPLETION,
        "unsent_messages": [MESSAGE],
    }
    _self, *needed = inspect.signature(kind.__init__).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in needed):
        return kind(MESSAGE)
    required = [parameter for parameter in needed if parameter.default is parameter.empty]
    positional = [known[p.name] for p in required if p.kind is p.POSITIONAL_OR_KEYWORD]
    named = {p.name: known[p.name] for p in required if p.kind is p.KEYWORD_ONLY}
    return kind(*positional, **named)


def status_of(kind: type[Exception]) -> int:
    """Return the status that a class of errors stands for; the classes for several stand for 500 and more."""
    status = getattr(kind, "status_code", 500)
    assert isinstance(status, int)
    return status


def of_sdk(provider: str) -> list[Any]:
    """Return the exception classes of an SDK as parameters."""
    return [
        pytest.param(provider, kind, id=f"{provider}-{kind.__name__}") for kind in exported(*SDKS[provider])
    ]


@cache
def adapter_of(provider: str) -> SdkProvider:
    """Return an adapter with a key that makes no calls."""
    adapter = open_provider(Connection(provider, "http://127.0.0.1", KEY))
    assert isinstance(adapter, SdkProvider)
    return adapter


def expected(status: int) -> type[ProviderError]:
    """Return the error of a status without a code, by the table in `docs/providers.md`."""
    if status in DOWN:
        return ProviderDown
    return ProviderBusy if status in BUSY or status >= 500 else ProviderError


def kind_of(provider: str, raised: Exception) -> type[ProviderError]:
    """Return the class of error that an exception becomes, after a look at its words."""
    error = adapter_of(provider).translate(raised)
    assert str(error).startswith(provider)
    assert KEY not in str(error)
    assert (error.attempts, error.lost_calls in {0, 1}) == (1, True)
    return type(error)


@pytest.mark.parametrize(("provider", "kind"), [*of_sdk("openai"), *of_sdk("anthropic")])
def test_every_exception_of_the_sdks_is_translated(provider: str, kind: type[Exception]) -> None:
    sdk, _ = SDKS[provider]
    found = kind_of(provider, instance(kind, status_of(kind)))
    if issubclass(kind, sdk.APIStatusError):
        assert found is expected(status_of(kind))
    elif issubclass(kind, sdk.APITimeoutError):
        assert found is ProviderTimeout
    elif issubclass(kind, sdk.APIConnectionError):
        assert found is ProviderUnreachable
    else:
        assert found is ProviderError


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("provider", SDKS)
@pytest.mark.parametrize("kind", exported(httpx2, Exception))
def test_every_exception_of_the_transport_is_translated(
    kind: type[Exception], provider: str, wrapped: bool
) -> None:
    raised = instance(kind, 500)
    timed_out = issubclass(kind, httpx2.TimeoutException)
    error = _wrapped(SDKS[provider][0], raised, timed_out) if wrapped else raised
    if timed_out:
        assert kind_of(provider, error) is ProviderTimeout
    elif wrapped or issubclass(kind, httpx2.TransportError):
        assert kind_of(provider, error) is ProviderUnreachable
    else:
        assert kind_of(provider, error) is ProviderError
    assert adapter_of(provider).translate(error).lost_calls == (0 if issubclass(kind, NOT_SENT) else 1)


def _wrapped(sdk: ModuleType, cause: Exception, timed_out: bool) -> Exception:
    made: Exception = sdk.APITimeoutError(REQUEST) if timed_out else sdk.APIConnectionError(request=REQUEST)
    made.__cause__ = cause
    return made


def test_no_exception_is_overlooked() -> None:
    found = {name: {kind.__name__ for kind in exported(*sdk)} for name, sdk in SDKS.items()}
    for names in found.values():
        assert {"APIStatusError", "APIConnectionError", "APITimeoutError", "RateLimitError"} <= names
    assert "OverloadedError" in found["anthropic"]
    assert "ReadTimeout" in {kind.__name__ for kind in exported(httpx2, Exception)}


@pytest.mark.anyio
@pytest.mark.parametrize("provider", FORMS)
async def test_every_status_but_200_is_an_error_of_its_kind(
    provider: str, prompt: Prompt, config: ModelConfig
) -> None:
    statuses = iter([*range(201, 209), *range(300, 309), *range(400, 600)])
    playing = 200

    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(
            playing, json=FORMS[provider].answer() if playing < 300 else {"message": MESSAGE}
        )

    client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    adapter = open_provider(Connection(provider, "http://127.0.0.1", KEY, http_client=client))
    for playing in statuses:
        with pytest.raises(ProviderError) as caught:
            await adapter.complete(prompt, config)
        assert type(caught.value) is (ProviderBusy if playing < 300 else expected(playing))
        assert str(playing) in str(caught.value)
        assert KEY not in str(caught.value)
    await adapter.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize("provider", FORMS)
@pytest.mark.parametrize("garbled", [{}, {"error": None}, {"hello": "world"}, [], 7, "text", None, True])
async def test_foreign_json_is_garbled(
    garbled: Any, provider: str, prompt: Prompt, config: ModelConfig
) -> None:
    client = httpx2.AsyncClient(
        transport=httpx2.MockTransport(lambda _request: httpx2.Response(200, content=json.dumps(garbled)))
    )
    adapter = open_provider(Connection(provider, "http://127.0.0.1", KEY, http_client=client))
    with pytest.raises(ProviderGarbled):
        await adapter.complete(prompt, config)
    await adapter.aclose()

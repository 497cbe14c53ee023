from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from panel.core.completion import FinishReason, Usage
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
from panel.providers.openai import responses_request
from panel.providers.openai_compatible import chat_request
from wire import Wire

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt

pytestmark = pytest.mark.anyio

KEY = "sk-EXAMPLE-000000"
USAGE = {
    "input_tokens": 900,
    "input_tokens_details": {"cached_tokens": 800, "cache_write_tokens": 20},
    "output_tokens": 210,
    "output_tokens_details": {"reasoning_tokens": 64},
    "total_tokens": 1110,
}


def answered(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    message = {
        "type": "message",
        "role": "assistant",
        "id": "m",
        "status": "completed",
        "content": list(parts),
    }
    reasoning = {"type": "reasoning", "id": "r", "summary": []}
    body = {
        "id": "resp_1",
        "object": "response",
        "created_at": 0,
        "model": "some-model-2026",
        "status": "completed",
    }
    return body | {"output": [reasoning, message], "usage": USAGE} | more


def text(content: str) -> dict[str, Any]:
    return {"type": "output_text", "text": content, "annotations": []}


def chosen(content: str | None, finish: str = "stop", **message: Any) -> dict[str, Any]:
    choice = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": content, **message},
    }
    usage = {"prompt_tokens": 50, "completion_tokens": 7, "total_tokens": 57}
    return {
        "id": "chat_1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }


def responses(wire: Wire) -> Any:
    return open_provider(Connection("openai", api_key=KEY, http_client=wire.client))


def chat(wire: Wire, base_url: str = "http://127.0.0.1:8080/v1") -> Any:
    return open_provider(Connection("openai-compatible", base_url=base_url, http_client=wire.client))


async def test_responses_request_carries_rules_listing_seat_and_schema(
    prompt: Prompt, config: ModelConfig
) -> None:
    wire = Wire(answered(text("{}")))
    await responses(wire).complete(prompt, config)
    assert wire.requests[0].url == "https://api.openai.com/v1/responses"
    assert wire.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert wire.sent["instructions"] == "RULES"
    assert wire.sent["input"] == "LISTING\nSEAT"
    assert wire.sent["text"]["verbosity"] == "low"
    assert wire.sent["text"]["format"]["schema"] == prompt.answer_schema
    assert wire.sent["text"]["format"]["strict"] is True
    assert wire.sent["max_output_tokens"] == 1_234
    assert wire.sent["prompt_cache_key"] == prompt.prefix_digest
    assert wire.sent["store"] is False


async def test_responses_answer_keeps_text_usage_model_and_request(
    prompt: Prompt, config: ModelConfig
) -> None:
    got = await responses(Wire(answered(text("one "), text("two")))).complete(prompt, config)
    assert (got.text, got.finish, got.model, got.request_id) == (
        "one two",
        FinishReason.COMPLETE,
        "some-model-2026",
        "resp_1",
    )
    assert got.usage == Usage(
        input_tokens=900, cached_tokens=800, cache_write_tokens=20, output_tokens=210, reasoning_tokens=64
    )


@pytest.mark.parametrize(
    ("body", "finish", "detail"),
    [
        (answered({"type": "refusal", "refusal": "I will not."}), FinishReason.REFUSED, "I will not."),
        (answered(text('{"ver'), status="incomplete", incomplete_details={"reason": "max_output_tokens"}), FinishReason.TRUNCATED, None),
        (answered(text(""), status="incomplete", incomplete_details={"reason": "content_filter"}), FinishReason.FILTERED, None),
        (answered(text(""), status="incomplete", incomplete_details={"reason": "steered"}), FinishReason.INTERRUPTED, None),
    ],
)  # fmt: skip
async def test_each_end_of_a_response_is_a_finish_reason(
    body: dict[str, Any], finish: FinishReason, detail: str | None, prompt: Prompt, config: ModelConfig
) -> None:
    got = await responses(Wire(body)).complete(prompt, config)
    assert (got.finish, got.detail) == (finish, detail)
    assert got.usage.output_tokens == 210


async def test_failed_response_fails_the_call_with_the_vendors_words(
    prompt: Prompt, config: ModelConfig
) -> None:
    body = answered(status="failed", error={"code": "server_error", "message": "It broke."})
    with pytest.raises(ProviderError, match=r"It broke\."):
        await responses(Wire(body)).complete(prompt, config)


async def test_chat_request_speaks_to_any_server(prompt: Prompt, config: ModelConfig) -> None:
    wire = Wire(chosen("{}"))
    await chat(wire).complete(prompt, config)
    assert wire.requests[0].url == "http://127.0.0.1:8080/v1/chat/completions"
    assert [message["content"] for message in wire.sent["messages"]] == ["RULES", "LISTING\nSEAT"]
    assert wire.sent["response_format"]["json_schema"]["schema"] == prompt.answer_schema
    assert wire.sent["seed"] == 0
    assert "provider" not in wire.sent


async def test_chat_asks_a_router_to_honour_the_schema(prompt: Prompt, config: ModelConfig) -> None:
    wire = Wire(chosen("{}"))
    await chat(wire, "https://openrouter.ai/api/v1").complete(prompt, config)
    assert wire.sent["provider"] == {"require_parameters": True}


@pytest.mark.parametrize(
    ("body", "finish"),
    [
        (chosen("text"), FinishReason.COMPLETE),
        (chosen("cut", "length"), FinishReason.TRUNCATED),
        (chosen("", "content_filter"), FinishReason.FILTERED),
        (chosen(None, refusal="No."), FinishReason.REFUSED),
        (chosen("x", "eos"), FinishReason.COMPLETE),
        (chosen("x", "a new reason"), FinishReason.INTERRUPTED),
        (chosen("", "model_context_window_exceeded"), FinishReason.TOO_LONG),
    ],
)
async def test_each_end_of_a_chat_completion_is_a_finish_reason(
    body: dict[str, Any], finish: FinishReason, prompt: Prompt, config: ModelConfig
) -> None:
    assert (await chat(Wire(body)).complete(prompt, config)).finish is finish


async def test_names_in_answers_are_cut_to_a_bounded_length(prompt: Prompt, config: ModelConfig) -> None:
    got = await chat(Wire(chosen("{}") | {"model": "m\n" * 500_000, "id": "i" * 1_000_000})).complete(
        prompt, config
    )
    assert len(got.model) <= 200
    assert "\n" not in got.model
    assert len(got.request_id or "") <= 200


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": "12", "completion_tokens": float("nan")}])
async def test_unknown_usage_is_none(usage: Any, prompt: Prompt, config: ModelConfig) -> None:
    body = json.dumps(chosen("{}") | {"usage": usage}).encode()
    wire = Wire(httpx2.Response(200, content=body, headers={"content-type": "application/json"}))
    assert (await chat(wire).complete(prompt, config)).usage == Usage()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx2.Response(401, json={"error": {"message": f"Incorrect API key: {KEY}", "code": "invalid_api_key"}}), ProviderDown),
        (httpx2.Response(404, json={"error": {"message": "No such model", "code": "model_not_found"}}), ProviderDown),
        (httpx2.Response(429, json={"error": {"message": "Quota", "code": "insufficient_quota"}}), ProviderDown),
        (httpx2.Response(429, json={"error": {"message": "Slow down"}}), ProviderBusy),
        (httpx2.Response(429, headers={"retry-after": "3600"}, json={}), ProviderDown),
        (httpx2.Response(503, text="<html>busy</html>"), ProviderBusy),
        (httpx2.Response(400, json={"error": {"message": "Bad"}}), ProviderError),
        (httpx2.Response(400, headers={"x-should-retry": "true"}, json={}), ProviderBusy),
        (httpx2.Response(429, headers={"x-should-retry": "false"}, json={}), ProviderError),
        (httpx2.Response(200, text="<html>login</html>"), ProviderGarbled),
        (httpx2.Response(200, content=b""), ProviderBusy),
        (httpx2.Response(200, json=[1]), ProviderGarbled),
        (httpx2.Response(200, content=b'{"a": "\xff"}'), ProviderGarbled),
        (httpx2.Response(200, json={"error": {"message": "overloaded"}}), ProviderBusy),
        (httpx2.Response(200, json={"choices": None}), ProviderGarbled),
        (httpx2.Response(302, headers={"location": "https://example.invalid/"}), ProviderError),
        (httpx2.ConnectError("refused"), ProviderUnreachable),
        (httpx2.ReadTimeout("slow"), ProviderTimeout),
    ],
)  # fmt: skip
async def test_each_fault_is_one_kind_of_error_after_one_request(
    answer: Any, error: type[ProviderError], prompt: Prompt, config: ModelConfig
) -> None:
    wire = Wire(answer)
    client = open_provider(
        Connection(
            "openai-compatible", base_url="http://127.0.0.1:1/v1", api_key=KEY, http_client=wire.client
        )
    )
    with pytest.raises(error) as caught:
        await client.complete(prompt, config)
    assert type(caught.value) is error
    assert len(wire.requests) == 1
    assert KEY not in str(caught.value)


async def test_byte_order_mark_is_accepted(prompt: Prompt, config: ModelConfig) -> None:
    wire = Wire(httpx2.Response(200, content=b"\xef\xbb\xbf" + json.dumps(chosen("ok")).encode()))
    assert (await chat(wire).complete(prompt, config)).text == "ok"


async def test_environment_does_not_redirect_calls(
    monkeypatch: pytest.MonkeyPatch, prompt: Prompt, config: ModelConfig
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://elsewhere.invalid/v1")
    wire = Wire(answered(text("{}")))
    await responses(wire).complete(prompt, config)
    assert wire.requests[0].url.host == "api.openai.com"


def test_key_is_not_in_the_connections_repr() -> None:
    assert KEY not in repr(Connection("openai", api_key=KEY))


REFUSED_PARTS = [
    ("Unrecognized request argument: response_format", {"response_format"}),
    ("json_schema is not enabled for this deployment", {"response_format"}),
    ("Unknown field: seed", {"seed"}),
]


@pytest.mark.parametrize(("complaint", "left_out"), REFUSED_PARTS)
@pytest.mark.parametrize("body", ["error", "detail"])
async def test_part_that_a_server_refuses_is_left_out_from_then_on(
    body: str, complaint: str, left_out: set[str], prompt: Prompt, config: ModelConfig
) -> None:
    said = {"error": {"message": complaint}} if body == "error" else {"detail": [{"msg": complaint}]}
    wire = Wire(httpx2.Response(422, json=said), chosen("{}"))
    provider = chat(wire)
    got = await provider.complete(prompt, config)
    everything, less = (set(json.loads(request.content)) for request in wire.requests)
    assert (everything - less, got.attempts) == (left_out, 2)
    await provider.complete(prompt, config)
    assert (len(wire.requests), set(wire.sent)) == (3, less)


async def test_parts_are_left_out_one_after_the_other_within_one_call(
    prompt: Prompt, config: ModelConfig
) -> None:
    complaints = ["response_format?", "seed?", "use max_completion_tokens"]
    refusals = [httpx2.Response(400, json={"error": {"message": text}}) for text in complaints]
    wire = Wire(*refusals, chosen("{}"))
    got = await chat(wire).complete(prompt, config)
    assert (got.attempts, set(wire.sent)) == (4, {"model", "messages", "max_completion_tokens"})


async def test_complaint_that_remains_ends_the_call(prompt: Prompt, config: ModelConfig) -> None:
    wire = Wire(httpx2.Response(400, json={"error": {"message": "seed: no"}}))
    with pytest.raises(ProviderError) as caught:
        await chat(wire).complete(prompt, config)
    assert (type(caught.value), caught.value.attempts, len(wire.requests)) == (ProviderError, 2, 2)


async def test_organisation_and_project_are_sent_to_openai_alone(
    prompt: Prompt, config: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-EXAMPLE")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-EXAMPLE")
    wire = Wire(chosen("{}"))
    await chat(wire).complete(prompt, config)
    assert "EXAMPLE" not in str(wire.requests[-1].headers)
    wire = Wire(answered(text("x")))
    await responses(wire).complete(prompt, config)
    assert wire.requests[-1].headers["openai-organization"] == "org-EXAMPLE"


@pytest.mark.parametrize("tokens", [10**400, -1, 1.5, "12", True])
async def test_absurd_usage_is_unknown(tokens: Any, prompt: Prompt, config: ModelConfig) -> None:
    body = json.dumps(chosen("{}") | {"usage": {"prompt_tokens": 5, "completion_tokens": tokens}}).encode()
    wire = Wire(httpx2.Response(200, content=body, headers={"content-type": "application/json"}))
    assert (await chat(wire).complete(prompt, config)).usage.output_tokens is None


async def test_no_part_of_the_key_is_left_in_a_shortened_message(prompt: Prompt, config: ModelConfig) -> None:
    for padding in range(2_960, 3_000):
        message = f"bad key:{' ' * padding}{KEY}"
        wire = Wire(httpx2.Response(401, json={"error": {"message": message}}))
        with pytest.raises(ProviderDown) as caught:
            await responses(wire).complete(prompt, config)
        assert KEY[:8] not in str(caught.value)


async def test_rate_limits_come_with_the_answer_and_are_not_stored(
    prompt: Prompt, config: ModelConfig
) -> None:
    headers = {"x-ratelimit-limit-requests": "500", "x-ratelimit-remaining-requests": "499"}
    wire = Wire(httpx2.Response(200, json=answered(text("x")), headers=headers))
    got = await responses(wire).complete(prompt, config)
    assert (got.limits.requests_per_minute, got.limits.requests_left) == (500, 499)
    assert "limits" not in got.model_dump()


def test_requests_hold_only_what_the_sdk_knows(prompt: Prompt, config: ModelConfig) -> None:
    from inspect import signature

    from openai.resources.chat import AsyncCompletions
    from openai.resources.responses import AsyncResponses

    assert set(responses_request(prompt, config)) <= set(signature(AsyncResponses.create).parameters)
    for unsupported in ((), ("max_tokens",)):
        request = chat_request(prompt, config, unsupported)
        assert set(request) <= set(signature(AsyncCompletions.create).parameters)

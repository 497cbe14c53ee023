from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
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
    SettingsError,
)
from panel.prompts.answer_json import ANSWER_SCHEMA
from panel.providers import open_provider
from panel.providers.anthropic import messages_request
from panel.providers.base import Connection
from wire import Wire

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt

pytestmark = pytest.mark.anyio

KEY = "sk-ant-EXAMPLE-000000"


def answered(*blocks: dict[str, Any], stop: str = "end_turn", **more: Any) -> dict[str, Any]:
    usage = {
        "input_tokens": 100,
        "cache_read_input_tokens": 700,
        "cache_creation_input_tokens": 50,
        "output_tokens": 210,
        "output_tokens_details": {"thinking_tokens": 30},
    }
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "some-model-2026",
        "stop_reason": stop,
    }
    return body | {"content": list(blocks), "usage": usage} | more


def text(content: str) -> dict[str, Any]:
    return {"type": "text", "text": content}


def provider(wire: Wire) -> Any:
    return open_provider(Connection("anthropic", api_key=KEY, http_client=wire.client))


async def test_request_carries_rules_listing_seat_and_schema(prompt: Prompt, config: ModelConfig) -> None:
    wire = Wire(answered(text("{}")))
    await provider(wire).complete(prompt, config)
    assert wire.requests[0].url == "https://api.anthropic.com/v1/messages"
    assert [block["text"] for block in wire.sent["system"]] == ["RULES"]
    assert [block["text"] for block in wire.sent["messages"][0]["content"]] == ["LISTING\n", "SEAT"]
    assert wire.sent["output_config"]["format"]["type"] == "json_schema"
    assert wire.sent["max_tokens"] == 1_234


def test_schema_equals_the_sdks_own_transformation(prompt: Prompt, config: ModelConfig) -> None:
    question = prompt.model_copy(update={"answer_schema": ANSWER_SCHEMA})
    sent = messages_request(question, config)["output_config"]["format"]["schema"]
    assert sent == anthropic.transform_schema(ANSWER_SCHEMA)


async def test_answer_joins_text_blocks_by_type(prompt: Prompt, config: ModelConfig) -> None:
    blocks = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        text("one "),
        {"type": "new"},
        text("two"),
    ]
    got = await provider(Wire(answered(*blocks))).complete(prompt, config)
    assert (got.text, got.finish, got.model, got.request_id) == (
        "one two",
        FinishReason.COMPLETE,
        "some-model-2026",
        "msg_1",
    )
    assert got.usage == Usage(
        input_tokens=850, cached_tokens=700, cache_write_tokens=50, output_tokens=210, reasoning_tokens=30
    )


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("max_tokens", FinishReason.TRUNCATED),
        ("model_context_window_exceeded", FinishReason.TOO_LONG),
        ("refusal", FinishReason.REFUSED),
        ("content_filter", FinishReason.FILTERED),
        ("pause_turn", FinishReason.INTERRUPTED),
    ],
)
async def test_each_end_of_a_message_is_a_finish_reason(
    stop: str, finish: FinishReason, prompt: Prompt, config: ModelConfig
) -> None:
    body = answered(text("part"), stop=stop, stop_details={"type": "refusal", "explanation": "Not this."})
    got = await provider(Wire(body)).complete(prompt, config)
    assert (got.finish, got.detail) == (finish, "Not this.")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx2.Response(401, json={"type": "error", "error": {"type": "authentication_error", "message": f"bad {KEY}"}}), ProviderDown),
        (httpx2.Response(429, json={"type": "error", "error": {"type": "rate_limit_error", "error_code": "enforced_spend_limit_reached", "message": "m"}}), ProviderDown),
        (httpx2.Response(429, headers={"retry-after": "2"}, json={"type": "error", "error": {"type": "rate_limit_error", "message": "m"}}), ProviderBusy),
        (httpx2.Response(529, json={"type": "error", "error": {"type": "overloaded_error", "message": "m"}}), ProviderBusy),
        (httpx2.Response(400, json={"type": "error", "error": {"type": "invalid_request_error", "message": "m"}}), ProviderError),
        (httpx2.Response(200, json={"type": "error", "error": {"message": "m"}}), ProviderBusy),
        (httpx2.Response(200, json={"content": None, "stop_reason": "end_turn"}), ProviderGarbled),
        (httpx2.Response(200, content=b"null"), ProviderGarbled),
        (httpx2.ConnectError("refused"), ProviderUnreachable),
        (httpx2.ReadTimeout("slow"), ProviderTimeout),
    ],
)  # fmt: skip
async def test_each_fault_is_one_kind_of_error_after_one_request(
    answer: Any, error: type[ProviderError], prompt: Prompt, config: ModelConfig
) -> None:
    wire = Wire(answer)
    with pytest.raises(error) as caught:
        await provider(wire).complete(prompt, config)
    assert type(caught.value) is error
    assert len(wire.requests) == 1
    assert KEY not in str(caught.value)


def test_missing_key_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="ANTHROPIC_API_KEY"):
        open_provider(Connection("anthropic"))


async def test_caching_sets_one_breakpoint_after_the_listing(prompt: Prompt, config: ModelConfig) -> None:
    wire = Wire(answered(text("x")))
    cached = open_provider(Connection("anthropic", api_key=KEY, http_client=wire.client, cache=True))
    await cached.complete(prompt, config)
    [shared, own] = wire.sent["messages"][0]["content"]
    assert shared == {
        "type": "text",
        "text": "LISTING\n",
        "cache_control": {"type": "ephemeral", "ttl": "5m"},
    }
    assert own == {"type": "text", "text": "SEAT"}
    await provider(wire).complete(prompt, config)
    assert "cache_control" not in str(wire.sent)


async def test_empty_refusal_is_a_refusal(prompt: Prompt, config: ModelConfig) -> None:
    got = await provider(Wire(answered(stop="refusal"))).complete(prompt, config)
    assert (got.text, got.finish) == ("", FinishReason.REFUSED)


def test_request_holds_only_what_the_sdk_knows(prompt: Prompt, config: ModelConfig) -> None:
    from inspect import signature

    from anthropic.resources.messages import AsyncMessages

    assert set(messages_request(prompt, config)) <= set(signature(AsyncMessages.create).parameters)

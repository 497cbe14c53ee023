"""The provider `anthropic`: Anthropic's Messages API.

`messages_request` and `messages_completion` are pure: prompt to request, answer to completion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.core.completion import Completion, FinishReason, Usage
from panel.errors import ProviderGarbled
from panel.providers.base import Provider
from panel.providers.json_fields import count, label_of, mapping, mappings, text_of
from panel.providers.registry import PriceSource, ProviderSpec
from panel.providers.sdk import Caller, http_client, time_limit

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Connection

VENDOR_URL = "https://api.anthropic.com"

_FINISH = {
    "end_turn": FinishReason.COMPLETE,
    "stop_sequence": FinishReason.COMPLETE,
    "max_tokens": FinishReason.TRUNCATED,
    "model_context_window_exceeded": FinishReason.TOO_LONG,
    "refusal": FinishReason.REFUSED,
    "content_filter": FinishReason.FILTERED,
}


class MessagesProvider(Provider):
    """Adapter to the Messages API."""

    name = "anthropic"

    def __init__(self, connection: Connection) -> None:
        import anthropic

        key = connection.api_key or ""
        client = anthropic.AsyncAnthropic(
            api_key=key,
            base_url=connection.base_url or VENDOR_URL,
            max_retries=0,
            timeout=time_limit(connection),
            http_client=http_client(anthropic, connection),
        )
        self._caller = Caller(self.name, anthropic, client, key)
        self._cache = connection.cache

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        answer = await self._caller.post("/v1/messages", messages_request(prompt, config, cache=self._cache))
        completion = messages_completion(answer.body, config.model)
        return completion.model_copy(update={"limits": answer.limits})

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()


def messages_request(prompt: Prompt, config: ModelConfig, *, cache: bool = False) -> dict[str, Any]:
    """Return the body of a request, as `messages.create` takes it.

    `cache` keeps the prompt up to the end of the listing for five minutes. Writing to the cache costs more than reading
    anew, so it pays only if another seat reads it, which none can before the first answer begins.
    """
    shared: dict[str, Any] = {"type": "text", "text": prompt.shared}
    if cache:
        shared["cache_control"] = {"type": "ephemeral", "ttl": "5m"}
    return {
        "model": config.model,
        "max_tokens": config.max_output_tokens,
        "system": [{"type": "text", "text": prompt.system}],
        "messages": [
            {
                "role": "user",
                "content": [shared, {"type": "text", "text": prompt.own}],
            }
        ],
        "output_config": {
            "format": {"type": "json_schema", "schema": _schema(prompt.answer_schema)},
            "effort": config.effort.value,
        },
    }


def messages_completion(body: dict[str, Any], model: str) -> Completion:
    """Return the completion in an answer of the Messages API: its text blocks, whatever stands between them.

    Raises:
        ProviderGarbled: there is no content, and no reason for that.
    """
    finish = _FINISH.get(text_of(body.get("stop_reason")), FinishReason.INTERRUPTED)
    blocks = mappings(body, "content")
    if not blocks and finish in {FinishReason.COMPLETE, FinishReason.INTERRUPTED}:
        raise ProviderGarbled("anthropic answered without content", lost_calls=1)
    return Completion(
        text="".join(text_of(block.get("text")) for block in blocks if block.get("type") == "text"),
        finish=finish,
        provider=MessagesProvider.name,
        model=label_of(body.get("model")) or model,
        usage=_usage(mapping(body, "usage")),
        request_id=label_of(body.get("id")) or None,
        detail=text_of(mapping(body, "stop_details").get("explanation")) or None,
    )


def _usage(usage: dict[str, Any]) -> Usage:
    read = count(usage.get("cache_read_input_tokens")) or 0
    written = count(usage.get("cache_creation_input_tokens")) or 0
    fresh = count(usage.get("input_tokens"))
    thinking = mapping(usage, "output_tokens_details").get("thinking_tokens")
    return Usage(
        input_tokens=None if fresh is None else fresh + read + written,
        cached_tokens=read,
        cache_write_tokens=written,
        output_tokens=count(usage.get("output_tokens")),
        reasoning_tokens=count(thinking),
    )


def _schema(value: Any) -> Any:  # noqa: ANN401 - any part of a JSON schema
    """Drop `type` beside `enum`, as `anthropic.transform_schema` does."""
    if isinstance(value, dict):
        return {key: _schema(item) for key, item in value.items() if key != "type" or "enum" not in value}
    return [_schema(item) for item in value] if isinstance(value, list) else value


SPEC = ProviderSpec(
    name=MessagesProvider.name,
    open=MessagesProvider,
    prices=PriceSource.VENDOR,
    default_model="claude-sonnet-5-5",
    key_variable="ANTHROPIC_API_KEY",
    key_required=True,
    url_variable="ANTHROPIC_BASE_URL",
    preference=2,
)

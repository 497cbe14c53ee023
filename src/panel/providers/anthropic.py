"""The provider `anthropic`: Anthropic's Messages API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.core.completion import FinishReason, Usage
from panel.errors import ProviderGarbled
from panel.providers.base import PriceSource, PromptCache, ProviderSpec
from panel.providers.response_fields import mapping, mappings, text_of, token_count
from panel.providers.sdk import Answer, SdkProvider

if TYPE_CHECKING:
    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Connection

VENDOR_URL = "https://api.anthropic.com"

_FINISH_REASONS = {
    "end_turn": FinishReason.COMPLETE,
    "stop_sequence": FinishReason.COMPLETE,
    "max_tokens": FinishReason.TRUNCATED,
    "model_context_window_exceeded": FinishReason.TOO_LONG,
    "refusal": FinishReason.REFUSED,
    "content_filter": FinishReason.FILTERED,
}


class MessagesProvider(SdkProvider):
    """Adapter to the Messages API."""

    name = "anthropic"

    def __init__(self, connection: Connection) -> None:
        import anthropic

        super().__init__(connection, anthropic, anthropic.AsyncAnthropic, connection.base_url or VENDOR_URL)
        self._cache = connection.cache

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        return await self.post("/v1/messages", messages_request(prompt, config, cache=self._cache))

    def read_answer(self, body: dict[str, Any]) -> Answer:
        """Return the parts of an answer: its text blocks, and not those between them; see `SdkProvider.read_answer`."""
        finish = _FINISH_REASONS.get(text_of(body.get("stop_reason")), FinishReason.INTERRUPTED)
        blocks = mappings(body, "content")
        if not blocks and finish in {FinishReason.COMPLETE, FinishReason.INTERRUPTED}:
            raise ProviderGarbled("anthropic answered without content", lost_calls=1)
        return {
            "text": "".join(text_of(block.get("text")) for block in blocks if block.get("type") == "text"),
            "finish": finish,
            "usage": _usage(mapping(body, "usage")),
            "detail": text_of(mapping(body, "stop_details").get("explanation")) or None,
        }


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
        "messages": [{"role": "user", "content": [shared, {"type": "text", "text": prompt.own}]}],
        "output_config": {
            "format": {"type": "json_schema", "schema": _schema(prompt.answer_schema)},
            "effort": config.effort.value,
        },
    }


def _usage(usage: dict[str, Any]) -> Usage:
    read = token_count(usage.get("cache_read_input_tokens")) or 0
    written = token_count(usage.get("cache_creation_input_tokens")) or 0
    fresh = token_count(usage.get("input_tokens"))
    return Usage(
        input_tokens=None if fresh is None else fresh + read + written,
        cached_tokens=read,
        cache_write_tokens=written,
        output_tokens=token_count(usage.get("output_tokens")),
        reasoning_tokens=token_count(mapping(usage, "output_tokens_details").get("thinking_tokens")),
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
    prompt_cache=PromptCache.ON_REQUEST,
    preference=2,
)

"""The provider `openai`: OpenAI's Responses API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.core.completion import FinishReason, Usage
from panel.errors import ProviderGarbled
from panel.providers.base import PriceSource, PromptCache, ProviderSpec
from panel.providers.http_errors import error_of_body
from panel.providers.response_fields import mapping, mappings, text_of, token_count
from panel.providers.sdk import ANSWER_NAME, Answer, SdkProvider

if TYPE_CHECKING:
    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Connection

VENDOR_URL = "https://api.openai.com/v1"

_INCOMPLETE = {"max_output_tokens": FinishReason.TRUNCATED, "content_filter": FinishReason.FILTERED}


class ResponsesProvider(SdkProvider):
    """Adapter to the Responses API."""

    name = "openai"

    def __init__(self, connection: Connection) -> None:
        import openai

        super().__init__(connection, openai, openai.AsyncOpenAI, connection.base_url or VENDOR_URL)

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        return await self.post("/responses", responses_request(prompt, config))

    def read_answer(self, body: dict[str, Any]) -> Answer:
        """Return the parts of an answer; see `SdkProvider.read_answer`."""
        if body.get("status") in {"failed", "cancelled"}:
            raise error_of_body(self.name, body)
        finish, output = FinishReason.COMPLETE, body.get("output")
        if body.get("status") != "completed":
            reason = text_of(mapping(body, "incomplete_details").get("reason"))
            finish = _INCOMPLETE.get(reason, FinishReason.INTERRUPTED)
        if not isinstance(output, list) or (finish is FinishReason.COMPLETE and not output):
            raise ProviderGarbled("openai answered without an output", lost_calls=1)
        parts = [part for item in mappings(body, "output") for part in mappings(item, "content")]
        refusal = "".join(text_of(part.get("refusal")) for part in parts if part.get("type") == "refusal")
        return {
            "text": "".join(text_of(part.get("text")) for part in parts if part.get("type") == "output_text"),
            "finish": FinishReason.REFUSED if refusal else finish,
            "usage": _usage(mapping(body, "usage")),
            "detail": refusal or None,
        }


def responses_request(prompt: Prompt, config: ModelConfig) -> dict[str, Any]:
    """Return the body of a request, as `responses.create` takes it."""
    answer = {"type": "json_schema", "name": ANSWER_NAME, "strict": True, "schema": prompt.answer_schema}
    return {
        "model": config.model,
        "instructions": prompt.system,
        "input": prompt.user,
        "text": {"format": answer, "verbosity": config.verbosity.value},
        "reasoning": {"effort": config.effort.value},
        "max_output_tokens": config.max_output_tokens,
        "prompt_cache_key": prompt.prefix_digest,
        "store": False,
    }


def _usage(usage: dict[str, Any]) -> Usage:
    read, written = mapping(usage, "input_tokens_details"), mapping(usage, "output_tokens_details")
    return Usage(
        input_tokens=token_count(usage.get("input_tokens")),
        cached_tokens=token_count(read.get("cached_tokens")),
        cache_write_tokens=token_count(read.get("cache_write_tokens")),
        output_tokens=token_count(usage.get("output_tokens")),
        reasoning_tokens=token_count(written.get("reasoning_tokens")),
    )


SPEC = ProviderSpec(
    name=ResponsesProvider.name,
    open=ResponsesProvider,
    prices=PriceSource.VENDOR,
    default_model="gpt-6.1-terra",
    key_variable="OPENAI_API_KEY",
    key_required=True,
    url_variable="OPENAI_BASE_URL",
    prompt_cache=PromptCache.AUTOMATIC,
    preference=1,
)

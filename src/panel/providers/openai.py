"""The provider `openai`: OpenAI's Responses API.

`responses_request` and `responses_completion` are pure: prompt to request, answer to completion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.core.completion import Completion, FinishReason, Usage
from panel.errors import ProviderGarbled
from panel.providers.base import Provider
from panel.providers.http_errors import error_of_body
from panel.providers.json_fields import count, label_of, mapping, mappings, text_of
from panel.providers.registry import PriceSource, ProviderSpec
from panel.providers.sdk import ANSWER_NAME, openai_caller

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Connection

VENDOR_URL = "https://api.openai.com/v1"

_INCOMPLETE = {"max_output_tokens": FinishReason.TRUNCATED, "content_filter": FinishReason.FILTERED}


class ResponsesProvider(Provider):
    """Adapter to the Responses API."""

    name = "openai"

    def __init__(self, connection: Connection) -> None:
        self._caller = openai_caller(connection, connection.base_url or VENDOR_URL)

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        answer = await self._caller.post("/responses", responses_request(prompt, config))
        completion = responses_completion(answer.body, config.model)
        return completion.model_copy(update={"limits": answer.limits})

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()


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


def responses_completion(body: dict[str, Any], model: str) -> Completion:
    """Return the completion in an answer of the Responses API.

    Raises:
        ProviderError: the answer says that the call failed, or has no output.
    """
    if body.get("status") in {"failed", "cancelled"}:
        raise error_of_body(ResponsesProvider.name, body)
    finish, output = _finish(body), body.get("output")
    if not isinstance(output, list) or (finish is FinishReason.COMPLETE and not output):
        raise ProviderGarbled("openai answered without an output", lost_calls=1)
    parts = [part for item in mappings(body, "output") for part in mappings(item, "content")]
    refusal = "".join(text_of(part.get("refusal")) for part in parts if part.get("type") == "refusal")
    return Completion(
        text="".join(text_of(part.get("text")) for part in parts if part.get("type") == "output_text"),
        finish=FinishReason.REFUSED if refusal else finish,
        provider=ResponsesProvider.name,
        model=label_of(body.get("model")) or model,
        usage=_usage(mapping(body, "usage")),
        request_id=label_of(body.get("id")) or None,
        detail=refusal or None,
    )


def _finish(body: dict[str, Any]) -> FinishReason:
    if body.get("status") == "completed":
        return FinishReason.COMPLETE
    reason = text_of(mapping(body, "incomplete_details").get("reason"))
    return _INCOMPLETE.get(reason, FinishReason.INTERRUPTED)


def _usage(usage: dict[str, Any]) -> Usage:
    read, written = mapping(usage, "input_tokens_details"), mapping(usage, "output_tokens_details")
    return Usage(
        input_tokens=count(usage.get("input_tokens")),
        cached_tokens=count(read.get("cached_tokens")),
        cache_write_tokens=count(read.get("cache_write_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        reasoning_tokens=count(written.get("reasoning_tokens")),
    )


SPEC = ProviderSpec(
    name=ResponsesProvider.name,
    open=ResponsesProvider,
    prices=PriceSource.VENDOR,
    default_model="gpt-6.1-terra",
    key_variable="OPENAI_API_KEY",
    key_required=True,
    url_variable="OPENAI_BASE_URL",
    preference=1,
)

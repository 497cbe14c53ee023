"""Anthropic's Messages API.

A pair of pure functions, prompt to request and answer to completion, and a shell around them. `create` is used and never
`parse`, which loses the usage of a reply that does not validate (seen with anthropic 2.12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.domain.completion import Completion, Finish, Usage
from panel.errors import ProviderBusy, ProviderError, ProviderTimeout
from panel.providers.base import Provider
from panel.providers.faults import fault_of_status, json_object
from panel.providers.wire import count, label_of, mapping, mappings, text_of

if TYPE_CHECKING:
    from panel.domain.completion import ModelConfig
    from panel.domain.prompt import Prompt
    from panel.providers import Connection

VENDOR_URL = "https://api.anthropic.com"

_FINISH = {
    "max_tokens": Finish.TRUNCATED,
    "model_context_window_exceeded": Finish.TRUNCATED,
    "refusal": Finish.REFUSED,
    "content_filter": Finish.FILTERED,
}


class MessagesProvider(Provider):
    """Anthropic, over the Messages API."""

    name = "anthropic"

    def __init__(self, connection: Connection) -> None:
        import anthropic

        self._sdk = anthropic
        self._key = connection.api_key or ""
        self._client = anthropic.AsyncAnthropic(
            api_key=self._key,
            base_url=connection.base_url or VENDOR_URL,
            max_retries=0,
            timeout=connection.timeout,
            http_client=connection.http_client or anthropic.DefaultAsyncHttpxClient(follow_redirects=False),
        )

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        return messages_completion(await self._call(messages_request(prompt, config)), config.model)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _call(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            raw = await self._client.messages.with_raw_response.create(**request)
        except self._sdk.APITimeoutError as error:
            raise ProviderTimeout("anthropic did not answer in time") from error
        except self._sdk.APIConnectionError as error:
            raise ProviderBusy(f"anthropic could not be reached: {error.__cause__ or error}") from error
        except self._sdk.APIStatusError as error:
            headers = error.response.headers
            raise fault_of_status(self.name, error.status_code, error.body, headers, self._key) from error
        except self._sdk.AnthropicError as error:
            raise ProviderError(f"anthropic failed: {error}") from error
        return json_object(self.name, raw.http_response.status_code, raw.http_response.content)


def messages_request(prompt: Prompt, config: ModelConfig) -> dict[str, Any]:
    """Return the keyword arguments of `messages.create`."""
    return {
        "model": config.model,
        "max_tokens": config.max_output_tokens,
        "system": [{"type": "text", "text": prompt.system}],
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": prompt.shared}, {"type": "text", "text": prompt.own}],
            }
        ],
        "output_config": {
            "format": {"type": "json_schema", "schema": _schema(prompt.answer_schema)},
            "effort": config.effort.value,
        },
    }


def messages_completion(body: dict[str, Any], model: str) -> Completion:
    """Read an answer of the Messages API: its text blocks, chosen by type.

    Raises:
        ProviderBusy: the vendor sent an error under the status of a success.
    """
    if body.get("type") == "error" or not isinstance(body.get("content"), list):
        error = mapping(body, "error").get("message")
        raise ProviderBusy(f"anthropic answered without content: {label_of(error) or 'no explanation'}")
    blocks = [block for block in mappings(body, "content") if block.get("type") == "text"]
    return Completion(
        text="".join(text_of(block.get("text")) for block in blocks),
        finish=_FINISH.get(text_of(body.get("stop_reason")), Finish.COMPLETE),
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

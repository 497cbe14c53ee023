"""OpenAI's Responses API, and the chat completions that many other servers offer in its image.

Each provider is a thin shell around a pair of pure functions: prompt to request, answer to completion. `create` is used and
never `parse`, which loses the usage of a reply that does not validate (seen with openai 3.54).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.domain.completion import Completion, Finish, Usage
from panel.errors import ProviderBusy, ProviderError, ProviderTimeout
from panel.providers.base import Provider
from panel.providers.faults import fault_of_status, json_object
from panel.providers.wire import count, label_of, mapping, mappings, text_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from panel.domain.completion import ModelConfig
    from panel.domain.prompt import Prompt
    from panel.providers import Connection

VENDOR_URL = "https://api.openai.com/v1"
ANSWER_NAME = "panel_answer"
NO_KEY = "not-needed"


class ResponsesProvider(Provider):
    """OpenAI itself, over the Responses API."""

    name = "openai"

    def __init__(self, connection: Connection) -> None:
        self._api = _Api(self.name, connection, connection.base_url or VENDOR_URL)

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        client = self._api.client
        body = await self._api.call(
            client.responses.with_raw_response.create, responses_request(prompt, config)
        )
        return responses_completion(body, config.model)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api.client.close()


class ChatProvider(Provider):
    """Any server that speaks OpenAI's chat completions: llama.cpp, Ollama, vLLM, OpenRouter and others."""

    name = "openai-compatible"

    def __init__(self, connection: Connection) -> None:
        self._base_url = connection.base_url or ""
        self._api = _Api(self.name, connection, self._base_url)

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        client = self._api.client
        request = chat_request(prompt, config, strict_routing="openrouter.ai" in self._base_url)
        body = await self._api.call(client.chat.completions.with_raw_response.create, request)
        return chat_completion(body, config.model)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api.client.close()


def responses_request(prompt: Prompt, config: ModelConfig) -> dict[str, Any]:
    """Return the keyword arguments of `responses.create`."""
    answer = {"type": "json_schema", "name": ANSWER_NAME, "strict": True, "schema": prompt.answer_schema}
    return {
        "model": config.model,
        "instructions": prompt.system,
        "input": prompt.user,
        "text": {"format": answer},
        "reasoning": {"effort": config.effort.value},
        "max_output_tokens": config.max_output_tokens,
        "prompt_cache_key": prompt.prefix_digest,
        "store": False,
    }


def responses_completion(body: dict[str, Any], model: str) -> Completion:
    """Read an answer of the Responses API.

    Raises:
        ProviderError: the vendor reports that the call failed.
    """
    if body.get("status") == "failed":
        raise ProviderError(
            f"openai failed: {label_of(mapping(body, 'error').get('message')) or 'no explanation'}"
        )
    parts = [part for item in mappings(body, "output") for part in mappings(item, "content")]
    refusal = "".join(text_of(part.get("refusal")) for part in parts if part.get("type") == "refusal")
    return Completion(
        text="".join(text_of(part.get("text")) for part in parts if part.get("type") == "output_text"),
        finish=Finish.REFUSED if refusal else _responses_finish(body),
        provider=ResponsesProvider.name,
        model=label_of(body.get("model")) or model,
        usage=_responses_usage(mapping(body, "usage")),
        request_id=label_of(body.get("id")) or None,
        detail=refusal or None,
    )


def chat_request(prompt: Prompt, config: ModelConfig, *, strict_routing: bool = False) -> dict[str, Any]:
    """Return the keyword arguments of `chat.completions.create`.

    Args:
        prompt: what is asked.
        config: whom and how.
        strict_routing: ask a router to use only hosts that honour the schema.
    """
    schema = {"name": ANSWER_NAME, "strict": True, "schema": prompt.answer_schema}
    request: dict[str, Any] = {
        "model": config.model,
        "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
        "response_format": {"type": "json_schema", "json_schema": schema},
        "max_tokens": config.max_output_tokens,
        "seed": config.seed,
    }
    return request | ({"extra_body": {"provider": {"require_parameters": True}}} if strict_routing else {})


def chat_completion(body: dict[str, Any], model: str) -> Completion:
    """Read a chat completion.

    Raises:
        ProviderBusy: the server sent an error, or no choice, under the status of a success.
    """
    choices = mappings(body, "choices")
    if not choices:
        error = mapping(body, "error").get("message")
        raise ProviderBusy(
            f"openai-compatible answered without a choice: {label_of(error) or 'no explanation'}"
        )
    message = mapping(choices[0], "message")
    refusal = text_of(message.get("refusal"))
    return Completion(
        text=text_of(message.get("content")),
        finish=Finish.REFUSED if refusal else _chat_finish(choices[0].get("finish_reason")),
        provider=ChatProvider.name,
        model=label_of(body.get("model")) or model,
        usage=_chat_usage(mapping(body, "usage")),
        request_id=label_of(body.get("id")) or None,
        detail=refusal or None,
    )


def _responses_finish(body: dict[str, Any]) -> Finish:
    if body.get("status") != "incomplete":
        return Finish.COMPLETE
    reason = mapping(body, "incomplete_details").get("reason")
    return Finish.FILTERED if reason == "content_filter" else Finish.TRUNCATED


def _chat_finish(reason: object) -> Finish:
    return {"length": Finish.TRUNCATED, "content_filter": Finish.FILTERED}.get(str(reason), Finish.COMPLETE)


def _responses_usage(usage: dict[str, Any]) -> Usage:
    read, written = mapping(usage, "input_tokens_details"), mapping(usage, "output_tokens_details")
    return Usage(
        input_tokens=count(usage.get("input_tokens")),
        cached_tokens=count(read.get("cached_tokens")),
        cache_write_tokens=count(read.get("cache_write_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        reasoning_tokens=count(written.get("reasoning_tokens")),
    )


def _chat_usage(usage: dict[str, Any]) -> Usage:
    read, written = mapping(usage, "prompt_tokens_details"), mapping(usage, "completion_tokens_details")
    return Usage(
        input_tokens=count(usage.get("prompt_tokens")),
        cached_tokens=count(read.get("cached_tokens")),
        output_tokens=count(usage.get("completion_tokens")),
        reasoning_tokens=count(written.get("reasoning_tokens")),
    )


class _Api:
    """One client of the SDK, and the one place where its exceptions become panel's."""

    def __init__(self, name: str, connection: Connection, base_url: str) -> None:
        import openai

        self._sdk = openai
        self._name = name
        self._key = key = connection.api_key or NO_KEY
        self.client: AsyncOpenAI = openai.AsyncOpenAI(
            api_key=key,
            base_url=base_url,
            max_retries=0,
            timeout=connection.timeout,
            http_client=connection.http_client or openai.DefaultAsyncHttpx2Client(follow_redirects=False),
        )

    async def call(self, create: Any, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - an SDK method
        try:
            raw = await create(**request)
        except self._sdk.APITimeoutError as error:
            raise ProviderTimeout(f"{self._name} did not answer in time") from error
        except self._sdk.APIConnectionError as error:
            raise ProviderBusy(f"{self._name} could not be reached: {error.__cause__ or error}") from error
        except self._sdk.APIStatusError as error:
            headers = error.response.headers
            raise fault_of_status(self._name, error.status_code, error.body, headers, self._key) from error
        except self._sdk.OpenAIError as error:
            raise ProviderError(f"{self._name} failed: {error}") from error
        return json_object(self._name, raw.http_response.status_code, raw.http_response.content)

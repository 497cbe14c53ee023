"""The provider `openai-compatible`: servers with OpenAI's chat completions, such as llama.cpp, Ollama, vLLM, OpenRouter or Azure.

Servers support different parts of a request. The first one uses all of them; a part that a server complains about is left
out from then on. The reply parser checks every reply, so nothing is lost without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.core.completion import FinishReason, Usage
from panel.errors import ProviderError, ProviderGarbled, SettingsError
from panel.providers.base import PriceSource, ProviderSpec
from panel.providers.response_fields import mapping, mappings, text_of, token_count
from panel.providers.sdk import ANSWER_NAME, Answer, SdkProvider

if TYPE_CHECKING:
    from collections.abc import Container

    from openai import AsyncOpenAI

    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Connection

ROUTER = "openrouter.ai"

_FINISH_REASONS = {
    "": FinishReason.COMPLETE,
    "stop": FinishReason.COMPLETE,
    "eos": FinishReason.COMPLETE,
    "end_turn": FinishReason.COMPLETE,
    "stop_sequence": FinishReason.COMPLETE,
    "length": FinishReason.TRUNCATED,
    "max_tokens": FinishReason.TRUNCATED,
    "content_filter": FinishReason.FILTERED,
    "refusal": FinishReason.REFUSED,
    "model_context_window_exceeded": FinishReason.TOO_LONG,
}


PARTS = {
    "schema": ("response_format", "json_schema", "structured output"),
    "max_tokens": ("max_completion_tokens",),
    "seed": ("seed",),
}
"""Parts of a request that some servers refuse, with words of their complaints. A server that refuses `max_tokens` takes its new name."""


class ChatProvider(SdkProvider):
    """Adapter to one server's chat completions."""

    name = "openai-compatible"
    _client: AsyncOpenAI

    def __init__(self, connection: Connection) -> None:
        import openai

        base_url = connection.base_url or ""
        super().__init__(connection, openai, openai.AsyncOpenAI, base_url)
        # The SDK reads these from the environment. They are OpenAI's and must not be sent to other servers.
        self._client.organization = self._client.project = None
        self._is_router = ROUTER in base_url
        self._unsupported: frozenset[str] = frozenset()

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`.

        A request that was refused for one of its parts is not paid for, and each part can be left out only once.
        """
        refused = 0
        while True:
            unsupported = self._unsupported
            request = chat_request(prompt, config, unsupported)
            if self._is_router:  # only hosts that honour every part
                request["provider"] = {"require_parameters": True}
            try:
                completion = await self.post("/chat/completions", request)
            except ProviderError as error:
                refused += 1
                error.attempts = refused
                complaint = str(error)
                part = next(
                    (part for part, words in PARTS.items() if any(word in complaint for word in words)), None
                )
                if type(error) is not ProviderError or part is None or part in unsupported:
                    raise
                self._unsupported |= {part}
            else:
                return completion.model_copy(update={"attempts": 1 + refused})

    def read_answer(self, body: dict[str, Any]) -> Answer:
        """Return the parts of an answer; see `SdkProvider.read_answer`."""
        choices = mappings(body, "choices")
        if not choices:
            raise ProviderGarbled("openai-compatible answered without a choice", lost_calls=1)
        message = mapping(choices[0], "message")
        refusal = text_of(message.get("refusal"))
        reason = choices[0].get("finish_reason")
        finish = _FINISH_REASONS.get("" if reason is None else str(reason), FinishReason.INTERRUPTED)
        return {
            "text": text_of(message.get("content")),
            "finish": FinishReason.REFUSED if refusal else finish,
            "usage": _usage(mapping(body, "usage")),
            "detail": refusal or None,
        }


def chat_request(
    prompt: Prompt, config: ModelConfig, unsupported: Container[str] = frozenset()
) -> dict[str, Any]:
    """Return the body of a request, as `chat.completions.create` takes it, without unsupported `PARTS`."""
    limit = "max_completion_tokens" if "max_tokens" in unsupported else "max_tokens"
    request: dict[str, Any] = {
        "model": config.model,
        "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
        limit: config.max_output_tokens,
    }
    if "schema" not in unsupported:
        schema = {"name": ANSWER_NAME, "strict": True, "schema": prompt.answer_schema}
        request["response_format"] = {"type": "json_schema", "json_schema": schema}
    if "seed" not in unsupported:
        request["seed"] = config.seed
    return request


def _usage(usage: dict[str, Any]) -> Usage:
    read, written = mapping(usage, "prompt_tokens_details"), mapping(usage, "completion_tokens_details")
    return Usage(
        input_tokens=token_count(usage.get("prompt_tokens")),
        cached_tokens=token_count(read.get("cached_tokens")),
        output_tokens=token_count(usage.get("completion_tokens")),
        reasoning_tokens=token_count(written.get("reasoning_tokens")),
    )


def _check(connection: Connection) -> None:
    if not connection.base_url:
        raise SettingsError(
            "--model openai-compatible:NAME needs --base-url, such as http://127.0.0.1:8080/v1"
        )


SPEC = ProviderSpec(
    name=ChatProvider.name,
    open=ChatProvider,
    check=_check,
    prices=PriceSource.BY_ADDRESS,
    key_variable="PANEL_API_KEY",
)

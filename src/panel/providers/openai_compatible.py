"""The provider `openai-compatible`: servers with OpenAI's chat completions, such as llama.cpp, Ollama, vLLM, OpenRouter or Azure.

Servers support different parts of a request. The first one uses all of them; a part that a server complains about is left
out from then on. The reply parser checks every reply, so nothing is lost without them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from panel.core.completion import FinishReason, Usage
from panel.errors import ProviderError, ProviderGarbled, SettingsError
from panel.providers.base import PriceSource, ProviderSpec
from panel.providers.response_fields import mapping, mappings, text_of, token_count
from panel.providers.sdk import ANSWER_NAME, Answer, SdkProvider

if TYPE_CHECKING:
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


@dataclass(frozen=True, slots=True)
class Dialect:
    """The parts of a request that a server supports.

    With `new_limit` the output limit has its new name, `max_completion_tokens`; `strict_routing` tells a router to use only hosts
    that honour every part.
    """

    schema: bool = True
    seed: bool = True
    new_limit: bool = False
    strict_routing: bool = False

    def without(self, complaint: str) -> Dialect:
        """Return the dialect without the part that an error message names; the same one if it names none."""
        if any(word in complaint for word in ("response_format", "json_schema", "structured output")):
            return replace(self, schema=False)
        if "max_completion_tokens" in complaint:
            return replace(self, new_limit=True)
        return replace(self, seed=False) if "seed" in complaint else self


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
        self._dialect = Dialect(strict_routing=ROUTER in base_url)

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`.

        A request that was refused for one of its parts is not paid for, and each part can be left out only once.
        """
        refused = 0
        while True:
            dialect = self._dialect
            try:
                completion = await self.post("/chat/completions", chat_request(prompt, config, dialect))
            except ProviderError as error:
                refused += 1
                error.attempts = refused
                if type(error) is not ProviderError or dialect.without(str(error)) == dialect:
                    raise
                self._dialect = self._dialect.without(str(error))
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


def chat_request(prompt: Prompt, config: ModelConfig, dialect: Dialect) -> dict[str, Any]:
    """Return the body of a request, as `chat.completions.create` takes it."""
    request: dict[str, Any] = {
        "model": config.model,
        "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
        "max_completion_tokens" if dialect.new_limit else "max_tokens": config.max_output_tokens,
    }
    if dialect.schema:
        schema = {"name": ANSWER_NAME, "strict": True, "schema": prompt.answer_schema}
        request["response_format"] = {"type": "json_schema", "json_schema": schema}
    if dialect.seed:
        request["seed"] = config.seed
    if dialect.strict_routing:
        request["provider"] = {"require_parameters": True}
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

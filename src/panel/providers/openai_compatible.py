"""The provider `openai-compatible`: servers with OpenAI's chat completions, such as llama.cpp, Ollama, vLLM, OpenRouter or Azure.

Servers support different parts of a request. The first one uses all of them; a part that a server complains about is left
out from then on. The reply parser checks every reply, so nothing is lost without them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from panel.core.completion import Completion, FinishReason, Usage
from panel.errors import ProviderError, ProviderGarbled, SettingsError
from panel.providers.base import Provider
from panel.providers.json_fields import count, label_of, mapping, mappings, text_of
from panel.providers.registry import PriceSource, ProviderSpec
from panel.providers.sdk import ANSWER_NAME, openai_caller

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Connection

ROUTER = "openrouter.ai"

_FINISH = {
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

    Attributes:
        schema: JSON schema of the answer.
        seed: sampling seed.
        new_limit: the output limit under its new name, `max_completion_tokens`.
        strict_routing: tell a router to use only hosts that honour every part.
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


class ChatProvider(Provider):
    """Adapter to one server's chat completions."""

    name = "openai-compatible"

    def __init__(self, connection: Connection) -> None:
        base_url = connection.base_url or ""
        self._caller = openai_caller(connection, base_url)
        self._dialect = Dialect(strict_routing=ROUTER in base_url)

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        refused = 0
        while True:
            dialect = self._dialect
            try:
                answer = await self._caller.post("/chat/completions", chat_request(prompt, config, dialect))
            except ProviderError as error:
                refused += 1
                error.attempts = refused
                if not self._learns(error, dialect):
                    raise
                continue
            completion = chat_completion(answer.body, config.model)
            return completion.model_copy(update={"limits": answer.limits, "attempts": 1 + refused})

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()

    def _learns(self, error: ProviderError, used: Dialect) -> bool:
        """Leave out the part that the server complains about; return whether to make the call again.

        A request that was refused for what it asks is not paid for, and each part can be left out only once.
        """
        if type(error) is not ProviderError or used.without(str(error)) == used:
            return False
        self._dialect = self._dialect.without(str(error))
        return True


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


def chat_completion(body: dict[str, Any], model: str) -> Completion:
    """Return the completion in an answer of the chat completions API.

    Raises:
        ProviderGarbled: there is no choice.
    """
    choices = mappings(body, "choices")
    if not choices:
        raise ProviderGarbled("openai-compatible answered without a choice", lost_calls=1)
    choice = choices[0]
    message = mapping(choice, "message")
    refusal = text_of(message.get("refusal"))
    return Completion(
        text=text_of(message.get("content")),
        finish=FinishReason.REFUSED if refusal else _finish(choice.get("finish_reason")),
        provider=ChatProvider.name,
        model=label_of(body.get("model")) or model,
        usage=_usage(mapping(body, "usage")),
        request_id=label_of(body.get("id")) or None,
        detail=refusal or None,
    )


def _finish(reason: object) -> FinishReason:
    return FinishReason.COMPLETE if reason is None else _FINISH.get(str(reason), FinishReason.INTERRUPTED)


def _usage(usage: dict[str, Any]) -> Usage:
    read, written = mapping(usage, "prompt_tokens_details"), mapping(usage, "completion_tokens_details")
    return Usage(
        input_tokens=count(usage.get("prompt_tokens")),
        cached_tokens=count(read.get("cached_tokens")),
        output_tokens=count(usage.get("completion_tokens")),
        reasoning_tokens=count(written.get("reasoning_tokens")),
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

"""Any server that speaks OpenAI's chat completions: llama.cpp, Ollama, vLLM, OpenRouter, Azure and others.

They differ in what they understand. The first request asks for everything; when a server complains about a part of it, that
part is left out from then on, and the reply is held against the rules here, as every reply is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from panel.core.completion import Completion, Finish, Usage
from panel.errors import ProviderError, ProviderGarbled
from panel.providers.base import Provider
from panel.providers.json_fields import count, label_of, mapping, mappings, text_of
from panel.providers.openai_client import ANSWER_NAME, caller
from panel.providers.probabilities import probabilities_of

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers import Connection

ALTERNATIVES = 20
"""Likeliest tokens to be told at each place; the most that these servers tell."""

ROUTER = "openrouter.ai"

_FINISH = {
    "": Finish.COMPLETE,
    "stop": Finish.COMPLETE,
    "eos": Finish.COMPLETE,
    "end_turn": Finish.COMPLETE,
    "stop_sequence": Finish.COMPLETE,
    "length": Finish.TRUNCATED,
    "max_tokens": Finish.TRUNCATED,
    "content_filter": Finish.FILTERED,
    "refusal": Finish.REFUSED,
    "model_context_window_exceeded": Finish.TOO_LONG,
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a server understands of a request.

    Attributes:
        schema: the JSON schema of the answer.
        logprobs: that the likeliest tokens are to be told.
        seed: a seed.
        new_limit: the limit on what is written under its new name, `max_completion_tokens`.
        strict_routing: that a router is to use only hosts that honour all of it.
    """

    schema: bool = True
    logprobs: bool = True
    seed: bool = True
    new_limit: bool = False
    strict_routing: bool = False

    def without(self, complaint: str) -> Dialect:
        """Return the dialect that leaves out what a server complains about; the same one if that is nothing in here."""
        if "logprobs" in complaint:
            return replace(self, logprobs=False)
        if any(word in complaint for word in ("response_format", "json_schema", "structured output")):
            return replace(self, schema=False)
        if "max_completion_tokens" in complaint:
            return replace(self, new_limit=True)
        return replace(self, seed=False) if "seed" in complaint else self


class ChatProvider(Provider):
    """A server that speaks OpenAI's chat completions."""

    name = "openai-compatible"

    def __init__(self, connection: Connection) -> None:
        base_url = connection.base_url or ""
        self._caller = caller(connection, base_url)
        routed = ROUTER in base_url
        self._dialect = Dialect(logprobs=connection.logprobs and not routed, strict_routing=routed)

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
        """Ask for less from now on if that is what the server wants; return whether the call is worth making again.

        A request that was refused for what it asks is not paid for, and each part can be left out only once.
        """
        if type(error) is not ProviderError or used.without(str(error)) == used:
            return False
        self._dialect = self._dialect.without(str(error))
        return True


def chat_request(prompt: Prompt, config: ModelConfig, dialect: Dialect) -> dict[str, Any]:
    """Return the body of a request: what `chat.completions.create` takes."""
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
    if dialect.logprobs:
        request |= {"logprobs": True, "top_logprobs": ALTERNATIVES}
    if dialect.strict_routing:
        request["provider"] = {"require_parameters": True}
    return request


def chat_completion(body: dict[str, Any], model: str) -> Completion:
    """Read a chat completion.

    Raises:
        ProviderGarbled: the server sent no choice.
    """
    choices = mappings(body, "choices")
    if not choices:
        raise ProviderGarbled("openai-compatible answered without a choice", lost_calls=1)
    choice = choices[0]
    message = mapping(choice, "message")
    refusal = text_of(message.get("refusal"))
    text = text_of(message.get("content"))
    return Completion(
        text=text,
        finish=Finish.REFUSED if refusal else _finish(choice.get("finish_reason")),
        provider=ChatProvider.name,
        model=label_of(body.get("model")) or model,
        usage=_usage(mapping(body, "usage")),
        request_id=label_of(body.get("id")) or None,
        detail=refusal or None,
        probabilities=probabilities_of(text, mappings(mapping(choice, "logprobs"), "content")),
    )


def _finish(reason: object) -> Finish:
    return Finish.COMPLETE if reason is None else _FINISH.get(str(reason), Finish.INTERRUPTED)


def _usage(usage: dict[str, Any]) -> Usage:
    read, written = mapping(usage, "prompt_tokens_details"), mapping(usage, "completion_tokens_details")
    return Usage(
        input_tokens=count(usage.get("prompt_tokens")),
        cached_tokens=count(read.get("cached_tokens")),
        output_tokens=count(usage.get("completion_tokens")),
        reasoning_tokens=count(written.get("reasoning_tokens")),
    )

"""The provider `mock`: answers without a model, a network or a price, for trying panel out and for tests.

On the command line the model's name picks the behaviour: `mock:mixed` gives takes that differ from seat to seat, `mock:ship` and
`mock:skip` give one verdict, and `mock:recused`, `mock:refused`, `mock:invalid` and `mock:down` fail in that way. The same prompt
always gets the same answer. Each take says that it is a mock, and quotes the listing. In tests a script decides on each call.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from panel.core.completion import Completion, FinishReason, Usage
from panel.core.prompt import estimate_tokens
from panel.errors import ProviderDown
from panel.providers.base import PriceSource, Provider, ProviderSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt

    Script = Callable[[Prompt], Any] | Mapping[str, Iterable[Any]] | Iterable[Any]

DEFAULT = "mixed"
BEHAVIOURS = (DEFAULT, "ship", "skip", "recused", "refused", "invalid", "down")

SHIP_SCORES = range(50, 91)
SKIP_SCORES = range(10, 50)
LONGEST_QUOTE = 120
FEWEST_QUOTED_WORDS = 3
LONG_WORD = 16
LONG_FOREIGN_WORD = 4
"""Characters from which a word may have been split by the listing's mark, so that its sentence cannot be quoted."""
_FIELD = re.compile(r'^(?:description|tagline|name): (".*")$', re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


class MockProvider(Provider):
    """Answers from a script; without one, as the model's name says.

    A script is a list of steps, one for each call; or lists of steps by the label of the prompt; or a function from prompt to
    step. After the last step of a single list, mock takes follow; a list by label must not run out. A step is

    - a text, which becomes the model's reply, or a `Completion`,
    - an exception, which is raised,
    - an awaitable, whose result is the step; or an `asyncio.Event`, which is waited for before a mock take,
    - None, for a mock take.

    `asked` holds prompt and configuration of each call in order, and a vendor's `name` makes the vendor's prices apply.
    """

    name = "mock"

    def __init__(self, script: Script | None = None, *, name: str = name) -> None:
        self.name = name
        self.asked: list[tuple[Prompt, ModelConfig]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.closed = False
        self._next_step = None if script is None else _stepper(script)

    @property
    def calls(self) -> int:
        """The number of calls."""
        return len(self.asked)

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        self.asked.append((prompt, config))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)  # other calls may begin, as they would over a network
            step = self._next_step(prompt) if self._next_step else _behaviour(config.model, prompt)
            if isinstance(step, asyncio.Event):
                await step.wait()
                step = None
            if isawaitable(step):
                step = await step
        finally:
            self.in_flight -= 1
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Completion):
            return step
        text = mock_reply(prompt, config.seed) if step is None else str(step)
        usage = Usage(input_tokens=prompt.estimated_tokens, output_tokens=estimate_tokens(text))
        return Completion(
            text=text, finish=FinishReason.COMPLETE, provider=self.name, model=config.model, usage=usage
        )

    async def aclose(self) -> None:
        """Remember that the provider was closed."""
        self.closed = True


def mock_reply(prompt: Prompt, seed: int = 0, verdict: str | None = None) -> str:
    """Return a JSON reply with a take that quotes the listing; without a verdict, the prompt's label decides on one."""
    number = int.from_bytes(hashlib.sha256(f"{seed}:{prompt.label}".encode()).digest()[:4], "big")
    verdict = verdict or ("ship" if number % 2 else "skip")
    scores = SHIP_SCORES if verdict == "ship" else SKIP_SCORES
    quotes = _quotes(prompt, number)
    excerpt = f" One passage of the listing reads: “{quotes[0]}”" if quotes else ""
    fields = {
        "recusal": None,
        "evidence": quotes,
        "reasoning": "Mock reply: the score is computed from the name of the seat.",
        "take": f"This is a mock take: no model has read the listing, and the score means nothing.{excerpt}",
        "score": scores[number % len(scores)],
        "verdict": verdict,
    }
    return json.dumps(fields, ensure_ascii=False)


def _behaviour(model: str, prompt: Prompt) -> Any:  # noqa: ANN401 - a step
    """Return the step that a model's name stands for."""
    match model:
        case "ship" | "skip":
            return mock_reply(prompt, verdict=model)
        case "recused":
            recusal = {"recusal": "This is a mock recusal.", "evidence": []}
            return json.dumps(recusal | dict.fromkeys(("take", "score", "verdict")))
        case "refused":
            usage = Usage.lost(0)
            return Completion(text="", finish=FinishReason.REFUSED, provider="mock", model=model, usage=usage)
        case "invalid":
            return "This is a mock reply without a JSON object."
        case "down":
            return ProviderDown("mock is down, as its name says")
        case _:
            return None


def _stepper(script: Script) -> Callable[[Prompt], Any]:
    """Return a function that gives the next step for a prompt."""
    if callable(script):
        return script
    if not isinstance(script, Mapping):
        steps = iter(script)
        return lambda _prompt: next(steps, None)
    lists = {label: iter(steps) for label, steps in script.items()}

    def step_of_label(prompt: Prompt) -> Any:  # noqa: ANN401 - a step
        try:
            return next(lists[prompt.label])
        except (KeyError, StopIteration):
            raise LookupError(f"the script has no step left for {prompt.label}") from None

    return step_of_label


def _quotes(prompt: Prompt, number: int) -> list[str]:
    """Return up to two sentences of the listing, word for word; a number chooses them."""
    for value in reversed(_FIELD.findall(prompt.shared)):
        text = json.loads(value)
        if prompt.mark:
            text = text.replace(prompt.mark, " ")
        sentences = (" ".join(part.split()) for part in _SENTENCE_END.split(text))
        fit = [sentence for sentence in sentences if _can_be_quoted(sentence)]
        if fit:
            first = number % len(fit)
            return [*fit[first:], *fit[:first]][:2]
    return []


def _can_be_quoted(sentence: str) -> bool:
    words = sentence.split()
    whole = all(len(word) < (LONG_WORD if word.isascii() else LONG_FOREIGN_WORD) for word in words)
    return len(sentence) <= LONGEST_QUOTE and len(words) >= FEWEST_QUOTED_WORDS and whole


SPEC = ProviderSpec(
    name=MockProvider.name,
    open=lambda _connection: MockProvider(),
    prices=PriceSource.FREE,
    default_model=DEFAULT,
    models=BEHAVIOURS,
)

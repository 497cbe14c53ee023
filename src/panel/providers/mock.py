"""The provider `mock`: answers without a model, a network or a price, for trying panel out.

The model's name picks the behaviour: `mock:mixed` gives takes that differ from seat to seat, `mock:ship` and `mock:skip` give one
verdict, and `mock:recused`, `mock:refused`, `mock:invalid` and `mock:down` fail in that way. The same prompt always gets the same
answer. Each take says that it is a mock, and quotes the listing.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from panel.core.completion import Completion, FinishReason, Usage
from panel.core.prompt import estimate_tokens
from panel.errors import ProviderDown
from panel.providers.base import PriceSource, Provider, ProviderSpec

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt

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
_NO_TAKE = dict.fromkeys(("take", "score", "verdict"))


class MockProvider(Provider):
    """Answers as the model's name says."""

    name = "mock"

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        finish, usage = FinishReason.COMPLETE, None
        match config.model:
            case "down":
                raise ProviderDown("mock is down, as its name says")
            case "refused":
                text, finish, usage = "", FinishReason.REFUSED, Usage.lost(0)
            case "recused":
                text = json.dumps({"recusal": "This is a mock recusal.", "evidence": []} | _NO_TAKE)
            case "invalid":
                text = "This is a mock reply without a JSON object."
            case "ship" | "skip" as verdict:
                text = mock_reply(prompt, verdict=verdict)
            case _:
                text = mock_reply(prompt, config.seed)
        usage = usage or Usage(input_tokens=prompt.estimated_tokens, output_tokens=estimate_tokens(text))
        return Completion(text=text, finish=finish, provider=self.name, model=config.model, usage=usage)


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

"""Whether to ask one seat of each panel first, so that the others read what all share from the provider's cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from panel.core.money import dollars
from panel.core.prompt import estimate_tokens

if TYPE_CHECKING:
    from panel.core.prompt import Prompt
    from panel.providers.prices import Rates

FEWEST_CACHED_TOKENS = 1_024
"""Shorter beginnings are not kept: OpenAI's documented minimum, and about the middle of what is said of Anthropic's models."""

ANSWER_SECONDS = 8.0
"""How long one seat that is asked alone keeps the others waiting: a whole answer of a mid-sized model at low effort, since answers
are not streamed."""

USD_PER_SECOND_WAITED = 0.01
"""What a second of an editor's waiting is worth: $36 an hour, the median wage of editors in the United States (Bureau of Labor
Statistics, Occupational Outlook Handbook, 2023)."""

ENOUGH_TO_DO = 2
"""Seats in a run for each call in flight from which other tools fill the wait for the first seat of a panel."""

_ON_THIS_MACHINE = {
    "local": "the embedded model reads what the seats share only once in any case",
    "replay": "answers come from files",
}


@dataclass(frozen=True, slots=True)
class CachePlan:
    """Whether one seat of each panel is asked first, so that the others read what all share from the provider's cache.

    Attributes:
        warm: whether it is.
        saving_usd: what that saves, or would save, for each tool, in US dollars; None if it is unknown.
        wait_seconds: how much longer a panel takes for it.
        why: one sentence with the figures.
    """

    warm: bool
    saving_usd: float | None
    wait_seconds: float
    why: str


def shared_tokens(prompt: Prompt) -> int:
    """Return about how many tokens of a prompt are the same for all seats of a panel."""
    return estimate_tokens(prompt.system) + estimate_tokens(prompt.shared)


def plan_cache(  # noqa: PLR0913 - each is a fact of its own, and none belongs to another
    setting: Literal["auto", "warm", "off"],
    provider: str,
    rates: Rates | None,
    *,
    shared_tokens: int,
    seats: int,
    tools: int,
    concurrency: int,
    wait_seconds: float = ANSWER_SECONDS,
) -> CachePlan:
    """Decide whether to ask one seat of each panel first.

    A cache can be read only once the answer that fills it has begun, so seats that are asked at once all pay in full. Asked first,
    one seat pays for keeping what all share, and the others read it at a fraction of its price.

    Args:
        setting: `warm` and `off` decide; `auto` leaves it to the figures.
        provider: who answers.
        rates: the model's prices, or None if they are unknown.
        shared_tokens: tokens that all seats of a panel share.
        seats: seats of a panel that ask this model.
        tools: tools of the run.
        concurrency: calls in flight at most.
        wait_seconds: how long a whole answer takes.
    """
    never = _never(provider, shared_tokens, seats)
    if never is not None:
        return CachePlan(warm=False, saving_usd=None, wait_seconds=0.0, why=f"off: {never}")
    saving = _saving(rates, shared_tokens, seats)
    wait = 0.0 if tools * seats >= ENOUGH_TO_DO * concurrency else wait_seconds
    worth_it = saving is not None and saving > wait * USD_PER_SECOND_WAITED
    if setting == "warm" or (setting == "auto" and worth_it):
        why = f"warm: one seat is asked first; {_effect(rates, shared_tokens, seats)} {_for(wait)}"
        return CachePlan(warm=True, saving_usd=saving, wait_seconds=wait, why=why)
    why = "off, as it was set" if setting == "off" else f"off: {_refusal(saving, wait)}"
    return CachePlan(warm=False, saving_usd=saving, wait_seconds=0.0, why=why)


def _never(provider: str, shared: int, seats: int) -> str | None:
    """Return why it is pointless to ask one seat first, or None if it may be worth it."""
    if provider in _ON_THIS_MACHINE:
        return _ON_THIS_MACHINE[provider]
    if seats <= 1:
        return "no other seat would read what the first one puts into the cache"
    if shared < FEWEST_CACHED_TOKENS:
        return f"the seats share {shared:,} tokens, and caches keep nothing below {FEWEST_CACHED_TOKENS:,}"
    return None


def _saving(rates: Rates | None, shared: int, seats: int) -> float | None:
    """Return what a panel saves in US dollars if one seat fills the cache and the others read it.

    Where a provider also charges for keeping what nobody reads, it saves more than that.
    """
    if rates is None or rates.input is None or rates.cache_read is None:
        return None
    write = rates.input if rates.cache_write is None else rates.cache_write
    return shared * (seats * rates.input - write - (seats - 1) * rates.cache_read)


def _effect(rates: Rates | None, shared: int, seats: int) -> str:
    others = "other then reads" if seats == 2 else f"other {seats - 1} then read"  # noqa: PLR2004 - the first and one more
    reading = f"the {others} {shared:,} tokens from the cache"
    saving = _saving(rates, shared, seats)
    if saving is None or rates is None or not rates.input:
        return f"{reading}, which saves an unknown amount,"
    if saving <= 0:
        return f"{reading}, which costs {dollars(-saving)} a panel more than it saves,"
    percent = 100 * saving / (seats * shared * rates.input)
    return f"{reading}, which saves {dollars(saving)} a panel ({percent:.0f} % of what they cost anew)"


def _for(wait: float) -> str:
    return (
        f"for about {wait:g} s more wait" if wait else "and takes no longer, since other tools fill the wait"
    )


def _refusal(saving: float | None, wait: float) -> str:
    """Return why the figures speak against asking one seat first."""
    if saving is None:
        return "what it would save to ask one seat first is unknown, because a price is"
    if saving <= 0:
        return "to keep what the seats share would cost more than it saves"
    return (
        f"to ask one seat first would save {dollars(saving)} a panel for about {wait:g} s more wait, "
        f"which is worth it from {dollars(wait * USD_PER_SECOND_WAITED)} on"
    )

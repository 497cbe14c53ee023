"""What a provider's headers say about its rate limits."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from panel.core.completion import RateLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPENAI = ("x-ratelimit-{what}-requests", ("x-ratelimit-{what}-tokens",))
_ANTHROPIC = (
    "anthropic-ratelimit-requests-{what}",
    ("anthropic-ratelimit-tokens-{what}", "anthropic-ratelimit-input-tokens-{what}"),
)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s|$)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
MAX_DIGITS = 15
MAX_CHARS = 64
"""Longer than any moment or time span; to look at more would take a time that grows with its square."""


def limits_of(headers: Mapping[str, str]) -> RateLimits | None:
    """Return the limits that an answer's headers state, in OpenAI's or in Anthropic's form; None if they state none."""
    for requests, tokens in (_OPENAI, _ANTHROPIC):
        named = next((name for name in tokens if name.format(what="remaining") in headers), tokens[0])
        if requests.format(what="remaining") in headers or named.format(what="remaining") in headers:
            return RateLimits(
                requests_per_minute=_number(headers, requests.format(what="limit")),
                requests_left=_number(headers, requests.format(what="remaining")),
                requests_reset=_seconds(headers, requests.format(what="reset")),
                tokens_per_minute=_number(headers, named.format(what="limit")),
                tokens_left=_number(headers, named.format(what="remaining")),
                tokens_reset=_seconds(headers, named.format(what="reset")),
            )
    return None


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS else None


def _seconds(headers: Mapping[str, str], name: str) -> float | None:
    """Return a time span such as `6m0s` or, from Azure, `55`, or the time until an RFC 3339 moment by the answer's own date."""
    value = headers.get(name, "")
    if len(value) > MAX_CHARS:
        return None
    parts = _PART.findall(value)
    if parts and "".join(number + unit for number, unit in parts) == value:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - _date(headers)).total_seconds())


def _date(headers: Mapping[str, str]) -> datetime:
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(headers.get("date", "")[:MAX_CHARS])
    except (ValueError, OverflowError):
        return datetime.now(UTC)
    return date if date.tzinfo else date.replace(tzinfo=UTC)

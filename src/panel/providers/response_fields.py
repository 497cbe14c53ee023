"""Readers of fields in vendors' responses, whose shape is not trusted: JSON values, rate limits, and how long to wait."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from panel.core.completion import RateLimits
from panel.core.text import one_line, well_formed

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LABEL_CHARS = 200
MOST_TOKENS = 10**9
MAX_DIGITS = 15
MAX_CHARS = 64
"""Longer than any date or time span. To parse longer texts takes time that grows with the square of their length."""

_OPENAI = ("x-ratelimit-{}-requests", ("x-ratelimit-{}-tokens",))
_ANTHROPIC = (
    "anthropic-ratelimit-requests-{}",
    ("anthropic-ratelimit-tokens-{}", "anthropic-ratelimit-input-tokens-{}"),
)
_SPAN_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s|$)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


def mapping(value: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the object at a key, or an empty one."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def mappings(value: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the objects in the list at a key."""
    found = value.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text_of(value: object) -> str:
    """Return a text that can be stored as UTF-8, or an empty one for anything else."""
    return well_formed(value) if isinstance(value, str) else ""


def label_of(value: object) -> str:
    """Return a name or an identifier on one line, cut to a bounded length."""
    return one_line(text_of(value)[:MAX_LABEL_CHARS])


def token_count(value: object) -> int | None:
    """Return a number of tokens, or None for anything else."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= MOST_TOKENS else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a response asks to wait; None if it states none or a value without meaning.

    Both forms of RFC 9110 are read, a number and a date, and the vendors' own `retry-after-ms`.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        if math.isfinite(wait) and wait >= 0:
            return wait
    until = _http_date(headers.get("retry-after", ""))
    return None if until is None else _seconds_until(until, headers)


def rate_limits(headers: Mapping[str, str]) -> RateLimits | None:
    """Return the rate limits in a response's headers, in OpenAI's or Anthropic's form; None if it states none."""
    for requests, token_names in (_OPENAI, _ANTHROPIC):
        tokens = next((name for name in token_names if name.format("remaining") in headers), token_names[0])
        if requests.format("remaining") in headers or tokens.format("remaining") in headers:
            return RateLimits(
                requests_per_minute=_number(headers, requests.format("limit")),
                requests_left=_number(headers, requests.format("remaining")),
                requests_reset=_reset(headers, requests.format("reset")),
                tokens_per_minute=_number(headers, tokens.format("limit")),
                tokens_left=_number(headers, tokens.format("remaining")),
                tokens_reset=_reset(headers, tokens.format("reset")),
            )
    return None


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS else None


def _reset(headers: Mapping[str, str], name: str) -> float | None:
    """Return the seconds in a time span such as `6m0s` or, from Azure, `55`, or until an RFC 3339 moment."""
    value = headers.get(name, "")
    if len(value) > MAX_CHARS:
        return None
    parts = _SPAN_PART.findall(value)
    if parts and "".join(number + unit for number, unit in parts) == value:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return None if moment.tzinfo is None else _seconds_until(moment, headers)


def _seconds_until(moment: datetime, headers: Mapping[str, str]) -> float:
    """Return the seconds to a moment by the server's own clock, or by this machine's if the server does not tell."""
    now = _http_date(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (moment - now).total_seconds())


def _http_date(value: str) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value[:MAX_CHARS])
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

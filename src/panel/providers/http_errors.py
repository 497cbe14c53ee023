"""Translation of a vendor's HTTP response into its JSON object or a ProviderError: one table of rules for all hosted providers.

The rules follow the vendors' documentation and the behaviour of their SDKs under faults. A wrong key, an empty account and an
unknown model fail every call; a limit, an overload and a lost connection pass; everything else concerns one call.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from panel.core.text import one_line
from panel.errors import ProviderBusy, ProviderDown, ProviderError, ProviderGarbled
from panel.providers.response_fields import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_RETRY_AFTER = 120.0
"""Seconds. A provider that asks for a longer wait is treated as down."""
MAX_MESSAGE_CHARS = 300


@dataclass(frozen=True, slots=True)
class Rule:
    """The error and the advice for a status, or for an error code that contains one of some words."""

    error: type[ProviderError]
    advice: str
    status: int | None = None
    code_words: tuple[str, ...] = ()


RULES = (
    Rule(
        ProviderDown,
        "the account's limit is reached; raise it, then run the same command again",
        code_words=("insufficient_quota", "spend_limit_reached", "billing", "credit_balance"),
    ),
    Rule(ProviderDown, "the key was not accepted", 401),
    Rule(ProviderDown, "the account cannot pay", 402),
    Rule(ProviderDown, "the key may not use this model", 403),
    Rule(ProviderDown, "the model or the address is unknown", 404),
)
"""The first rule that fits decides, before `retry-after` and the rules for passing errors."""

_BUSY = {408, 409, 429}
_TOO_MANY = {429, 529}
_STATUS_OF_TYPE = {
    "authentication_error": 401,
    "invalid_api_key": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "invalid_request_error": 400,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "overloaded_error": 529,
}
_OK = 200
_REDIRECTS = range(300, 400)
_SERVER_ERROR = 500
_HOUR = 3600.0


def json_object(provider: str, status: int, content: bytes, secret: str | None = None) -> dict[str, Any]:
    """Return the JSON object of a successful response; raise ProviderGarbled for anything else, such as a proxy's page, or the object's error."""
    if status != _OK:
        raise ProviderBusy(f"{provider} answered {status}, without a result", lost_calls=1)
    if not content.strip():
        raise ProviderBusy(f"{provider} answered with nothing", lost_calls=1)
    try:
        body = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        problem = "something that is not its API's JSON; is a proxy in the way?"
        raise ProviderGarbled(f"{provider} answered with {problem}", lost_calls=1)
    if body.get("error"):
        raise error_of_body(provider, body, secret)
    return body


def error_of_body(provider: str, body: dict[str, Any], secret: str | None = None) -> ProviderError:
    """Return the error that an object under a successful status holds, by the type that it names."""
    words = _codes(body).split()
    status = next((_STATUS_OF_TYPE[word] for word in words if word in _STATUS_OF_TYPE), _SERVER_ERROR)
    return error_of_status(provider, status, body, {}, secret)


def error_of_status(
    provider: str, status: int, body: object, headers: Mapping[str, str], secret: str | None = None
) -> ProviderError:
    """Return the error for an HTTP status; the secret is cut out of its message."""
    if status in _REDIRECTS:
        return ProviderError(f"{provider} answered {status} in place of a result; check the base URL")
    message = f"{provider} answered {status}: {_message(body, secret)}"
    codes = _codes(body)
    for rule in RULES:
        if status == rule.status or any(word in codes for word in rule.code_words):
            return rule.error(f"{message} ({rule.advice})")
    wait = retry_after(headers)
    if wait is not None and wait > LONGEST_RETRY_AFTER:
        span = f"{wait:.0f} s" if wait < _HOUR else f"{wait / _HOUR:,.1f} hours"
        return ProviderDown(f"{message} (it asks to wait {span}; run the same command again after that)")
    passes = status in _BUSY or status >= _SERVER_ERROR
    advice = headers.get("x-should-retry")
    if advice == "true" or (passes and advice != "false"):
        return ProviderBusy(message, wait, slow_down=status in _TOO_MANY)
    return ProviderError(message)


def _codes(body: object) -> str:
    error = _error(body)
    details = error.get("details")
    codes = [error.get("code"), error.get("type"), error.get("error_code")]
    codes.append(details.get("error_code") if isinstance(details, dict) else None)
    return " ".join(str(code) for code in codes if code)


def _message(body: object, secret: str | None) -> str:
    text = str(_error(body).get("message") or _fastapi_detail(body) or "no explanation")
    # The key goes before the text is cut, or a part of it could be left.
    safe = text.replace(secret, "[key]") if secret else text
    return one_line(safe[: 10 * MAX_MESSAGE_CHARS])[:MAX_MESSAGE_CHARS]


def _fastapi_detail(body: object) -> str | None:
    """Return the explanation that servers built on FastAPI give in place of an error."""
    detail = body.get("detail") if isinstance(body, dict) else None
    return json.dumps(detail, ensure_ascii=False) if isinstance(detail, dict | list) else detail


def _error(body: object) -> dict[str, Any]:
    error = body.get("error", body) if isinstance(body, dict) else None
    if isinstance(error, str):
        return {"message": error or body}
    return error if isinstance(error, dict) else {}

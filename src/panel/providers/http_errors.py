"""How a vendor's failure becomes one of panel's: one rule for all hosted providers.

The rule follows the vendors' documentation and what their SDKs were seen to do under faults: a wrong key, an empty
account and an unknown model fail every call; a limit, an overload and a lost connection pass; the rest concerns one call.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from panel.core.text import one_line
from panel.errors import ProviderBusy, ProviderDown, ProviderError, ProviderGarbled

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE_SECONDS = 120.0
MAX_MESSAGE_CHARS = 300

_DOWN = {
    401: "the key was not accepted",
    402: "the account cannot pay",
    403: "the key may not use this model",
    404: "the model or the address is unknown",
}
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
_EMPTY_ACCOUNT = ("insufficient_quota", "spend_limit_reached", "billing", "credit_balance")
_SERVER_ERROR = 500
_OK = 200
_REDIRECTS = 300
_CLIENT_ERRORS = 400
_HOUR = 3600.0


def fault_of_status(
    provider: str, status: int, body: object, headers: Mapping[str, str], secret: str | None = None
) -> ProviderError:
    """Return the error that an HTTP answer stands for; the secret is cut out of its message."""
    if _REDIRECTS <= status < _CLIENT_ERRORS:
        return ProviderError(f"{provider} answered {status} in place of a result; check the base URL")
    said = f"{provider} answered {status}: {_message(body, secret)}"
    if any(word in _codes(body) for word in _EMPTY_ACCOUNT):
        return ProviderDown(
            f"{said} (the account's limit is reached; raise it, then run the same command again)"
        )
    if status in _DOWN:
        return ProviderDown(f"{said} ({_DOWN[status]})")
    wait = retry_after(headers)
    if wait is not None and wait > PATIENCE_SECONDS:
        return ProviderDown(f"{said} (it asks to wait {_span(wait)}; run the same command again after that)")
    if _worth_another_try(status, headers):
        return ProviderBusy(said, wait, slow_down=status in _TOO_MANY)
    return ProviderError(said)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer asks to wait, or None if it states nothing that makes sense.

    Both forms of RFC 9110 are understood, a number and a date; `retry-after-ms` is the vendors' own.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        if math.isfinite(wait) and wait >= 0:
            return wait
    return _until(headers.get("retry-after", ""), headers.get("date", ""))


def json_object(provider: str, status: int, content: bytes, secret: str | None = None) -> dict[str, Any]:
    """Return the JSON object of a successful answer.

    Raises:
        ProviderBusy: success without a result.
        ProviderError: the error that the object holds, whatever the status.
        ProviderGarbled: something that the API does not send, as a proxy might put in its place.
    """
    if status != _OK:
        raise ProviderBusy(f"{provider} answered {status}, without a result", lost_calls=1)
    if not content.strip():
        raise ProviderBusy(f"{provider} answered with nothing", lost_calls=1)
    try:
        body = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ProviderGarbled(
            f"{provider} answered with something that is not its API's JSON; is a proxy in the way?",
            lost_calls=1,
        )
    if body.get("error"):
        raise fault_of_body(provider, body, secret)
    return body


def fault_of_body(provider: str, body: dict[str, Any], secret: str | None = None) -> ProviderError:
    """Return the error that an object under the status of a success stands for, by the type it names."""
    words = _codes(body).split()
    status = next((_STATUS_OF_TYPE[word] for word in words if word in _STATUS_OF_TYPE), _SERVER_ERROR)
    return fault_of_status(provider, status, body, {}, secret)


def _until(date: str, now: str) -> float | None:
    """Return the seconds to a date, by the clock of the server that named it if it tells the time, as it should."""
    moment = _moment(date)
    if moment is None:
        return None
    return max(0.0, (moment - (_moment(now) or datetime.now(UTC))).total_seconds())


def _moment(date: str) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(date[:MAX_MESSAGE_CHARS])
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _HOUR else f"{seconds / _HOUR:,.1f} hours"


def _worth_another_try(status: int, headers: Mapping[str, str]) -> bool:
    advice = headers.get("x-should-retry")
    if advice in {"true", "false"}:
        return advice == "true"
    return status in _BUSY or status >= _SERVER_ERROR


def _codes(body: object) -> str:
    error = _error(body)
    details = error.get("details")
    parts = [error.get("code"), error.get("type"), error.get("error_code")]
    parts += [details.get("error_code")] if isinstance(details, dict) else []
    return " ".join(str(part) for part in parts if part)


def _message(body: object, secret: str | None) -> str:
    text = str(_error(body).get("message") or _detail(body) or "no explanation")
    # The key goes before the text is cut, or a part of it could be left.
    safe = text.replace(secret, "[key]") if secret else text
    return one_line(safe[: 10 * MAX_MESSAGE_CHARS])[:MAX_MESSAGE_CHARS]


def _detail(body: object) -> str | None:
    """Return what servers built on FastAPI say in place of an error."""
    detail = body.get("detail") if isinstance(body, dict) else None
    return json.dumps(detail, ensure_ascii=False) if isinstance(detail, dict | list) else detail


def _error(body: object) -> dict[str, Any]:
    error = body.get("error", body) if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {"message": error or body} if isinstance(error, str) else {}

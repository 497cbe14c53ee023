"""The small forms that readers send."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES, MOST_FIELDS = 4_096, 10
_KIND = "application/x-www-form-urlencoded"


async def form_of(request: Request) -> dict[str, list[str]]:
    """Return what a form says, by field.

    Raises:
        HTTPException: 415 it is no form, 413 it is too long, 400 it has too many fields.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise HTTPException(415, "Send the page's own form.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413, "That is too long for this form.")
    try:
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise HTTPException(400, "Send the page's own form.") from error

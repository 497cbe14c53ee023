"""What may be sent to the server: forms of its own pages, of a size that people write."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import Request

if TYPE_CHECKING:
    from starlette.types import Message, Receive

FIELD = "csrf"
MOST_BYTES = 1_000_000
KINDS = {"application/x-www-form-urlencoded", "multipart/form-data"}
CHARSETS = {"utf-8", "utf8"}
_PRIVATE = {FIELD, "password"}


class NotTaken(HTTPException):
    """A form was not taken.

    Attributes:
        lost: what somebody wrote in it, to be given back: fields of more than a word.
    """

    def __init__(self, status: int, message: str, lost: str) -> None:
        super().__init__(status, message)
        self.lost = lost


async def check_form(request: Request, token: str) -> Receive:
    """Refuse what is no form of a page that this visitor was shown, and return what hands on its body again.

    Args:
        request: what was sent.
        token: what the form must hold as `csrf`.

    Raises:
        HTTPException: 415 for another kind of body, 413 for too large a one, 403 for another token, 400 for one that cannot be read.
    """
    body, fields = await _read(request)
    sent = [value for name, value in fields if name == FIELD]
    if len(sent) != 1 or not hmac.compare_digest(sent[0].encode(), token.encode()):
        raise NotTaken(
            403,
            "The page was opened too long ago, or by somebody else. Open it again, and send the form from there.",
            _prose(fields),
        )
    return replayed(body, request.receive)


async def lost_words(request: Request) -> str:
    """Return what somebody wrote in a form that cannot be taken from them; blank if it is none that can be read."""
    try:
        _, fields = await _read(request)
    except HTTPException:
        return ""
    return _prose(fields)


async def _read(request: Request) -> tuple[bytes, list[tuple[str, str]]]:
    """Return a form as it was sent, and its fields."""
    kind, parameters = parse_options_header(request.headers.get("content-type", ""))
    charset = parameters.get(b"charset", b"utf-8").decode("latin-1").lower()
    if kind.decode("latin-1").lower() not in KINDS or charset not in CHARSETS:
        raise HTTPException(415, "This server reads forms in UTF-8 only.")
    body = await _body(request)
    async with Request(request.scope, replayed(body, request.receive)).form() as form:
        return body, [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def _prose(fields: list[tuple[str, str]]) -> str:
    written = [value.strip() for name, value in fields if name not in _PRIVATE]
    return "\n\n".join(value for value in written if len(value.split()) > 1)


async def _body(request: Request) -> bytes:
    told = request.headers.get("content-length", "0")
    if len(told) > len(str(MOST_BYTES)) or (told.isdecimal() and int(told) > MOST_BYTES):
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> HTTPException:
    return HTTPException(
        413, f"A form may hold {MOST_BYTES // 1_000_000} MB. Shorten the text, and send it again."
    )


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return what hands on a body that was read, and then whatever comes."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return left.pop() if left else await receive()

    return received

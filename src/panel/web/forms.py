"""Forms: their fields, and the check that they come from a page that this server showed to this user."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import Request

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.types import Message, Receive

CSRF_FIELD = "csrf"
MAX_BYTES = 1_000_000
MAX_FIELDS = 400
MAX_DIGITS = 18
"""Of a row number; more do not fit into a database integer."""
_MEDIA_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data"}
_CHARSETS = {"utf-8", "utf8"}
_PRIVATE_FIELDS = {CSRF_FIELD, "password"}


class Form:
    """The text fields of a form."""

    def __init__(self, fields: FormData) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """Return a field's text; empty if there is no such field."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """Return the texts of all fields of this name, in order."""
        return [value for value in self._fields.getlist(name) if isinstance(value, str)]

    def has(self, name: str) -> bool:
        """Return whether there is a field of this name."""
        return name in self._fields

    def number(self, name: str) -> int | None:
        """Return a field's whole number; None if it holds none."""
        return parse_number(self.text(name))


def parse_number(text: str) -> int | None:
    """Return the whole number that a text holds, or None."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS else None


async def read_form(request: Request) -> Form:
    """Read the form of a request."""
    async with request.form(max_fields=MAX_FIELDS, max_files=0) as fields:
        return Form(fields)


class FormRejected(HTTPException):
    """A form without a valid token.

    Attributes:
        unsaved: the sentences that the user wrote in it, to be given back to them.
    """

    def __init__(self, status: int, message: str, unsaved: str) -> None:
        super().__init__(status, message)
        self.unsaved = unsaved


async def check_csrf(request: Request, token: str) -> Receive:
    """Check that a form holds the user's token, and return a `receive` that replays its body.

    Raises:
        HTTPException: 403 for another token, 413 for too large a body, 415 for another media type or charset, 400 for
            one that cannot be read.
    """
    body, fields = await _read_fields(request)
    sent = [value for name, value in fields if name == CSRF_FIELD]
    if len(sent) != 1 or not hmac.compare_digest(sent[0].encode(), token.encode()):
        message = "This page was opened too long ago, or by another user. Open it again and send the form from there."
        raise FormRejected(403, message, _sentences(fields))
    return _replay(body, request.receive)


async def unsaved_text(request: Request) -> str:
    """Return the sentences that the user wrote in a form; empty if it cannot be read."""
    try:
        _, fields = await _read_fields(request)
    except HTTPException:
        return ""
    return _sentences(fields)


async def _read_fields(request: Request) -> tuple[bytes, list[tuple[str, str]]]:
    media_type, parameters = parse_options_header(request.headers.get("content-type", ""))
    charset = parameters.get(b"charset", b"utf-8").decode("latin-1").lower()
    if media_type.decode("latin-1").lower() not in _MEDIA_TYPES or charset not in _CHARSETS:
        raise HTTPException(415, "This server reads forms in UTF-8 only.")
    body = await _read_body(request)
    async with Request(request.scope, _replay(body, request.receive)).form() as form:
        return body, [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def _sentences(fields: list[tuple[str, str]]) -> str:
    """Join the fields of more than one word, without secrets."""
    texts = [value.strip() for name, value in fields if name not in _PRIVATE_FIELDS]
    return "\n\n".join(text for text in texts if len(text.split()) > 1)


async def _read_body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if len(declared) > len(str(MAX_BYTES)) or (declared.isdecimal() and int(declared) > MAX_BYTES):
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> HTTPException:
    return HTTPException(
        413, f"A form may hold {MAX_BYTES // 1_000_000} MB. Shorten the text and send it again."
    )


def _replay(body: bytes, receive: Receive) -> Receive:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return messages.pop() if messages else await receive()

    return received

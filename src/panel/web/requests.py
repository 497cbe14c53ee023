"""Requests of the queue: the services, the user and the form that handlers read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from python_multipart.multipart import parse_options_header
from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException
from starlette.requests import Request

from panel.core.text import byte_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Message

    from panel.approval import ApprovalService
    from panel.core.actor import Actor
    from panel.report import ReportContext
    from panel.store import Store

CSRF_FIELD = "csrf"
MAX_BYTES = 1_000_000
MAX_FIELDS = 400
MAX_DIGITS = 18
"""Of a row number; more do not fit into a database integer."""
_MEDIA_TYPES = {b"application/x-www-form-urlencoded", b"multipart/form-data"}
_CHARSETS = {b"utf-8", b"utf8"}
_PRIVATE_FIELDS = {CSRF_FIELD, "password"}


@dataclass(frozen=True, slots=True)
class Services:
    """The services of the queue, and the names of the critics by id in the order of the roster."""

    approval: ApprovalService
    report_context: ReportContext
    personas: Mapping[str, str]

    @property
    def store(self) -> Store:
        """The store of the approval service."""
        return self.approval.store


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The user who makes a request, and the token that each of their forms must send as `csrf`."""

    actor: Actor
    csrf_token: str
    can_sign_out: bool = False


class Form(ImmutableMultiDict[str, str]):
    """The text fields of a form."""

    def text(self, name: str) -> str:
        """Return a field's text; empty if there is no such field."""
        return self.get(name, "")

    def number(self, name: str) -> int | None:
        """Return a field's whole number; None if it holds none."""
        return parse_number(self.text(name))

    def sentences(self) -> str:
        """Return the fields of more than one word, without secrets: the text to give back to the user."""
        texts = [value.strip() for name, value in self.multi_items() if name not in _PRIVATE_FIELDS]
        return "\n\n".join(text for text in texts if len(text.split()) > 1)


def services_of(request: Request) -> Services:
    """Return the services of the application that handles a request."""
    services: Services = request.app.state.services
    return services


def current_user(request: Request) -> CurrentUser:
    """Return the user of a request, which the middleware has identified."""
    user: CurrentUser = request.state.user
    return user


def form_of(request: Request) -> Form:
    """Return the form of a request, which the middleware has read and checked."""
    form: Form = request.state.form
    return form


def parse_number(text: str) -> int | None:
    """Return the whole number that a text holds, or None."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS else None


async def read_form(request: Request, *, max_bytes: int = MAX_BYTES, max_fields: int = MAX_FIELDS) -> Form:
    """Read the body of a request as a form in UTF-8 without files.

    Raises:
        HTTPException: 413 for too large a body, 415 for another media type or charset, 400 for one that cannot be read.
    """
    media_type, parameters = parse_options_header(request.headers.get("content-type", ""))
    charset = parameters.get(b"charset", b"utf-8").lower()
    if media_type not in _MEDIA_TYPES or charset not in _CHARSETS:
        raise HTTPException(415, "This server reads forms in UTF-8 only.")
    size = 0

    async def receive() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > max_bytes:
            limit = byte_size(max_bytes)
            raise HTTPException(413, f"A form may hold {limit}. Shorten the text and send it again.")
        return message

    fields = await Request(request.scope, receive).form(max_fields=max_fields, max_files=0)
    return Form([(name, value) for name, value in fields.multi_items() if isinstance(value, str)])

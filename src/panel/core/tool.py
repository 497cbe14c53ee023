"""What is reviewed."""

from __future__ import annotations

import re
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from panel.core.base import Frozen, digest_of
from panel.core.text import (
    MAX_SLUG_CHARS,
    SLUG_PATTERN,
    canonical,
    is_reserved_slug,
    one_line,
    prose,
    slugify,
)
from panel.core.urls import public_address

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_STATED = "Not stated"
NOT_TEXT = "not_text"
MAX_ALIASES = 20
MAX_FACTS = 50

_KINDS: dict[type, str] = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
    date: "a date",
    type(None): "nothing",
}


class PriceClass(StrEnum):
    """How a tool is paid for; never guessed, so unknown unless its file says."""

    OPEN_SOURCE = "open_source"
    FREE = "free"
    FREEMIUM = "freemium"
    PAID = "paid"
    USAGE = "usage"
    CONTACT = "contact"
    UNKNOWN = "unknown"


_ENTRY = {
    PriceClass.OPEN_SOURCE: "Free",
    PriceClass.FREE: "Free",
    PriceClass.FREEMIUM: "Free tier",
    PriceClass.PAID: "Paid",
    PriceClass.USAGE: "Pay per use",
    PriceClass.CONTACT: "Contact sales",
}


def _text(value: object, clean: Callable[[str], str] = one_line) -> str:
    if not isinstance(value, str):
        kind = _KINDS.get(type(value), "something else")
        raise PydanticCustomError(NOT_TEXT, "expected text, got {kind}", {"kind": kind})
    return clean(value)


def _required(value: object, *, limit: int, clean: Callable[[str], str] = one_line) -> str:
    text = _text(value, clean)
    if not text:
        raise ValueError(f"is blank; write 1 to {limit} characters")
    if len(text) > limit:
        raise ValueError(f"{len(text)} characters, the limit is {limit}")
    return text


def _optional(value: object, *, limit: int) -> str | None:
    return None if _is_blank(value) else _required(value, limit=limit)


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not one_line(value))


def _address(value: object) -> str:
    # Only the ends are trimmed: an address with something hidden inside is refused, not repaired.
    return public_address(_text(value, lambda text: text.strip(" \t\r\n")))


def _optional_address(value: object) -> str | None:
    return None if _is_blank(value) else _address(value)


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    text = _text(value)
    try:
        return date.fromisoformat(text if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else "")
    except ValueError:
        raise ValueError("is not a date; write it as year-month-day, such as 2026-03-31") from None


def _optional_day(value: object) -> date | None:
    return None if _is_blank(value) else _day(value)


def _price_class(value: object) -> PriceClass:
    if _is_blank(value):
        return PriceClass.UNKNOWN
    text = _text(value)
    try:
        return PriceClass(text)
    except ValueError:
        raise ValueError(f"is none of {', '.join(PriceClass)}") from None


def _slug(value: object) -> str:
    slug = _text(value)
    if len(slug) > MAX_SLUG_CHARS or not re.fullmatch(SLUG_PATTERN, slug):
        raise ValueError(f"must be 1 to {MAX_SLUG_CHARS} of a-z and 0-9, with single hyphens between them")
    if is_reserved_slug(slug):
        raise ValueError(f"{slug} is reserved; choose another")
    return slug


def _items(value: object, *, what: str, limit: int) -> object:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        kind = _KINDS.get(type(value), "text")
        raise ValueError(f"expected a list of {what}, got {kind}")  # noqa: TRY004 - pydantic reports ValueError
    if len(value) > limit:
        raise ValueError(f"{len(value)} {what}, the limit is {limit}")
    return value


_Name = Annotated[str, BeforeValidator(partial(_required, limit=120))]
_Short = Annotated[str | None, BeforeValidator(partial(_optional, limit=80))]
_Medium = Annotated[str | None, BeforeValidator(partial(_optional, limit=120))]
_Long = Annotated[str | None, BeforeValidator(partial(_optional, limit=200))]
_Claim = Annotated[str, BeforeValidator(partial(_required, limit=500))]
_Prose = Annotated[str, BeforeValidator(partial(_required, limit=10_000, clean=prose))]
_Names = Annotated[tuple[_Name, ...], BeforeValidator(partial(_items, what="names", limit=MAX_ALIASES))]


class Fact(Frozen):
    """Something about a tool that its listing does not say.

    Attributes:
        claim: 1-500 characters on one line.
        source: public web address where it can be read.
        checked_on: day on which somebody read it there.
    """

    claim: _Claim
    source: Annotated[str, BeforeValidator(_address)]
    checked_on: Annotated[date, BeforeValidator(_day)]


_Facts = Annotated[tuple[Fact, ...], BeforeValidator(partial(_items, what="facts", limit=MAX_FACTS))]


def _slug_of(fields: dict[str, Any]) -> str:
    return slugify(fields["name"])


class Tool(Frozen):
    """A tool as its file describes it: text is cleaned, then measured; what is blank is None.

    Attributes:
        name: 1-120 characters on one line.
        description: 1-10,000 characters, in paragraphs.
        tagline: up to 200 characters.
        category: up to 80 characters; tools of one category compete.
        pricing: up to 200 characters, the vendor's own words.
        price_class: how the tool is paid for.
        url: public web address.
        maker: up to 120 characters.
        license: up to 80 characters.
        launched_on: day of the launch.
        best_for: up to 200 characters; the tagline stands in for it.
        facts: what was checked elsewhere, up to 50.
        aliases: other names of the same tool, up to 20.
        slug: file name; made from the name unless given.
    """

    name: _Name
    description: _Prose
    tagline: _Long = None
    category: _Short = None
    pricing: _Long = None
    price_class: Annotated[PriceClass, BeforeValidator(_price_class)] = PriceClass.UNKNOWN
    url: Annotated[str | None, BeforeValidator(_optional_address)] = None
    maker: _Medium = None
    license: _Short = None
    launched_on: Annotated[date | None, BeforeValidator(_optional_day)] = None
    best_for: _Long = None
    facts: _Facts = ()
    aliases: _Names = ()
    slug: Annotated[str, BeforeValidator(_slug)] = Field(default_factory=_slug_of)

    @property
    def suits(self) -> str | None:
        """Whom the tool suits: `best_for`, or the tagline in its place."""
        return self.best_for or self.tagline

    @property
    def entry(self) -> str:
        """The entry price as a card prints it; the vendor's own words where the class is unknown."""
        return _ENTRY.get(self.price_class) or self.pricing or NOT_STATED

    @property
    def host(self) -> str | None:
        """The host of the tool's own address, if it has one."""
        return urlsplit(self.url).hostname if self.url else None

    @property
    def canonical(self) -> str:
        """The name without case: two tools that share it are the same tool."""
        return canonical(self.name)

    @property
    def digest(self) -> str:
        """The sha256 of everything that describes the tool; the slug only says where it is filed."""
        return digest_of(self.model_dump(mode="json", exclude={"slug"}))

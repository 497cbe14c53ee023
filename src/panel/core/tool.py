"""Tools, and the rules for their fields."""

from __future__ import annotations

import re
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from panel.core.addresses import public_address
from panel.core.frozen import Frozen, digest_of
from panel.core.text import (
    MAX_SLUG_CHARS,
    SLUG_PATTERN,
    canonical,
    is_reserved_slug,
    one_line,
    prose,
    slugify,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_STATED = "Not stated"
NOT_TEXT = "not_text"
MAX_ALIASES = 20
MAX_FACTS = 50

_TYPE_NAMES: dict[type, str] = {
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
    """The kind of pricing; never guessed, so unknown unless the tool file states it."""

    OPEN_SOURCE = "open_source"
    FREE = "free"
    FREEMIUM = "freemium"
    PAID = "paid"
    USAGE = "usage"
    CONTACT = "contact"
    UNKNOWN = "unknown"


_ENTRY_PRICES = {
    PriceClass.OPEN_SOURCE: "Free",
    PriceClass.FREE: "Free",
    PriceClass.FREEMIUM: "Free tier",
    PriceClass.PAID: "Paid",
    PriceClass.USAGE: "Pay per use",
    PriceClass.CONTACT: "Contact sales",
}


def _text(value: object, clean: Callable[[str], str] = one_line) -> str:
    if not isinstance(value, str):
        kind = _TYPE_NAMES.get(type(value), "something else")
        raise PydanticCustomError(NOT_TEXT, "expected text, got {kind}", {"kind": kind})
    return clean(value)


def _required(value: object, *, limit: int, clean: Callable[[str], str] = one_line) -> str:
    text = _text(value, clean)
    if not text:
        raise ValueError(f"is blank; write 1 to {limit} characters")
    if len(text) > limit:
        raise ValueError(f"{len(text)} characters, the limit is {limit}")
    return text


def _optional(value: object, *, validate: Callable[[object], object]) -> object:
    return None if _is_blank(value) else validate(value)


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not one_line(value))


def _address(value: object) -> str:
    # Only the ends are trimmed: an address with hidden characters inside is refused, not repaired.
    return public_address(_text(value, lambda text: text.strip(" \t\r\n")))


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    text = _text(value)
    try:
        return date.fromisoformat(text if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else "")
    except ValueError:
        raise ValueError("is not a date; write it as year-month-day, such as 2026-03-31") from None


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


def _items(value: object, *, noun: str, limit: int) -> object:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        kind = _TYPE_NAMES.get(type(value), "text")
        raise ValueError(f"expected a list of {noun}, got {kind}")  # noqa: TRY004 - pydantic reports ValueError
    if len(value) > limit:
        raise ValueError(f"{len(value)} {noun}, the limit is {limit}")
    return value


_Name = Annotated[str, BeforeValidator(partial(_required, limit=120))]
_Text80 = Annotated[str | None, BeforeValidator(partial(_optional, validate=partial(_required, limit=80)))]
_Text120 = Annotated[str | None, BeforeValidator(partial(_optional, validate=partial(_required, limit=120)))]
_Text200 = Annotated[str | None, BeforeValidator(partial(_optional, validate=partial(_required, limit=200)))]
_Names = Annotated[tuple[_Name, ...], BeforeValidator(partial(_items, noun="names", limit=MAX_ALIASES))]


class Fact(Frozen):
    """A fact about a tool from outside its listing: a claim, its source, and the day on which an editor checked it."""

    claim: Annotated[str, BeforeValidator(partial(_required, limit=500))]
    source: Annotated[str, BeforeValidator(_address)]
    checked_on: Annotated[date, BeforeValidator(_day)]


_Facts = Annotated[tuple[Fact, ...], BeforeValidator(partial(_items, noun="facts", limit=MAX_FACTS))]


class Tool(Frozen):
    """A tool to review. Text is cleaned before its length is checked, and a blank optional field is None.

    `description` has paragraphs; all other texts are single lines. Tools of the same category compete. `slug` names the tool in files and
    addresses; it is made from `name` unless given.
    """

    name: _Name
    description: Annotated[str, BeforeValidator(partial(_required, limit=10_000, clean=prose))]
    tagline: _Text200 = None
    category: _Text80 = None
    pricing: _Text200 = None
    price_class: Annotated[PriceClass, BeforeValidator(_price_class)] = PriceClass.UNKNOWN
    url: Annotated[str | None, BeforeValidator(partial(_optional, validate=_address))] = None
    maker: _Text120 = None
    license: _Text80 = None
    launched_on: Annotated[date | None, BeforeValidator(partial(_optional, validate=_day))] = None
    best_for: _Text200 = None
    facts: _Facts = ()
    aliases: _Names = ()
    slug: Annotated[str, BeforeValidator(_slug)] = Field(
        default_factory=lambda fields: slugify(fields["name"])
    )

    @property
    def audience(self) -> str | None:
        """`best_for`, or else the tagline."""
        return self.best_for or self.tagline

    @property
    def entry_price(self) -> str:
        """Label of the price class; if that is unknown, the vendor's own words."""
        return _ENTRY_PRICES.get(self.price_class) or self.pricing or NOT_STATED

    @property
    def host(self) -> str | None:
        """Host of the tool's address."""
        return urlsplit(self.url).hostname if self.url else None

    @property
    def canonical(self) -> str:
        """The name without case, which identifies a tool."""
        return canonical(self.name)

    @property
    def digest(self) -> str:
        """Sha256 of all fields but the slug, which does not describe the tool."""
        return digest_of(self.model_dump(mode="json", exclude={"slug"}))

"""Subjects of the checks: a field of the listing, the text of a seat, the takes of a panel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from panel.checks.claims import Statements
from panel.checks.registry import Hit
from panel.checks.texts import ELLIPSIS, normalized, plain
from panel.core.finding import Where
from panel.core.tool import PriceClass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panel.checks.registry import Place
    from panel.core.take import Seat, Take
    from panel.core.tool import Tool

_PARAGRAPH = "\n\n"
_PRICE_WORDS = {
    PriceClass.OPEN_SOURCE: "open source, free",
    PriceClass.FREE: "free",
    PriceClass.FREEMIUM: "free tier",
    PriceClass.PAID: "paid",
    PriceClass.USAGE: "usage",
    PriceClass.CONTACT: "contact",
}
_QUOTED = re.compile(r"\"[^\"\n]{1,300}\"")
_LEFT_OUT = re.compile(rf"[(\[] {ELLIPSIS} [)\]]|{ELLIPSIS}")
_EDGES = " \"'.,;:!?()[]-"


@dataclass(frozen=True)
class ListingField:
    """A text of the tool, such as `description` or `facts.0.claim`."""

    field: str
    text: str

    @property
    def is_name(self) -> bool:
        """Whether the field names the tool or its maker."""
        return self.field in {"name", "maker"} or self.field.startswith("aliases.")

    def hit(self, place: Place) -> Hit:
        """Return a hit at a place of the text."""
        return Hit(Where(persona=None, field=self.field), self.text[slice(*place)], place)


class Listing:
    """The texts of a tool that a take may rest on; each is read once."""

    def __init__(self, tool: Tool) -> None:
        """Use the texts of this tool."""
        self.tool = tool
        self.fields = tuple(_fields(tool))
        self.facts = tuple(
            ListingField(f"facts.{index}.claim", fact.claim) for index, fact in enumerate(tool.facts)
        )

    @cached_property
    def stated(self) -> Statements:
        """The statements of the tool's own fields."""
        words = [field.text for field in self.fields]
        launched = [self.tool.launched_on.isoformat()] if self.tool.launched_on else []
        priced = [_PRICE_WORDS[self.tool.price_class]] if self.tool.price_class in _PRICE_WORDS else []
        return Statements(_PARAGRAPH.join([*words, self.tool.host or "", *launched, *priced]))

    @cached_property
    def sourced(self) -> Statements:
        """The statements of the facts that have a source."""
        return Statements(_PARAGRAPH.join(fact.text for fact in self.facts))

    @cached_property
    def own_words(self) -> frozenset[str]:
        """The words of the tool's names and its maker's."""
        names = (self.tool.name, self.tool.maker or "", *self.tool.aliases)
        return frozenset(word for name in names for word in normalized(name).split())

    @cached_property
    def _quotable(self) -> str:
        texts = [field.text for field in (*self.fields, *self.facts)]
        texts += [str(self.tool.url or ""), self.tool.price_class.value, str(self.tool.launched_on or "")]
        return "\n".join(normalized(text) for text in texts)

    def has_quote(self, quote: str) -> bool:
        """Return whether a quote is in the listing word for word, whatever its case, white space, typography and emphasis.

        The parts of a quote with an ellipsis must be in the listing in that order. Punctuation at the ends of a part belongs to the quoting.
        """
        form = normalized(quote)
        whole = form.strip(_EDGES)
        return bool(whole) and (f" {whole} " in self._quotable or self._has_in_order(form))

    def _has_in_order(self, form: str) -> bool:
        parts = [part.strip(_EDGES) for part in _LEFT_OUT.split(form)]
        place = 0
        for part in filter(None, parts):
            place = self._quotable.find(f" {part} ", place)
            if place < 0:
                return False
            place += len(part) + 1
        return any(parts)


@lru_cache(maxsize=64)
def listing_of(tool: Tool) -> Listing:
    """Return the texts of a tool; cached, because an editor looks at a draft many times."""
    return Listing(tool)


@dataclass(frozen=True)
class SeatText:
    """The text of a take, or a recusal's own words (`take` is None)."""

    persona: str
    field: str
    text: str
    listing: Listing
    never_says: Sequence[str]
    take: Take | None

    @cached_property
    def plain(self) -> str:
        """The text with plain typography, each character in its place."""
        return plain(self.text)

    @cached_property
    def own_voice(self) -> str:
        """The plain text with quotes from the listing blanked, because they are not the persona's words."""

        def blank(quote: re.Match[str]) -> str:
            return " " * len(quote[0]) if self.listing.has_quote(quote[0]) else quote[0]

        return _QUOTED.sub(blank, self.plain)

    def hit(self, place: Place) -> Hit:
        """Return a hit at a place of the text."""
        return Hit(self.where(self.field), self.text[slice(*place)], place)

    def where(self, field: str) -> Where:
        """Return the address of a field of this seat."""
        return Where(persona=self.persona, field=field)


@dataclass(frozen=True)
class PanelTakes:
    """The seats of a panel that gave a take, in order."""

    given: tuple[tuple[Seat, Take], ...]


def _fields(tool: Tool) -> Iterator[ListingField]:
    for field in ("name", "tagline", "category", "maker", "license", "pricing", "best_for", "description"):
        if text := getattr(tool, field):
            yield ListingField(field, text)
    for index, alias in enumerate(tool.aliases):
        yield ListingField(f"aliases.{index}", alias)

"""What a listing says, as it is held against a take."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from panel.checks.claim_matching import Stated
from panel.checks.spelling import compared
from panel.core.tool import PriceClass

if TYPE_CHECKING:
    from collections.abc import Iterator

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


class Listing:
    """The texts of a tool that a take may rest on, read once."""

    def __init__(self, tool: Tool) -> None:
        """Take the tool apart.

        Args:
            tool: what was reviewed.
        """
        self.tool = tool

    @cached_property
    def stated(self) -> Stated:
        """What the tool's own fields say."""
        words = [text for _, text in fields_of(self.tool)]
        launched = [self.tool.launched_on.isoformat()] if self.tool.launched_on else []
        priced = [_PRICE_WORDS[self.tool.price_class]] if self.tool.price_class in _PRICE_WORDS else []
        return Stated(_PARAGRAPH.join([*words, self.tool.host or "", *launched, *priced]))

    @cached_property
    def sourced(self) -> Stated:
        """What the facts that have a source say."""
        return Stated(_PARAGRAPH.join(fact.claim for fact in self.tool.facts))

    @cached_property
    def compared(self) -> str:
        """All fields in the form in which quotes are compared, with a line between two fields."""
        quotable = [text for _, text in fields_of(self.tool)]
        quotable += [fact.claim for fact in self.tool.facts]
        quotable += [str(self.tool.url or ""), self.tool.price_class.value, str(self.tool.launched_on or "")]
        return "\n".join(compared(text) for text in quotable)

    @cached_property
    def own_words(self) -> frozenset[str]:
        """The words of the tool's names and its maker's."""
        names = (self.tool.name, self.tool.maker or "", *self.tool.aliases)
        return frozenset(word for name in names for word in compared(name).split())


@lru_cache(maxsize=64)
def listing_of(tool: Tool) -> Listing:
    """Return the texts of a tool, read once for as many looks at its draft as somebody takes."""
    return Listing(tool)


def is_name(field: str) -> bool:
    """Whether a field names the tool or its maker."""
    return field in {"name", "maker"} or field.startswith("aliases.")


def fields_of(tool: Tool) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each field that its maker wrote."""
    for field in ("name", "tagline", "category", "maker", "license", "pricing", "best_for", "description"):
        if text := getattr(tool, field):
            yield field, text
    for place, alias in enumerate(tool.aliases):
        yield f"aliases.{place}", alias

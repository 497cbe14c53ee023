"""Inputs of the checks: a field of the listing, the text of a seat, the takes of a panel; and the claims in a text."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from panel.checks.matching import ELLIPSIS, TAGS, addresses, normalized, plain
from panel.checks.registry import ClaimText, Hit, Wording, claim_checks
from panel.core.finding import Where
from panel.core.tool import PriceClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from panel.checks.matching import Place
    from panel.checks.registry import Claim, ClaimCheck, Meaning
    from panel.core.take import Seat, Take
    from panel.core.tool import Tool

_TEXT_FIELDS = ("name", "tagline", "category", "maker", "license", "pricing", "best_for", "description")
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
_WORD = re.compile(r"\w+")


class Statements:
    """The claims and the words of a listing, or of the facts about it."""

    def __init__(self, *texts: str) -> None:
        """Read the texts as paragraphs."""
        text = "\n\n".join(texts)
        found = find_claims(ClaimText(text))
        self.counted = frozenset(claim.counted for _, claim in found if claim.counted)
        stated = [meaning for _, claim in found for meaning in claim.meaning.parts]
        stated += [meaning for check in claim_checks() for meaning in check.states(plain(text))]
        self._by_key: defaultdict[object, set[Meaning]] = defaultdict(set)
        for meaning in stated:
            for key in meaning.keys:
                self._by_key[key].add(meaning)
        self._words = _words(text)
        self._vocabulary = frozenset(self._words.split())

    def support(self, check: ClaimCheck, claim: Claim, wording: str) -> bool:
        """Return whether the texts state a claim, in the same words or in others."""
        if check.wording is Wording.EACH_WORD:
            return self._vocabulary.issuperset(_words(wording).split())
        similar = (other for key in claim.meaning.keys for other in self._by_key.get(key, ()))
        if any(map(claim.meaning.follows_from, similar)):
            return True
        return check.wording is Wording.PHRASE and _words(wording) in self._words


def find_claims(subject: ClaimText) -> list[tuple[ClaimCheck, Claim]]:
    """Return the claims of a text with their checks, in the order of the text; none lies within another."""
    left, found = list(plain(subject.text)), []
    _blank(left, (place for place, _ in addresses("".join(left))))
    _blank(left, (tag.span() for tag in TAGS.finditer("".join(left))))
    for check in claim_checks():
        claims = _first_of_overlapping(check.read(subject._replace(text="".join(left))))
        _blank(left, (claim.place for claim in claims))
        found += [(check, claim) for claim in claims]
    return sorted(found, key=lambda pair: pair[1].place)


def _first_of_overlapping(claims: Iterable[Claim]) -> list[Claim]:
    found, end = [], 0
    for claim in sorted(claims, key=lambda claim: (claim.place[0], -claim.place[1])):
        if claim.place[0] >= end:
            found.append(claim)
            end = claim.place[1]
    return found


def _blank(left: list[str], places: Iterable[Place]) -> None:
    for start, end in places:
        left[start:end] = "~" * (end - start)


def _words(text: str) -> str:
    return f" {' '.join(_WORD.findall(normalized(text)))} "


@dataclass(frozen=True)
class ListingField:
    """A text of the tool, such as `description` or `facts.0.claim`."""

    field: str
    text: str

    def hit(self, place: Place) -> Hit:
        """Return a hit at a place of the text."""
        return Hit(Where(persona=None, field=self.field), self.text[slice(*place)], place)


class Listing:
    """The texts of a tool that a take may rest on; each is read once."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        texts = [(name, getattr(tool, name)) for name in _TEXT_FIELDS]
        texts += [(f"aliases.{index}", alias) for index, alias in enumerate(tool.aliases)]
        self.fields = [ListingField(name, text) for name, text in texts if text]
        self.facts = [
            ListingField(f"facts.{index}.claim", fact.claim) for index, fact in enumerate(tool.facts)
        ]

    @cached_property
    def stated(self) -> Statements:
        """The statements of the tool's own fields."""
        tool, fields = self.tool, [field.text for field in self.fields]
        launched = tool.launched_on.isoformat() if tool.launched_on else None
        extra = [text for text in (launched, _PRICE_WORDS.get(tool.price_class)) if text]
        return Statements(*fields, tool.host or "", *extra)

    @cached_property
    def sourced(self) -> Statements:
        """The statements of the facts that have a source."""
        return Statements(*(fact.text for fact in self.facts))

    @cached_property
    def own_words(self) -> frozenset[str]:
        """The words of the tool's names and its maker's."""
        names = (self.tool.name, self.tool.maker or "", *self.tool.aliases)
        return frozenset(word for name in names for word in normalized(name).split())

    @cached_property
    def _quotable(self) -> str:
        texts = [field.text for field in (*self.fields, *self.facts)]
        texts += [str(self.tool.url or ""), self.tool.price_class.value, str(self.tool.launched_on or "")]
        return "\n".join(map(normalized, texts))

    def has_quote(self, quote: str) -> bool:
        """Return whether a quote is in the listing word for word, whatever its case, white space, typography and emphasis.

        The parts of a quote with an ellipsis must be in the listing in that order. Punctuation at the ends of a part belongs to the quoting.
        """
        form = normalized(quote)
        whole = form.strip(_EDGES)
        return bool(whole) and (f" {whole} " in self._quotable or self._has_in_order(form))

    def _has_in_order(self, form: str) -> bool:
        parts = [part for piece in _LEFT_OUT.split(form) if (part := piece.strip(_EDGES))]
        place = 0
        for part in parts:
            place = self._quotable.find(f" {part} ", place)
            if place < 0:
                return False
            place += len(part) + 1
        return bool(parts)


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

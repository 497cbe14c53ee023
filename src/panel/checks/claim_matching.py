"""The claims of a take, held against what the listing and its sourced facts say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panel.checks.addresses import addresses, tags
from panel.checks.benchmarks import benchmarks
from panel.checks.dates import dates
from panel.checks.licences import licences
from panel.checks.names import Name, names
from panel.checks.prices import free_offers, prices
from panel.checks.quantities import Quantity, quantities
from panel.checks.spelling import compared, plain
from panel.core.finding import CheckKind, Status

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from panel.checks.claim import Meaning, Mention

_LETTERS = re.compile(r"\w+")


class Stated:
    """What a text states: its claims by their meaning, and its words."""

    def __init__(self, text: str) -> None:
        """Read the text.

        Args:
            text: a listing's fields, or facts about it.
        """
        found = [mention.meaning for mention in mentions(text)]
        self._meanings: dict[object, set[Meaning]] = {}
        counted = [one for one in found if isinstance(one, Quantity)]
        ends = [end for one in counted for end in one.ends]
        for meaning in [*found, *ends, *free_offers(plain(text))]:
            for index in meaning.indexes:
                self._meanings.setdefault(index, set()).add(meaning)
        self.things = frozenset(one.thing for one in counted if one.thing)
        self._words = _words(text)
        self._vocabulary = frozenset(self._words.split())

    def supports(self, mention: Mention, wording: str) -> bool:
        """Whether the text states a claim, in the same words or in others."""
        if isinstance(mention.meaning, Name):
            return self._vocabulary.issuperset(mention.meaning.words)
        known = (self._meanings.get(index, ()) for index in mention.meaning.indexes)
        if any(mention.meaning.follows_from(other) for others in known for other in others):
            return True
        verbatim = mention.kind in {CheckKind.LICENCE, CheckKind.BENCHMARK}
        return verbatim and f" {_words(wording).strip()} " in self._words


def claims(text: str, stated: Stated, own: Collection[str], score: int | None = None) -> Iterator[Mention]:
    """Yield the claims of a take in the order in which they stand.

    Args:
        text: the take.
        stated: what the listing says, which decides whether a small number counts.
        own: words of the tool's and its maker's own names.
        score: the take's own score.
    """
    for mention in mentions(text, own, score):
        meaning = mention.meaning
        if mention.counts or (
            isinstance(meaning, Quantity) and meaning.low > 1 and meaning.thing in stated.things
        ):
            yield mention


def status_of(mention: Mention, wording: str, stated: Stated, sourced: Stated) -> Status:
    """Return how a claim stands."""
    if stated.supports(mention, wording):
        return Status.IN_LISTING
    return Status.SOURCED if sourced.supports(mention, wording) else Status.UNSUPPORTED


def mentions(text: str, own: Collection[str] = (), score: int | None = None) -> list[Mention]:
    """Return the claims that a text mentions, none within another, in the order in which they stand.

    A reader before has the first say: `Apache 2.0` is a licence and no number.
    """
    left, found = list(plain(text)), []
    _blank(left, (span for span, _ in addresses("".join(left))))
    _blank(left, tags("".join(left)))
    for read in (licences, benchmarks, prices, dates):
        found += _taken(left, read("".join(left)))
    found += _taken(left, names("".join(left), own))
    found += _taken(left, quantities("".join(left), score))
    return sorted(found, key=lambda mention: (mention.start, mention.end))


def _taken(left: list[str], read: Iterable[Mention]) -> list[Mention]:
    found, end = [], 0
    for mention in sorted(read, key=lambda one: (one.start, -one.end)):
        if mention.start >= end:
            found.append(mention)
            end = mention.end
    _blank(left, ((mention.start, mention.end) for mention in found))
    return found


def _blank(left: list[str], spans: Iterable[tuple[int, int]]) -> None:
    for start, end in spans:
        left[start:end] = "~" * (end - start)


def _words(text: str) -> str:
    return f" {' '.join(_LETTERS.findall(compared(text)))} "

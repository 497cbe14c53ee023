"""Which drafts the queue lists: what its form sends, and what links to other parts of it carry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl, urlencode

from panel.checks import all_checks
from panel.core.draft_rules import State
from panel.core.take import Verdict
from panel.core.text import one_line
from panel.store import Order, QueueFilter, Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ALL = "all"
_MOST_DAYS = 36_500
_MOST_CHARS = 200
_MOST_LIST_CHARS = 4_000
_DEFAULTS = {"state": State.DRAFTED.value, "order": Order.OLDEST.value}
_ADVANCED = ("category", "flag", "split", "persona", "cost", "days")
_NAMES = ("state", "search", *_ADVANCED, "verdict", "order")

_Named = TypeVar("_Named", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Filters:
    """What somebody chose.

    Attributes:
        wanted: the drafts of it.
        chosen: what the form holds, by the names of its fields; what was not chosen is missing.
        problems: what could not be used, in sentences.
    """

    wanted: QueueFilter
    chosen: Mapping[str, str]
    problems: tuple[str, ...] = ()

    @property
    def state(self) -> State | None:
        """The state that is listed; None for all."""
        return self.wanted.state

    @property
    def narrowed(self) -> bool:
        """Whether some drafts of the state are left out."""
        return bool({"search", *_ADVANCED} & set(self.chosen))

    @property
    def advanced(self) -> bool:
        """Whether anything but the search is chosen."""
        return bool(set(_ADVANCED) & set(self.chosen))

    @property
    def cleared(self) -> str:
        """The address of all drafts of the state."""
        return self.url(search=None, verdict=None, **dict.fromkeys(_ADVANCED))

    @property
    def list(self) -> str:
        """What tells this list from that of all new drafts, for the pages of its drafts; empty if nothing does."""
        return self.url().partition("?")[2]

    def url(self, **other: str | None) -> str:
        """Return the address of this list with some of it chosen otherwise; None for not at all."""
        kept = {**self.chosen, **other}
        query = urlencode(
            {name: value for name, value in kept.items() if value and _DEFAULTS.get(name) != value}
        )
        return f"/?{query}" if query else "/"


def read_filters(query: Mapping[str, str], personas: Iterable[str]) -> Filters:
    """Return what the form of the queue sent; what cannot be used is left out, and said.

    Args:
        query: the fields of an address.
        personas: ids of the critics that there are.
    """
    return _Reader(query).read(frozenset(personas))


def filters_of(list_: str, personas: Iterable[str]) -> Filters:
    """Return the filters of a list that a draft was opened from; `list_` is `Filters.list`."""
    return read_filters(dict(parse_qsl(list_[:_MOST_LIST_CHARS])), personas)


class _Reader:
    def __init__(self, query: Mapping[str, str]) -> None:
        self._chosen = {
            name: value for name in _NAMES if (value := one_line(query.get(name, ""))[:_MOST_CHARS])
        }
        self._problems: list[str] = []

    def read(self, personas: frozenset[str]) -> Filters:
        state, order = self._state(), self._one_of("order", Order)
        persona = self._persona(personas)
        days = self._number("days", "Older than", _MOST_DAYS)
        wanted = QueueFilter(
            state=state,
            category=self._chosen.get("category"),
            search=self._chosen.get("search"),
            flag=self._flag(),
            split=self._one_of("split", Split),
            persona=persona,
            verdict=(self._one_of("verdict", Verdict) or Verdict.SHIP) if persona else None,
            cost=self._number("cost", "Cost"),
            before=None if days is None else datetime.now(UTC) - timedelta(days=days),
            order=order or Order.OLDEST,
        )
        if not persona:
            self._chosen.pop("verdict", None)
        return Filters(wanted, self._chosen, tuple(self._problems))

    def _state(self) -> State | None:
        if self._chosen.get("state") == ALL:
            return None
        return self._one_of("state", State) or State.DRAFTED

    def _flag(self) -> str | None:
        kind = self._chosen.get("flag")
        if kind is None or kind in all_checks():
            return kind
        self._leave_out("flag", f"“{kind}” is none of the choices for flag")
        return None

    def _persona(self, personas: frozenset[str]) -> str | None:
        persona = self._chosen.get("persona")
        if persona is None or persona in personas:
            return persona
        self._leave_out("persona", f"There is no persona {persona}")
        return None

    def _one_of(self, name: str, kind: type[_Named]) -> _Named | None:
        value = self._chosen.get(name)
        if value is None:
            return None
        try:
            return kind(value)
        except ValueError:
            self._leave_out(name, f"“{value}” is none of the choices for {name}")
            return None

    def _number(self, name: str, label: str, most: float = math.inf) -> float | None:
        value = self._chosen.get(name)
        if value is None:
            return None
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if 0 <= number <= most and math.isfinite(number):
            return number
        self._leave_out(name, f"{label}: “{value}” is no number that can be used here")
        return None

    def _leave_out(self, name: str, why: str) -> None:
        del self._chosen[name]
        self._problems.append(f"{why}, and was left out.")

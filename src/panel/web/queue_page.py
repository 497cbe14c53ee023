"""The queue: drafts by state, with filters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers

from panel.checks import all_checks
from panel.core.draft_state import State
from panel.core.take import Verdict
from panel.core.text import one_line
from panel.store import Order, QueueFilter, Split
from panel.web import wording
from panel.web.notices import read_notice
from panel.web.rendering import render
from panel.web.services import services_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.responses import Response

ALL = "all"
PAGE = 50
_MAX_DAYS = 36_500
_MAX_CHARS = 200
_MAX_LIST_CHARS = 4_000
_DEFAULTS = {"state": State.DRAFTED.value, "order": Order.OLDEST.value}
_ADVANCED = ("category", "flag", "split", "persona", "cost", "days")
_NAMES = ("state", "search", *_ADVANCED, "verdict", "order")

_Choice = TypeVar("_Choice", bound=StrEnum)


async def show_queue(request: Request) -> Response:
    """Show a page of the queue."""
    services, store = services_of(request), services_of(request).store
    filters = read_filters(request.query_params, services.personas)
    after = request.query_params.get("after")
    counts = await store.queue.counts()
    return render(
        request,
        "queue.html.j2",
        filters=filters,
        page=await store.queue.page(filters.query, after=after or None, limit=PAGE),
        first=after is None,
        counts=counts,
        total=sum(counts.values()),
        categories=_categories(await store.queue.categories(filters.state), filters.query.category),
        flags=sorted(((check.kind, check.label) for check in all_checks().values()), key=itemgetter(1)),
        personas=services.personas,
        wording=wording,
        all=ALL,
        notice=await read_notice(request),
        list=filters.list,
    )


def _categories(counts: Mapping[str, int], chosen: str | None) -> list[tuple[str, str]]:
    """Return the categories with their number of drafts; the chosen one is always among them."""
    known = {chosen: 0, **counts} if chosen else counts
    return [(name, f"{name} ({count:,})") for name, count in known.items()]


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a list of drafts.

    Attributes:
        query: the drafts to list.
        chosen: values of the form's fields; a field without a choice is missing.
        problems: sentences about values that cannot be used.
    """

    query: QueueFilter
    chosen: Mapping[str, str]
    problems: tuple[str, ...] = ()

    @property
    def state(self) -> State | None:
        """The listed state; None for all."""
        return self.query.state

    @property
    def narrowed(self) -> bool:
        """Whether anything but the state and the order is chosen."""
        return "search" in self.chosen or self.advanced

    @property
    def advanced(self) -> bool:
        """Whether one of the further filters is chosen."""
        return bool(set(_ADVANCED) & set(self.chosen))

    @property
    def cleared(self) -> str:
        """URL of all drafts in the state."""
        return self.url(search=None, verdict=None, **dict.fromkeys(_ADVANCED))

    @property
    def list(self) -> str:
        """The query string of this list, by which its drafts' pages refer to it; empty for the default list."""
        return self.url().partition("?")[2]

    def url(self, **other: str | None) -> str:
        """Return the URL of this list with some fields replaced; None clears a field."""
        values = {**self.chosen, **other}
        query = urlencode(
            {name: value for name, value in values.items() if value and _DEFAULTS.get(name) != value}
        )
        return f"/?{query}" if query else "/"


def filters_of_list(list_: str, personas: Iterable[str]) -> Filters:
    """Return the filters of `Filters.list`."""
    return read_filters(dict(parse_qsl(list_[:_MAX_LIST_CHARS])), personas)


def read_filters(query: Mapping[str, str], personas: Iterable[str]) -> Filters:
    """Read the fields of the filter form; a value that cannot be used is left out and named in `problems`."""
    fields = _Fields(query)
    state = None if fields.chosen.get("state") == ALL else fields.choice("state", State) or State.DRAFTED
    order = fields.choice("order", Order) or Order.OLDEST
    persona = fields.one_of("persona", personas)
    days = fields.number("days", "Older than", _MAX_DAYS)
    listed = QueueFilter(
        state=state,
        category=fields.chosen.get("category"),
        search=fields.chosen.get("search"),
        flag=fields.one_of("flag", all_checks()),
        split=fields.choice("split", Split),
        persona=persona,
        verdict=(fields.choice("verdict", Verdict) or Verdict.SHIP) if persona else None,
        cost=fields.number("cost", "Cost"),
        before=None if days is None else datetime.now(UTC) - timedelta(days=days),
        order=order,
    )
    if not persona:
        fields.chosen.pop("verdict", None)
    return Filters(listed, fields.chosen, tuple(fields.problems))


class _Fields:
    def __init__(self, query: Mapping[str, str]) -> None:
        self.chosen = {
            name: value for name in _NAMES if (value := one_line(query.get(name, ""))[:_MAX_CHARS])
        }
        self.problems: list[str] = []

    def leave_out(self, name: str, why: str) -> None:
        del self.chosen[name]
        self.problems.append(f"{why}, so it was left out.")

    def one_of(self, name: str, choices: Iterable[str]) -> str | None:
        value = self.chosen.get(name)
        if value is None or value in set(choices):
            return value
        self.leave_out(name, f"“{value}” is not a choice for {name}")
        return None

    def choice(self, name: str, kind: type[_Choice]) -> _Choice | None:
        value = self.one_of(name, kind)
        return kind(value) if value else None

    def number(self, name: str, label: str, maximum: float = math.inf) -> float | None:
        value = self.chosen.get(name)
        if value is None:
            return None
        try:
            parsed = float(value)
        except ValueError:
            parsed = math.nan
        if 0 <= parsed <= maximum and math.isfinite(parsed):
            return parsed
        self.leave_out(name, f"{label}: “{value}” is not a usable number")
        return None

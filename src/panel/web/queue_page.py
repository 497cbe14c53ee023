"""The queue: drafts by state, with filters, and the notice of the last action that stands above a page."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers

from panel.approval import outcome_message
from panel.checks import all_checks
from panel.core.draft_state import Action, State
from panel.core.take import Verdict
from panel.core.tally import Tally
from panel.core.text import one_line
from panel.errors import NotFound
from panel.store import Order, QueueFilter, Split
from panel.web.rendering import render
from panel.web.requests import current_user, parse_number, services_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.responses import Response

    from panel.approval import DraftView

ALL = "all"
LIST = "list"
"""Name of the field with the list from which a draft was opened, as `Filters.list`."""
PAGE = 50
_MAX_DAYS = 36_500
_MAX_CHARS = 200
_MAX_LIST_CHARS = 4_000
_DEFAULTS = {"state": State.DRAFTED.value, "order": Order.OLDEST.value}
_ADVANCED = ("category", "flag", "split", "persona", "cost", "days")
_FIELDS = ("state", "search", *_ADVANCED, "verdict", "order")

_T = TypeVar("_T")


async def show_queue(request: Request) -> Response:
    """Show a page of the queue."""
    personas, queue = services_of(request).personas, services_of(request).store.queue
    filters = read_filters(request.query_params, personas)
    after = request.query_params.get("after") or None
    counts = await queue.counts()
    total, category = sum(counts.values()), filters.query.category
    categories = {**({category: 0} if category else {}), **await queue.categories(filters.state)}
    return render(
        request,
        "queue.html.j2",
        filters=filters,
        page=await queue.page(filters.query, after=after, limit=PAGE),
        first="after" not in request.query_params,
        counts=counts,
        total=total,
        categories=[(name, f"{name} ({count:,})") for name, count in categories.items()],
        flags=sorted(((check.kind, check.label) for check in all_checks().values()), key=itemgetter(1)),
        personas=personas,
        tally=Tally,
        all=ALL,
        notice=await read_notice(request),
        list=filters.list,
    )


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a list of drafts.

    Attributes:
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
    def advanced(self) -> bool:
        """Whether one of the further filters is chosen."""
        return not set(_ADVANCED).isdisjoint(self.chosen)

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
        query = {name: value for name, value in values.items() if value and _DEFAULTS.get(name) != value}
        return f"/?{urlencode(query)}" if query else "/"


def filters_of_list(list_: str, personas: Iterable[str]) -> Filters:
    """Return the filters of `Filters.list`."""
    return read_filters(dict(parse_qsl(list_[:_MAX_LIST_CHARS])), personas)


def read_filters(fields: Mapping[str, str], personas: Iterable[str]) -> Filters:
    """Read the fields of the filter form; a value that cannot be used is left out and named in `problems`."""
    chosen = {name: value for name in _FIELDS if (value := one_line(fields.get(name, ""))[:_MAX_CHARS])}
    problems: list[str] = []

    def read(name: str, parse: Callable[[str], _T]) -> _T | None:
        try:
            return parse(chosen[name]) if name in chosen else None
        except ValueError:
            problems.append(f"“{chosen.pop(name)}” cannot be used for {name}, so it was left out.")
            return None

    persona = read("persona", partial(_one_of, personas))
    if not persona:
        chosen.pop("verdict", None)
    days = read("days", partial(_amount, _MAX_DAYS))
    query = QueueFilter(
        state=None if chosen.get("state") == ALL else read("state", State) or State.DRAFTED,
        category=chosen.get("category"),
        search=chosen.get("search"),
        flag=read("flag", partial(_one_of, all_checks())),
        split=read("split", Split),
        persona=persona,
        verdict=(read("verdict", Verdict) or Verdict.SHIP) if persona else None,
        cost=read("cost", partial(_amount, sys.float_info.max)),
        before=None if days is None else datetime.now(UTC) - timedelta(days=days),
        order=read("order", Order) or Order.OLDEST,
    )
    return Filters(query, chosen, tuple(problems))


def _one_of(choices: Iterable[str], value: str) -> str:
    if value not in set(choices):
        raise ValueError(value)
    return value


def _amount(maximum: float, value: str) -> float:
    amount = float(value)
    if not 0 <= amount <= maximum:
        raise ValueError(value)
    return amount


class Notice(NamedTuple):
    """The last action of the user, and the draft after it; `undoes` is the index of the event that can be undone."""

    view: DraftView
    text: str
    undoes: int | None
    can_publish: bool


def with_notice(path: str, action: Action, draft: int, fragment: str = "", *, list_: str = "") -> str:
    """Return the URL of a page with a notice of an action; `list_` is `Filters.list`."""
    query = urlencode({"done": action.value, "was": draft, **({LIST: list_} if list_ else {})})
    return f"{path}?{query}{f'#{fragment}' if fragment else ''}"


async def read_notice(request: Request) -> Notice | None:
    """Return the notice that a URL asks for, if that action is still the draft's last event and was the user's own."""
    done, draft = request.query_params.get("done", ""), parse_number(request.query_params.get("was", ""))
    if done not in set(Action) or draft is None:
        return None
    try:
        view = await services_of(request).approval.view(draft)
    except NotFound:
        return None
    actor, last, step = current_user(request).actor, view.history[-1], view.current.next_undo
    if last.kind != done or not actor.is_named(last.actor):
        return None
    actions = view.allowed(actor)
    can_undo = step and step.place == len(view.history) - 1 and Action.UNDO in actions
    undoes = step.place if step and can_undo else None
    return Notice(view, outcome_message(view, Action(done)), undoes, Action.PUBLISH in actions)

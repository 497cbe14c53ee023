"""Pages that explain: how reviews are made, what was corrected, a reader's bookmarks, and what is not there."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from panel.core.take import HIGHEST_SKIP, LOWEST_SHIP
from panel.core.tally import MIN_TAKES
from panel.site.json_ld import web_page
from panel.site.lists import picture_file
from panel.site.renderer import File
from panel.site.reviews import INDEX, PICTURE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from panel.site.renderer import Renderer
    from panel.site.tool_summary import Correction


class MadeWith(NamedTuple):
    """With what reviews were made.

    Attributes:
        models: who was asked.
        prompts: digest of the prompts.
        reviews: how many reviews on the site were made so.
        first: the day of the first of them.
        last: and of the last.
    """

    models: tuple[str, ...]
    prompts: str
    reviews: int
    first: date
    last: date


def text_files(press: Renderer) -> Iterator[File]:
    """Yield the files of pages that explain."""
    yield _methodology(press)
    yield picture_file(
        press, "methodology/", "How the panel works", "What AI did, what people did, and by which rules."
    )
    yield from _corrections(press)
    yield _plain(press, "bookmarks/", "bookmarks.html.j2", "Bookmarks", "The tools that you keep for later.")
    yield _plain(press, "404.html", "missing.html.j2", "Page not found", "There is no page of this address.")


def _methodology(press: Renderer) -> File:
    path, title = "methodology/", "How the panel works"
    description = "The rules, the critics, the prompts and the models: what AI did, and what people did."
    versions = _versions(press)

    def made() -> bytes:
        return press.page(
            "methodology.html.j2",
            path,
            title=title,
            description=description,
            linked_data=web_page(press.options, "WebPage", [(title, path)], description),
            picture=(press.options.address(path + PICTURE), title),
            trail=[(title, path)],
            versions=versions,
            min_takes=MIN_TAKES,
            lowest_ship=LOWEST_SHIP,
            highest_skip=HIGHEST_SKIP,
        )

    return File(path + INDEX, versions, made)


def _versions(press: Renderer) -> tuple[MadeWith, ...]:
    """Return with what the reviews on the site were made, the latest first."""
    counts: Counter[tuple[tuple[str, ...], str]] = Counter()
    days: dict[tuple[tuple[str, ...], str], list[date]] = {}
    for card in press.shelf.live:
        key = (card.models, card.prompts)
        counts[key] += 1
        span = days.setdefault(key, [card.reviewed, card.reviewed])
        span[:] = [min(span[0], card.reviewed), max(span[1], card.reviewed)]
    made = [MadeWith(*key, counts[key], *days[key]) for key in counts]
    return tuple(sorted(made, key=lambda one: (one.last, one.models, one.prompts), reverse=True))


def _corrections(press: Renderer) -> Iterator[File]:
    changed = [card for card in press.shelf.cards if card.corrected]
    log: list[Correction] = [
        entry.model_copy(update={"slug": card.slug})
        for card in changed
        for entry in press.shelf.record(card).log
    ]
    live = {card.slug for card in press.shelf.live}
    years: dict[int, list[Correction]] = {}
    for entry in sorted(log, key=lambda one: (one.at, one.slug), reverse=True):
        years.setdefault(entry.at.year, []).append(entry)
    known = tuple(years)
    latest = known[0] if known else None
    for year in (None, *known):
        entries = years.get(year or latest or 0, [])
        path = f"corrections/{year}/" if year else "corrections/"
        yield File(
            path + INDEX,
            (tuple(entries), known, tuple(entry.slug in live for entry in entries)),
            partial(_log_page, press, path, year, entries=entries, years=known, live=live),
        )


def _log_page(press: Renderer, path: str, year: int | None, **values: Any) -> bytes:  # noqa: ANN401 - whatever the template shows
    title = f"Corrections of {year}" if year else "Corrections"
    steps = [("Corrections", "corrections/"), *([(str(year), path)] if year else [])]
    description = "What was changed or taken back after it was published."
    return press.page(
        "corrections.html.j2",
        path,
        title=title,
        description=description,
        linked_data=web_page(press.options, "WebPage", steps, description),
        trail=steps,
        year=year,
        **values,
    )


def _plain(press: Renderer, path: str, template: str, title: str, description: str) -> File:
    make = partial(
        press.page,
        template,
        path,
        title=title,
        description=description,
        linked_data=None,
        noindex=True,
        trail=[(title, path)],
    )
    return File(path if path.endswith(".html") else path + INDEX, (), make)

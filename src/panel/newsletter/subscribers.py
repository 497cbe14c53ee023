"""The newsletter's subscribers: all of them, and those who confirmed as CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panel.store import Store, Subscriber

COLUMNS = ("mail", "asked_at", "confirmed_at", "last_issue")
_FORMULA = (*tuple("=+-@\t\r\n"), "\uff1d", "\uff0b", "\uff0d", "\uff20")


async def all_subscribers(store: Store) -> list[Subscriber]:
    """Return everybody who ever signed up."""
    found: list[Subscriber] = []
    while page := await store.subscribers.page(after=found[-1].id if found else 0):
        found += page
    return found


def confirmed_csv(subscribers: Iterable[Subscriber]) -> str:
    """Return those who confirmed and did not leave as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for subscriber in subscribers:
        row = subscriber.model_dump(mode="json")
        if row["state"] == "confirmed":
            writer.writerow([safe_cell(row[name] or "") for name in COLUMNS])
    return out.getvalue()


def safe_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: with an apostrophe, which spreadsheets drop on import."""
    return f"'{text}" if text.startswith(_FORMULA) else text

"""Whether quotes stand in the listing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panel.checks.spelling import GAP, compared

if TYPE_CHECKING:
    from panel.checks.listing import Listing

_LEFT_OUT = re.compile(rf"[(\[] {GAP} [)\]]|{GAP}")
_EDGES = " \"'.,;:!?()[]-"


def is_quoted(quote: str, listing: Listing) -> bool:
    """Whether a quote stands in the listing word for word, whatever its case, white space, typography and emphasis.

    A quote with an ellipsis counts if its parts stand in the listing in that order; marks at the ends of a part
    belong to the quoting.
    """
    form = compared(quote)
    whole = form.strip(_EDGES)
    return bool(whole) and (f" {whole} " in listing.compared or _in_order(form, listing.compared))


def _in_order(form: str, text: str) -> bool:
    parts = [part.strip(_EDGES) for part in _LEFT_OUT.split(form)]
    place = 0
    for part in filter(None, parts):
        place = text.find(f" {part} ", place)
        if place < 0:
            return False
        place += len(part) + 1
    return any(parts)

"""Web and mail addresses in a take that are not the tool's own."""

from __future__ import annotations

from panel.checks.inputs import SeatText
from panel.checks.matching import addresses
from panel.checks.registry import Hits, input_check


@input_check(
    SeatText,
    "address",
    "Address of another site",
    "This address is not the tool's own: remove it unless the take needs it.",
)
def _find(subject: SeatText) -> Hits:
    own = (subject.listing.tool.host or "").removeprefix("www.")
    for place, host in addresses(subject.plain):
        if not own or (host != own and not host.endswith(f".{own}")):
            yield subject.hit(place)

"""Web and mail addresses in a take that are not the tool's own."""

from __future__ import annotations

from panel.checks.addresses import addresses
from panel.checks.registry import Hits, SubjectCheck
from panel.checks.subjects import SeatText


def _find(subject: SeatText) -> Hits:
    own = (subject.listing.tool.host or "").removeprefix("www.")
    for place, host in addresses(subject.plain):
        if not own or (host != own and not host.endswith(f".{own}")):
            yield subject.hit(place)


CHECK = SubjectCheck(
    kind="address",
    label="Address of another site",
    message="This address is not the tool's own: remove it unless the take needs it.",
    reads=SeatText,
    find=_find,
)

"""Web and mail addresses in a take that are not the tool's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.checks.addresses import addresses
from panel.checks.registry import Hit, SubjectCheck
from panel.checks.subjects import SeatText

if TYPE_CHECKING:
    from collections.abc import Iterator


def _find(subject: SeatText) -> Iterator[Hit]:
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

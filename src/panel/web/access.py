"""Who may come in, as it was decided when the server was started."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panel.core.draft_rules import Actor

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Open:
    """One person, on the machine that they sit at: whoever reaches the server is them.

    Attributes:
        actor: who that is.
    """

    actor: Actor


@dataclass(frozen=True, slots=True)
class Accounts:
    """People sign in with a name and a password that the store knows."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy has signed people in, and names them; each name must be one that the store knows.

    Attributes:
        header: the header that holds the name, in UTF-8.
        addresses: IP addresses that are believed; from anywhere else the header means nothing.
    """

    header: str
    addresses: frozenset[str]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in.

    Attributes:
        way: how people are told apart.
        hosts: names that browsers may call the server by, beside those of loopback; lower case, without ports.
        secret: what the tokens in forms are derived from, 32 bytes; forms outlive a restart with the same one.
    """

    way: Open | Accounts | Proxy
    hosts: frozenset[str] = frozenset()
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(SECRET_BYTES), repr=False)

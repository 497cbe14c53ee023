"""The links in the newsletter's mails: to confirm a sign-up within some days, and to leave at any time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from panel.newsletter.tokens import is_token, token

if TYPE_CHECKING:
    from datetime import datetime

CONFIRM_WITHIN = timedelta(days=3)


class Asked(Protocol):
    """Somebody who asked for the newsletter."""

    @property
    def id(self) -> int:
        """Their number."""
        ...

    @property
    def mail(self) -> str:
        """Their address."""
        ...

    @property
    def asked_at(self) -> datetime:
        """When they asked last."""
        ...


def confirm_token(secret: bytes, asked: Asked) -> str:
    """Return what proves that somebody reads the mail of an address."""
    return token(secret, "confirm", asked.id, asked.mail, asked.asked_at.isoformat())


def confirms(text: str, secret: bytes, asked: Asked, now: datetime) -> bool:
    """Whether that is proved, not too late."""
    known = is_token(text, secret, "confirm", asked.id, asked.mail, asked.asked_at.isoformat())
    return known and now - asked.asked_at <= CONFIRM_WITHIN


def leave_token(secret: bytes, asked: Asked) -> str:
    """Return what lets somebody leave, whenever they like."""
    return token(secret, "leave", asked.id, asked.mail.lower())


def leaves(text: str, secret: bytes, asked: Asked) -> bool:
    """Whether a text lets somebody leave."""
    return is_token(text, secret, "leave", asked.id, asked.mail.lower())

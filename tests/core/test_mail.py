from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from panel.core.mail import mail_address
from panel.newsletter.links import CONFIRM_WITHIN, confirm_token, confirms, leave_token, leaves
from panel.newsletter.tokens import number_of

SECRET = b"s" * 32
NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Asked(NamedTuple):
    """Somebody who asked."""

    id: int = 7
    mail: str = "kim@example.org"
    asked_at: datetime = NOW


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("kim@example.org", "kim@example.org"),
        (" Kim.O+news@Example.ORG ", "Kim.O+news@example.org"),
        ("kim@bücher.example", "kim@xn--bcher-kva.example"),
        ("o'kim@sub.example.org", "o'kim@sub.example.org"),
    ],
)
def test_an_address_is_read(text: str, address: str) -> None:
    """A mail address is taken as servers take it: its host in lower case and in ASCII."""
    assert mail_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kim",
        "@example.org",
        "kim@",
        "kim@localhost",
        "kim@example",
        "kim@-x.example",
        "kim@example.org\r\nBcc: ada@example.org",
        "kim@example.org,ada@example.org",
        "Kim <kim@example.org>",
        "kim@[127.0.0.1]",
        "kim@127.0.0.1",
        ".kim@example.org",
        "k..m@example.org",
        '"kim"@example.org',
        "k@m@example.org",
        "kim\x00@example.org",
        "kïm@example.org",
        f"{'k' * 65}@example.org",
        f"kim@{'e' * 64}.org",
        f"kim@{'e.' * 130}org",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """What could end a header, name two people or reach this machine is no mail address."""
    with pytest.raises(ValueError, match="expected a mail address"):
        mail_address(text)


def test_a_link_confirms_for_some_days() -> None:
    """A sign-up is confirmed by its own link, until it is too late or somebody asked again."""
    token = confirm_token(SECRET, Asked())
    assert number_of(token) == 7
    assert confirms(token, SECRET, Asked(), NOW + CONFIRM_WITHIN)
    assert not confirms(token, SECRET, Asked(), NOW + CONFIRM_WITHIN + timedelta(seconds=1))
    assert not confirms(token, SECRET, Asked(asked_at=NOW + timedelta(hours=1)), NOW)
    assert not confirms(token, SECRET, Asked(mail="ada@example.org"), NOW)
    assert not confirms(token, b"t" * 32, Asked(), NOW)


def test_a_link_is_good_for_one_thing() -> None:
    """The link to leave does not confirm, the link to confirm does not leave, and neither is anybody else's."""
    assert leaves(leave_token(SECRET, Asked()), SECRET, Asked(asked_at=NOW + timedelta(days=900)))
    assert not leaves(confirm_token(SECRET, Asked()), SECRET, Asked())
    assert not confirms(leave_token(SECRET, Asked()), SECRET, Asked(), NOW)
    assert not leaves(leave_token(SECRET, Asked(id=8)), SECRET, Asked())


@pytest.mark.parametrize(
    "text", ["", "7", "7.", "x.y", "7." + "g" * 32, "-7." + "a" * 32, "7." + "a" * 33, "\uff17." + "a" * 32]
)
def test_what_is_no_token_has_no_number(text: str) -> None:
    """A text that is no token is about nobody."""
    assert number_of(text) is None

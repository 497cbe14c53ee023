from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from panel.newsletter.subscribers import (
    CONFIRM_WITHIN,
    confirm_token,
    confirms,
    leave_token,
    leaves,
    safe_cell,
    signing_key,
    subscriber_number,
)
from panel.store import Subscriber, SubscriptionState

KEY = signing_key(b"s" * 32)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def subscriber(**fields: Any) -> Subscriber:
    known = {"id": 7, "mail": "kim@example.org", "state": SubscriptionState.PENDING, "asked_at": NOW}
    return Subscriber(**{**known, **fields})


def test_links_of_panel_0_1_still_work() -> None:
    assert confirm_token(KEY, subscriber()) == "7.9ec1ddcc76c3c07c938eca3032897d4e"
    assert leave_token(KEY, subscriber()) == "7.437a80e2a76ff9cda46408a4153abd8d"


def test_a_link_confirms_for_some_days() -> None:
    """Until it is too late, or the reader signs up again."""
    token = confirm_token(KEY, subscriber())
    assert subscriber_number(token) == 7
    assert confirms(token, KEY, subscriber(), NOW + CONFIRM_WITHIN)
    assert not confirms(token, KEY, subscriber(), NOW + CONFIRM_WITHIN + timedelta(seconds=1))
    assert not confirms(token, KEY, subscriber(asked_at=NOW + timedelta(hours=1)), NOW)
    assert not confirms(token, KEY, subscriber(mail="ada@example.org"), NOW)
    assert not confirms(token, b"t" * 32, subscriber(), NOW)


def test_a_link_has_one_purpose_and_one_subscriber() -> None:
    assert leaves(leave_token(KEY, subscriber()), KEY, subscriber(asked_at=NOW + timedelta(days=900)))
    assert not leaves(confirm_token(KEY, subscriber()), KEY, subscriber())
    assert not confirms(leave_token(KEY, subscriber()), KEY, subscriber(), NOW)
    assert not leaves(leave_token(KEY, subscriber(id=8)), KEY, subscriber())


@pytest.mark.parametrize(
    "text", ["", "7", "7.", "x.y", "7." + "g" * 32, "-7." + "a" * 32, "7." + "a" * 33, "\uff17." + "a" * 32]
)
def test_an_invalid_token_has_no_subscriber(text: str) -> None:
    assert subscriber_number(text) is None


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1+1)", "\t=1", "\r=1", "\uff1d1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    assert safe_cell("kim@example.org") == "kim@example.org"

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.core.completion import RateLimits
from panel.providers.response_fields import rate_limits, retry_after

if TYPE_CHECKING:
    from collections.abc import Iterator

DATE = "Sun, 22 Nov 2026 10:00:00 GMT"
ANTHROPIC = "anthropic-ratelimit"


def openai(reset: str) -> dict[str, str]:
    return {"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": reset}


def anthropic(reset: str, **others: str) -> dict[str, str]:
    return {f"{ANTHROPIC}-requests-remaining": "7", f"{ANTHROPIC}-requests-reset": reset, **others}


def reset_of(headers: dict[str, str]) -> float | None:
    limits = rate_limits(headers)
    assert limits
    assert limits.requests_left == 7
    return limits.requests_reset


def test_openai_headers_are_read() -> None:
    headers = {
        "x-ratelimit-limit-requests": "5000",
        "x-ratelimit-remaining-requests": "4999",
        "x-ratelimit-reset-requests": "12ms",
        "x-ratelimit-limit-tokens": "800000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "6m0s",
    }
    assert rate_limits(headers) == RateLimits(
        requests_per_minute=5_000,
        requests_left=4_999,
        requests_reset=0.012,
        tokens_per_minute=800_000,
        tokens_left=0,
        tokens_reset=360.0,
    )


def test_anthropic_headers_are_read() -> None:
    headers = {
        "date": DATE,
        f"{ANTHROPIC}-requests-limit": "50",
        f"{ANTHROPIC}-requests-remaining": "49",
        f"{ANTHROPIC}-requests-reset": "2026-11-22T10:00:01Z",
        f"{ANTHROPIC}-tokens-limit": "90000",
        f"{ANTHROPIC}-tokens-remaining": "80000",
        f"{ANTHROPIC}-tokens-reset": "2026-11-22T10:00:12Z",
    }
    assert rate_limits(headers) == RateLimits(
        requests_per_minute=50,
        requests_left=49,
        requests_reset=1.0,
        tokens_per_minute=90_000,
        tokens_left=80_000,
        tokens_reset=12.0,
    )


def test_anthropic_input_tokens_stand_in_for_tokens() -> None:
    headers = {
        f"{ANTHROPIC}-input-tokens-limit": "40000",
        f"{ANTHROPIC}-input-tokens-remaining": "39000",
    }
    assert rate_limits(headers) == RateLimits(tokens_per_minute=40_000, tokens_left=39_000)


@pytest.mark.parametrize("headers", [{}, {"date": DATE}, {"x-ratelimit-limit-requests": "60"}])
def test_headers_without_remaining_figures_state_no_limits(headers: dict[str, str]) -> None:
    assert rate_limits(headers) is None


@pytest.mark.parametrize(
    ("span", "seconds"),
    [
        ("6m0s", 360.0),
        ("6ms", 0.006),
        ("1h2m3s", 3723.0),
        ("59.7s", 59.7),
        ("2m59.56s", 179.56),
        ("0s", 0.0),
        ("55", 55.0),
        ("1m30", 90.0),
    ],
)
def test_time_span_is_the_sum_of_its_parts(span: str, seconds: float) -> None:
    assert reset_of(openai(span)) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "span",
    [
        "",
        "soon",
        "6 m",
        "-6s",
        "6m0s later",
        "s",
        "1d",
        "1e9s",
        "NaN",
        "²s",
        "9" * 400 + "s",
        "2026-11-22",
        "2026-11-22T10:00:00",
        "2026-13-45T99:00:00Z",
    ],
)
def test_unreadable_reset_is_unknown(span: str) -> None:
    assert reset_of(openai(span)) is None


def test_very_long_values_are_not_parsed() -> None:
    assert reset_of(openai("0" * 1_000 + "5s")) is None


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("2026-11-22T10:00:30Z", 30.0),
        ("2026-11-22T10:00:30.250Z", 30.25),
        ("2026-11-22T11:01:00+01:00", 60.0),
        ("2026-11-22T09:59:00Z", 0.0),
        ("9999-12-31T23:59:59Z", 251_606_959_199.0),
        ("0001-01-01T00:00:00+14:00", 0.0),
    ],
)
def test_moments_count_from_the_responses_date(moment: str, seconds: float) -> None:
    assert reset_of(anthropic(moment, date=DATE)) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +99999999999999999",
        "9" * 100_000,
    ],
)
def test_unreadable_date_counts_as_now(date: str) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    seconds = reset_of(anthropic(soon.isoformat(), date=date))
    assert seconds is not None
    assert 0.0 < seconds <= 3600.0


def test_missing_date_counts_as_now() -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    assert reset_of(anthropic(past.isoformat())) == 0.0


@pytest.fixture
def in_the_east() -> Iterator[None]:
    """This machine's clock is five hours ahead of UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "EAST-5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_the_east")
def test_date_without_a_zone_is_utc() -> None:
    assert reset_of(anthropic("2026-11-22T10:00:05Z", date="Sun, 22 Nov 2026 10:00:00 -0000")) == 5.0


@pytest.mark.parametrize("number", ["", "-1", "1.5", "1_000", "٣", "many", "9" * 16, " 5"])
def test_unreadable_numbers_are_unknown(number: str) -> None:
    limits = rate_limits({"x-ratelimit-remaining-tokens": number, "x-ratelimit-limit-tokens": "60"})
    assert limits == RateLimits(tokens_per_minute=60)


@given(value=st.text(max_size=80), date=st.text(max_size=80))
def test_no_header_raises(value: str, date: str) -> None:
    reset = reset_of({**anthropic(value), "date": date})
    assert reset is None or 0 <= reset < float("inf")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Wed, 21 Oct 2020 07:28:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 01 Jan 2026 00:00:00 +99999999999999999999"}, None),
        ({}, None),
    ],
)
def test_wait_without_meaning_is_unknown(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds

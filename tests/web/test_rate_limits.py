"""Rate limits."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from panel.web.rate_limits import RateLimiter

TWO = "2 per 15 minutes"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=1_000.0)
    clock.time = lambda: clock.now
    for module in ("limits.storage.memory", "panel.web.rate_limits"):
        monkeypatch.setattr(f"{module}.time", clock)
    return clock


def test_attempts_expire_one_by_one_after_the_window(clock: SimpleNamespace) -> None:
    limiter = RateLimiter()
    assert limiter.hit(TWO, "a") == 0
    clock.now += 600
    assert limiter.hit(TWO, "a") == 0
    assert (limiter.wait(TWO, "a"), limiter.wait(TWO, "b")) == (300, 0)
    clock.now += 299.5
    assert limiter.hit(TWO, "a") == 1
    clock.now += 0.6
    assert limiter.wait(TWO, "a") == 0
    assert limiter.hit(TWO, "a") == 0
    assert limiter.wait(TWO, "a") == 600


def test_a_refund_uncounts_one_attempt() -> None:
    limiter = RateLimiter()
    for _ in range(2):
        limiter.hit(TWO, "a")
    limiter.refund(TWO, "a")
    assert [limiter.hit(TWO, "a") > 0 for _ in range(2)] == [False, True]


def test_a_key_without_attempts_takes_no_memory() -> None:
    limiter = RateLimiter()
    limiter.hit(TWO, "a")
    limiter.refund(TWO, "a")
    limiter.refund(TWO, "never tried")
    assert len(limiter) == 0


def test_the_key_idle_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.web.rate_limits.MAX_KEYS", 10)
    limiter = RateLimiter()
    for number in range(10):
        limiter.hit("1 per day", str(number))
    assert limiter.hit("1 per day", "0")  # over the limit, but used again
    limiter.hit("1 per day", "another")
    assert len(limiter) == 10
    assert limiter.wait("1 per day", "0")
    assert not limiter.wait("1 per day", "1")

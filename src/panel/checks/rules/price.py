"""Prices that a take states: amounts of money with their rates (`a month`, `per seat`), and free offers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.checks.matching import before
from panel.checks.numerals import DIGITS, NUMERAL, SCALE, value_of
from panel.checks.registry import Claim, Claims, ClaimText, Meaning, claim_check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

_NAMES_OF_CURRENCIES = {
    "USD": "$ us$ usd dollar buck cent",
    "EUR": "€ eur euro",
    "GBP": "£ gbp pound pence",
    "JPY": "¥ jpy yen",
    "INR": "₹ inr rupee",
    "CHF": "chf",
    "CAD": "cad",
    "AUD": "aud",
}
_CURRENCIES = {name: code for code, names in _NAMES_OF_CURRENCIES.items() for name in names.split()}
_HUNDREDTHS = frozenset({"cent", "pence"})
_NAMES_OF_RATES = {
    "month": "monthly mo",
    "year": "annually yearly yr",
    "week": "weekly",
    "repository": "repo",
}
_RATES = {name: rate for rate, names in _NAMES_OF_RATES.items() for name in names.split()}

_CODE = r"(?:USD|EUR|GBP|JPY|INR|CHF|CAD|AUD)"
_BEFORE = rf"(?P<mark>US\$|[$€£¥₹]|\b{_CODE}) ?(?P<amount>{DIGITS}{SCALE}?)"
_AFTER = rf"(?<![\w.,])(?P<count>{NUMERAL})[ -]?(?P<coin>[$€£¥₹]|(?:{_CODE}|dollars?|euros?|pounds?|bucks?|cents?|pence|yen|rupees?)\b)"
_PER = rf"(?: ?/ ?| (?:an?|per|each|every) )(?:(?P<lot>{NUMERAL}) )?(?:GPU )?[a-z]+\b|,? (?:monthly|annually|yearly|weekly)\b"
_PRICE = re.compile(rf"(?:{_BEFORE}|{_AFTER})", re.IGNORECASE)
# Every price has one of these and most texts have none; looking for them takes a fraction of the time.
_SIGNS = ("$", "€", "£", "¥", "₹", *(name for name in _CURRENCIES if name.isalpha()))
_RATE = re.compile(_PER, re.IGNORECASE)
_FREE = re.compile(
    r"\bfree (plan|tier|trial|version|account|forever|of charge|credits?)\b|\b(?:for free|free of charge)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:no|not|never|without|lacks?|nor|neither)\b[^.,;:!?\n]*$", re.IGNORECASE)
_LOOK_BACK = 30
_MOST_RATES = 2


@dataclass(frozen=True)
class Money(Meaning):
    """An amount in units of a currency (ISO 4217; `$` and cents are US ones), and its rates, such as month and seat."""

    amount: Decimal
    currency: str
    rates: frozenset[str] = frozenset()

    @property
    def keys(self) -> tuple[object, ...]:
        """The amount."""
        return ((self.amount, self.currency),)

    def follows_from(self, other: Meaning) -> bool:
        """Return whether the other, of the same amount, is for at least everything that this one is paid for."""
        return isinstance(other, Money) and self.rates <= other.rates


@dataclass(frozen=True)
class FreeOffer(Meaning):
    """A free offer; a trial ends, everything else does not."""

    trial: bool


def _free_offers(text: str) -> Iterator[FreeOffer]:
    """Yield the free offers of a listing, in any wording."""
    if re.search(r"\bfree\b(?! of (?!charge))", text, re.IGNORECASE):
        yield FreeOffer(trial=False)
    if re.search(r"\btrial\b", text, re.IGNORECASE):
        yield FreeOffer(trial=True)


@claim_check("price", precedence=30, states=_free_offers)
def _read(subject: ClaimText) -> Claims:
    text = subject.text
    lowered = text.lower()
    for price in _PRICE.finditer(text) if any(sign in lowered for sign in _SIGNS) else ():
        rates, end = _rates(text, price.end())
        yield Claim((price.start(), end), _money(price, rates))
    for offer in _FREE.finditer(text):
        if not _DENIED.search(before(text, offer.start(), _LOOK_BACK)):
            yield Claim(offer.span(), FreeOffer((offer[1] or "").lower() == "trial"))


def _money(price: re.Match[str], rates: frozenset[str]) -> Money:
    mark = (price["mark"] or price["coin"]).lower()
    coin = mark if mark in _CURRENCIES else mark.removesuffix("s")
    amount = value_of(price["amount"] or price["count"])
    return Money(amount / 100 if coin in _HUNDREDTHS else amount, _CURRENCIES[coin], rates)


def _rates(text: str, place: int) -> tuple[frozenset[str], int]:
    rates: set[str] = set()
    for _ in range(_MOST_RATES):
        rate = _RATE.match(text, place)
        if rate is None:
            break
        lot = f"{value_of(rate['lot'])} " if rate["lot"] else ""
        word = re.findall("[a-z]+", rate[0].lower())[-1]
        rates.add(lot + _RATES.get(word, word if lot else word.removesuffix("s")))
        place = rate.end()
    return frozenset(rates), place

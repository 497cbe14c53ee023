"""The Tool type."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from panel.core.tool import Fact, PriceClass, Tool

FACT = {"claim": "MIT licence", "source": "https://lantern.dev/license", "checked_on": "2026-03-31"}


def tool(**fields: Any) -> Tool:
    return Tool.model_validate({"name": "Lantern", "description": "Shows run history.", **fields})


def reason(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        tool(**fields)
    return str(caught.value)


def test_two_fields_are_enough() -> None:
    plain = tool()
    assert plain.slug == "lantern"
    assert plain.price_class is PriceClass.UNKNOWN
    assert (plain.tagline, plain.url, plain.maker, plain.launched_on) == (None, None, None, None)
    assert (plain.facts, plain.aliases) == ((), ())


def test_text_is_cleaned_before_it_is_measured() -> None:
    assert tool(name="\u200bLan\ntern " + "\u200b" * 200).name == "Lan tern"
    assert tool(description=" a\r\n\r\n\r\n\r\nb ").description == "a\n\nb"
    assert tool(url=" https://Lantern.dev \n").url == "https://lantern.dev"


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ("name", 120),
        ("description", 10_000),
        ("tagline", 200),
        ("category", 80),
        ("pricing", 200),
        ("maker", 120),
        ("license", 80),
        ("best_for", 200),
    ],
)
def test_text_has_limits(field: str, limit: int) -> None:
    assert getattr(tool(**{field: "x" * limit}), field) == "x" * limit
    assert f"{limit + 1} characters, the limit is {limit}" in reason(**{field: "x" * (limit + 1)})


@pytest.mark.parametrize("field", ["name", "description"])
def test_required_text_must_not_be_blank(field: str) -> None:
    assert "is blank" in reason(**{field: " \t\u3164\u200b\u2800 "})


@pytest.mark.parametrize(
    "field", ["tagline", "category", "pricing", "url", "maker", "license", "launched_on", "best_for"]
)
def test_optional_text_that_is_blank_is_none(field: str) -> None:
    assert getattr(tool(**{field: " \u200b "}), field) is None


@pytest.mark.parametrize(
    ("value", "kind"),
    [(False, "a boolean"), (1984, "a number"), (1e3, "a number"), (["x"], "a list"), (None, "nothing")],
)
def test_text_fields_take_text_only(value: object, kind: str) -> None:
    assert f"expected text, got {kind}" in reason(name=value)


def test_unknown_fields_are_refused() -> None:
    assert "Extra inputs are not permitted" in reason(nmae="Lantern")


@pytest.mark.parametrize(
    ("fields", "entry"),
    [
        ({"price_class": "open_source"}, "Free"),
        ({"price_class": "free", "pricing": "$0"}, "Free"),
        ({"price_class": "freemium"}, "Free tier"),
        ({"price_class": "paid"}, "Paid"),
        ({"price_class": "usage"}, "Pay per use"),
        ({"price_class": "contact"}, "Contact sales"),
        ({"pricing": "Free, then $40/month"}, "Free, then $40/month"),
        ({"price_class": " ", "pricing": " "}, "Not stated"),
    ],
)
def test_the_entry_price_follows_the_class(fields: dict[str, str], entry: str) -> None:
    assert tool(**fields).entry_price == entry


def test_a_price_class_is_one_of_seven() -> None:
    assert "is none of open_source, free, freemium, paid, usage, contact, unknown" in reason(
        price_class="cheap"
    )
    assert "expected text, got a boolean" in reason(price_class=True)


@pytest.mark.parametrize(
    "value", ["2026-02-30", "20260331", "31.03.2026", "2026-W01-1", "1774915200", "soon"]
)
def test_only_year_month_day_is_a_date(value: str) -> None:
    assert "is not a date" in reason(launched_on=value)


def test_dates_are_kept() -> None:
    assert tool(launched_on="2026-03-31").launched_on == date(2026, 3, 31)
    assert tool(launched_on=date(2026, 3, 31)).launched_on == date(2026, 3, 31)
    assert "expected text" in reason(launched_on=datetime(2026, 3, 31))  # noqa: DTZ001 - refused whatever its zone


@pytest.mark.parametrize(
    "slug", ["Lantern", "a b", "../x", "-a", "a--b", "é", "a" * 81, "404", "con", "a-vs-b", " "]
)
def test_a_given_slug_must_be_safe(slug: str) -> None:
    assert "must be 1 to 80" in reason(slug=slug) or "is reserved" in reason(slug=slug)


def test_a_given_slug_is_kept() -> None:
    assert tool(slug="lantern-2").slug == "lantern-2"


def test_facts_need_a_claim_a_public_source_and_a_date() -> None:
    assert tool(facts=[FACT]).facts == (Fact.model_validate(FACT),)
    assert "open to the public" in reason(facts=[{**FACT, "source": "http://10.0.0.1/"}])
    assert "is not a date" in reason(facts=[{**FACT, "checked_on": "today"}])
    assert "501 characters" in reason(facts=[{**FACT, "claim": "x" * 501}])
    assert "Field required" in reason(facts=[{"claim": "x"}])


def test_lists_have_limits() -> None:
    assert "21 names, the limit is 20" in reason(aliases=["x"] * 21)
    assert "51 facts, the limit is 50" in reason(facts=[FACT] * 51)
    assert "expected a list of names, got text" in reason(aliases="Lamp")
    assert tool(aliases=None, facts=None) == tool()
    assert tool(aliases=[" Lamp "]).aliases == ("Lamp",)


def test_the_audience_is_best_for_or_the_tagline() -> None:
    assert tool(best_for="Teams", tagline="See inside").audience == "Teams"
    assert tool(tagline="See inside").audience == "See inside"
    assert tool().audience is None


def test_the_canonical_name_has_no_case() -> None:
    assert tool(name=" LANTERN ").canonical == tool().canonical


def test_the_digest_covers_what_describes_the_tool() -> None:
    changes = {
        "name": "Lamp",
        "description": "x",
        "tagline": "x",
        "url": "https://a.dev",
        "facts": [FACT],
        "aliases": ["x"],
    }
    digests = {tool(**{field: value}).digest for field, value in changes.items()}
    assert len(digests | {tool().digest}) == len(changes) + 1
    assert tool(slug="other").digest == tool().digest


def test_a_tool_survives_storage() -> None:
    whole = tool(
        name="C++", url="https://bücher.example", launched_on="2026-03-31", facts=[FACT], price_class="paid"
    )
    assert Tool.model_validate_json(whole.model_dump_json()) == whole

from __future__ import annotations

from typing import Any

import pytest

from builders import take, tool
from panel.checks import Status, check_take

LISTED: dict[str, Any] = {
    "tagline": "Logs that read themselves",
    "description": (
        "Lantern is a 3B model with a context of 32k tokens. It supports five languages, cut review time by 35-40% "
        "on 1,200 log files and reports 61.5 on MMLU. The free plan keeps 7 days of history, in Slack or Jira."
    ),
    "pricing": "$40/month, or $0.20 per 1,000 requests",
    "license": "Apache-2.0",
    "maker": "Beacon Works",
    "launched_on": "2026-09-15",
    "facts": [
        {
            "claim": "Beacon Works raised $4.2M in June 2025; Grafana is an investor. Uptime was 99.95%.",
            "source": "https://news.example.org/beacon",
            "checked_on": "2026-10-01",
        }
    ],
}


def found(sentence: str, score: int = 70) -> dict[str, tuple[str, str]]:
    """Return kind and status of each finding by its text."""
    written = take(score, text=f"{sentence} That is what there is to say about it, and no more.")
    return {one.text: (one.kind, one.status.value) for one in check_take(written, "builder", tool(**LISTED))}


@pytest.mark.parametrize(
    ("sentence", "text", "kind"),
    [
        ("It has 3 billion parameters.", "3 billion parameters", "number"),
        ("It has three billion weights.", "three billion weights", "number"),
        ("A 32,000-token window is enough.", "32,000-token", "number"),
        ("Five languages are a start.", "Five languages", "number"),
        ("It saves 35 to 40 percent.", "35 to 40 percent", "number"),
        ("It saves up to 40%.", "40%", "number"),
        ("A week is seven days of history.", "seven days", "number"),
        ("History lasts 168 hours.", "168 hours", "number"),
        ("It was read on 1200 files.", "1200 files", "number"),
        ("It costs 40 dollars a month.", "40 dollars a month", "price"),
        ("It costs USD 40 monthly.", "USD 40 monthly", "price"),
        ("It costs $40.00.", "$40.00", "price"),
        ("It costs twenty cents per thousand requests.", "twenty cents per thousand requests", "price"),
        ("A free tier exists.", "free tier", "price"),
        ("It came out on 15 September 2026.", "15 September 2026", "date"),
        ("It came out in Q3 2026.", "Q3 2026", "date"),
        ("It came out in 2026.", "2026", "date"),
        ("The Apache 2.0 licence is clear.", "Apache 2.0 licence", "licence"),
        ("It is under Apache.", "Apache", "licence"),
        ("It is open source.", "open source", "licence"),
        ("It does well on mmlu.", "mmlu", "benchmark"),
        ("It posts to Slack.", "Slack", "name"),
    ],
)
def test_claims_that_say_what_the_listing_says_are_in_it(sentence: str, text: str, kind: str) -> None:
    assert found(sentence)[text] == (kind, Status.IN_LISTING)


@pytest.mark.parametrize(
    ("sentence", "text", "kind"),
    [
        ("A 7B model would do.", "7B model", "number"),
        ("Six languages would be better.", "Six languages", "number"),
        ("It keeps 7 weeks of history.", "7 weeks", "number"),
        ("It keeps 5 days of history.", "5 days", "number"),
        ("It ranked second last week.", "ranked second", "number"),
        ("It costs $49 a month.", "$49 a month", "price"),
        ("It costs $40 a year.", "$40 a year", "price"),
        ("It costs €40 a month.", "€40 a month", "price"),
        ("A free trial would help.", "free trial", "price"),
        ("By 2030 it will be gone.", "2030", "date"),
        ("It came out on 16 September 2026.", "16 September 2026", "date"),
        ("The MIT licence is clear.", "MIT licence", "licence"),
        ("It is under AGPLv3.", "AGPLv3", "licence"),
        ("It says nothing of SWE-bench.", "SWE-bench", "benchmark"),
        ("It says nothing of TableQA.", "TableQA", "benchmark"),
        ("Splunk does that too.", "Splunk", "name"),
        ("A rival is Loki, from another house.", "Loki", "name"),
        ("Monte Carlo does that too.", "Monte Carlo", "name"),
        ("Against this stands GPT-4o.", "GPT-4o", "name"),
        ("Teams move to dbt for that.", "dbt", "name"),
    ],
)
def test_claims_that_nothing_supports_are_unsupported(sentence: str, text: str, kind: str) -> None:
    assert found(sentence)[text] == (kind, Status.UNSUPPORTED)


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        ("It has raised $4.2 million.", "$4.2 million"),
        ("That was in June 2025.", "June 2025"),
        ("Money came from Grafana.", "Grafana"),
        ("It was up 99.95% of the time.", "99.95%"),
    ],
)
def test_claims_of_a_fact_are_sourced(sentence: str, text: str) -> None:
    assert found(sentence)[text][1] == Status.SOURCED


@pytest.mark.parametrize(
    "sentence",
    [
        "One command and two things to decide, in the first hour and on the second day.",
        "There are three questions to ask, and a hundred times as many answers.",
        "What kills it within twelve months, or in two years, is a checkbox.",
        "The Skeptic will ask, the Builder will answer, and on Monday in May nobody remembers.",
        "Lantern and Beacon Works keep it small, and Beacon's team says so.",
        "Its score is 70, a 70/100 with two caveats.",
        "The API speaks JSON over HTTP, and the CLI runs in CI.",
        "There is no free tier and it is not open source.",
        "At 3 a.m. the pager rings, 24/7, and chapter 12 of the manual is blank.",
        "Developers wait. Pricing is clear. Nothing else is. What matters: Tests.",
        "Six out of ten will leave.",
    ],
)
def test_manner_of_speaking_is_no_claim(sentence: str) -> None:
    assert found(sentence) == {}


def test_a_small_number_counts_where_the_listing_counts_the_same() -> None:
    listed = tool(description="Lantern reads logs in three stages.")
    findings = check_take(
        take(text="Two stages would do, and two people to run them, every day."), "builder", listed
    )
    assert [(one.text, one.status) for one in findings] == [("Two", Status.UNSUPPORTED)]


def test_a_university_and_a_project_are_no_licences() -> None:
    kinds = {kind for kind, _ in found("MIT researchers like Apache Kafka.").values()}
    assert "licence" not in kinds


def test_open_source_follows_from_an_open_licence_only() -> None:
    listed = tool(license="BSL")
    findings = check_take(
        take(text="It is open source, which is the reason to look at it twice."), "builder", listed
    )
    assert [one.status for one in findings] == [Status.UNSUPPORTED]


def test_numbers_of_an_address_are_no_claims() -> None:
    assert found("See https://example.org/2031/Splunk/7B for more.") == {
        "https://example.org/2031/Splunk/7B": ("address", Status.FLAGGED)
    }

"""Facts of the seed comparison as its readers find them, and places where a layout could mislead."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

import builders
from panel.core.text import one_line
from panel.report import (
    ReportContext,
    html_report,
    json_report,
    markdown_report,
)
from panel.report.terminal import terminal_report
from report.pages import Page

if TYPE_CHECKING:
    from panel.core.comparison import Comparison
    from panel.core.review import PanelReview

DECISIONS = {
    "Panel verdict": ["Ship · 3 ship / 1 skip", "Mixed · 2 ship / 2 skip"],
    "Community": ["No community votes yet"] * 2,
    "Pricing": ["Free (Apache 2.0 open-source)", "Open Source / Research"],
    "Best for": [
        "A small open model that fits on the card you own",
        "Agent skills that improve with everyone's runs",
    ],
    "Category": ["Developer Tools"] * 2,
}


SCORECARD = {
    "Builder": ["87/100 · ship", "80/100 · ship"],
    "Skeptic": ["78/100 · ship", "45/100 · skip"],
    "Futurist": ["82/100 · ship", "80/100 · ship"],
    "Founder": ["52/100 · skip", "No panel take"],
    "Creator": ["No panel take", "45/100 · skip"],
}


def html_rows(comparison: Comparison) -> list[list[str]]:
    return [[one_line(cell) for cell in row] for row in Page(html_report(comparison)).rows]


def markdown_rows(comparison: Comparison) -> list[list[str]]:
    rows: list[list[str]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(markdown_report(comparison)):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows and token.level > 3:
            rows[-1].append("".join(child.content for child in token.children or []))
    return rows


def json_rows(comparison: Comparison) -> list[list[str]]:
    document = json.loads(json_report(comparison))
    decisions = [[row["label"], *row["cells"]] for row in document["decisions"]]
    return decisions + [
        [row["name"], *(cell["label"] for cell in row["cells"])] for row in document["scorecard"]
    ]


@pytest.mark.parametrize("rows_of", [html_rows, markdown_rows, json_rows])
@pytest.mark.parametrize(("label", "cells"), (DECISIONS | SCORECARD).items())
def test_cell_stands_in_its_row_and_column(rows_of: object, label: str, cells: list[str]) -> None:
    assert callable(rows_of)
    rows = [row for row in rows_of(builders.seed_comparison()) if row and row[0].startswith(label)]
    assert rows
    for cell, shown in zip(cells, rows[0][1:], strict=True):
        assert cell in shown


def test_shares_and_entry_prices_are_shown() -> None:
    shown = builders.seed_comparison()
    for report in (Page(html_report(shown)).text, markdown_report(shown)):
        words = one_line(report)
        for fact in (
            "75%",
            "3 of 4 takes",
            "50%",
            "2 of 4 takes",
            "5 seats",
            "Free",
            "Open Source / Research",
        ):
            assert fact in words
    text = terminal_report(shown, width=100, color=False)
    assert "75% panel ship" in text
    assert "50% panel ship" in text


def test_equal_answers_stand_under_their_own_tool() -> None:
    text = markdown_report(builders.comparison())
    builder = text.partition("### Builder")[2].partition("### Skeptic")[0]
    assert re.findall(r"^\*\*(\w+):", builder, re.MULTILINE) == ["Lantern", "Sextant"]


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "//exfil.invalid",
        "https://exfil.invalid\\@example.com",
        "https://user:pass@example.com/",
        "http://127.0.0.1/",
    ],
)
def test_address_that_is_not_public_is_no_link(address: str) -> None:
    review = builders.review(of=builders.tool().model_copy(update={"url": address}))
    page = Page(html_report(review))
    assert page.links == ["#scorecard"]
    assert address in page.text
    tokens = MarkdownIt("commonmark").parse(markdown_report(review))
    kinds = {child.type for token in tokens for child in token.children or []}
    assert not kinds & {"link_open", "image", "html_inline"}


def test_public_address_is_linked_without_endorsement() -> None:
    facts = [{"claim": "It is used.", "source": "https://example.org/a(b)|c", "checked_on": "2026-11-01"}]
    review = builders.review(of=builders.tool(url="https://example.com/", facts=facts))
    html = html_report(review)
    assert Page(html).links == ["#scorecard", "https://example.com/", "https://example.org/a(b)%7Cc"]
    assert html.count('rel="nofollow ugc noopener"') == 2
    tokens = MarkdownIt("commonmark").parse(markdown_report(review))
    links = [c.attrGet("href") for t in tokens for c in t.children or [] if c.type == "link_open"]
    assert links == ["https://example.com/", "https://example.org/a%28b%29%7Cc"]


WORDS = "<b>\"'&amp; {{ 7*7 }} </script> `x` | *y* [z](//q) www.q.q a@q.q"


def everywhere(words: str) -> PanelReview:
    """Return a review whose published text fields each hold the words behind a name of their own."""
    listed = builders.tool(
        f"name {words}",
        **{field: f"{field} {words}" for field in ("tagline", "pricing", "maker", "best_for", "description")},
        category=f"category {words}"[:80],
        license=f"license {words}"[:80],
        aliases=[f"aliases {words}"],
        facts=[{"claim": f"claim {words}", "source": "https://example.org/", "checked_on": "2026-11-01"}],
    )
    source = builders.provenance(f"provider {words}", f"model {words}", prompt_digest=words)
    take = builders.take(text=f"take {words}, and what follows from it", evidence=(f"evidence {words}",))
    seats = (
        builders.seat("builder", take, name=f"seat {words}", provenance=source),
        builders.seat("skeptic", builders.no_take("invalid", f"detail {words}"), provenance=None),
    )
    return builders.review(of=listed, seats=seats)


FIELDS = "name tagline pricing maker best_for description aliases claim provider model take evidence seat detail motto made"


def test_words_of_every_field_stay_readable() -> None:
    context = ReportContext(generator=f"made {WORDS}", mottos={"builder": f"motto {WORDS}"})
    review = everywhere(WORDS)
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown_report(review, context))
    markdown_words = " ".join("".join(child.content for child in token.children or []) for token in tokens)
    for shown in (one_line(Page(html_report(review, context)).text), markdown_words):
        for field in FIELDS.split():
            assert f"{field} {WORDS}" in shown


def test_reasoning_is_not_published() -> None:
    review = builders.review(builders.take(reasoning="kept for editors"))
    assert "kept for editors" not in html_report(review) + markdown_report(review)


def test_line_of_scores_is_told_in_words() -> None:
    html = html_report(builders.seed_comparison())
    spoken = re.findall(r'role="img" aria-label="([^"]+)"', html)
    assert spoken == [
        (
            "Scores from 0 to 100. Founder: 52/100 · skip; Skeptic: 78/100 · ship; "
            "Futurist: 82/100 · ship; Builder: 87/100 · ship."
        ),
        (
            "Scores from 0 to 100. Skeptic: 45/100 · skip; Creator: 45/100 · skip; "
            "Builder: 80/100 · ship; Futurist: 80/100 · ship."
        ),
    ]


@pytest.mark.parametrize(
    "word", ["https://q.example/a_b", "www.q.example", "a@q.example", "@someone", "//q.example", "mailto:a"]
)
def test_word_that_renderers_link_becomes_code(word: str) -> None:
    review = builders.review(
        builders.take(text=f"Read more about it at {word} and then decide for yourself.")
    )
    tokens = MarkdownIt("commonmark").parse(markdown_report(review))
    code = [
        child.content for token in tokens for child in token.children or [] if child.type == "code_inline"
    ]
    assert code == [word]

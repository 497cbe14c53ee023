"""Pages of one tool by several models, and of panels whose seats asked different ones."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

import builders
from panel.core.completion import Usage
from panel.report import html_report, json_report, markdown_report
from panel.report.editorial import PLAIN
from panel.report.json_ld import linked_data
from panel.report.terminal import terminal_report
from report.pages import words_of

if TYPE_CHECKING:
    from panel.core.comparison import Comparison

ANSWER = "The panel of gpt-6.1-terra would ship SmolLM3; that of claude-sonnet-5-5 would skip it."


def test_page_of_one_tool_answers_what_the_models_say() -> None:
    for words in words_of(builders.two_models()):
        assert "SmolLM3 by gpt-6.1-terra and claude-sonnet-5-5" in words
        assert ANSWER in words
    for words in words_of(builders.two_models())[:2]:
        assert "What do the models say of SmolLM3?" in words


def test_runs_of_one_model_are_called_panels() -> None:
    for words in words_of(builders.comparison(builders.review(), builders.review()))[:2]:
        assert "What do the panels say of Lantern?" in words
        assert "The panel of gpt-6.1-terra (run 1) would ship Lantern; that of gpt-6.1-terra (run 2)" in words


def test_listing_of_one_tool_stands_once() -> None:
    pages = html_report(builders.two_models()), markdown_report(builders.two_models())
    assert [page.count("aim it at laptops") for page in pages] == [1, 1]


def test_columns_of_one_tool_carry_the_models() -> None:
    shown = builders.two_models()
    html, markdown = html_report(shown), markdown_report(shown)
    assert len(re.findall(r'<th role="columnheader"[^>]*>claude-sonnet-5-5</th>', html)) == 2
    text = terminal_report(shown, width=80, color=False)
    rows = re.findall(
        r"^(?:\| )?(?:Decision|Critic)[ |]+gpt-6.1-terra[ |]+claude-sonnet-5-5",
        f"{markdown}\n{text}",
        re.MULTILINE,
    )
    assert len(rows) == 4
    assert json.loads(json_report(shown))["headings"] == ["gpt-6.1-terra", "claude-sonnet-5-5"]


def test_narrow_terminal_gets_one_panel_after_the_other() -> None:
    four = builders.comparison(*(builders.asked_of("openai", name, builders.smollm3()) for name in "abcd"))
    lines = terminal_report(four, width=60, color=False).splitlines()
    assert [line for line in lines if line in set("abcd")] == list("abcd")
    assert lines.count("A small open model that fits on the card you own") == 1


@pytest.mark.parametrize(
    "shown", [builders.two_models(), builders.comparison(builders.review(), builders.review())]
)
def test_no_anchor_stands_twice(shown: Comparison) -> None:
    html = html_report(shown)
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)


def test_linked_data_lists_one_tool_once() -> None:
    counts = [
        len(linked_data(shown, PLAIN)["mainEntity"]["itemListElement"])
        for shown in (builders.two_models(), builders.comparison())
    ]
    assert counts == [1, 2]


def test_consumption_is_told_in_every_format() -> None:
    for words in words_of(builders.two_models()):
        assert "6,250 tokens in · 1,050 out · $0.0170" in words
        assert "12,340 tokens in (8,000 cached) · 1,235 out ·" in words
        assert "$0.00015" in words
    text = terminal_report(builders.smollm3(), width=80, color=False)
    assert "6,250 tokens in · 1,050 out · $0.0170" in text.splitlines()


def test_consumption_is_quiet_in_a_colored_terminal() -> None:
    text = terminal_report(builders.smollm3(), width=80, color=True)
    assert "\x1b[2m6,250 tokens in · 1,050 out · $0.0170\x1b[0m" in text


def test_free_model_is_called_free() -> None:
    usage = Usage(input_tokens=9, output_tokens=9, cost_usd=0.0)
    review = builders.asked_of("local", "smollm2-135m-instruct", usage=usage)
    for report in (
        html_report(review),
        markdown_report(review),
        terminal_report(review, width=80, color=False),
    ):
        assert "45 tokens in · 45 out · free" in report
        assert "$0" not in report


def test_jury_of_several_models_names_each_seats_model() -> None:
    jury = builders.mixed_jury()
    for words in words_of(jury):
        assert re.search(r"[Aa]sked openai:gpt-6\.1-terra", words)
        assert "Skeptic and Founder: anthropic:claude-sonnet-5-5" in words
    assert "Asked" not in terminal_report(builders.smollm3(), width=80, color=False)


def test_seat_that_was_called_in_vain_tells_its_attempts() -> None:
    (row,) = [
        line
        for line in markdown_report(builders.mixed_jury()).splitlines()
        if "| Founder | anthropic" in line
    ]
    assert row.endswith("| 0 (3 attempts) | unknown | unknown; 1 call may have been billed |")
    assert "0 (3 attempts)" in words_of(builders.mixed_jury())[0]


def test_seat_that_was_never_asked_says_so() -> None:
    review = builders.review(
        seats=(builders.seat("builder", builders.no_take("provider_error"), provenance=None),)
    )
    for report in (html_report(review), markdown_report(review)):
        assert "No call was made" in report


def test_settings_are_told_apart_where_seats_differ() -> None:
    jury = builders.review(setup=builders.setup(seat_models={"skeptic": builders.asked(seed=7)}))
    html = words_of(jury)[0]
    assert "at most 4,000 tokens, seed 0 Skeptic: effort low, at most 4,000 tokens, seed 7" in html
    assert html.count("c3c3c3c3c3c3") == 1


def test_jury_without_its_usual_model_does_not_name_it() -> None:
    seat_models = dict.fromkeys(builders.ROSTER, builders.asked())
    text = markdown_report(builders.review(setup=builders.setup(seat_models=seat_models)))
    assert "asked anthropic:claude-sonnet-5-5, effort" in text
    assert "asked openai" not in text


def test_embedded_notice_names_the_column_it_is_about() -> None:
    other = builders.asked_of("openai", builders.MODEL)
    both = builders.comparison(builders.embedded_review(), other)
    for words in words_of(both):
        assert "The takes in the column smollm2-135m-instruct were written by" in words
        assert "panel review TOOL --model" in words
    seats = (builders.embedded_review().seats[0], *builders.review().seats[1:])
    assert "Some takes on Lantern were written by" in markdown_report(builders.review(seats=seats))

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import pytest

import builders
from panel.core.comparison import Comparison
from panel.report import ReportContext, html_report, markdown_report
from panel.report.terminal import terminal_report

if TYPE_CHECKING:
    from panel.core.take import NoTake, Take

CONTEXT = ReportContext(generator="panel 0", mottos={"builder": "Show me the primitive."})


def reports(comparison: object = None) -> list[str]:
    """Return a comparison in every human-readable form."""
    shown = comparison or builders.seed_comparison()
    assert isinstance(shown, Comparison)
    return [
        html_report(shown, CONTEXT),
        markdown_report(shown, CONTEXT),
        terminal_report(shown, width=100, color=False),
    ]


def test_reports_are_the_same_every_time() -> None:
    assert reports() == reports()


def test_ai_notice_stands_in_every_report() -> None:
    for report in reports():
        words = " ".join(report.replace("\\", "").split())
        assert "AI personas" in words
        assert "Draft: not approved by an editor yet" in re.sub(r"</?strong>", "", words)


def test_embedded_model_is_named_for_what_it_is() -> None:
    of = [builders.embedded_review(), builders.embedded_review(builders.tool("Sextant"))]
    for report in reports(builders.comparison(*of)):
        words = " ".join(report.replace("\\", "").split())
        for told in ("Embedded draft", "135 million", "OPENAI_API_KEY", "--model openai:"):
            assert told in words
    assert not any("Embedded draft" in report for report in reports())


def test_rule_fragility_and_warnings_are_stated() -> None:
    other = builders.review(of=builders.tool("Sextant", category="Navigation"))
    shown = builders.comparison(builders.smollm3(), other)
    for report in reports(shown):
        words = " ".join(report.replace("\\", "").split())
        assert "A strict majority of the takes given decides" in words
        assert "one flipped vote would change" in words
        assert "different categories" in words


def test_contradiction_is_marked() -> None:
    shown = builders.comparison(
        builders.review(builders.contradiction()), builders.review(of=builders.tool("Sextant"))
    )
    for report in reports(shown):
        assert "contradict" in report.lower()


def test_no_panel_take_comes_with_its_reason() -> None:
    review = builders.review(builders.no_take("timed_out", "No answer within 120 s."), builders.take())
    for report in (
        html_report(review, CONTEXT),
        markdown_report(review, CONTEXT),
        terminal_report(review, width=100, color=False),
    ):
        words = " ".join(report.replace("\\", "").split())
        assert "No panel take" in words
        assert "timed out" in words
        assert "No answer within 120 s." in words


@pytest.mark.parametrize("outcomes", [(builders.no_take(),) * 5, (builders.take(),)])
def test_panel_without_a_verdict_can_be_shown(outcomes: tuple[NoTake | Take, ...]) -> None:
    review = builders.review(*outcomes)
    for report in (
        html_report(review, CONTEXT),
        markdown_report(review, CONTEXT),
        terminal_report(review, width=80, color=False),
    ):
        assert "No verdict" in report


def test_page_asks_for_nothing_and_runs_nothing() -> None:
    html = html_report(builders.seed_comparison(), CONTEXT)
    policy = re.search(r'http-equiv="Content-Security-Policy"\s+content="([^"]+)"', html)
    assert policy
    assert "default-src 'none'" in policy[1].replace("&#39;", "'")
    assert re.findall(r"<script(?! type=\"application/ld\+json\")", html) == []
    assert re.findall(r"<(?:link|img|iframe|object|embed)\b", html) == []
    assert "@import" not in html
    assert "url(" not in html


def test_page_is_small() -> None:
    for shown in (builders.seed_comparison(), builders.two_models()):
        known = [builders.known(review)[1] for review in shown.reviews]
        assert len(gzip.compress(html_report(shown, CONTEXT, known).encode())) < 10_000


@pytest.mark.parametrize("width", [60, 80, 120])
def test_terminal_report_keeps_to_its_width(width: int) -> None:
    from rich.cells import cell_len

    wide = builders.review(of=builders.tool("日本語の道具" * 6, tagline="とても長い説明" * 10))
    shown = builders.comparison(builders.smollm3(), wide)
    text = terminal_report(shown, width=width, color=False) + terminal_report(wide, width=width, color=False)
    assert max(cell_len(line) for line in text.splitlines()) <= width


def test_colour_comes_only_when_asked_for() -> None:
    review = builders.smollm3()
    plain, colored = (terminal_report(review, width=80, color=color) for color in (False, True))
    assert "\x1b[" not in plain
    assert "\x1b[" in colored
    uncolored = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert [line.rstrip() for line in uncolored.splitlines()] == [
        line.rstrip() for line in plain.splitlines()
    ]

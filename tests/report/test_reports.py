from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import pytest

import builders
from panel.report import ReportContext, html_report
from panel.report.terminal import terminal_report
from report.pages import words_of

if TYPE_CHECKING:
    from panel.core.comparison import Comparison
    from panel.core.review import PanelReview

CONTEXT = ReportContext(generator="panel 0", mottos={"builder": "Show me the primitive."})


def test_reports_are_the_same_every_time() -> None:
    shown = builders.seed_comparison()
    assert words_of(shown, context=CONTEXT) == words_of(builders.seed_comparison(), context=CONTEXT)


EMBEDDED = builders.comparison(builders.embedded_review(), builders.embedded_review(builders.tool("Sextant")))
DIFFERENT = builders.comparison(
    builders.smollm3(), builders.review(of=builders.tool("Sextant", category="Navigation"))
)
CONTRADICTING = builders.comparison(
    builders.review(builders.contradiction()), builders.review(of=builders.tool("Sextant"))
)
TIMED_OUT = builders.review(builders.no_take("timed_out", "No answer within 120 s."), builders.take())


@pytest.mark.parametrize(
    ("page", "stated"),
    [
        (builders.seed_comparison(), ["AI personas", "Draft: not approved by an editor yet"]),
        (EMBEDDED, ["Embedded draft", "135 million", "OPENAI_API_KEY", "--model openai:"]),
        (DIFFERENT, ["A strict majority of the takes given decides", "one flipped vote would change"]),
        (DIFFERENT, ["different categories"]),
        (CONTRADICTING, ["Contradiction: the score"]),
        (TIMED_OUT, ["No panel take", "timed out", "No answer within 120 s."]),
        (builders.review(*(builders.no_take(),) * 5), ["No verdict"]),
        (builders.review(builders.take()), ["No verdict"]),
    ],
)
def test_every_format_states(page: PanelReview | Comparison, stated: list[str]) -> None:
    for words in words_of(page, context=CONTEXT):
        assert [fact for fact in stated if fact not in words] == []


def test_a_hosted_model_is_not_called_embedded() -> None:
    assert not any("Embedded draft" in words for words in words_of(builders.seed_comparison()))


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

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from markdown_it import MarkdownIt

import builders
from panel.checks import Finding, Span, Status, Where
from panel.core.draft_edits import (
    DetailChange,
    EditMark,
    EvidenceChange,
    FactsChange,
    PriceClassChange,
    TextChange,
    VerdictChange,
    persona_of,
)
from panel.core.take import NoTake, Seat, Take, Verdict
from panel.core.tool import PriceClass
from panel.report import (
    Editorial,
    ReportContext,
    html_report,
    json_report,
    markdown_report,
)
from panel.report.terminal import terminal_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.core.comparison import Comparison
    from panel.core.review import PanelReview

ATTACKS = Path(__file__).parents[2] / "fixtures" / "web" / "attacks.jsonl"
ROWS = [json.loads(line)["attack"] for line in ATTACKS.read_text("utf-8").splitlines()]
MORE = [
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>",
    "]]> {{ 7*7 }} {% raw %} ${7*7} <%= 7*7 %>",
    "</style><style>body{display:none}</style>",
    "\x1b]0;pwned\x07\x1b[2J",
    "![x](https://exfil.invalid/a.png) [y](//exfil.invalid) https://exfil.invalid www.exfil.invalid a@exfil.invalid",
]
EVERY = [*ROWS, *MORE]
CONTEXT = ReportContext(generator="panel", mottos={})


def hostile(attack: str) -> Comparison:
    """Return a comparison that holds an attack in every text field of every type."""
    attack = f"x {attack}" if not attack.strip() else attack
    padded = f"{attack} and enough words around it to make a take of the length that is asked for."
    listed = {
        "tagline": attack,
        "category": attack[:60],
        "pricing": attack,
        "maker": attack[:100],
        "license": attack[:60],
        "best_for": attack,
        "facts": [{"claim": attack, "source": "https://lantern.example/", "checked_on": "2026-11-01"}],
    }
    tools = [
        builders.tool(f"{name} {attack}"[:110], description=f"{attack}\n\n{attack}", **listed)
        for name in ("A", "B")
    ]
    outcome = Take(verdict="ship", score=70, take=padded, evidence=(attack,), reasoning=attack)
    refusal = NoTake(reason="recused", detail=attack)
    origin = builders.provenance(provider="openai", model=attack, request_ids=(attack,))
    reviews = []
    for tool in tools:
        review = builders.review(outcome, refusal, outcome, builders.take(), of=tool)
        seats = tuple(
            Seat(persona=seat.persona, name=f"{seat.name} {attack}", outcome=seat.outcome, provenance=origin)
            for seat in review.seats
        )
        reviews.append(review.model_copy(update={"seats": seats}))
    return builders.comparison(*reviews)


def mixed_panel(attack: str) -> Comparison:
    """Return reviews of one tool by a panel of two models and by another model, with an attack in the name of each model."""
    mixed, other = hostile(attack).reviews
    model = f"{attack} x"
    seat_models = {builders.ROSTER[0]: builders.asked("anthropic", model)}
    one = builders.setup(model=f"A {attack}", seat_models=seat_models)
    two = builders.setup(model=f"B {attack}")
    return builders.comparison(
        mixed.model_copy(update={"setup": one}), other.model_copy(update={"tool": mixed.tool, "setup": two})
    )


def editorials_of(comparison: Comparison, attack: str, *, approved: bool) -> list[Editorial]:
    """Return the editorials of the reviews of a comparison, with an attack in every text of it, and in every name."""
    attack = f"x {attack}" if not attack.strip() else attack
    return [_editorial(review, attack, approved=approved) for review in comparison.reviews]


def _editorial(review: PanelReview, attack: str, *, approved: bool) -> Editorial:
    takes = {seat.persona: seat.take.take for seat in review.seats if seat.take}
    places = [
        *((persona, "take", take, start) for persona, take in takes.items() for start in (0, 1)),
        (builders.ROSTER[0], "evidence.0", attack, 0),
        (builders.ROSTER[1], "detail", attack, 0),
        (builders.ROSTER[0], attack, attack, 0),
        (attack, "take", attack, 0),
        (None, "description", attack, 0),
    ]
    findings = tuple(
        Finding(
            kind="near_identical",
            where=Where(persona=persona, field=field),
            span=Span(start=start, end=len(text)),
            text=text[start:],
            status=Status.FLAGGED,
            note=attack,
        )
        for persona, field, text, start in places
    )
    name = f"K {attack}"[:100]
    changes = (
        VerdictChange(persona=builders.ROSTER[0], value=Verdict.SKIP),
        DetailChange(persona=builders.ROSTER[1], value=attack),
        TextChange(persona=builders.ROSTER[2], value=builders.PROSE),
        EvidenceChange(persona=builders.ROSTER[2], value=(attack,)),
        FactsChange(value=()),
        PriceClassChange(value=PriceClass.FREE),
    )
    marks = tuple(
        EditMark(persona=persona_of(change), field=change.field, by=(name, attack), original=change)
        for change in changes
    )
    approval = {"approved_by": name, "approved_at": builders.REVIEWED_AT} if approved else {}
    return Editorial(findings=findings, marks=marks, **approval)


class Elements(HTMLParser):
    """Collects the elements, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.data: list[str] = []
        self.scripts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attributes]

    def handle_data(self, data: str) -> None:
        (
            self.scripts
            if self.tags and self.tags[-1] == "script" and data.strip().startswith("{")
            else self.data
        ).append(data)


def variants(attack: str) -> Iterator[tuple[PanelReview | Comparison, list[Editorial]]]:
    """Yield comparisons and reviews with an attack in every text, as drafts and approved, with their editorials."""
    for page, approved in ((hostile(attack), False), (hostile(attack), True), (mixed_panel(attack), False)):
        editorials = editorials_of(page, attack, approved=approved)
        yield page, editorials
        yield page.reviews[0], editorials[:1]


def every_page(attack: str) -> list[str]:
    return [html_report(page, CONTEXT, editorials) for page, editorials in variants(attack)]


TAME = [Elements(page) for page in every_page("plain words")]


@pytest.mark.parametrize("attack", EVERY)
def test_markup_in_any_field_stays_text(attack: str) -> None:
    for page, tame in zip(every_page(attack), TAME, strict=True):
        found = Elements(page)
        assert sorted(set(found.tags)) == sorted(set(tame.tags))
        assert {name for name, _ in found.attributes} == {name for name, _ in tame.attributes}
        links = [value for name, value in found.attributes if name in {"href", "src", "action"}]
        assert [link for link in links if not link.startswith(("#", "https://lantern.example/"))] == []
        assert "49" not in re.findall(r"\b49\b", " ".join(found.data))


@pytest.mark.parametrize("attack", EVERY)
def test_linked_data_parses_and_cannot_end_its_block(attack: str) -> None:
    for page in every_page(attack):
        blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
        assert len(blocks) == 1
        assert not set("<>&") & set(blocks[0])
        kinds = json.dumps(json.loads(blocks[0]))
        assert "AggregateRating" not in kinds
        assert '"@type": "Review"' not in kinds


@pytest.mark.parametrize("attack", EVERY)
def test_markdown_makes_nothing_of_an_attack(attack: str) -> None:
    reports, plain = every_markdown(attack), every_markdown("plain words")
    for report, usual in zip(reports, plain, strict=True):
        assert outline(report) == outline(usual)
        outside_code = re.sub(r"`[^`]*`", "", report)
        assert not re.search(r"(?<![\\\w])(?:https?://|www\.)exfil", outside_code)


def every_markdown(attack: str) -> list[str]:
    return [markdown_report(page, CONTEXT, editorials) for page, editorials in variants(attack)]


def outline(markdown: str) -> list[str]:
    """Return the kinds of block and inline tokens that make up a document, without plain text."""
    tokens = MarkdownIt("js-default").parse(markdown)
    inline = [child for token in tokens for child in token.children or []]
    telling = {
        "link_open",
        "image",
        "html_inline",
        "fence",
        "html_block",
        "heading_open",
        "table_open",
        "hr",
    }
    kinds = [token.type for token in tokens if token.type in telling]
    return kinds + sorted({child.type for child in inline if child.type in telling})


@pytest.mark.parametrize("attack", EVERY)
def test_terminal_gets_no_control_codes(attack: str) -> None:
    for (page, editorials), width in product(variants(attack), (60, 120)):
        text = terminal_report(page, width, editorials, color=False)
        assert [char for char in text if (ord(char) < 32 and char != "\n") or 127 <= ord(char) < 160] == []


@pytest.mark.parametrize("attack", EVERY)
def test_json_carries_the_words_as_they_are(attack: str) -> None:
    comparison = hostile(attack)
    editorials = editorials_of(comparison, attack, approved=False)
    document = json.loads(json_report(comparison, editorials))
    assert document["reviews"][0]["checks"][-1]["text"] == editorials[0].open[-1].text
    assert document["reviews"][0]["edits"][0]["by"] == list(editorials[0].marks[0].by)
    take = comparison.reviews[0].seats[0].take
    assert take is not None
    assert document["reviews"][0]["review"]["seats"][0]["outcome"]["take"] == take.take
    assert json.loads(json_report(comparison.reviews[0]))["kind"] == "panel-review"

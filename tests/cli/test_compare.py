from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

import builders
from panel.core.draft_edits import VerdictChange
from panel.core.take import Verdict
from panel.report import json_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DECISIONS = {
    "Panel verdict": ["Ship · 3 ship / 1 skip", "Mixed · 2 ship / 2 skip"],
    "Community": ["No community votes yet", "No community votes yet"],
    "Pricing": ["Free (Apache 2.0 open-source)", "Open Source / Research"],
    "Best for": ["A 3B open model that fits on the GPU you already own", "Agent skills that get better with everyone's runs"],
    "Category": ["Developer Tools", "Developer Tools"],
}  # fmt: skip
SCORECARD = {
    "Builder": ["87/100 · ship", "80/100 · ship"],
    "Skeptic": ["78/100 · ship", "45/100 · skip"],
    "Futurist": ["82/100 · ship", "80/100 · ship"],
    "Founder": ["52/100 · skip", "No panel take"],
    "Creator": ["No panel take", "45/100 · skip"],
}


class Tables(HTMLParser):
    """Reads the rows of all tables: the texts of each row's cells."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._in_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, _attributes: Any) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"} and self.rows:
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += f" {data.strip()}" if data.strip() else ""


@pytest.fixture
def golden(panel: Any, tools: list[Path], replay: str, tmp_path: Path) -> Callable[[str], str]:
    """Compare the two seed tools and return the report of a kind."""
    ran = panel("compare", *tools, "--model", replay)
    assert ran.code == 0, ran.err
    return lambda ending: (tmp_path / "outputs" / "compare" / f"smollm3-vs-skillclaw.{ending}").read_text(
        "utf-8"
    )


def test_html_page_holds_every_cell(golden: Callable[[str], str]) -> None:
    """The comparison page holds every cell of the decision table and the scorecard, the percentages and the entry prices."""
    html = golden("html")
    rows = Tables(html).rows
    for label, cells in (DECISIONS | SCORECARD).items():
        row = next(row for row in rows if row and row[0].strip().startswith(label))
        assert len(row) == 3
        for cell, wanted in zip(row[1:], cells, strict=True):
            assert wanted in " ".join(cell.split())
    text = " ".join(Words(html).text.split())
    assert "SmolLM3 vs SkillClaw" in text
    for wanted in ("75%", "50%", "Free", "Open Source / Research"):
        assert wanted in text.replace(" %", "%")


def test_markdown_holds_every_cell(golden: Callable[[str], str]) -> None:
    text = golden("md").replace("\\", "")
    for cells in (DECISIONS | SCORECARD).values():
        for cell in cells:
            assert cell in text
    assert "75%" in text.replace(" %", "%")
    assert "50%" in text.replace(" %", "%")


def test_json_holds_every_cell(golden: Callable[[str], str]) -> None:
    document = json.loads(golden("json"))
    assert {row["label"]: row["cells"] for row in document["decisions"]} == DECISIONS
    summaries = [review["summary"] for review in document["reviews"]]
    assert [summary["ship_percent"] for summary in summaries] == [75, 50]
    assert [summary["line"] for summary in summaries] == DECISIONS["Panel verdict"]
    for column, review in enumerate(document["reviews"]):
        for seat in review["review"]["seats"]:
            outcome, wanted = seat["outcome"], SCORECARD[seat["name"]][column]
            said = (
                f"{outcome['score']}/100 · {outcome['verdict']}"
                if outcome["kind"] == "take"
                else "No panel take"
            )
            assert said == wanted


def test_terminal_names_the_page_last(panel: Any, tools: list[Path], replay: str) -> None:
    """The command prints both tables on stdout and ends by naming the HTML page; progress goes to stderr."""
    ran = panel("compare", *tools, "--model", replay)
    assert ran.out.rstrip().splitlines()[-1].endswith("outputs/compare/smollm3-vs-skillclaw.html")
    for cell in (*DECISIONS["Panel verdict"], *SCORECARD["Builder"]):
        assert cell in ran.out
    assert "SmolLM3 · Creator: No panel take, recused" in ran.err
    assert "\x1b" not in ran.out + ran.err


def test_stored_reviews_compare_as_fresh_ones(
    panel: Any, tools: list[Path], replay: str, tmp_path: Path
) -> None:
    """Reviews that are stored, one by one or as a folder, give the same page as reviewing the tools did, without a call."""
    panel("compare", *tools, "--model", replay)
    page = tmp_path / "outputs" / "compare" / "smollm3-vs-skillclaw.html"
    first = page.read_bytes()
    page.unlink()
    stored = [tmp_path / "outputs" / "reviews" / f"{name}.json" for name in ("smollm3", "skillclaw")]
    assert panel("compare", *stored, "-q").code == 0
    assert page.read_bytes() == first
    ran = panel("compare", tmp_path / "outputs" / "reviews", "--json")
    assert json.loads(ran.out)["title"] == "SkillClaw vs SmolLM3"


def test_stored_review_and_tool_mix_in_the_order_given(
    panel: Any, tools: list[Path], replay: str, tmp_path: Path
) -> None:
    """A stored review and a tool file stand side by side in the order in which they were named."""
    panel("review", tools[1], "--model", replay)
    stored = tmp_path / "outputs" / "reviews" / "skillclaw.json"
    ran = panel("compare", stored, tools[0], "--model", replay, "--json")
    assert json.loads(ran.out)["title"] == "SkillClaw vs SmolLM3"


def test_edits_of_a_stored_review_are_told_and_its_approval_is_not(panel: Any, tmp_path: Path) -> None:
    """A comparison of stored reviews says what was edited in them and what checks find, and is a draft whoever approved them."""
    change = VerdictChange(persona="founder", value=Verdict.SHIP)
    approved: dict[str, Any] = {"approved_by": "Ada", "approved_at": builders.REVIEWED_AT}
    for made in (builders.doubtful(), builders.skillclaw()):
        changes = [change] if made.tool.name == "SmolLM3" else []
        review, editorial = builders.known(made, *changes, **approved)
        stored = json_report(review, (editorial,))
        (tmp_path / f"{made.tool.slug}.json").write_text(stored, "utf-8")
    ran = panel("compare", "smollm3.json", "skillclaw.json")
    assert ran.code == 0, ran.err
    page = (tmp_path / "outputs" / "compare" / "smollm3-vs-skillclaw.html").read_text("utf-8")
    for text in (ran.out, Words(page).text):
        words = " ".join(text.split())
        assert "1 verdict edited by Kim" in words
        assert "not approved by an editor yet" in words
        assert "Ada" not in words
        assert "12 claims: 6 in the listing, 1 sourced, 5 unsupported. 11 findings to resolve" in words
    documents = json.loads(panel("compare", "smollm3.json", "skillclaw.json", "--json").out)["reviews"]
    assert [len(document["edits"]) for document in documents] == [1, 0]
    assert all(document["checks"] for document in documents)


def test_comparison_needs_two(panel: Any, tools: list[Path], replay: str) -> None:
    ran = panel("compare", tools[0], "--model", replay)
    assert ran.code == 2
    assert "2 to 6" in ran.err


def test_same_tool_twice_is_refused(panel: Any, tools: list[Path], replay: str, tmp_path: Path) -> None:
    assert panel("compare", tools[0], tools[0], "--model", replay).code == 2
    panel("review", tools[0], "--model", replay)
    stored = tmp_path / "outputs" / "reviews" / "smollm3.json"
    ran = panel("compare", stored, tools[0], "--model", replay)
    assert (ran.code, "twice" in ran.err) == (2, True)


class Words(HTMLParser):
    """Collects the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "

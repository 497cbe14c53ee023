from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import builders
from panel.core.draft_edits import VerdictChange
from panel.core.take import Verdict
from panel.errors import InputError
from panel.report import (
    NOTHING,
    json_report,
    json_schema,
    read_review,
)
from report.pages import words_of

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
APPROVED: dict[str, Any] = {"approved_by": "Ada", "approved_at": builders.REVIEWED_AT}
UNSUPPORTED = "is neither in the listing nor in a sourced fact: give a source, mark it as opinion, or cut it."


def test_documents_meet_their_published_schemas() -> None:
    for kind, name, text in (
        ("review", "panel-review-1.json", json_report(builders.embedded_review())),
        ("comparison", "comparison-1.json", json_report(builders.seed_comparison())),
    ):
        published = (SCHEMAS / name).read_text("utf-8")
        assert json_schema(kind) == published
        schema = json.loads(published)
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(json.loads(text), schema)


def test_document_carries_checks_edits_and_approval() -> None:
    review, known = builders.known(builders.doubtful(), *builders.everything_edited())
    document = json.loads(json_report(review, (known,)))
    doubted = review.seats[1].take
    assert doubted
    start = doubted.take.index("12%")
    assert {
        "kind": "number",
        "where": {"persona": "skeptic", "field": "take"},
        "span": {"start": start, "end": start + 3},
        "text": "12%",
        "status": "unsupported",
        "note": f"The number {UNSUPPORTED}",
        "occurrence": 1,
    } in document["checks"]
    assert {
        "persona": "founder",
        "field": "verdict",
        "by": ["Kim"],
        "original": {"persona": "founder", "field": "verdict", "value": "skip"},
    } in document["edits"]
    assert document["approval"] is None


def test_documents_with_and_without_it_meet_the_schemas() -> None:
    review, known = builders.known(builders.doubtful(), *builders.everything_edited())
    approved = known.model_copy(update=APPROVED)
    schemas = {
        name: json.loads((SCHEMAS / f"{name}-1.json").read_text("utf-8"))
        for name in ("panel-review", "comparison")
    }
    for each in (known, approved):
        document = json.loads(json_report(review, (each,)))
        jsonschema.validate(document, schemas["panel-review"])
        both = json_report(builders.comparison(review, builders.skillclaw()), (each, NOTHING))
        jsonschema.validate(json.loads(both), schemas["comparison"])
        jsonschema.validate(older(document), schemas["panel-review"])


def older(document: dict[str, Any]) -> dict[str, Any]:
    return {key: document[key] for key in document if key not in {"checks", "edits", "approval"}}


def test_summary_of_a_document_counts_the_takes() -> None:
    summaries = [entry["summary"] for entry in json.loads(json_report(builders.seed_comparison()))["reviews"]]
    assert [(s["ship_percent"], s["ships"], s["skips"], s["takes_given"]) for s in summaries] == [
        (75, 3, 1, 4),
        (50, 2, 2, 4),
    ]
    assert summaries[0]["scores"] == {"mean": 74.8, "median": 80.0, "spread": 35}


def test_written_review_reads_back_as_it_was() -> None:
    review = builders.smollm3()
    assert read_review(json_report(review), "r.json").review == review


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1"),
        ("[]", "a JSON object was expected"),
        ('{"kind": "comparison"}', "is a comparison"),
        ('{"kind": "other"}', "holds no review"),
        ('{"kind": "panel-review", "schema_version": 2}', "schema_version"),
        ('{"kind": "panel-review", "schema_version": true}', "schema_version"),
        ('{"kind": "panel-review", "schema_version": 1, "review": {}}', "review.tool"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_file_that_holds_no_review_says_why(text: str, message: str) -> None:
    with pytest.raises(InputError, match=r"r\.json") as caught:
        read_review(text, "r.json")
    assert message in str(caught.value)


def test_older_file_reads_as_unedited() -> None:
    document = older(json.loads(json_report(builders.smollm3())))
    assert read_review(json.dumps(document), "r.json") == (builders.smollm3(), ())


def test_edits_on_file_are_read_back() -> None:
    review, known = builders.known(builders.doubtful(), *builders.everything_edited())
    assert read_review(json_report(review, (known,)), "r.json") == (review, known.marks)


@pytest.mark.parametrize(
    "wrong",
    [
        {"field": "score"},
        {"persona": "nobody"},
        {"by": []},
        {"by": [" "]},
        {"original": {"field": "score", "persona": "founder", "value": 50}},
        {"persona": "creator", "original": {"field": "verdict", "persona": "creator", "value": "ship"}},
        {"original": "skip"},
        {"more": 1},
    ],
)
def test_file_whose_edits_are_not_of_its_review_is_refused(wrong: dict[str, Any]) -> None:
    review, known = builders.known(builders.smollm3(), VerdictChange(persona="founder", value=Verdict.SHIP))
    document = json.loads(json_report(review, (known,)))
    document["edits"][0] |= wrong
    with pytest.raises(InputError, match=r"r\.json, edits"):
        read_review(json.dumps(document), "r.json")


def test_stored_probabilities_are_read_back_and_not_shown() -> None:
    shown = builders.two_models()
    review = shown.reviews[0]
    assert all(seat.provenance and seat.provenance.probabilities for seat in review.seats if seat.take)
    assert read_review(json_report(review), "r.json").review == review
    for words in words_of(review, NOTHING):
        assert "robabilit" not in words

from __future__ import annotations

import json
from typing import Any

import pytest

import builders
from panel.core.draft_edits import VerdictChange
from panel.core.take import Verdict
from panel.errors import InputError
from panel.report import (
    NOTHING,
    read_review,
    review_json,
)
from report.pages import words_of


def test_written_review_reads_back_as_it_was() -> None:
    review = builders.smollm3()
    assert read_review(review_json(review), "r.json").review == review


@pytest.mark.parametrize(
    ("text", "said"),
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
def test_file_that_holds_no_review_says_why(text: str, said: str) -> None:
    with pytest.raises(InputError, match=r"r\.json") as caught:
        read_review(text, "r.json")
    assert said in str(caught.value)


def older(document: dict[str, Any]) -> dict[str, Any]:
    return {key: document[key] for key in document if key not in {"checks", "edits", "approval"}}


def test_older_file_reads_as_unedited() -> None:
    document = older(json.loads(review_json(builders.smollm3())))
    assert read_review(json.dumps(document), "r.json") == (builders.smollm3(), ())


def test_edits_on_file_are_read_back() -> None:
    review, known = builders.known(builders.doubtful(), *builders.everything_edited())
    assert read_review(review_json(review, known), "r.json") == (review, known.marks)


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
    document = json.loads(review_json(review, known))
    document["edits"][0] |= wrong
    with pytest.raises(InputError, match=r"r\.json, edits"):
        read_review(json.dumps(document), "r.json")


def test_stored_probabilities_are_read_back_and_not_shown() -> None:
    shown = builders.two_models()
    review = shown.reviews[0]
    assert all(seat.provenance and seat.provenance.probabilities for seat in review.seats if seat.take)
    assert read_review(review_json(review), "r.json").review == review
    for words in words_of(review, NOTHING):
        assert "robabilit" not in words

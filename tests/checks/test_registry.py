from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

import builders
from panel.checks import (
    Finding,
    Status,
    Where,
    all_checks,
    allowed_resolutions,
    blocks,
    check_take,
    finding_label,
    registry,
    rules,
    unresolved,
)
from panel.core.finding import Resolution, ResolutionKind

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TAKE = builders.take(text="That is a bold thing to say of a tool that reads log files!")
KINDS = {
    *("address", "benchmark", "contradiction", "date", "evidence", "extreme_score", "first_person", "hidden"),
    *("instruction", "licence", "lookalike", "markup", "name", "near_identical", "never_says", "number"),
    *("price", "unanimous"),
}


def finding(text: str, kind: str = "number", status: Status = Status.UNSUPPORTED) -> Finding:
    where = Where(persona="skeptic", field="take")
    return Finding(kind=kind, where=where, span=None, text=text, status=status, note="Look at it.")


def opinion(found: Finding) -> Resolution:
    return Resolution(finding=found.id, kind=ResolutionKind.OPINION)


def test_kinds_that_stores_hold_keep_their_checks() -> None:
    assert set(all_checks()) >= KINDS


ADDED = """
from panel.checks.inputs import SeatText
from panel.checks.registry import Hits, input_check

@input_check(SeatText, "exclamation", "Exclamation mark", "Calm down.")
def _find(subject: SeatText) -> Hits:
    if "!" in subject.text:
        place = subject.text.index("!")
        yield subject.hit((place, place + 1))
"""


def test_a_new_module_is_all_that_a_new_check_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("exclamation.py").write_text(ADDED)
    monkeypatch.setattr(rules, "__path__", [*rules.__path__, str(tmp_path)])
    registry.all_checks.cache_clear()
    try:
        (found,) = [one for one in check_take(TAKE, "builder", builders.tool()) if one.kind == "exclamation"]
        assert (finding_label(found), found.note, found.text, blocks(found)) == (
            "Exclamation mark",
            "Calm down.",
            "!",
            True,
        )
        assert Finding.model_validate_json(found.model_dump_json()) == found
    finally:
        registry.all_checks.cache_clear()


def test_every_check_has_words_of_its_own() -> None:
    checks = all_checks().values()
    assert len({check.label for check in checks}) == len(checks)
    assert all(check.message.endswith(".") and ". " not in check.message for check in checks)
    assert all(check.resolutions or "cut it" in check.message for check in checks)


def test_a_stored_finding_whose_check_is_gone_is_shown() -> None:
    retired = finding("a", "old_kind", Status.FLAGGED)
    assert (finding_label(retired), blocks(retired)) == ("Old kind", True)


def test_a_finding_that_blocks_needs_a_resolution() -> None:
    findings = [finding("a"), finding("b", status=Status.FLAGGED), finding("c", status=Status.IN_LISTING)]
    assert unresolved(findings, []) == (findings[0], findings[1])
    assert unresolved(findings, [opinion(findings[0])]) == (findings[1],)
    assert unresolved(findings[2:], []) == ()


def test_experience_can_only_be_cut() -> None:
    claimed = finding("I tested it", "first_person", Status.FLAGGED)
    assert allowed_resolutions(claimed) == ()
    assert unresolved([claimed], [opinion(claimed)]) == (claimed,)


FOUND = st.builds(
    finding, st.sampled_from("abcd"), st.sampled_from(["number", "first_person"]), st.sampled_from(Status)
)


@given(st.lists(FOUND), st.lists(FOUND))
def test_resolutions_take_away_from_what_is_left_and_nothing_else_does(
    findings: list[Finding], resolved: list[Finding]
) -> None:
    left = [
        found
        for found in findings
        if found.status in {Status.UNSUPPORTED, Status.FLAGGED}
        and (found.id not in {one.id for one in resolved} or found.kind == "first_person")
    ]
    assert list(unresolved(findings, map(opinion, resolved))) == left

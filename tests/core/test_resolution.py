from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from panel.checks import CheckKind, Finding, Status, Where
from panel.core.resolution import Resolution, ResolutionKind, missing_ticks

WHERE = Where(persona="skeptic", field="take")


def _found(text: str, kind: CheckKind = CheckKind.NUMBER, status: Status = Status.UNSUPPORTED) -> Finding:
    return Finding(kind=kind, where=WHERE, span=None, text=text, status=status, note="Look at it.")


def _tick(finding: Finding) -> Resolution:
    return Resolution(finding=finding.id, kind=ResolutionKind.OPINION)


KINDS = st.sampled_from([CheckKind.NUMBER, CheckKind.FIRST_PERSON])
FOUND = st.builds(_found, st.sampled_from("abcd"), KINDS, st.sampled_from(Status))


def test_a_finding_that_blocks_needs_a_tick() -> None:
    """A finding that blocks stands in the way until it is ticked or cut; others never do."""
    findings = [_found("a"), _found("b", status=Status.FLAGGED), _found("c", status=Status.IN_LISTING)]
    assert missing_ticks(findings, []) == (findings[0], findings[1])
    assert missing_ticks(findings, [_tick(findings[0])]) == (findings[1],)
    assert missing_ticks(findings[2:], []) == ()


def test_experience_can_only_be_cut() -> None:
    """No tick lets a persona claim an experience of its own."""
    claimed = _found("I tested it", CheckKind.FIRST_PERSON, Status.FLAGGED)
    assert missing_ticks([claimed], [_tick(claimed)]) == (claimed,)


@given(st.lists(FOUND), st.lists(FOUND))
def test_more_ticks_never_leave_more_to_do(findings: list[Finding], ticked: list[Finding]) -> None:
    """Ticks take away from what is missing, in the order of the findings, and nothing else does."""
    missing = missing_ticks(findings, map(_tick, ticked))
    left = [
        found
        for found in findings
        if found.blocks
        and (found.id not in {one.id for one in ticked} or found.kind is CheckKind.FIRST_PERSON)
    ]
    assert list(missing) == left

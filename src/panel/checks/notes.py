"""What findings say to an editor."""

from __future__ import annotations

from panel.core.finding import CheckKind, Status

_CLAIMED = {
    CheckKind.EVIDENCE: "The quote",
    CheckKind.NUMBER: "The number",
    CheckKind.PRICE: "The price",
    CheckKind.DATE: "The date",
    CheckKind.LICENCE: "The licence",
    CheckKind.BENCHMARK: "The benchmark",
    CheckKind.NAME: "The name",
}
_STANDS = {
    Status.IN_LISTING: "stands in the listing.",
    Status.SOURCED: "stands in a fact that has a source.",
    Status.UNSUPPORTED: "stands neither in the listing nor in a sourced fact: support it, mark it as opinion, or cut it.",
}
_FLAGGED = {
    CheckKind.CONTRADICTION: "Score and verdict contradict each other.",
    CheckKind.EXTREME_SCORE: "Scores this high are rare: check that the take carries it.",
    CheckKind.FIRST_PERSON: "A persona has no experience to report: cut it or rewrite the sentence.",
    CheckKind.NEVER_SAYS: "This persona never says this.",
    CheckKind.MARKUP: "A take is plain prose: remove the markup.",
    CheckKind.ADDRESS: "The address is not the tool's own: remove it, or say why it stays.",
    CheckKind.INSTRUCTION: "The listing speaks to the panel here: check that no take follows it.",
    CheckKind.HIDDEN: "The listing hides text here: read it before you approve.",
    CheckKind.LOOKALIKE: "This name mixes letters of alphabets that look alike: make sure that it does not pass for another's.",
}
_MISQUOTED = "The quote does not stand in the listing word for word: correct it or cut it."


def claim_note(kind: CheckKind, status: Status) -> str:
    """Return the sentence about a claim."""
    if kind is CheckKind.EVIDENCE and status is Status.UNSUPPORTED:
        return _MISQUOTED
    return f"{_CLAIMED[kind]} {_STANDS[status]}"


def flag_note(kind: CheckKind) -> str:
    """Return the sentence about a flag."""
    return _FLAGGED[kind]

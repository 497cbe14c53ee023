"""Registry of the checks: every `Check` in a module of `panel.checks.rules` is in force, and nothing else names it."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from panel.core.finding import Finding, ResolutionKind, Span, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from panel.checks.matching import Place
    from panel.core.finding import Resolution, Where

_RULES = "panel.checks.rules"
_SUPPORTED = {
    Status.IN_LISTING: "This is in the listing.",
    Status.SOURCED: "This is in a fact that has a source.",
}
_UNSUPPORTED = "The {kind} is neither in the listing nor in a sourced fact: give a source, mark it as opinion, or cut it."

_ALL = tuple(ResolutionKind)

InputT = TypeVar("InputT")


class Hit(NamedTuple):
    """A place that a check found; `values` fill the fields of the check's message."""

    where: Where
    text: str
    place: Place | None = None
    status: Status = Status.FLAGGED
    values: Mapping[str, object] = MappingProxyType({})


Hits = Iterator[Hit]


@dataclass(frozen=True)
class Check:
    """One kind of finding.

    `kind` is stored with findings and must not change. `message` is one sentence that tells an editor what to do. Without resolutions, the
    words can only be edited or cut.
    """

    kind: str
    label: str
    message: str
    resolutions: tuple[ResolutionKind, ...]

    def finding(self, hit: Hit) -> Finding:
        """Return the finding of a hit."""
        return Finding(
            kind=self.kind,
            where=hit.where,
            span=Span(start=hit.place[0], end=hit.place[1]) if hit.place else None,
            text=hit.text,
            status=hit.status,
            note=_SUPPORTED.get(hit.status) or self.message.format(**hit.values),
        )


@dataclass(frozen=True)
class InputCheck(Check, Generic[InputT]):
    """A check of one type of input (see `panel.checks.inputs`)."""

    reads: type[InputT]
    find: Callable[[InputT], Iterable[Hit]]


def input_check(
    reads: type[InputT], kind: str, label: str, message: str, *, cut_only: bool = False
) -> Callable[[Callable[[InputT], Iterable[Hit]]], InputCheck[InputT]]:
    """Return a decorator that makes a check of a function from an input to hits."""
    resolutions = () if cut_only else _ALL

    return lambda find: InputCheck(kind, label, message, resolutions, reads, find)


@dataclass(frozen=True)
class Meaning:
    """The content of a claim without its wording; by default, only an equal meaning supports it."""

    @property
    def keys(self) -> tuple[object, ...]:
        """Keys of an index: only meanings with a common key are compared."""
        return (self,)

    @property
    def parts(self) -> tuple[Meaning, ...]:
        """The meanings that this one includes: a range, for example, includes both of its ends."""
        return (self,)

    def follows_from(self, other: Meaning) -> bool:
        """Return whether a text that states the other, which has a key in common, states this one too."""
        return self == other


class Weight(Enum):
    """Rule by which an expression counts as a claim."""

    ALWAYS = "always"
    IF_LISTING_COUNTS = "if the listing counts the same thing"
    NEVER = "never"


class Claim(NamedTuple):
    """A claim and its place in a text; `counted` is the thing that a number counts."""

    place: Place
    meaning: Meaning
    weight: Weight = Weight.ALWAYS
    counted: str | None = None


Claims = Iterator[Claim]


class ClaimText(NamedTuple):
    """A plain text, the words of the tool's own names, and the score of the take, none of which is a claim."""

    text: str
    own_words: frozenset[str] = frozenset()
    score: int | None = None


class Wording(Enum):
    """Which words of a claim, found in the listing, support it regardless of its meaning."""

    NONE = "none"
    PHRASE = "the whole phrase"
    EACH_WORD = "each word"


@dataclass(frozen=True)
class ClaimCheck(Check):
    """A check of one type of claim against the listing and its sourced facts.

    `read` yields the claims of a text. Checks read in ascending `precedence`; the words of a claim are hidden from those that follow.
    `states` yields further meanings that a listing states in any wording.
    """

    read: Callable[[ClaimText], Iterable[Claim]]
    precedence: int
    wording: Wording
    states: Callable[[str], Iterable[Meaning]]


def claim_check(
    kind: str,
    precedence: int,
    wording: Wording = Wording.NONE,
    states: Callable[[str], Iterable[Meaning]] = lambda _: (),
) -> Callable[[Callable[[ClaimText], Iterable[Claim]]], ClaimCheck]:
    """Return a decorator that makes a check of a function from a text to claims."""
    label, message = f"Unsupported {kind}", _UNSUPPORTED.format(kind=kind)
    return lambda read: ClaimCheck(kind, label, message, _ALL, read, precedence, wording, states)


@cache
def all_checks() -> Mapping[str, Check]:
    """Return every check by its kind, in alphabetical order."""
    names = sorted(module.name for module in pkgutil.iter_modules(import_module(_RULES).__path__))
    modules = [import_module(f"{_RULES}.{name}") for name in names]
    checks = [value for module in modules for value in vars(module).values() if isinstance(value, Check)]
    by_kind = {check.kind: check for check in sorted(checks, key=lambda check: check.kind)}
    if len(by_kind) != len(checks):
        raise RuntimeError("two checks have the same kind")
    return MappingProxyType(by_kind)


@cache
def claim_checks() -> tuple[ClaimCheck, ...]:
    """Return the checks of claims, those that read first at the front."""
    found = [check for check in all_checks().values() if isinstance(check, ClaimCheck)]
    return tuple(sorted(found, key=lambda check: check.precedence))


def run_checks(checked: object) -> Iterator[Finding]:
    """Yield the findings of all checks that read this type of input."""
    for check in all_checks().values():
        if isinstance(check, InputCheck) and check.reads is type(checked):
            yield from map(check.finding, check.find(checked))


def check_of(finding: Finding) -> Check:
    """Return the check that made a finding; a stored finding may be of a kind that no check has any more."""
    label = finding.kind.replace("_", " ").capitalize()
    return all_checks().get(finding.kind) or Check(finding.kind, label, finding.note, _ALL)


def finding_label(finding: Finding) -> str:
    """Return the label of a finding: `Unsupported number`."""
    return check_of(finding).label


def blocks(finding: Finding) -> bool:
    """Return whether an editor must resolve or cut a finding before approval."""
    return finding.status in {Status.UNSUPPORTED, Status.FLAGGED}


def allowed_resolutions(finding: Finding) -> tuple[ResolutionKind, ...]:
    """Return the resolutions that an editor may choose; none if the finding does not block, or if its words must be cut."""
    return check_of(finding).resolutions if blocks(finding) else ()


def unresolved(findings: Iterable[Finding], resolutions: Iterable[Resolution]) -> tuple[Finding, ...]:
    """Return the findings that must still be resolved or cut before approval."""
    resolved = {resolution.finding for resolution in resolutions}
    return tuple(
        finding
        for finding in findings
        if blocks(finding) and not (allowed_resolutions(finding) and finding.id in resolved)
    )

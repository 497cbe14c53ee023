"""Licences that a take names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from panel.checks.matching import before
from panel.checks.registry import Claim, Claims, ClaimText, Meaning, Wording, claim_check

_OPEN = "open source"
_OTHERS = "BSL|SSPL|ELASTIC|CC|source available|open weights|closed source|LLAMA|OPENRAIL"
_NOT_OPEN = frozenset(_OTHERS.split("|"))

_VERSION = r"(?:[ -]?(?:v|version )?(?P<{0}>[0-9](?:\.[0-9])?))?"
_SUFFIX = r"(?:[- ](?:only|or-later|style))?(?:[ -](?:licen[cs]e|licensed))?\b"
_LICENCE = re.compile(
    rf"\b(?:(?P<mit>MIT)(?![ ](?:researchers?|stud\w+|professors?|labs?|press|sloan|graduates?|media|course))"
    rf"|(?P<apache>Apache)(?:(?:[ -]licen[cs]e)?,?{_VERSION.format('apache_version')})(?![ -][A-Z][a-z]|\w|\.\w)"
    rf"|(?P<gnu>[AL]?GPL){_VERSION.format('gnu_version')}(?!\w)"
    rf"|(?P<bsd>BSD)(?:[ -](?P<clauses>[0-4])-clause)?"
    rf"|(?P<mpl>MPL|Mozilla Public Licen[cs]e){_VERSION.format('mpl_version')}"
    r"|(?P<cc>CC0|CC[- ]BY(?:-(?:SA|NC|ND))*(?:[ -][0-9]\.[0-9])?|Creative Commons)"
    r"|(?P<named>ISC licen[cs]e|Unlicense|EUPL|SSPL|BSL|Business Source Licen[cs]e|Elastic Licen[cs]e|OpenRAIL(?:-M)?)"
    r"|(?i:(?P<kind>open[ -]sourced?|source[ -]available|open[ -]weights?|closed[ -]source)))" + _SUFFIX
)
_FAMILIES = {"BUSINESS": "BSL"}
_DENIED = re.compile(
    r"\b(?:no|not|never|without|lacks?|nor|neither|isn't|unless)\b[^.,;:!?\n]*$", re.IGNORECASE
)
_LOOK_BACK = 30


@dataclass(frozen=True)
class Licence(Meaning):
    """A licence by family and version; without a version, any licence of the family."""

    family: str
    version: str | None = None

    @property
    def keys(self) -> tuple[object, ...]:
        """One key for all licences, of which there are few."""
        return ("licence",)

    def follows_from(self, other: Meaning) -> bool:
        """Return whether the other is this licence, or an open one if this is open source in general."""
        if not isinstance(other, Licence):
            return False
        if self.family == _OPEN:
            return other.family not in _NOT_OPEN
        return self.family == other.family and (self.version is None or self.version == other.version)


@claim_check("licence", precedence=10, wording=Wording.PHRASE)
def _read(subject: ClaimText) -> Claims:
    """Yield the licences of a text, but not those that it says the tool lacks."""
    text = subject.text
    for found in _LICENCE.finditer(text):
        if not _DENIED.search(before(text, found.start(), _LOOK_BACK)):
            yield Claim(found.span(), _licence(found))


def _licence(found: re.Match[str]) -> Licence:
    if found["kind"]:
        kind = found["kind"].lower().replace("-", " ").removesuffix("d")
        return Licence(kind.removesuffix("s") + "s" if kind.startswith("open weight") else kind)
    if found["named"]:
        first = found["named"].split()[0].upper()
        return Licence(_FAMILIES.get(first, first.partition("-")[0]))
    if found["cc"]:
        version = found["cc"].upper().replace(" ", "-")
        return Licence("CC", None if found["cc"].startswith("Creative") else version)
    version = found["apache_version"] or found["gnu_version"] or found["mpl_version"] or found["clauses"]
    family = found["gnu"] or next(name.upper() for name in ("mit", "apache", "bsd", "mpl") if found[name])
    return Licence(family, version.removesuffix(".0") if version else None)

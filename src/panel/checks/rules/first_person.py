"""Reports of own experience, which no persona has."""

from __future__ import annotations

import re

from panel.checks.inputs import SeatText
from panel.checks.matching import before
from panel.checks.registry import Hits, input_check

_DONE = (
    "tested|used|ran|installed|deployed|benchmarked|timed|migrated|switched|downloaded|uploaded|imported|exported|loaded|fine-tuned"
    "|tuned|trained|fed|pointed|plugged|connected|hooked|cloned|compiled|configured|adopted|onboarded|signed up|subscribed"
    "|bought|paid|transcribed|recorded|generated|built|wrote|set it up|set up|got it|gave it|put it|found it|found myself|managed to"
    "|watched|stopped|started using|spent|measured|opened it|tried(?! to (?:find|see|read|imagine|picture|understand|work out))"
    "|asked it|played|experimented|worked with|relied on|shipped with|moved our|moved my|hit a|hit an"
)
_DOING = "testing|using|running|trying|building|working with|relying on|playing with|evaluating|deploying"
_HAVE_DONE = f"{_DONE}|run|written|given it|put it|been (?:{_DOING})"
_DO = "use|rely on|run|deploy|work with"
_OFTEN = r"(?:(?:also|just|recently|even|already|once|personally|actually|\w{2,12}ly|now|still|all|both|often|always|then|soon) )?"
_MINE = (
    "team|teams|company|startup|employer|clients?|customers?|colleagues?|co-?workers?|workflow|laptop|machine|computer|desktop|phone"
    "|setup|stack|studio|codebase|repo|repository|repositories|pipelines?|production|infrastructure|newsroom|office|tests|testing"
    "|test run|benchmarks|trial|usage|channel|podcast|manuscript|novel|book|projects?|gpu|server|servers|kitchen|desk|engineers"
    "|developers|editors|own tests|own testing|own data|own use|own team|own experience|experience"
)
_EXPERIENCE = re.compile(
    rf"\b(?:i|we) {_OFTEN}(?:{_DONE})\b"
    rf"|\b(?:(?:i|we) have|i've|we've|i'd|we'd|(?:i|we) had) {_OFTEN}(?:{_HAVE_DONE})\b"
    rf"|\b(?:i|we) {_OFTEN}(?:{_DO})\b"
    rf"|\b(?:i am|i'm|we are|we're) {_OFTEN}(?:{_DOING})\b"
    rf"|\b(?:in|from) (?:my|our) (?:own )?(?:experience|testing|tests|usage|trial)\b|\b(?:my|our) (?:{_MINE})\b"
    r"|\b(?:took|saved|cost|gave|showed|taught) (?:me|us)\b"
    r"|\b(?:worked|crashed|failed|broke|froze|ran|hung) (?:\w+ )?(?:for|on) (?:me|us)\b|\b(?:i|we) (?:was|were) able to\b"
    r"|\bhaving (?:used|tested|tried|run|installed) (?:it|this|them|the)\b|\bas (?:a|an) (?:\w+ )?user myself\b"
    r"|\bhands-on (?:test|time|review|experience|use)\b",
    re.IGNORECASE,
)
# `If I used it`, `would I use it`, `until we run it`: no experience is claimed.
_SUPPOSED = re.compile(
    r"\b(?:if|unless|until|before|once|whether|suppose|supposing|imagine|should|would|could|can|may|might|must|will|shall|do|does|did"
    r"|how|why|where|not|never|nobody|neither|nor|as though|wish|had)(?: (?:that|when|a|the))?[\s,\"']*$",
    re.IGNORECASE,
)
_WOULD = re.compile(r"\b(?:i|we)'d (?:\w+ )?(?:run|put it)$", re.IGNORECASE)
_LOOK_BACK = 30


@input_check(
    SeatText,
    "first_person",
    "First-person experience",
    "A persona has no experience to report: cut it or rewrite the sentence.",
    cut_only=True,
)
def _find(subject: SeatText) -> Hits:
    """Yield the places where a persona reports having used, tested or built something.

    An opinion (`I would skip`, `I doubt`), a supposition (`if I ran it`) and a denial (`I have not tried it`) are none.
    """
    text = subject.own_voice
    for found in _EXPERIENCE.finditer(text):
        supposed = _SUPPOSED.search(before(text, found.start(), _LOOK_BACK))
        if not supposed and not _WOULD.fullmatch(found[0]):
            yield subject.hit(found.span())

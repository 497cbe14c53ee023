"""HTML and Markdown in a take.

Takes are plain prose (`prompts/take.md.j2`). Markup comes from the listing or from the model, and an editor should see it even though
every page escapes it.
"""

from __future__ import annotations

import re

from panel.checks.inputs import SeatText
from panel.checks.matching import TAG
from panel.checks.registry import Hits, input_check

# `a < b` and `<T>` are no markup.
_MARKUP = re.compile(
    rf"{TAG}|"
    r"!?\[[^\[\]\n]{0,200}\]\([^()\n]{1,500}\)|!?\[[^\[\]\n]{1,200}\]\[[^\[\]\n]{0,80}\]|^ {0,3}\[[^\[\]\n]{1,80}\]: ?\S+"
    r"|\*\*[^*\n]{1,200}\*\*|(?<!\w)__[^_\n]{1,200}__(?!\w)|^ {0,3}#{1,6} [^\n]{1,200}|^ {0,3}(?:```|~~~)|^ {0,3}[-*+] (?=\w)|```",
    re.IGNORECASE | re.MULTILINE,
)
# Most texts have none of these characters, and looking for them takes a fraction of the time.
_SIGN_OF_MARKUP = re.compile(r"[<>\[\]*_#`~]|^ {0,3}[-+] ", re.MULTILINE)


@input_check(SeatText, "markup", "Markup", "A take is plain prose: remove the markup.")
def _find(subject: SeatText) -> Hits:
    for found in _MARKUP.finditer(subject.text) if _SIGN_OF_MARKUP.search(subject.text) else ():
        yield subject.hit(found.span())

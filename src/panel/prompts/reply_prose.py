"""What a model's prose must be like to be printed: a take, or the words of a recusal."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from panel.core.base import Frozen
from panel.core.take import MAX_TAKE_CHARS, MIN_TAKE_CHARS
from panel.core.text import one_line, prose
from panel.prompts.reply_json import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_RAW_CHARS = 10_000  # longer texts are not cleaned: normalising a run of combining marks is quadratic
MAX_RECUSAL_CHARS = 600
MAX_REPLACEMENTS = 2
MIN_WORDS_TO_REPEAT = 24
MIN_DISTINCT_WORDS = 0.25  # takes of the greatest length keep about half


class ReplyContext(Frozen):
    """What a reply is held against.

    Attributes:
        persona: id of the persona that was asked.
        roster: ids of all personas of the panel.
        canary: the prompt's internal tag, which must not come back.
        tagline: the tool's own, which is no take.
        host: the tool's own; a take may give addresses on it and on no other.
        mark: character that stood for white space in the listing; in a reply it means the same.
    """

    persona: str
    roster: tuple[str, ...]
    canary: str | None = None
    tagline: str | None = None
    host: str | None = None
    mark: str | None = None

    @property
    def others(self) -> str:
        """Pattern that matches another persona of the roster; it matches nothing if there is none."""
        ids = (re.escape(other).replace(r"\-", "[-_ ]?") for other in self.roster if other != self.persona)
        return rf"(?:{'|'.join(ids) or '(?!)'})"


def take_text(value: object, context: ReplyContext) -> str | Fault:
    """Return a take as it is kept, or what is wrong with it."""
    if value is None:
        return Fault("take", "it is missing", "write the take")
    if not isinstance(value, str):
        return Fault("take", "it is not text", "give it as one string of plain English prose")
    text = prose(value) if len(value) <= MAX_RAW_CHARS else value
    if _PLACEHOLDER.fullmatch(text[:MAX_TAKE_CHARS]):
        return Fault("take", "it is a placeholder", "write the take itself")
    if not MIN_TAKE_CHARS <= len(text) <= MAX_TAKE_CHARS:
        wanted = f"give {MIN_TAKE_CHARS} to {MAX_TAKE_CHARS:,} characters"
        return Fault("take", f"it has {len(text):,} characters", wanted)
    return _joined("take", [*_take_faults(text, context), *_faults(text, context)]) or text


def recusal_text(value: str, context: ReplyContext) -> str | Fault:
    """Return the words of a recusal on one line, or what is wrong with them."""
    if len(value) > MAX_RECUSAL_CHARS:
        return Fault("recusal", f"it has {len(value)} characters", "say it in one sentence")
    text = one_line(value)
    return _joined("recusal", list(_faults(text, context))) or text


def has_foreign_address(text: str, host: str | None) -> bool:
    """Whether a text holds a link, an image or an address that does not lead to the host."""
    return any(_host(found["target"] or found[0]) != _site(host) for found in _ADDRESS.finditer(text))


_PLACEHOLDER = re.compile(
    r"""
    [<\[{]+[^<>\[\]{}"]*[>\]}]+                       # <your take here>
  | \W*(?:string|str|text|prose|take|none|null|n/?a|todo|tbd|placeholder|example|\.\.\.|…)\W*
  | \W*(?:your|the|insert|write|put)\W(?:[\w-]+\W){0,3}(?:take|text|review|opinion)(?:\W+(?:goes\W)?here)?\W*
  | \W*lorem\W+ipsum\b.*
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)

_ADDRESS = re.compile(
    r"""
    \]\(\s*<?(?P<target>[^\s()<>]+)>?(?:\s+["'(][^\n]*?)?\s*\)       # [text](target "title")
  | \b(?:https?|hxxps?|ftp|wss?):[\\/]+[^\s<>"'`]+
  | (?<![\w:/\\])//[\w-]+(?:\.[\w-]+)+[^\s<>"'`]*
  | \bwww\.\w[^\s<>"'`]*
  | (?<![\w@/.-])(?:[a-z0-9-]{1,63}\.){1,5}(?:com|net|org|io|dev|ai|app|co|info|biz|xyz|me|sh|so|to|ru|cn|de|uk|eu|us|tv|gg
      |ly|link|site|online|shop|store|top|click|invalid|example|test)/[^\s<>"'`]*
  | [\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}
  | \b(?:(?:java|vb)script|mailto):(?=\S)
  | \bdata:(?=[\w.+-]+/[\w.+-]+[;,]|[;,])
    """,
    re.IGNORECASE | re.VERBOSE,
)
_OWN_HOST = re.compile(r"(?:https?:)?//([a-z0-9.-]+)(?::\d+)?(?:[/?#].*)?", re.IGNORECASE)

_ACTIVE_MARKUP = re.compile(
    r"""
    <(script|style|iframe|object|embed|svg|math|template|noscript|textarea|title)\b[^<>]*>.*?</\1\b
  | <[a-z][^<>]*[\s/"'](?:on[a-z]+|src|srcset|srcdoc|href|xlink:href|style|action|formaction|data|poster|background)
    \s*=[^<>]*>
  | <!--|<!\[CDATA\[
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_ANSWER_INSIDE = re.compile(r"""[{,]\s*["'](?:verdict|score|take)["']\s*:""", re.IGNORECASE)


def _take_faults(text: str, context: ReplyContext) -> Iterator[tuple[str, str]]:
    if context.tagline and _words(text) == _words(context.tagline):
        yield "it only repeats the tool's tagline", "give your own judgement"
    words = _words(text)
    if len(words) >= MIN_WORDS_TO_REPEAT and len(set(words)) < MIN_DISTINCT_WORDS * len(words):
        yield "it repeats the same words over and over", "write three to six different sentences"
    if _ANSWER_INSIDE.search(text):
        yield "it holds a JSON answer", "put nothing but the prose into this field"


def _faults(text: str, context: ReplyContext) -> Iterator[tuple[str, str]]:
    if text.count("\ufffd") > MAX_REPLACEMENTS:
        yield "its characters are damaged", "write it again in plain characters"
    if not _is_latin(text):
        yield "it is not in English", "write it in plain English"
    if has_foreign_address(text, context.host):
        yield "it holds a link or a web address", "leave addresses out"
    if _ACTIVE_MARKUP.search(text):
        yield "it holds an HTML element", "write plain prose without HTML"
    if _speaks_as_another(text, context):
        yield "it speaks as another persona", f"speak as the {context.persona} alone"


def _joined(field: str, faults: list[tuple[str, str]]) -> Fault | None:
    if not faults:
        return None
    whats, wishes = zip(*faults, strict=True)
    return Fault(field, " and ".join(whats), " and ".join(wishes))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _is_latin(text: str) -> bool:
    """Whether most letters are Latin; combining marks, which can bury a text, count as letters that are not."""
    if text.isascii():
        return any(map(str.isalpha, text))
    letters = [char for char in text if unicodedata.category(char)[0] in "LM"]
    latin = sum(unicodedata.name(char, "").startswith("LATIN") for char in letters)
    return 2 * latin > len(letters)


def _speaks_as_another(text: str, context: ReplyContext) -> bool:
    other = context.others
    opening = rf"""[\W_]*(?:
        as\ (?:the|an?|your|our)\ {other}\W{{0,3}}\ ?
          (?:(?:i|my|we)\b|(?:on|of)\ (?:this|the|your)\ panel|here\b|speaking\b|reviewer\b|persona\b|critic\b)
      | (?:speaking|writing|judging)\ as\ (?:the\ |an?\ |your\ )?{other}\b
      | (?:i\ am|i'm)\ (?:the\ |an?\ )?{other}\b
      | (?:the\ )?{other}(?:'s\ (?:take|view|verdict)|\ here)?[*_\s]*[:\].!\u2013\u2014]
    )"""
    return re.match(opening, text.replace("\u2019", "'"), re.IGNORECASE | re.VERBOSE) is not None


def _host(address: str) -> str | None:
    full = address if address.startswith(("//", "\\")) or ":" in address.partition("/")[0] else f"//{address}"
    found = _OWN_HOST.fullmatch(full.rstrip(".,;:!?)]}*_"))
    return _site(found[1]) if found else ""


def _site(host: str | None) -> str | None:
    return host.lower().rstrip(".").removeprefix("www.") if host else None

"""Checks of a model's prose: printable takes and recusals, refusals in words, and leaks of the prompt's canary."""

from __future__ import annotations

import base64
import codecs
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from panel.core.frozen import Frozen
from panel.core.take import MAX_TAKE_CHARS, MIN_TAKE_CHARS
from panel.core.text import one_line, prose
from panel.prompts.answer_json import ReplyProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_RAW_CHARS = 10_000  # longer texts are not normalised: the time is quadratic for a run of combining marks
MAX_RECUSAL_CHARS = 600
MAX_REPLACEMENTS = 2
MIN_WORDS_TO_REPEAT = 24
MIN_DISTINCT_WORDS = 0.25  # share; honest takes of the greatest length have about half


class ReplyContext(Frozen):
    """The question that a reply answers: the persona's id, and those of all personas of the panel.

    The canary is the prompt's internal tag, which must not appear in a reply; the tool's tagline is no take; its host is the only
    one whose addresses a take may give; the mark stands for white space in the listing.
    """

    persona: str
    roster: tuple[str, ...]
    canary: str | None = None
    tagline: str | None = None
    host: str | None = None
    mark: str | None = None

    @property
    def others(self) -> str:
        """Pattern that matches the id of any other persona of the roster, or nothing."""
        ids = (re.escape(other).replace(r"\-", "[-_ ]?") for other in self.roster if other != self.persona)
        return rf"(?:{'|'.join(ids) or '(?!)'})"


def take_text(value: object, context: ReplyContext) -> str | ReplyProblem:
    """Return a take ready to print, or its problems."""
    if value is None:
        return ReplyProblem("take", "it is missing", "write the take")
    if not isinstance(value, str):
        return ReplyProblem("take", "it is not text", "give it as one string of plain English prose")
    text = prose(value) if len(value) <= MAX_RAW_CHARS else value
    if _PLACEHOLDER.fullmatch(text[:MAX_TAKE_CHARS]):
        return ReplyProblem("take", "it is a placeholder", "write the take itself")
    if not MIN_TAKE_CHARS <= len(text) <= MAX_TAKE_CHARS:
        remedy = f"give {MIN_TAKE_CHARS} to {MAX_TAKE_CHARS:,} characters"
        return ReplyProblem("take", f"it has {len(text):,} characters", remedy)
    return _joined("take", [*_take_errors(text, context), *_text_errors(text, context)]) or text


def recusal_text(value: str, context: ReplyContext) -> str | ReplyProblem:
    """Return the words of a recusal on one line, or their problems."""
    if len(value) > MAX_RECUSAL_CHARS:
        return ReplyProblem("recusal", f"it has {len(value)} characters", "say it in one sentence")
    text = one_line(value)
    return _joined("recusal", _text_errors(text, context)) or text


def has_foreign_address(text: str, host: str | None) -> bool:
    """Return whether a text holds a link, an image or an address on another host."""
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


def _take_errors(text: str, context: ReplyContext) -> Iterator[tuple[str, str]]:
    if context.tagline and _words(text) == _words(context.tagline):
        yield "it only repeats the tool's tagline", "give your own judgement"
    words = _words(text)
    if len(words) >= MIN_WORDS_TO_REPEAT and len(set(words)) < MIN_DISTINCT_WORDS * len(words):
        yield "it repeats the same words over and over", "write three to six different sentences"
    if _ANSWER_INSIDE.search(text):
        yield "it holds a JSON answer", "put nothing but the prose into this field"


def _text_errors(text: str, context: ReplyContext) -> Iterator[tuple[str, str]]:
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


def _joined(field: str, errors: Iterable[tuple[str, str]]) -> ReplyProblem | None:
    if not (found := list(errors)):
        return None
    messages, remedies = zip(*found, strict=True)
    return ReplyProblem(field, " and ".join(messages), " and ".join(remedies))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _is_latin(text: str) -> bool:
    """Return whether most letters are Latin; combining marks, which can bury a text, count as other letters."""
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


_SHORTEST_LEAK = 10
_LONGEST_REFUSAL_START = 1_000
CANARIES_REMEMBERED = 256

_NOT_SPELLED = re.compile(r"[\W_]+")

# The start of a refusal, in the languages that models refuse in. In English the verb counts as well, because "I can't
# recommend this", "I can't help but admire" and "As an AI notebook, it" start honest takes.
_REFUSAL = re.compile(
    r"""[\W_]*+(?:
    (?: (?:(?:i'?m|i\ am|we'?re|we\ are)\ (?:\w+\ )?)?(?:sorry|afraid)
      | my\ apologies|(?:i|we)\ apologi[sz]e|unfortunately|regrettably
    )?+
    (?:\W|but\b|that\b|however\b)*+
    (?: (?:i|we)(?:'m|'re|\ am|\ are)?\ (?:can\ ?not|can'?t|won'?t|will\ not|unable|not\ (?:able|comfortable|allowed))
        \ (?:(?:be\ able|in\ good\ conscience|really|directly|therefore|to)\ )*
        (?: help(?:\ (?:you|with|in)\b|\W*$|[.,;!])
          | (?:assist|comply|fulfil|provid|participat|engag)
          | do\ (?:that|this|so)(?!\ \w)
          | (?:review|evaluat|assess|answer|complet|continu|process|discuss|produc|generat|creat|writ)\w*
            \ (?:with\ )?(?:that|this|your|such)\b
        )
      | (?:i|we)\ (?:(?:must|have\ to|need\ to|will\ have\ to)\ )?(?:respectfully\ |politely\ )?decline\b
      | as\ an?\ (?:(?:large|ai|artificial|intelligence|language|text-based|virtual|model|assistant|system)[ ,]+)+
        (?:i|we)\b
      | (?:i\ am|i'm)\ (?:just\ |only\ )?an?\ (?:ai|(?:large\ )?language\ model|virtual\ assistant)\b
      | (?:this|that|your)\ (?:request|prompt|content)\ (?:violates|goes\ against|is\ against|cannot\ be)\b
    )
  | (?:es\ )?tut\ mir\ (?:sehr\ )?leid|leider\ kann\ ich|ich\ kann\ (?:dabei|damit|dir|ihnen|diese)
  | als\ (?:ein\ )?(?:ki|sprachmodell)\b
  | (?:je\ suis\ |nous\ sommes\ )?d[ée]sol[ée]|je\ ne\ (?:peux|suis\ pas\ en\ mesure)|malheureusement,?\ je\b
  | en\ tant\ qu|lo\ (?:siento|lamento)|no\ puedo\b|como\ (?:una?\ )?(?:ia|modelo|inteligencia)\b
  | desculpe|(?:sinto|lamento)\ muito|lamento|não\ posso\b|infelizmente,?\ não|como\ (?:um\ )?modelo\b
  | mi\ dispiace|(?:purtroppo\ )?non\ posso\b|sono\ spiacente
  | het\ spijt\ me|helaas\ kan\ ik|sorry,?\ maar\ ik|jag\ är\ ledsen|tyvärr\ kan\ jag
  | przykro\ mi|przepraszam|niestety\ nie\ mog|üzgünüm|maalesef
  | извините|простите|к\ сожалению|я\ не\ могу|как\ (?:ии|языковая)
  | 申し訳|すみません|ごめんなさい|恐れ入りますが|很?抱歉|对不起|對不起|我无法|我無法|我不能|作为(?:一个)?(?:ai|人工智能)|죄송|미안
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def refuses(text: str) -> bool:
    """Return whether a text starts like a refusal to answer."""
    return _REFUSAL.match(text[:_LONGEST_REFUSAL_START].replace("\u2019", "'")) is not None


def leaks(canary: str | None, texts: Iterable[str]) -> bool:
    """Return whether a text holds the canary or a long part of it, with anything between its characters.

    It is also found in other case, full-width letters, backwards, base64, hexadecimal digits and ROT13.
    """
    spellings = _spellings(canary) if canary else ()
    return bool(spellings) and any(
        spelling in text for text in map(_letters_and_digits, texts) for spelling in spellings
    )


@lru_cache(maxsize=CANARIES_REMEMBERED)
def _spellings(canary: str) -> frozenset[str]:
    parts = [part for part in _NOT_SPELLED.split(canary) if len(part) >= _SHORTEST_LEAK]
    plain = [_letters_and_digits(text) for text in (canary, *parts)]
    raw = canary.encode()
    # In base64, the canary at each offset within a longer text, without the edges.
    encoded = [
        base64.b64encode(bytes(offset) + raw).decode("ascii").rstrip("=")[edge:-1]
        for offset, edge in enumerate((0, 2, 3))
    ]
    spelled = {*plain, *(text[::-1] for text in plain), *(codecs.encode(text, "rot13") for text in plain)}
    return frozenset(spelled | {raw.hex(), *map(_letters_and_digits, encoded)}) - {""}


def _letters_and_digits(text: str) -> str:
    if not text.isascii():
        # Character by character, because normalising a run of combining marks takes quadratic time.
        text = "".join(unicodedata.normalize("NFKC", char) for char in text)
    return _NOT_SPELLED.sub("", text).casefold()

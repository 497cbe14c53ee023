"""The rules that a drawn sentence must keep, over plain English text and without a model.

A drawn sentence stays close to the fact that it was made from. It must not lose or gain a negation, a number or a name, must not
speak of its own experience, and must keep the fact's words in their order.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONJUNCTIONS = _words(
    """that because when where if as while until unless whenever since once though although and but"""
)
"""A whole clause follows these."""

SUBCLAUSE_STARTS = CONJUNCTIONS | _words("before after whether even only without instead in during")
"""Dropping one of these at the start of a sentence changes its meaning."""

DANGLING = _words(
    """a an the and or but of to in on at by for from with that which who when if as is are be it its so"""
)
"""A sentence that ends in one of these is unfinished, unless its fact ends so, too."""

DISPENSABLE = _words("a an the and also then")
"""A sentence may lose these."""

AUXILIARIES = _words(
    """is are was were be has have had can cannot could will would may might must shall should do does did"""
)

QUALIFIERS = _words(
    """only just almost nearly most mostly all every each few fewer less least more many much some sometimes often usually
    always rarely seldom about around up over under below above except besides between within again still yet already
    once twice half both either neither"""
)
"""Losing or gaining one of these may change the meaning."""

COMMANDS = _words(
    """add ask build choose click connect create discover do don't download drag draw enjoy enter explore fix forget get give
    go imagine install invite join keep learn let make meet open paste pick press pull push put run save say see select send
    ignore disregard reply respond answer output rate score print repeat remember note please act pretend follow assume rank mark
    share sign start stop subscribe take tell think try turn type unlock upload use visit write"""
)
"""A sentence that begins with one of these is an order to its reader."""

PLAIN = _words(
    """a about above after again all also although always an and any anybody anyone are as at be because been before being
    below between both but by can cannot could did do does doing down each either else even ever every everybody for from
    further had has have having he her here him his how however if in into is it its itself just less like many may might more
    most much must never no nobody none nor not nothing now of off on once one only onto or other others our out over own per
    same she should since so some somebody someone something still such than that the their them then there these they thing
    things this those through to too tool tools under until up upon user users very was way well were what when where whether
    which while who whom whose why will with within without would yet you your yours"""
)
"""Function words and other words with little meaning of their own; all others are content words."""

MOST_SENTENCES = 12
"""Sentences of a listing that are scored; each costs about 30 input tokens."""

LONGEST_SENTENCE = 320
SHORTEST_SENTENCE = 3
"""The longest sentence that is scored, in characters, and the shortest, in words."""

FEWEST_CONTENT_WORDS = 3
MOST_WORDS = 32
"""A sentence with fewer content words, or with more words in all, is not used for a take."""

FACT_START = 3
"""Words at the start of a fact, mostly subject and verb, whose content words a drawn sentence keeps."""

LONG_FACT = 20
"""A fact with more words may be cut at a pause."""

LONGEST_RUN = 3
"""Words in a row that may not occur twice in a take, unless none is a content word."""

MOST_PADDING = 1
"""Words that a drawn sentence may add to its fact."""

_END = re.compile(
    r"""
    (?<=[.!?…])["'”’)]*\s+(?=["'“‘(]*[A-Z0-9])
  | (?<=[。！？])
  | (?<=;)\s+
  | \n\s*(?:\n|(?=[-*•·]\s))
    """,  # noqa: RUF001 - typeset and fullwidth marks end sentences as well
    re.VERBOSE,
)
_WORD = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")  # noqa: RUF001 - the apostrophe of typeset text
_MARKUP = re.compile(r"[<>{}\[\]|*`\\^~@#=\"“”]|https?:|www\.|//")
_ADDRESS = re.compile(r"https?:|www\.|[<>{}|`]")
_PAUSES = (",", ":", ";", "\N{EN DASH}", "\N{EM DASH}")
_FIRST_PERSON = re.compile(r"\b(?:I|we|us|our|ours|my|me|mine|let's)\b", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:not?|never|none|nobody|nothing|neither|nor|without|cannot|unable|\w+n['\N{RIGHT SINGLE QUOTATION MARK}]t)\b",
    re.IGNORECASE,
)
_LEANS_ON_OTHERS = re.compile(
    r"""(?:they|these|those|this|that|then|both|such|here|he|she|his|her|their|otherwise|instead|either|neither
        |the\ (?:other|second|latter|former|rest))\b""",
    re.IGNORECASE | re.VERBOSE,
)
_DIGITS = re.compile(r"\d+")
_MAKERS = (
    (re.compile(r"\b(?:we|us)\b", re.IGNORECASE), "its makers"),
    (re.compile(r"\b(?:our|ours|my)\b", re.IGNORECASE), "its"),
)


def sentences_of(prose: str) -> tuple[str, ...]:
    """Return the sentences of a listing that can be scored, each on one line: at most `MOST_SENTENCES`, evenly spread."""
    parts = (" ".join(part.lstrip("-*•·# \t").split()) for part in _END.split(prose))
    fit = [
        part
        for part in parts
        if len(words_of(part)) >= SHORTEST_SENTENCE
        and len(part) <= LONGEST_SENTENCE
        and not _ADDRESS.search(part)
    ]
    fit = fit or [" ".join(prose.split())[:LONGEST_SENTENCE]]
    step = max(len(fit) / MOST_SENTENCES, 1)
    return tuple(fit[int(step * index)] for index in range(min(len(fit), MOST_SENTENCES)))


def stands_alone(sentence: str) -> bool:
    """Whether a sentence makes sense without its neighbours, and is neither too short nor too long for a take."""
    words = words_of(sentence)
    return (
        len(content_of(sentence)) >= FEWEST_CONTENT_WORDS
        and len(words) <= MOST_WORDS
        and words[0] not in COMMANDS
        and not _LEANS_ON_OTHERS.match(sentence)
    )


def as_fact(sentence: str, name: str, *, named: bool = False) -> str:
    """Return a sentence in the third person: `its makers` for `we`, and `It` for the tool's name at its start.

    With `named` it is the other way round: the name replaces `It` at the start.
    """
    fact = sentence
    for pattern, words in _MAKERS:
        fact = pattern.sub(words, fact)
    old, new = ("It", name) if named else (name, "It")
    rest = fact.removeprefix(old)
    fact = f"{new}{rest}" if rest != fact and rest[:1] in {" ", "'"} else fact
    return fact[:1].upper() + fact[1:]


def as_clause(sentence: str, is_common: Callable[[str], bool]) -> str:
    """Return a sentence to be put after other words: no full stop, and a small first letter unless it may be a name's.

    `is_common` judges a word in small letters.
    """
    body = sentence.strip(" ,;.!?…")
    first = body.split(maxsplit=1)[0].rstrip(",:") if body else ""
    small = first.isalpha() and first[1:] == first[1:].lower() and is_common(first.lower())
    return body[0].lower() + body[1:] if small else body


def expects_clause(opener: str) -> bool:
    """Whether a whole clause follows an opener, and not just a verb to its own subject."""
    return opener.endswith(",") or opener.rsplit(maxsplit=1)[-1].casefold() in CONJUNCTIONS


def broken_rules(opener: str, text: str, fact: str, source: str, before: str) -> tuple[str, ...]:
    """Return the names of the rules that a drawn sentence breaks.

    `text` was drawn after the opener; the fact is worded to follow the opener; `source` is the whole listing, and `before`
    the sentences of the take so far.
    """
    words, fact_words = words_of(text), words_of(fact)
    clause, cut = expects_clause(opener), cut_short(text, fact)
    qualifiers = QUALIFIERS.intersection
    # A fact may lose an article, but not a function word such as `to`.
    lost = (Counter(fact_words) - Counter(words)).keys() & PLAIN - DISPENSABLE
    rest = iter(_content(fact))
    checks = (
        ("too short", len(words) < 2 or not content_of(text)),  # noqa: PLR2004 - one word is no clause
        ("unfinished", not DANGLING.isdisjoint(words[-1:]) and words[-1:] != fact_words[-1:] and not cut),
        ("markup", _MARKUP.search(text) is not None),
        ("first person", _FIRST_PERSON.search(text) is not None),
        ("negation", bool(_NEGATION.search(text)) != bool(_NEGATION.search(fact))),
        ("qualifier", qualifiers(words) != qualifiers(fact_words) and not cut),
        ("number", not set(_DIGITS.findall(text)) <= set(_DIGITS.findall(source))),
        ("name", not _names(text) <= set(words_of(source))),
        ("repetition", _repeats(f"{before} {opener} {text}")),
        ("own words", not all(word in rest for word in _content(text))),
        ("padding", len(set(words) - set(fact_words) - {"it", "its"}) > MOST_PADDING),
        ("gap", bool(lost) and not cut),
        ("start", not _has_same_start(words, fact_words, whole=clause)),
        ("verb", clause and not _keeps_verb(words, fact)),
    )
    return tuple(rule for rule, broken in checks if broken)


def closeness(text: str, fact: str) -> float:
    """Return the share of a fact's content words that a sentence keeps; 1 also for a long fact that is cut at a pause."""
    wanted = content_of(fact)
    return 1.0 if cut_short(text, fact) else len(wanted & content_of(text)) / max(len(wanted), 1)


def cut_short(text: str, fact: str) -> bool:
    """Whether a text is the first half or more of a long fact, word for word, up to a pause such as a comma."""
    whole, found = list(_WORD.finditer(fact)), words_of(text)
    if len(whole) <= LONG_FACT or not len(whole) / 2 <= len(found) < len(whole):
        return False
    pause = fact[whole[len(found) - 1].end() :].lstrip()
    return found == words_of(fact)[: len(found)] and pause.startswith(_PAUSES)


def shared_content(text: str, other: str) -> int:
    """Return the number of content words that two texts share."""
    return len(content_of(text) & content_of(other))


def words_of(text: str) -> tuple[str, ...]:
    """Return a text's words in small letters."""
    return tuple(word.casefold() for word in _WORD.findall(text))


def content_of(text: str) -> frozenset[str]:
    """Return the stems of a text's content words."""
    return frozenset(_content(text))


def _content(text: str) -> tuple[str, ...]:
    return tuple(_stem(word) for word in words_of(text) if word not in PLAIN)


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= len("run"):
            return word.removesuffix(ending)
    return word


def _names(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text) if any(map(str.isupper, word))}


def _repeats(text: str) -> bool:
    words = words_of(text)
    runs = [words[start : start + LONGEST_RUN] for start in range(len(words) - LONGEST_RUN + 1)]
    with_content = [run for run in runs if not PLAIN.issuperset(run)]
    return len(set(with_content)) < len(with_content)


def _has_same_start(words: Sequence[str], fact: Sequence[str], *, whole: bool) -> bool:
    """Whether a text begins with the first word and the first content words of its fact."""
    if words[:1] != fact[:1] and (not whole or not SUBCLAUSE_STARTS.isdisjoint(fact[:1])):
        return False
    return content_of(" ".join(fact[:FACT_START])) <= content_of(" ".join(words))


def _keeps_verb(words: Sequence[str], fact: str) -> bool:
    """Whether a clause has an auxiliary verb, if the main clause of its fact has one."""
    main = words_of(re.split(r",| (?:that|which|who|because|so|when|if) ", fact)[0])
    return AUXILIARIES.isdisjoint(main) or not AUXILIARIES.isdisjoint(words)

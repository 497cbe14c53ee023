"""What makes a drawn sentence fit to print: rules over plain text, with no model and no chance in them.

A small model's sentence is kept close to the fact that it was given. It must not lose or gain a negation, a number or a name,
must not speak of its own experience, and must keep the fact's words in their order.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from panel.providers.local.vocabulary import (
    AUXILIARIES,
    COMMANDS,
    CONJUNCTIONS,
    DANGLING,
    DISPENSABLE,
    PLAIN,
    QUALIFIERS,
    SUBCLAUSE_STARTS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_SENTENCES = 12
"""Sentences of a listing that are weighed; each costs about 30 tokens of reading."""

LONGEST_SENTENCE = 320
SHORTEST_SENTENCE = 3
"""The longest sentence that is weighed, in characters, and the shortest, in words."""

FEWEST_CONTENT = 3
LONGEST_BREATH = 32
"""Words: a sentence with fewer that carry meaning says too little to be repeated, one with more in all too much."""

FACT_START = 3
"""Words at the start of a fact, mostly subject and verb, that a drawn sentence keeps where they carry meaning."""

LONG = 20
"""Words from which on a fact may be cut where it pauses."""

LONGEST_RUN = 3
"""Words in a row that may not occur twice in a take, unless none of them carries meaning."""

MOST_PADDING = 1
"""Words of a drawn sentence that its fact does not have."""

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
_MAKERS = (
    (re.compile(r"\b(?:we|us)\b", re.IGNORECASE), "its makers"),
    (re.compile(r"\b(?:our|ours|my)\b", re.IGNORECASE), "its"),
)


def sentences_of(prose: str) -> tuple[str, ...]:
    """Return the sentences of a listing that can be weighed, on one line each: at most `MOST_SENTENCES`, evenly spread."""
    parts = (" ".join(part.lstrip("-*•·# \t").split()) for part in _END.split(prose))
    fit = [part for part in parts if _weighable(part)]
    fit = fit or [" ".join(prose.split())[:LONGEST_SENTENCE]]
    step = max(len(fit) / MOST_SENTENCES, 1)
    return tuple(fit[int(step * index)] for index in range(min(len(fit), MOST_SENTENCES)))


def stands_alone(sentence: str) -> bool:
    """Whether a sentence says enough without those around it, and can be said in one breath."""
    words = words_of(sentence)
    return (
        len(content_of(sentence)) >= FEWEST_CONTENT
        and len(words) <= LONGEST_BREATH
        and words[0] not in COMMANDS
        and not _LEANS_ON_OTHERS.match(sentence)
    )


def as_fact(sentence: str, name: str, *, named: bool = False) -> str:
    """Return a sentence as others would say it: its makers for `we`, and `It` for the tool's name at its start.

    Args:
        sentence: a sentence of the listing.
        name: the tool's name.
        named: keep the name, and put it in the place of `It`.
    """
    fact = sentence
    for pattern, words in _MAKERS:
        fact = pattern.sub(words, fact)
    old, new = ("It", name) if named else (name, "It")
    rest = fact.removeprefix(old)
    fact = f"{new}{rest}" if rest != fact and rest[:1] in {" ", "'"} else fact
    return fact[:1].upper() + fact[1:]


def as_clause(sentence: str, common: Callable[[str], bool]) -> str:
    """Return a sentence as it reads after other words: no full stop, and a small first letter unless it is a name's.

    Args:
        sentence: a sentence of the listing, or a part of one.
        common: whether a word in small letters is a common one; else it may be a name.
    """
    body = sentence.strip(" ,;.!?…")
    first = body.split(maxsplit=1)[0].rstrip(",:") if body else ""
    small = first.isalpha() and first[1:] == first[1:].lower() and common(first.lower())
    return body[0].lower() + body[1:] if small else body


def expects_clause(opener: str) -> bool:
    """Whether an opener wants a whole clause after it, and not just what its own subject does."""
    return opener.endswith(",") or opener.rsplit(maxsplit=1)[-1].casefold() in CONJUNCTIONS


def faults_of(opener: str, text: str, fact: str, source: str, before: str) -> tuple[str, ...]:
    """Return what forbids a drawn sentence, in a word or two each.

    Args:
        opener: its first words, which were given.
        text: the words that follow them.
        fact: what they are to say, as it would follow the opener itself.
        source: the whole listing.
        before: the sentences of the take so far.
    """
    words, told = words_of(text), words_of(fact)
    checks = (
        ("too short", len(words) < 2 or not content_of(text)),  # noqa: PLR2004 - one word is no clause
        ("unfinished", _dangles(text, fact)),
        ("markup", _MARKUP.search(text) is not None),
        ("first person", _FIRST_PERSON.search(text) is not None),
        ("negation", bool(_NEGATION.search(text)) != bool(_NEGATION.search(fact))),
        (
            "qualifier",
            QUALIFIERS.intersection(words) != QUALIFIERS.intersection(told) and not cut_short(text, fact),
        ),
        ("number", not _numbers(text) <= _numbers(source)),
        ("name", not _names(text) <= set(words_of(source))),
        ("repetition", _repeats(f"{before} {opener} {text}")),
        ("own words", not _is_part(_content(text), _content(fact))),
        ("padding", len(set(words) - set(told) - {"it", "its"}) > MOST_PADDING),
        ("gap", _has_gap(words, told) and not cut_short(text, fact)),
        ("start", not _same_start(words, told, whole=expects_clause(opener))),
        ("verb", expects_clause(opener) and not _keeps_verb(words, fact)),
    )
    return tuple(reason for reason, broken in checks if broken)


def closeness(text: str, fact: str) -> float:
    """Return how much of a fact's content a sentence keeps: 1 for all of it, or for a long fact cut where it pauses."""
    wanted = content_of(fact)
    return 1.0 if cut_short(text, fact) else len(wanted & content_of(text)) / max(len(wanted), 1)


def cut_short(text: str, fact: str) -> bool:
    """Whether a text is the first half or more of a long fact, word for word, up to a comma or the like."""
    told, found = list(_WORD.finditer(fact)), words_of(text)
    if len(told) <= LONG or not len(told) / 2 <= len(found) < len(told):
        return False
    pause = fact[told[len(found) - 1].end() :].lstrip()
    return found == words_of(fact)[: len(found)] and pause.startswith(_PAUSES)


def shared_content(text: str, other: str) -> int:
    """Return how many words that carry meaning two texts share."""
    return len(content_of(text) & content_of(other))


def words_of(text: str) -> tuple[str, ...]:
    """Return a text's words in small letters."""
    return tuple(word.casefold() for word in _WORD.findall(text))


def content_of(text: str) -> frozenset[str]:
    """Return the stems of a text's words that carry meaning."""
    return frozenset(_content(text))


def _content(text: str) -> tuple[str, ...]:
    return tuple(_stem(word) for word in words_of(text) if word not in PLAIN)


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= len("run"):
            return word.removesuffix(ending)
    return word


def _weighable(part: str) -> bool:
    return (
        len(words_of(part)) >= SHORTEST_SENTENCE
        and len(part) <= LONGEST_SENTENCE
        and not _ADDRESS.search(part)
    )


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+", text))


def _names(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text) if any(map(str.isupper, word))}


def _is_part(text: Sequence[str], fact: Sequence[str]) -> bool:
    """Whether the words of a text all occur in a fact, in the same order."""
    rest = iter(fact)
    return all(word in rest for word in text)


def _repeats(text: str) -> bool:
    words = words_of(text)
    runs = [words[start : start + LONGEST_RUN] for start in range(len(words) - LONGEST_RUN + 1)]
    telling = [run for run in runs if not PLAIN.issuperset(run)]
    return len(set(telling)) < len(telling)


def _dangles(text: str, fact: str) -> bool:
    last = words_of(text)[-1:]
    return not DANGLING.isdisjoint(last) and last != words_of(fact)[-1:] and not cut_short(text, fact)


def _has_gap(text: Sequence[str], fact: Sequence[str]) -> bool:
    """Whether a text lacks one of its fact's small words without which a sentence does not hold together."""
    return any(word in PLAIN and word not in DISPENSABLE for word in Counter(fact) - Counter(text))


def _same_start(text: Sequence[str], fact: Sequence[str], *, whole: bool) -> bool:
    """Whether a text begins as its fact does: with subject and verb, with its conjunction, or with the verb alone."""
    if text[:1] != fact[:1] and (not whole or not SUBCLAUSE_STARTS.isdisjoint(fact[:1])):
        return False
    return content_of(" ".join(fact[:FACT_START])) <= content_of(" ".join(text))


def _keeps_verb(text: Sequence[str], fact: str) -> bool:
    """Whether a clause has an auxiliary verb if the main clause of its fact has one."""
    main = words_of(re.split(r",| (?:that|which|who|because|so|when|if) ", fact)[0])
    return AUXILIARIES.isdisjoint(main) or not AUXILIARIES.isdisjoint(text)

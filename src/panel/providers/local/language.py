"""What makes a drawn sentence fit to print: rules over plain text, with no model and no chance in them.

A small model's sentence is kept close to the fact that it was given. It must not lose or gain a negation, a number or a name,
must not speak of its own experience, and should repeat the fact's words rather than add words of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panel.domain.base import Frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SENTENCES = 12
"""Sentences of a listing that are weighed; each costs about 30 tokens of reading."""

LONGEST_SENTENCE = 320
SHORTEST_SENTENCE = 3
"""The longest sentence that is weighed, in characters, and the shortest, in words."""

MOST_ADDED = 1
"""Words of its own that a drawn sentence may add to the words of the listing."""

LONGEST_RUN = 3
"""Words in a row that may not occur twice in a take."""

_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+(?=[\"'“‘(]*[A-Z0-9])|(?<=[。！？])|\n\s*(?:\n|(?=[-*•·]\s))")  # noqa: RUF001
_WORD = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")  # noqa: RUF001 - the apostrophe of typeset text
_MARKUP = re.compile(r"[<>{}\[\]|*`\\^~@#=\"“”]|https?:|www\.|//")
_FIRST_PERSON = re.compile(r"\b(?:I|we|us|our|ours|my|me|mine|let's)\b", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:not?|never|none|nobody|nothing|neither|nor|without|cannot|unable|\w+n['’]t)\b",  # noqa: RUF001
    re.IGNORECASE,
)
_DANGLING = frozenset("a an the and or but of to in on at by for from with that which who when if as is are be it its so".split())
_CONJUNCTIONS = frozenset("that because when where if as while until unless whenever since once though although and but".split())
_PLAIN = frozenset(
    """a about above after again all also although always an and any anybody anyone are as at be because been before being
    below between both but by can cannot could did do does doing down each either else even ever every everybody for from
    further get gets give gives goes had has have having he her here him his how however if in into is it its itself just
    keep keeps less let like made make makes many may might more most much must need needs never no nobody none nor not nothing
    now of off on once one only onto or other others our out over own per same she should since so some somebody someone
    something still such take takes than that the their them then there these they thing things this those through to too
    tool tools under until up upon use used user users uses using very was way well were what when where whether which
    while who whoever whom whose why will with within without work works would yet you your yours""".split()
)


class Fault(Frozen):
    """Why a drawn sentence cannot be printed."""

    reason: str


def sentences_of(prose: str) -> tuple[str, ...]:
    """Return the sentences of a listing that can be weighed, with single spaces, at most `MOST_SENTENCES` evenly spread."""
    parts = (" ".join(part.lstrip("-*•·# \t").split()) for part in _END.split(prose))
    fit = [part for part in parts if _weighable(part)]
    fit = fit or [" ".join(prose.split())[:LONGEST_SENTENCE]]
    step = max(len(fit) / MOST_SENTENCES, 1)
    return tuple(fit[int(step * index)] for index in range(min(len(fit), MOST_SENTENCES)))


def words_of(text: str) -> tuple[str, ...]:
    """Return a text's words in lower case."""
    return tuple(word.casefold() for word in _WORD.findall(text))


def content_of(text: str) -> frozenset[str]:
    """Return the stems of a text's words that carry meaning."""
    return frozenset(_stem(word) for word in words_of(text) if word not in _PLAIN)


def about_it(sentence: str, name: str) -> str:
    """Return a sentence with the tool's name, if it opens it, replaced by `It`."""
    rest = sentence[len(name) :]
    return f"It{rest}" if sentence.startswith(name) and rest[:1] in {" ", "'"} else sentence


def as_clause(sentence: str, source: str) -> str:
    """Return a sentence as it reads after other words: no full stop, and a small first letter unless the word is a name.

    A word counts as a name if it holds another capital or a digit, or if the listing has it with a capital inside a sentence.
    """
    body = sentence.rstrip(" .!?…")
    first = words_at_start.group() if (words_at_start := re.match(r"\w+", body)) else ""
    inside = re.search(rf"[a-z,;] {re.escape(first)}\b", source) if first else None
    name = not first.isalpha() or first[1:] != first[1:].lower() or (inside and first.casefold() not in _PLAIN)
    return body if name else body[:1].lower() + body[1:]


def expects_clause(opener: str) -> bool:
    """Whether an opener wants a whole clause after it, and not just what its own subject does."""
    return opener.endswith((":", ",")) or opener.split()[-1].casefold() in _CONJUNCTIONS


def faults_of(opener: str, text: str, fact: str, source: str, before: str) -> tuple[Fault, ...]:
    """Return what forbids a drawn sentence.

    Args:
        opener: its first words, which were given.
        text: the words that were drawn.
        fact: what they are to say.
        source: the whole listing.
        before: the sentences of the take so far.
    """
    words = words_of(text)
    known = content_of(source) | content_of(opener)
    checks = (
        ("too short", len(words) < 2 or not content_of(text)),  # noqa: PLR2004 - one word is no clause
        ("unfinished", bool(words) and words[-1] in _DANGLING),
        ("markup", _MARKUP.search(text) is not None),
        ("first person", _FIRST_PERSON.search(text) is not None),
        ("negation lost or gained", bool(_NEGATION.search(text)) != bool(_NEGATION.search(fact))),
        ("number not in the listing", not _numbers(text) <= _numbers(source)),
        ("name not in the listing", not _names(text) <= set(words_of(source))),
        ("repetition", _repeats(f"{before} {opener} {text}")),
        ("own words", len(content_of(text) - known) > MOST_ADDED),
        ("another subject", not _same_subject(text, fact)),
    )
    return tuple(Fault(reason=reason) for reason, broken in checks if broken)


def closeness(text: str, fact: str) -> float:
    """Return how much of a fact's content a sentence keeps, less what it adds: 1 for all and nothing else."""
    wanted, found = content_of(fact), content_of(text)
    kept = len(wanted & found) / max(len(wanted), 1)
    added = len(found - wanted) / max(len(found), 1)
    return kept - added


def shared_content(text: str, other: str) -> int:
    """Return how many words that carry meaning two texts share."""
    return len(content_of(text) & content_of(other))


def _weighable(part: str) -> bool:
    length = len(words_of(part))
    return length >= SHORTEST_SENTENCE and len(part) <= LONGEST_SENTENCE and not re.search(r"https?:|www\.|[<>{}|`]", part)


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= len("run"):
            return word.removesuffix(ending)
    return word


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+", text))


def _names(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text) if any(map(str.isupper, word))}


def _repeats(text: str) -> bool:
    words = words_of(text)
    runs = [words[start : start + LONGEST_RUN] for start in range(len(words) - LONGEST_RUN + 1)]
    return len(set(runs)) < len(runs)


def _same_subject(text: str, fact: str) -> bool:
    """Whether `it` in a sentence stands for what the fact is about: not so in "it can be exported" for "Hours can be"."""
    spoken, told = words_of(text), words_of(fact)
    if spoken[:1] != ("it",) or told[:1] == ("it",):
        return True
    subject = next((_stem(word) for word in told if word not in _PLAIN), "")
    return subject in content_of(text)

"""What the probabilities of an answer's tokens say about its score and its verdict.

The method is G-Eval's (Liu et al. 2023, section 2): not the score that was drawn, but the mean of all that could have been, each
weighted by its probability. Only what the server told is used, and only where it tells enough:

- **Where.** The tokens, put together, must hold the answer's text exactly once, byte for byte. The places are those of the keys
  `score` and `verdict` outside all strings, each of which must occur there exactly once.
- **What counts.** From the first token of the value on, the tokens that were drawn are followed until they settle the value. At
  each of these places, every alternative that settles a value counts, with the probability of the way there. What comes after an
  alternative that was not drawn is unknown, so one that leaves the value open (`s`, `"`, the 7 of 71) does not count.
- **How much.** What counts must cover `MOST` of the probability. The rest could otherwise shift the result at will.

Tokenizers write numbers in one of two ways. Some take up to three digits in one token (Llama 3, the GPTs, DeepSeek): all
alternatives are whole scores, and count. They are recognised by any alternative with two digits. Others write digit by digit
(Llama 2, Mistral, Qwen, Gemma): of `87`, only what follows the drawn 8 is known. Such a score is told only if that 8 was nearly
certain, which `MOST` decides, and is then the mean over the eighties.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from panel.core.completion import Probabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Likely = dict[bytes, float]

MOST = 0.9
"""Probability that must be accounted for. What is not can then shift the expected score by 10 points at the very most, and a
probability by a tenth; 20 alternatives usually cover more than 0.99."""

PLACES = 4
"""Tokens that a value may take: three digits and what ends them."""

LARGEST_SUM = 1.01
"""Sum of a place's probabilities from which they are no probabilities, rounding allowed for."""

LEAST_LOGPROB = -1e9
LAST_OPEN_SCORE = 10
"""A further digit makes 100 of it, but no score of a larger number."""

_WORTH = {b"ship": 1, b"skip": 0}
"""The verdicts as numbers whose mean is the probability of a ship."""

_OPENING = re.compile(rb'\{\s*+"')
# An unclosed string matches too, to the end: otherwise the search would start anew at each quote in it.
_STRING = re.compile(rb'"((?:[^"\\]++|\\.)*+)(?:"\s*+(:?)\s*+)?', re.DOTALL)
_SCORE = re.compile(rb'"?\s*(0|[1-9][0-9]?|100)(?![0-9.eE])')
_VERDICT = re.compile(rb'"\s*(ship|skip)\b', re.IGNORECASE)

# The start of a value as tokens write it: perhaps with what stands before it, perhaps with what ends it.
_NUMBER = re.compile(rb'[\s:"]*+(0|[1-9][0-9]?|100)([\s,}"/%].*)?', re.DOTALL)
_TWO_DIGITS = re.compile(rb'[\s:"]*+[0-9]{2}')
_WORD = re.compile(rb'[\s:"]*+([a-z]++)(.*)', re.DOTALL)


def probabilities_of(text: str, tokens: Sequence[dict[str, Any]]) -> Probabilities | None:
    """Return what the probabilities say, or None if the tokens do not tell.

    No input raises, and the time it takes is linear in its length.

    Args:
        text: the answer: a JSON object, perhaps with prose or a fence around it.
        tokens: what a chat completion has in `choices[0].logprobs.content`: the tokens in order, each with `token`, `logprob` and
            `top_logprobs`, a list of such, and perhaps with `bytes`.
    """
    line = _aligned(text.encode("utf-8", "surrogatepass"), tokens) if tokens else None
    if line is None:
        return None
    values = _values(line.answer)
    score = _expected_score(line, values.get(b"score"))
    ship = _ship(line, values.get(b"verdict"))
    return None if score is None and ship is None else Probabilities(expected_score=score, ship=ship)


@dataclass(frozen=True, slots=True)
class _Line:
    """An answer's tokens in a row.

    Attributes:
        answer: its text.
        tokens: the tokens as the server told them.
        pieces: what each of them wrote.
        starts: where each of them starts, counted from the first one, in bytes.
        offset: where the answer starts among them.
    """

    answer: bytes
    tokens: Sequence[dict[str, Any]]
    pieces: list[bytes]
    starts: list[int]
    offset: int

    def places_from(self, position: int) -> range:
        """Return the indices of the tokens that may write the value at a place in the answer."""
        first = bisect_right(self.starts, self.offset + position) - 1
        return range(first, min(first + PLACES, len(self.tokens)))

    def likely(self, place: int) -> Likely:
        """Return the probabilities of what could have been written in a token's place; nothing if they are none."""
        token, drawn = self.tokens[place], self.pieces[place]
        told = token.get("top_logprobs")
        likely: Likely = defaultdict(float)
        for other in told if isinstance(told, list) else ():
            if isinstance(other, dict):
                likely[_piece(other)] += _probability(other)
        if drawn not in likely:
            likely[drawn] = _probability(token)
        return likely if sum(likely.values()) <= LARGEST_SUM else {}


def _aligned(answer: bytes, tokens: Sequence[dict[str, Any]]) -> _Line | None:
    """Put tokens beside the answer; what surrounds it, such as thoughts or an end token, is passed over.

    Returns:
        None if they are not, or not surely, the answer's.
    """
    pieces = [_piece(token) for token in tokens]
    written = b"".join(pieces)
    offset = written.find(answer)
    if not answer or offset < 0 or written.find(answer, offset + 1) >= 0:
        return None
    return _Line(answer, tokens, pieces, list(accumulate(map(len, pieces), initial=0)), offset)


def _values(answer: bytes) -> dict[bytes, int]:
    """Return where the values of the object's keys start, by the keys; a key that occurs twice is left out."""
    opening = _OPENING.search(answer)
    found: dict[bytes, list[int]] = defaultdict(list)
    for string in _STRING.finditer(answer, opening.start()) if opening else ():
        if string[2]:
            found[string[1].strip().lower()].append(string.end())
    return {key: places[0] for key, places in found.items() if len(places) == 1}


def _expected_score(line: _Line, position: int | None) -> float | None:
    written = None if position is None else _SCORE.match(line.answer, position)
    if written is None:
        return None
    places = line.places_from(written.start(1))
    whole = any(_TWO_DIGITS.match(piece) for piece in line.likely(places[0]))
    mean = _mean(line, places, lambda start: _score_of(start, whole=whole), int(written[1]))
    return None if mean is None else min(mean, 100.0)


def _ship(line: _Line, position: int | None) -> float | None:
    written = None if position is None else _VERDICT.match(line.answer, position)
    if written is None:
        return None
    return _mean(line, line.places_from(written.start(1)), _verdict_of, _WORTH[written[1].lower()])


def _mean(line: _Line, places: range, settled: Callable[[bytes], int | None], value: int) -> float | None:
    """Return the mean of the values that could have been written, or None if too little is known.

    Args:
        line: the answer's tokens.
        places: those of them that may write the value.
        settled: tells which value the start of a text settles, or None if it leaves that open or is none.
        value: the one that was written.
    """
    total, covered, reach, written = 0.0, 0.0, 1.0, b""
    for place in places:
        likely = line.likely(place)
        for piece, probability in likely.items():
            if (told := settled(written + piece)) is not None:
                total += told * reach * probability
                covered += reach * probability
        written += line.pieces[place]
        if settled(written) is not None:
            break
        reach *= likely.get(line.pieces[place], 0.0)
    return total / covered if settled(written) == value and covered >= MOST else None


def _score_of(start: bytes, *, whole: bool) -> int | None:
    number = _NUMBER.fullmatch(start)
    if number is None:
        return None
    score = int(number[1])
    closed = whole or number[2] is not None or not 0 < score <= LAST_OPEN_SCORE
    return score if closed else None


def _verdict_of(start: bytes) -> int | None:
    word = _WORD.fullmatch(start.lower())
    if word is None:
        return None
    letters, rest = word.groups()
    told = [verdict for verdict in _WORTH if verdict.startswith(letters) and (verdict == letters or not rest)]
    return _WORTH[told[0]] if len(told) == 1 else None


def _piece(token: dict[str, Any]) -> bytes:
    """Return what a token wrote. One that is a part of a character has a text that is not its own, but it may have `bytes`."""
    octets, text = token.get("bytes"), token.get("token")
    try:
        if isinstance(octets, list) and octets:
            return bytes(octets)
    except (TypeError, ValueError):
        pass
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b""


def _probability(token: dict[str, Any]) -> float:
    logprob = token.get("logprob")
    if isinstance(logprob, bool) or not isinstance(logprob, int | float):
        return 0.0
    return math.exp(min(logprob, 0.0)) if LEAST_LOGPROB <= logprob <= LARGEST_SUM - 1 else 0.0

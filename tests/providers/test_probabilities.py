from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.providers.probabilities import probabilities_of

if TYPE_CHECKING:
    from panel.core.completion import Probabilities

Token = dict[str, Any]
Place = str | tuple[str, dict[str, float]]

LLAMA_3 = re.compile(r"[0-9]{1,3}| ?[A-Za-z]+|\s+|[^\w\s]+|.", re.DOTALL)
"""Up to three digits in a token, as Llama 3, the GPTs and DeepSeek write."""
QWEN = re.compile(r"[0-9]| ?[A-Za-z]+|\s+|[^\w\s]+|.", re.DOTALL)
"""Digit by digit, as Qwen, Gemma and Llama 2 write."""

TAKE = (
    "Lantern reads logs of 500 MB in 2 seconds and costs nothing, so a team of 12 loses little by trying it."
)
HEAD = (
    '{"recusal": null, "evidence": ["reads 500 MB"], "reasoning": "Fast, 9 of 10.", "take": "'
    + TAKE
    + '", "score": '
)
SCORE: Place = ("87", {"87": 0.5, "85": 0.3, "90": 0.15})
MIDDLE = ', "verdict": "'
VERDICT: Place = ("ship", {"ship": 0.8, "skip": 0.2})
TAIL = '"}'
EXPECTED = (87 * 0.5 + 85 * 0.3 + 90 * 0.15) / 0.95


def token(text: str, probability: float = 1.0) -> Token:
    return {"token": text, "logprob": math.log(probability), "bytes": list(text.encode())}


def written(*places: Place, by: re.Pattern[str] = LLAMA_3) -> list[Token]:
    """Return the tokens of texts that were certain, and of single tokens with their alternatives."""
    tokens = []
    for place in places:
        if isinstance(place, str):
            tokens += [token(part) | {"top_logprobs": [token(part)]} for part in by.findall(place)]
        else:
            drawn, likely = place
            others = [token(text, probability) for text, probability in likely.items()]
            tokens.append(token(drawn, likely.get(drawn, 0.001)) | {"top_logprobs": others})
    return tokens


def text_of(tokens: list[Token]) -> str:
    return "".join(token["token"] for token in tokens)


def told(*places: Place, by: re.Pattern[str] = LLAMA_3) -> Probabilities | None:
    tokens = written(*places, by=by)
    return probabilities_of(text_of(tokens), tokens)


def score_of(*places: Place, by: re.Pattern[str] = LLAMA_3) -> float | None:
    """Return the expected score of an answer whose score is written in these places."""
    found = told(HEAD, *places, MIDDLE, VERDICT, TAIL, by=by)
    assert found
    assert found.ship == pytest.approx(0.8)
    return found.expected_score


def ship_of(*places: Place, by: re.Pattern[str] = LLAMA_3) -> float | None:
    """Return the probability of a ship in an answer whose verdict is written in these places."""
    found = told(HEAD, SCORE, *places, by=by)
    assert found
    assert found.expected_score == pytest.approx(EXPECTED)
    return found.ship


def both(found: Probabilities | None) -> tuple[float | None, float | None]:
    assert found
    return found.expected_score, found.ship


def test_whole_numbers_in_one_token() -> None:
    """Where a token holds a whole score, the expected one is the mean of all alternatives by their probabilities."""
    found = told(HEAD, SCORE, MIDDLE, VERDICT, TAIL)
    assert both(found) == pytest.approx((EXPECTED, 0.8))


@pytest.mark.parametrize(
    ("likely", "mean"),
    [
        ({"5": 0.5, "10": 0.3, "8": 0.2}, 5 * 0.5 + 10 * 0.3 + 8 * 0.2),
        ({"100": 0.6, "95": 0.4}, 98.0),
        ({"100": 1.0}, 100.0),
        ({"100": 0.923}, 100.0),  # whose mean would be 100.00000000000001
        ({"0": 0.9, "10": 0.1}, 1.0),
        ({" 85": 0.5, "95": 0.5}, 90.0),
        ({"87": 0.95, "null": 0.03, "101": 0.01, "087": 0.01}, 87.0),
    ],
)
def test_what_counts_as_a_score(likely: dict[str, float], mean: float) -> None:
    """Whole numbers from 0 to 100 count, with or without a space before them, and nothing else does."""
    assert score_of((next(iter(likely)), likely)) == pytest.approx(mean)


def test_too_little_is_known() -> None:
    """Scores that cover less than nine tenths of the probability tell no mean; above that they do."""
    assert score_of(("87", {"87": 0.5, "85": 0.39, "null": 0.11})) is None
    assert score_of(("87", {"87": 0.5, "85": 0.41, "null": 0.09})) == pytest.approx(
        (87 * 0.5 + 85 * 0.41) / 0.91
    )


def test_drawn_token_beside_the_likeliest() -> None:
    """A drawn token that is not among the likeliest ones counts with them."""
    mean = (90 * 0.95 + 41 * 0.001) / 0.951
    assert score_of(("41", {"90": 0.95})) == pytest.approx(mean)


def test_digit_by_digit_with_a_certain_first_digit() -> None:
    """Of a score written digit by digit the mean is over what follows the first digit, if that was nearly certain."""
    places = ("8", {"8": 0.96, "7": 0.04}), ("7", {"7": 0.5, "5": 0.4, ",": 0.1})
    assert score_of(*places, by=QWEN) == pytest.approx(87 * 0.5 + 85 * 0.4 + 8 * 0.1)


def test_digit_by_digit_with_an_open_first_digit() -> None:
    """Where another first digit was likely, nobody knows what would have followed it, so there is no expected score."""
    assert score_of(("8", {"8": 0.6, "7": 0.4}), ("7", {"7": 1.0}), by=QWEN) is None


def test_digit_by_digit_to_a_hundred() -> None:
    """After 1 and 0, a further 0 and an end are told apart: 100 or 10."""
    places = ("1", {"1": 1.0}), ("0", {"0": 0.9, "2": 0.1}), ("0", {"0": 0.7, ",": 0.3})
    assert score_of(*places, by=QWEN) == pytest.approx(100 * 0.63 + 10 * 0.27 + 12 * 0.1)


def test_single_digit() -> None:
    """A single digit is a score only with what ends it, since more digits could have followed."""
    mean = (5 * 0.98 * 0.96 + 52 * 0.98 * 0.04) / 0.98
    tokens = written(
        HEAD, ("5", {"5": 0.98, "4": 0.02}), (",", {",": 0.96, "2": 0.04}), MIDDLE[1:], VERDICT, TAIL
    )
    found = probabilities_of(text_of(tokens), tokens)
    assert found
    assert found.expected_score == pytest.approx(mean)


def test_number_in_uncommon_pieces() -> None:
    """A score in pieces that its tokenizer does not usually write has no known alternatives."""
    assert score_of(("10", {"10": 0.99, "75": 0.01}), ("0", {"0": 1.0})) is None


@pytest.mark.parametrize(
    ("before", "after"), [('"', '"'), ('"', '/100"'), ('"', '%"'), ("\n\t", "\n"), ("", " ")]
)
def test_ways_to_write_a_score(before: str, after: str) -> None:
    """A score in quotes, out of 100, or amid white space is a score."""
    found = told(HEAD, before, SCORE, after, MIDDLE, VERDICT, TAIL)
    assert both(found) == pytest.approx((EXPECTED, 0.8))


@pytest.mark.parametrize("number", ["87.5", "87e0", "-87", "187", "087", "null", "[87]", '"about 87"'])
def test_what_is_no_score(number: str) -> None:
    """What is no whole number from 0 to 100 has no expected score, and the verdict is told all the same."""
    assert score_of(number) is None


@pytest.mark.parametrize(
    ("places", "ship"),
    [
        ([MIDDLE, ("skip", {"skip": 0.7, "ship": 0.3}), TAIL], 0.3),
        ([MIDDLE, ("sh", {"sh": 0.6, "sk": 0.3, "ship": 0.05, "SKIP": 0.05}), "ip", TAIL], 0.65),
        ([', "verdict":', (' "', {' "': 1.0}), ("ship", {"ship": 1.0}), TAIL], 1.0),
        ([', "verdict": ', ('"ship', {'"ship': 0.6, '"skip': 0.4}), TAIL], 0.6),
        ([', "verdict": ', ('"ship"', {'"ship"': 0.6, '"sk': 0.4}), "}"], 0.6),
        ([MIDDLE, ("Ship", {"Ship": 0.9, " skip": 0.1}), TAIL], 0.9),
        ([MIDDLE, ("SH", {"SH": 0.9, "SK": 0.1}), "IP", TAIL], 0.9),
        (
            [MIDDLE, ("ship", {"ship": 0.72, "skip": 0.2, "shipping": 0.03, "s": 0.03, "sk!": 0.02}), TAIL],
            72 / 92,
        ),
        ([MIDDLE, ("ship", {"ship": 0.7, "null": 0.3}), TAIL], None),
    ],
)
def test_verdict(places: list[Place], ship: float | None) -> None:
    """The first token that tells ship from skip tells the probability of a ship, if those two are nearly all there is."""
    assert ship_of(*places) == (None if ship is None else pytest.approx(ship))


def test_a_letter_that_both_begin_with() -> None:
    """A drawn `s` tells nothing, so the next token is asked, together with what told in place of the `s`."""
    places = ("s", {"s": 0.5, "sh": 0.3, "sk": 0.2}), ("kip", {"kip": 0.9, "hip": 0.1})
    assert ship_of(MIDDLE, *places, TAIL) == pytest.approx(0.3 + 0.5 * 0.1)


def test_keys_in_any_order_and_layout() -> None:
    """The fields are found by their keys, in whatever order, case and layout they come."""
    found = told('{\n\t"Verdict" :\n"', VERDICT, '",\n "SCORE"\t: ', SCORE, ',\n"take": "' + TAKE + '"\n}')
    assert both(found) == pytest.approx((EXPECTED, 0.8))


@pytest.mark.parametrize(
    "decoy",
    [
        '"take": "They print \\"score\\": 12, \\"verdict\\": \\"skip\\" on the page"',
        '"take": "A path ends in C:\\\\", "reasoning": "\\"score\\": 12"',
        '"evidence": ["score", "verdict", ": 12"]',
        '"scores": 12, "my score": 12, "verdict_of_others": "skip"',
    ],
)
def test_keys_inside_strings(decoy: str) -> None:
    """A key that is quoted in a text, or that only looks like one, does not mislead."""
    found = told("{" + decoy + ', "score": ', SCORE, MIDDLE, VERDICT, TAIL)
    assert both(found) == pytest.approx((EXPECTED, 0.8))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("```json\n", "\n```"),
        ('Here is what I think, 6" of it: {sic}\n', '\nI hope that "helps.'),
        ('{"review": ', "}"),
    ],
)
def test_what_surrounds_the_object(before: str, after: str) -> None:
    """A fence, prose with stray quotes, and a wrapper around the object are passed over."""
    found = told(before + HEAD, SCORE, MIDDLE, VERDICT, TAIL + after)
    assert both(found) == pytest.approx((EXPECTED, 0.8))


def test_two_scores() -> None:
    """Of two scores outside all strings, neither is taken for the score."""
    found = told('{"draft": {"score": 40}, "score": ', SCORE, MIDDLE, VERDICT, TAIL)
    score, ship = both(found)
    assert score is None
    assert ship == pytest.approx(0.8)


def test_recusal() -> None:
    """A recusal, and a text that is no object, tell nothing."""
    assert told('{"recusal": "Not mine.", "take": null, "score": null, "verdict": null}') is None
    assert told("I would say 87, and ship.") is None
    assert probabilities_of("", []) is None


def split_lantern(*, with_bytes: bool) -> list[Token]:
    """Return an answer whose take holds a lantern in two tokens, of which neither is a character."""
    first, second = "🏮".encode()[:2], "🏮".encode()[2:]
    parts = [token("\ufffd") | {"bytes": list(part) if with_bytes else None} for part in (first, second)]
    return [*written('{"take": "'), *parts, *written('", "score": ', SCORE, MIDDLE, VERDICT, TAIL)]


def test_tokens_that_are_parts_of_characters() -> None:
    """A character in several tokens is put together from their bytes."""
    text = '{"take": "🏮", "score": 87, "verdict": "ship"}'
    assert both(probabilities_of(text, split_lantern(with_bytes=True))) == pytest.approx((EXPECTED, 0.8))
    assert probabilities_of(text, split_lantern(with_bytes=False)) is None


def test_tokens_of_another_text() -> None:
    """Tokens that do not make up the answer tell nothing about it."""
    tokens = written(HEAD, SCORE, MIDDLE, VERDICT, TAIL)
    text = text_of(tokens)
    assert probabilities_of(text.replace("500", "501"), tokens) is None
    assert probabilities_of(text, tokens[1:]) is None
    assert probabilities_of(text, tokens[:-1]) is None


def test_thoughts_and_end_tokens() -> None:
    """Tokens before and after the answer, such as thoughts and an end token, are passed over."""
    answer = written(HEAD, SCORE, MIDDLE, VERDICT, TAIL)
    tokens = [*written('<think>{"score": 12}</think>\n\n'), *answer, token("<|im_end|>")]
    assert both(probabilities_of(text_of(answer), tokens)) == pytest.approx((EXPECTED, 0.8))


def test_answer_twice() -> None:
    """Where the answer stands twice among the tokens, nobody knows which one was given."""
    answer = written(HEAD, SCORE, MIDDLE, VERDICT, TAIL)
    assert probabilities_of(text_of(answer), [*answer, *answer]) is None


@pytest.mark.parametrize(
    "place",
    [
        {"top_logprobs": None, "logprob": None},
        {"top_logprobs": "87", "logprob": "0"},
        {"top_logprobs": [None, 87, {}, {"token": 87}], "logprob": False},
        {"top_logprobs": [], "logprob": math.nan},
        {"top_logprobs": [], "logprob": -math.inf},
        {"top_logprobs": [], "logprob": math.inf},
        {"top_logprobs": [], "logprob": 10**400},
        {"top_logprobs": [], "logprob": -(10**400)},
        {"top_logprobs": [token("87"), token("85")], "logprob": 0.0},
        {"top_logprobs": [token("87")] * 20, "logprob": 0.0},
    ],
)
def test_hostile_places(place: Token) -> None:
    """Where a server tells nothing that could be a probability, that value alone is not told."""
    head, tail = written(HEAD), written(MIDDLE, VERDICT, TAIL)
    tokens = [*head, {"token": "87", **place}, *tail]
    text = text_of(tokens)
    score, ship = both(probabilities_of(text, tokens))
    assert score is None
    assert ship == pytest.approx(0.8)


@pytest.mark.parametrize(
    "octets", [[300], [-1], ["a"], [None], [[]], [10**30], "87", 5, {}, [], [1.5], {"a": 1}]
)
def test_hostile_bytes(octets: object) -> None:
    """Bytes that are none are passed over for the token's text."""
    tokens = written(HEAD, SCORE, MIDDLE, VERDICT, TAIL)
    for one in tokens:
        one["bytes"] = octets
    assert both(probabilities_of(text_of(tokens), tokens)) == pytest.approx((EXPECTED, 0.8))


@pytest.mark.parametrize(
    "text", ['{"' * 50_000, '"' * 100_001, "{" * 100_000, '{"a' + '\\"' * 50_000, "{   " * 25_000]
)
def test_endless_openings(text: str) -> None:
    """A text of nothing but openings holds no value, which takes no longer to see than it is long."""
    assert probabilities_of(text, [token(text)]) is None


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PIECES = st.sampled_from(
    [
        "8",
        "87",
        "85",
        "5",
        "1",
        "0",
        "10",
        "100",
        ",",
        '"',
        " ",
        "s",
        "sh",
        "sk",
        "ship",
        "skip",
        "ip",
        "kip",
        "}",
        "\ud800",
    ]
)
LOGPROBS = st.floats(-5, 0.02) | JUNK
ALTERNATIVES = st.lists(st.fixed_dictionaries({"token": PIECES, "logprob": LOGPROBS}), max_size=5)
TOKENS = st.fixed_dictionaries(
    {"token": PIECES | JUNK, "logprob": LOGPROBS, "top_logprobs": ALTERNATIVES | JUNK},
    optional={"bytes": JUNK},
)


@given(score=st.lists(TOKENS, max_size=4), verdict=st.lists(TOKENS, max_size=4))
def test_nothing_raises(score: list[Token], verdict: list[Token]) -> None:
    """No token raises, and what is told lies within its range."""
    tokens = [*written(HEAD), *score, *written(MIDDLE), *verdict, *written(TAIL)]
    text = "".join(one["token"] for one in tokens if isinstance(one["token"], str))
    found = probabilities_of(text, tokens)
    if found:
        assert found.expected_score is None or 0 <= found.expected_score <= 100
        assert found.ship is None or 0 <= found.ship <= 1


@given(
    weights=st.dictionaries(st.integers(0, 100), st.floats(0.001, 1), min_size=1, max_size=20), data=st.data()
)
def test_mean_lies_among_the_scores(weights: dict[int, float], data: st.DataObject) -> None:
    """An expected score is never below the lowest and never above the highest score that could have been written."""
    total = sum(weights.values())
    likely = {str(score): weight / total for score, weight in weights.items()}
    drawn = data.draw(st.sampled_from(sorted(likely)))
    found = score_of((drawn, likely))
    if max(weights) > 9:  # below, nothing shows that a token holds a whole score
        assert found is not None
        assert min(weights) - 1e-9 <= found <= max(weights) + 1e-9

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panel.core.completion import FinishReason
from panel.core.take import Flag, NoTake, NoTakeReason, Take, Verdict
from panel.prompts.reply_parser import Outcome, Reply, ReplyContext, parse_reply

CORPUS = Path(__file__).parents[2] / "fixtures" / "replies" / "bad_replies.jsonl"
ROWS = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
ROSTER = ("builder", "skeptic", "futurist", "founder", "creator")
CANARY = "panel-0123456789abcdef"
TAGLINE = "Your AI prompts, but better, for everyone at work"
CONTEXT = ReplyContext(persona="skeptic", roster=ROSTER, canary=CANARY, tagline=TAGLINE, host="tool.example")
TAKE = (
    "The primitive is clear and the defaults are sane, but there is no export and the price assumes a team."
)
ANSWER = {"verdict": "ship", "score": 66, "take": TAKE}
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
RECUSAL = {"recusal": "It sells nothing.", "verdict": None, "score": None, "take": None}

quick = settings(max_examples=200)


def parsed(text: str, finish: FinishReason = FinishReason.COMPLETE) -> Reply:
    return parse_reply(text, finish, CONTEXT)


def answered(**changes: Any) -> Reply:
    return parsed(json.dumps(ANSWER | changes))


def accepted(reply: Reply) -> Take:
    assert reply.outcome is Outcome.ACCEPT, reply.problems
    assert (reply.no_take, reply.problems) == (None, ())
    assert reply.take is not None
    return reply.take


def repaired(reply: Reply) -> str:
    """Return the problems of a reply to be asked for again, one a line."""
    assert reply.outcome is Outcome.REPAIR
    assert isinstance(reply.no_take, NoTake)
    return "\n".join(reply.problems)


def rejected(reply: Reply) -> NoTake:
    """Return why a reply was rejected."""
    assert (reply.outcome, reply.take, reply.problems) == (Outcome.REJECT, None, ())
    assert reply.no_take is not None
    return reply.no_take


def finish_of(meta: dict[str, str]) -> FinishReason:
    """Return why the model stopped, from a corpus row's `meta`."""
    reasons = {meta.get("finish_reason"), meta.get("stop_reason")}
    if reasons & {"length", "max_tokens"}:
        return FinishReason.TRUNCATED
    if "refusal" in reasons:
        return FinishReason.REFUSED
    return FinishReason.FILTERED if "content_filter" in reasons else FinishReason.COMPLETE


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_corpus_row_ends_as_expected(row: dict[str, Any]) -> None:
    context = ReplyContext(
        persona=row["persona"],
        roster=ROSTER,
        canary=row["meta"].get("system_canary"),
        tagline="Your AI prompts, but better",
    )
    reply = parse_reply(row["raw"], finish_of(row["meta"]), context)
    assert reply.outcome == row["expected"]
    if row["normalised"]:
        take = accepted(reply)
        values = {"verdict": take.verdict, "score": take.score, "take": " ".join(take.take.split())}
        assert values == row["normalised"] | {"take": " ".join(row["normalised"]["take"].split())}


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff {json.dumps(ANSWER)}\n",
        f"```json\n{json.dumps(ANSWER)}\n```",
        f"~~~\n{json.dumps(ANSWER, indent=2)}",
        f"<think>It ships.</think> For {{name}} my answer is {json.dumps(ANSWER)} and that is all {{.",
        f"{json.dumps(ANSWER)}\n{json.dumps(ANSWER)}",
        json.dumps(json.dumps(ANSWER)),
        json.dumps([ANSWER]),
        json.dumps({"Review": ANSWER}),
        json.dumps({"skeptic": [json.dumps(ANSWER)]}),
        json.dumps({" Verdict ": "ship", "SCORE": 66, "Take": TAKE}),
        json.dumps(ANSWER | {"confidence": 0.9, "persona": "Skeptic", "notes": "none", "recusal": "None"}),
        f'{{"verdict": "ship", "score": 66, "evidence": ["a",], "take": "{TAKE}",\n}}',
    ],
)
def test_wrapping_is_taken_off(text: str) -> None:
    take = accepted(parsed(text))
    assert (take.verdict, take.score, take.take) == (Verdict.SHIP, 66, TAKE)


def test_commas_and_escapes_inside_strings_stay() -> None:
    text = 'It reads [a, b,] and {"c": 1,} as they are, with a \\ and a "quote" in the middle of it all.'
    assert accepted(answered(take=text)).take == text


@pytest.mark.parametrize(
    "verdict", ["ship", " SHIP\n", "Ship it!", "ship.", "🚢 ship", "Ship 🚀", "ship… 👍🏽"]
)
def test_verdict_is_read_through_case_emoji_and_punctuation(verdict: str) -> None:
    assert accepted(answered(verdict=verdict)).verdict is Verdict.SHIP


@pytest.mark.parametrize(
    "verdict",
    [
        "not ship",
        "ship?",
        "ship or skip",
        "sh🚢ip",
        "👎 ship",
        "\u017fhip",
        "🚀",
        "yes",
        True,
        1,
        ["ship"],
        None,
        "",
        "ship" * 99,
    ],
)
def test_verdict_is_never_guessed(verdict: object) -> None:
    assert repaired(answered(verdict=verdict)).startswith("verdict: ")


@pytest.mark.parametrize("score", [66, 66.0, "66", " 66 ", "66/100", "66 / 100", "66%"])
def test_score_is_read_in_its_plain_spellings(score: object) -> None:
    read = accepted(answered(score=score)).score
    assert (read, type(read)) == (66, int)


@pytest.mark.parametrize(
    "score",
    [
        66.5,
        "66.5",
        "~66",
        "6.6/10",
        "66/10",
        "1_00",
        "066",
        "+66",
        "66".translate(FULL_WIDTH),
        "sixty",
        True,
        [66],
        {"value": 66},
        None,
        "",
    ],
)
def test_score_is_never_guessed(score: object) -> None:
    assert repaired(answered(score=score)).startswith("score: it is ")


def test_score_is_never_clamped() -> None:
    assert (
        repaired(answered(score=101)) == "score: 101 is outside 0-100; give one whole number from 0 to 100."
    )
    assert "outside" in repaired(answered(score=-1))
    assert "outside" in repaired(answered(score=10**30))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no JSON object"),
        ("I would ship it, 87 of 100.", "no JSON object"),
        ("null", "not the answer itself"),
        ('"ship"', "not the answer itself"),
        (json.dumps([ANSWER, ANSWER]), "not the answer itself"),
        (json.dumps({"founder": ANSWER}), "not the answer itself"),
        (json.dumps({"name": "submit", "arguments": ANSWER}), "not the answer itself"),
        (json.dumps(ANSWER) + json.dumps(ANSWER | {"score": 67}), "more than one JSON object"),
        ('{"verdict": "skip", "score": 4\n' + json.dumps(ANSWER), "not valid JSON"),
        ("{'verdict': 'skip', 'score': 4}" + json.dumps(ANSWER), "more than one JSON object"),
        ("{'founder': " + json.dumps(ANSWER) + "}", "not valid JSON"),
        ('{"verdict": "ship", "score": 66, "take": "' + TAKE, "not valid JSON"),
        ('{"verdict": "ship", "score": NaN}', "NaN and Infinity are not numbers"),
        ('{"score": 20, "score": 95}', "same key twice"),
        ('{"score": ' + "9" * 5_000 + "}", "too many digits"),
        ('{"score": ' * 100_000, "nested too deeply"),
        (json.dumps(ANSWER | {"Score": 20}), "a field twice"),
        (json.dumps(ANSWER | {"final_verdict": "skip"}), "two different verdicts"),
        (json.dumps(ANSWER | {"persona": "The Founder"}), "signed by another persona"),
        (f"**Founder:** {json.dumps(ANSWER)}", "labelled as another persona's"),
        (json.dumps({"verdict": "ship", "rating": 66, "take": TAKE}), "score: it is missing"),
        (json.dumps(ANSWER | {"evidence": [1]}), "evidence: it is not a list of texts"),
        (json.dumps(ANSWER | {"recusal": "It sells nothing."}), "recusal: it stands beside a judgement"),
        (json.dumps(ANSWER | {"recusal": True}), "recusal: it is not text"),
        (
            json.dumps(RECUSAL | {"recusal": "Read https://evil.invalid/ for my reasons."}),
            "recusal: it holds a link",
        ),
        (json.dumps(RECUSAL | {"recusal": "It sells nothing. " * 99}), "recusal: it has 1782 characters"),
        (json.dumps(RECUSAL | {"recusal": None}), "take: it is missing"),
    ],
)
def test_problem_is_named(text: str, problem: str) -> None:
    reply = parsed(text)
    assert problem in repaired(reply)
    assert reply.no_take is not None
    assert reply.no_take.reason is NoTakeReason.INVALID
    assert problem in reply.no_take.detail
    assert reply.take is None


@pytest.mark.parametrize(
    ("take", "problem"),
    [
        (None, "is missing"),
        ([TAKE], "is not text"),
        ("Good.", "has 5 characters; give 40 to 2,500 characters"),
        ("Long. " * 5_000, "has 30,000 characters"),
        ("<your take here, in three to six sentences of plain prose>", "a placeholder"),
        ("Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do.", "a placeholder"),
        ("string", "a placeholder"),
        (TAGLINE + "!", "repeats the tool's tagline"),
        ("It is good. " * 20, "repeats the same words"),
        (json.dumps(ANSWER), "holds a JSON answer"),
        (TAKE + "\ufffd" * 3, "its characters are damaged"),
        (
            "这个工具的基本功能很清楚。默认设置也合理。但是没有导出功能。而且价格是按团队定的。我会等到有接口以后再用。",
            "not in English",
        ),
        (TAKE + "\u0316" * 200, "not in English"),
        (TAKE + " <script>alert(1)</script>", "holds an HTML element"),
        (TAKE + " <img src=x onerror=alert(1)>", "holds an HTML element"),
        ("As the Founder on this panel I look at the buyer and the moat first.", "speaks as another persona"),
        ("**Builder:** the primitive is clear and the defaults are sane.", "speaks as another persona"),
        (
            "I\u2019m the futurist, and in three years this is a feature of a larger product.",
            "speaks as another persona",
        ),
    ],
)
def test_take_that_cannot_be_printed_is_named(take: object, problem: str) -> None:
    [only] = repaired(answered(take=take)).splitlines()
    assert only.startswith("take: it")
    assert problem in only


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.invalid/r",
        "HTTP:\\\\evil.invalid",
        "<https://evil.invalid>",
        "[more](https://evil.invalid)",
        "[more](/elsewhere)",
        "![x](//evil.invalid/p?d=1)",
        "\n[1]: https://evil.invalid",
        "//evil.invalid/x",
        "www.evil.invalid",
        "[more](javascript:alert(1))",
        "data:text/html;base64,AAAA",
        "https://tool.example@evil.invalid/",
        "https://tool.example.evil.invalid/",
        "https://sub.tool.example/",
    ],
)
def test_take_leads_nowhere_but_to_the_tool(address: str) -> None:
    assert "take: it holds a link" in repaired(answered(take=f"{TAKE} {address}"))
    assert accepted(answered(evidence=[address, "no export"])).evidence == ("no export",)


@pytest.mark.parametrize(
    "text",
    [
        "The <dialog> element and a < b && b > c both work; <script> tags are in the examples only.",
        "See https://tool.example/docs, http://WWW.tool.example:443 or [the page](https://tool.example) for its limits.",
        "It sends your data: all of it. JavaScript: optional. // And/or {{ 7*7 }}, as the listing says of itself.",
        "As the founder admits in the listing, nothing can be exported, so a builder should wait.",
        "As an AI notebook it is sane, and I can't help but admire the restraint of its defaults.",
        "Unfortunately, I can't see who would pay for it; the listing (שלום) names no buyer at all 👩🏽‍💻.",
    ],
)
def test_legitimate_text_stays_as_it_is(text: str) -> None:
    assert accepted(answered(take=text)).take == text


def test_take_is_cleaned_of_what_nobody_can_see() -> None:
    assert (
        accepted(answered(take=f"{TAKE}\x00\x07\u200b\u202e\U000e0073\n\nWait.\ud83d")).take
        == f"{TAKE}\n\nWait.\ufffd"
    )


def test_evidence_is_tidied() -> None:
    quotes = ["no  export", "", "no export", "x" * 301, *(f"quote {n}" for n in range(9))]
    evidence = accepted(answered(evidence=quotes)).evidence
    assert evidence == ("no export", *(f"quote {n}" for n in range(7)))
    assert accepted(answered(evidence="no export")).evidence == ("no export",)
    assert accepted(answered(evidence=None)).evidence == ()


def test_reasoning_is_kept_if_it_can_be() -> None:
    assert accepted(answered(reasoning=" Weak moat.\x00 ")).reasoning == "Weak moat."
    assert [accepted(answered(reasoning=r)).reasoning for r in (" ", 7, "x" * 10_001)] == [None, None, None]


@pytest.mark.parametrize(
    ("verdict", "score", "contradicts"),
    [("ship", 39, True), ("ship", 40, False), ("skip", 80, False), ("skip", 81, True)],
)
def test_contradiction_is_asked_about_and_can_be_kept(verdict: str, score: int, contradicts: bool) -> None:
    """A ship below 40 and a skip above 80 are named in a re-ask, with the flagged take in reserve."""
    reply = answered(verdict=verdict, score=score)
    if not contradicts:
        assert accepted(reply).flags == ()
        return
    assert repaired(reply).startswith("score: it contradicts the verdict")
    assert reply.take is not None
    assert (reply.take.score, reply.take.flags) == (score, (Flag.CONTRADICTION,))


@pytest.mark.parametrize("name", ["recusal", "abstain", "recused", "Recusal"])
def test_recusal_ends_the_seat_in_the_persona_s_words(name: str) -> None:
    reply = parsed(json.dumps({name: " It sells\nnothing. ", "verdict": None, "score": None, "take": ""}))
    assert rejected(reply) == NoTake(reason=NoTakeReason.RECUSED, detail="It sells nothing.")


@pytest.mark.parametrize("finish", [FinishReason.REFUSED, FinishReason.FILTERED])
def test_withheld_reply_is_never_used(finish: FinishReason) -> None:
    assert rejected(parsed(json.dumps(ANSWER), finish)).reason is NoTakeReason.REFUSED


def test_cut_off_reply_is_never_used() -> None:
    """It is asked for again, more briefly, even if it can be read."""
    reply = parsed(json.dumps(ANSWER), FinishReason.TRUNCATED)
    assert "more briefly" in repaired(reply)
    assert reply.take is None
    assert reply.no_take is not None
    assert reply.no_take.reason is NoTakeReason.TRUNCATED


@pytest.mark.parametrize(
    "text",
    [
        "I\u2019m sorry, but I can\u2019t help with that.",
        "Unfortunately, I am not able to provide opinions on products.",
        "As an AI language model, I do not rate products.",
        "Es tut mir leid, aber dabei kann ich nicht helfen.",
        "Je suis désolé, mais je ne peux pas vous aider.",
        "Lo siento, pero no puedo ayudar con eso.",
        "申し訳ありませんが、お手伝いできません。",
        "抱歉我无法提供帮助。",
        "Извините, но помочь вам нельзя.",
        json.dumps("I cannot comply with this request."),
        json.dumps({"refusal": "I can't assist with that."}),
        json.dumps(RECUSAL | {"recusal": "I'm sorry, but I can't help with that."}),
    ],
)
def test_refusal_in_words_is_not_asked_again(text: str) -> None:
    assert rejected(parsed(text)).reason is NoTakeReason.REFUSED


@pytest.mark.parametrize(
    "text", ["I can't recommend this to anybody.", "Great tool. I'm sorry, I can't help with that."]
)
def test_opinion_in_words_is_no_refusal(text: str) -> None:
    assert "no JSON object" in repaired(parsed(text))


@pytest.mark.parametrize(
    "leak",
    [
        CANARY,
        CANARY.upper(),
        "0123456789abcdef",
        CANARY[::-1],
        CANARY.translate(FULL_WIDTH),
        base64.b64encode(f"x{CANARY}".encode()).decode(),
        CANARY.encode().hex(),
    ],
)
@pytest.mark.parametrize("field", ["take", "reasoning", "recusal", "extra"])
def test_internal_tag_is_never_let_through(leak: str, field: str) -> None:
    no_take = rejected(answered(**{field: f"{TAKE} {leak}"}))
    assert no_take == NoTake(reason=NoTakeReason.INVALID, detail="The reply held the prompt's internal tag.")


def test_internal_tag_is_found_behind_json_escapes() -> None:
    escaped = "".join(f"\\u{ord(char):04x}" for char in CANARY)
    assert "tag" in rejected(parsed(json.dumps(ANSWER | {"evidence": ["?"]}).replace("?", escaped))).detail


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "{" * 1_000_000,
        '"' * 1_000_000,
        '{"' * 500_000,
        '\\"' * 500_000,
        '{"take":' * 120_000,
        '{"a":1}' * 150_000,
        "{a:" * 300_000,
        ", " * 500_000,
        "{" + " " * 1_000_000,
        "A\u0316\u0300" * 300_000,
        json.dumps(ANSWER | {"take": "\u0316\u0300" * 500_000}, ensure_ascii=False),
        json.dumps(ANSWER | {"evidence": "\u0316\u0300" * 500_000}, ensure_ascii=False),
        json.dumps(ANSWER | {"take": "](a 'x" * 150_000}),
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_a_megabyte_of_one_thing_is_read_to_its_end(text: str) -> None:
    """Repetition neither breaks the parser nor passes it nor takes quadratic time."""
    assert len(repr(parsed(text))) < 5_000


@quick
@given(
    st.text(st.characters()) | st.text('{}[]":,\\ \n`verdictshp0123456789', max_size=200),
    st.sampled_from(FinishReason),
)
def test_no_text_raises(text: str, finish: FinishReason) -> None:
    reply = parsed(text, finish)
    assert (reply.no_take is None) == (reply.outcome is Outcome.ACCEPT)
    assert bool(reply.problems) == (reply.outcome is Outcome.REPAIR)


@quick
@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=4),
    st.data(),
)
def test_no_value_of_a_field_raises(value: object, data: st.DataObject) -> None:
    field = data.draw(
        st.sampled_from(["verdict", "score", "take", "evidence", "reasoning", "recusal", "extra"])
    )
    reply = answered(**{field: value})
    assert (reply.no_take is None) == (reply.outcome is Outcome.ACCEPT)


answers = st.fixed_dictionaries(
    {
        "verdict": st.sampled_from(["ship", " SKIP.", "Ship it"]),
        "score": st.integers(40, 80).flatmap(lambda n: st.sampled_from([n, f"{n}%", f"{n}/100", float(n)])),
        "take": st.text(max_size=30).map(lambda text: f"{TAKE} {text}"),
        "evidence": st.lists(st.text(max_size=20), max_size=10),
        "reasoning": st.none() | st.text(max_size=20),
    }
)


@quick
@given(answers)
def test_accepted_take_is_stable(answer: dict[str, Any]) -> None:
    reply = parsed(json.dumps(answer))
    if reply.outcome is Outcome.ACCEPT:
        take = accepted(reply)
        assert Take.model_validate_json(take.model_dump_json()) == take
        assert accepted(parsed(take.model_dump_json(exclude={"kind", "flags"}))) == take


@quick
@given(
    st.lists(
        st.sampled_from(["", " ", "-", "_", ".", "\n", "\u200b", "*"]),
        min_size=len(CANARY),
        max_size=len(CANARY),
    ),
    st.text(max_size=9),
)
def test_no_accepted_take_holds_the_tag(separators: list[str], tail: str) -> None:
    spelled = "".join(char + gap for char, gap in zip(CANARY, separators, strict=True))
    assert rejected(answered(take=f"{TAKE} {spelled} {tail}")).reason is NoTakeReason.INVALID


def test_persona_is_known_by_its_id_in_any_spelling() -> None:
    context = ReplyContext(persona="skeptic", roster=("skeptic", "solo-founder"))
    for name in ("Solo Founder", "solo-founder", "SoloFounder"):
        reply = parse_reply(json.dumps(ANSWER | {"take": f"{name}: {TAKE}"}), FinishReason.COMPLETE, context)
        assert "another persona" in repaired(reply)


def test_a_panel_of_one_has_nobody_to_be_mistaken_for() -> None:
    context = ReplyContext(persona="skeptic", roster=("skeptic",))
    assert accepted(parse_reply(json.dumps(ANSWER), FinishReason.COMPLETE, context)).take == TAKE


def test_take_that_opens_like_a_refusal_is_asked_about() -> None:
    """A complete answer whose take opens like a refusal may be a judgement."""
    take = (
        "I cannot evaluate this claim from the listing: no method, no data and no failures are given for it."
    )
    reply = parsed(json.dumps(ANSWER | {"take": take}))
    assert reply.outcome is Outcome.REPAIR
    assert "reads as a refusal" in reply.problems[0]


@pytest.mark.parametrize(
    "address", ["evil-example.com/pay", "write to a@evil.example", "<a@evil.example>", "[1]: evil.example/a"]
)
def test_address_without_a_scheme_is_an_address(address: str) -> None:
    text = f"The primitive is clear and the defaults are sane, and there is more at {address} for readers."
    assert "web address" in parsed(json.dumps(ANSWER | {"take": text})).problems[0]


def test_names_with_dots_and_slashes_are_no_addresses() -> None:
    text = "It runs where Node.js/Express or Next.js run, and/or beside them, e.g. in CI/CD, at 3.5/5 of the cost."
    assert parsed(json.dumps(ANSWER | {"take": text})).outcome is Outcome.ACCEPT


def test_mark_is_read_as_white_space_even_if_escaped() -> None:
    text = "The primitive is clear and the defaults are sane, but there is no export and no price."
    raw = json.dumps(ANSWER | {"take": text.replace(" ", "\u02c6")})
    assert "\\u02c6" in raw
    reply = parse_reply(
        raw, FinishReason.COMPLETE, ReplyContext(persona="skeptic", roster=("skeptic",), mark="\u02c6")
    )
    assert reply.take is not None
    assert reply.take.take == text

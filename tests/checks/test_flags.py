from __future__ import annotations

import pytest

from builders import no_take, review, take, tool
from panel.checks import Finding, check_review, check_take

LISTED = tool(
    url="https://www.lantern.dev",
    description="Lantern is seamless: \u201cwe use it daily\u201d, says a user.",
)
NEVER = ("seamless", "I'm not convinced", "game-changer")


def flags(text: str, kind: str, score: int = 70, verdict: str = "ship") -> list[str]:
    """Return the texts of the flags of a kind."""
    written = take(score, verdict, f"{text} That is what there is to say about it, and no more.")
    return [one.text for one in check_take(written, "skeptic", LISTED, NEVER) if one.kind == kind]


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("I tested it on a log.", "I tested"),
        ("We use it at work.", "We use"),
        ("I\u2019ve been using it for a month.", "I've been using"),
        ("In my experience, it holds.", "In my experience"),
        ("It broke when I ran it.", "I ran"),
        ("My team would take it.", "My team"),
        ("It took me an hour.", "took me"),
        ("We are running it in production.", "We are running"),
        ("It crashed twice on my laptop.", "my laptop"),
    ],
)
def test_reported_experience_is_flagged(text: str, flagged: str) -> None:
    assert [one.replace("\u2019", "'") for one in flags(text, "first_person")] == [flagged]


@pytest.mark.parametrize(
    "text",
    [
        "I would skip it, I doubt it, and I want to see more.",
        "If I used it, I would trim every cut.",
        "Would I use it? I have not tried it.",
        "We cannot know; we should say so.",
        "I read the listing twice and I see no price.",
        "I tried to find a price.",
        'The page says "we use it daily" and no more.',
        "A user who has tested it may differ; the company uses it itself.",
    ],
)
def test_opinions_are_no_experience(text: str) -> None:
    assert flags(text, "first_person") == []


@pytest.mark.parametrize("text", ["SEAMLESS it is.", "I\u2019m not convinced yet.", "A game changer."])
def test_phrases_that_a_persona_never_says_are_flagged(text: str) -> None:
    assert len(flags(text, "never_says")) == 1


def test_parts_of_words_and_quotes_are_not_what_a_persona_says() -> None:
    assert flags('Seamlessly? "Lantern is seamless" is their word.', "never_says") == []


@pytest.mark.parametrize(
    "text",
    ["<b>Bold</b>", "<img src=x onerror=alert(1)>", "**bold**", "[text](a)", "![x](y)", "<!-- x -->", "```"],
)
def test_markup_is_flagged(text: str) -> None:
    assert flags(f"Look: {text}", "markup")


@pytest.mark.parametrize(
    "text", ["If a < b and b > c, it holds.", "It returns List<T> or 2 * 3 * 4.", "I <3 it."]
)
def test_signs_are_no_markup(text: str) -> None:
    assert flags(text, "markup") == []


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/x",
        "evil-lantern.dev",
        "www.other.org",
        "help@other.org",
        "javascript:alert(1)",
        "https://lantern.dev.evil.io/",
        "https://lantern.dev@evil.io/",
    ],
)
def test_addresses_of_others_are_flagged(address: str) -> None:
    assert flags(f"See {address} for more.", "address") == [address]


@pytest.mark.parametrize(
    "text", ["lantern.dev", "https://docs.lantern.dev/a", "Node.js", "README.md", "e.g. a log", "ASP.NET"]
)
def test_the_tools_own_address_is_not_flagged(text: str) -> None:
    assert flags(f"See {text} there.", "address") == []


@pytest.mark.parametrize(
    ("score", "verdict", "kinds"),
    [
        (30, "ship", ["contradiction"]),
        (81, "skip", ["contradiction"]),
        (95, "ship", ["extreme_score"]),
        (97, "skip", ["contradiction", "extreme_score"]),
        (94, "ship", []),
    ],
)
def test_scores_are_flagged(score: int, verdict: str, kinds: list[str]) -> None:
    found = check_take(take(score, verdict), "builder", tool())
    assert [one.kind for one in found] == kinds
    assert all(one.span is None for one in found)


def of_review(*scores: int, verdict: str) -> list[Finding]:
    """Return the findings about a panel of unlike takes with these scores."""
    texts = [
        f"Argument {'abcdefgh'[n] * 5} rests on {'stuvwxyz'[n] * 4} and on {'klmnopqr'[n] * 6}, alone."
        for n in range(len(scores))
    ]
    takes = [take(score, verdict, text) for score, text in zip(scores, texts, strict=True)]
    return [one for one in check_review(review(*takes), {}) if one.where.persona is None]


def test_unanimous_extremes_are_flagged() -> None:
    assert [one.kind for one in of_review(85, 90, 88, verdict="ship")] == ["unanimous"]
    assert [one.kind for one in of_review(15, 3, 10, verdict="skip")] == ["unanimous"]
    assert of_review(84, 90, 88, verdict="ship") == []
    assert of_review(90, verdict="ship") == []


COPIED = (
    "The primitive is a shared library that is rewritten from pooled feedback, and that is the right place to attack the "
    "cold start, since nobody has to retrain a model for it before lunch."
)


def test_near_identical_takes_are_flagged() -> None:
    changed = COPIED.replace("primitive", "kernel").replace("right", "only")
    (finding,) = check_review(review(take(text=COPIED), take(60, text=changed)), {})
    assert (finding.kind, finding.where.persona) == ("near_identical", "skeptic")
    assert (
        finding.text
        == "place to attack the cold start, since nobody has to retrain a model for it before lunch"
    )


def test_a_shared_passage_ends_with_its_sentence() -> None:
    shared = "It is the right place to attack the cold start, since nobody has to retrain a model for it. The"
    first, second = (
        f"{shared} rest is a promise of the makers.",
        f"{shared} part to test is what a buyer pays.",
    )
    (finding,) = check_review(review(take(text=first), take(60, text=second)), {})
    assert finding.text == shared.removesuffix(" The")


def test_takes_that_share_a_phrase_are_not_near_identical() -> None:
    other = "A buyer pays for a shared library that is rewritten from pooled feedback if the bill is lower than the one for training, and so far nobody has said what it is."
    assert check_review(review(take(text=COPIED), take(60, text=other)), {}) == ()


def test_a_recusals_own_words_are_checked() -> None:
    detail = "We use Splunk for this, and so it is nothing that a critic should judge."
    recused = check_review(review(no_take("recused", detail)), {})
    assert [(one.where.field, one.text) for one in recused] == [("detail", "We use"), ("detail", "Splunk")]
    assert check_review(review(no_take("invalid", detail)), {}) == ()

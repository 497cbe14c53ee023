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
    """A persona that says it has used or tested something is flagged."""
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
    """An opinion, a supposition, a denial and a quote from the listing are no reported experience."""
    assert flags(text, "first_person") == []


@pytest.mark.parametrize("text", ["SEAMLESS it is.", "I\u2019m not convinced yet.", "A game changer."])
def test_phrases_that_a_persona_never_says_are_flagged(text: str) -> None:
    """A phrase is found whatever its case, apostrophes and hyphens."""
    assert len(flags(text, "never_says")) == 1


def test_parts_of_words_and_quotes_are_not_what_a_persona_says() -> None:
    """A longer word, and the listing's own word in quotation marks, are no such phrase."""
    assert flags('Seamlessly? "Lantern is seamless" is their word.', "never_says") == []


@pytest.mark.parametrize(
    "text",
    ["<b>Bold</b>", "<img src=x onerror=alert(1)>", "**bold**", "[text](a)", "![x](y)", "<!-- x -->", "```"],
)
def test_markup_is_flagged(text: str) -> None:
    """HTML and Markdown in a take are flagged."""
    assert flags(f"Look: {text}", "markup")


@pytest.mark.parametrize(
    "text", ["If a < b and b > c, it holds.", "It returns List<T> or 2 * 3 * 4.", "I <3 it."]
)
def test_signs_are_no_markup(text: str) -> None:
    """Signs of comparison and multiplication, and types, are no markup."""
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
    """A web or mail address that is not on the tool's own host is flagged."""
    assert flags(f"See {address} for more.", "address") == [address]


@pytest.mark.parametrize(
    "text", ["lantern.dev", "https://docs.lantern.dev/a", "Node.js", "README.md", "e.g. a log", "ASP.NET"]
)
def test_the_tools_own_address_is_not_flagged(text: str) -> None:
    """The tool's own host, what lies under it, file names and names with a dot are no foreign address."""
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
    """A score at odds with the verdict, and one of 95 or more, is flagged without a place in the text."""
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
    """A review is flagged if all takes ship with 85 or more, or all skip with 15 or less."""
    assert [one.kind for one in of_review(85, 90, 88, verdict="ship")] == ["unanimous"]
    assert [one.kind for one in of_review(15, 3, 10, verdict="skip")] == ["unanimous"]
    assert of_review(84, 90, 88, verdict="ship") == []
    assert of_review(90, verdict="ship") == []


COPIED = (
    "The primitive is a shared library that is rewritten from pooled feedback, and that is the right place to attack the "
    "cold start, since nobody has to retrain a model for it before lunch."
)


def test_near_identical_takes_are_flagged() -> None:
    """Of two takes with nearly the same words the later is flagged, at the longest passage that they share."""
    changed = COPIED.replace("primitive", "kernel").replace("right", "only")
    (finding,) = check_review(review(take(text=COPIED), take(60, text=changed)), {})
    assert (finding.kind, finding.where.persona) == ("near_identical", "skeptic")
    assert (
        finding.text
        == "place to attack the cold start, since nobody has to retrain a model for it before lunch"
    )


def test_a_shared_passage_ends_with_its_sentence() -> None:
    """The passage that is flagged does not run on into the first word of a sentence that both begin alike."""
    shared = "It is the right place to attack the cold start, since nobody has to retrain a model for it. The"
    first, second = (
        f"{shared} rest is a promise of the makers.",
        f"{shared} part to test is what a buyer pays.",
    )
    (finding,) = check_review(review(take(text=first), take(60, text=second)), {})
    assert finding.text == shared.removesuffix(" The")


def test_takes_that_share_a_phrase_are_not_near_identical() -> None:
    """A phrase in common does not make two takes near-identical."""
    other = "A buyer pays for a shared library that is rewritten from pooled feedback if the bill is lower than the one for training, and so far nobody has said what it is."
    assert check_review(review(take(text=COPIED), take(60, text=other)), {}) == ()


def test_a_recusals_own_words_are_checked() -> None:
    """What a persona says when it recuses itself is published, and so it is checked; an error's text is not."""
    detail = "We use Splunk for this, and so it is nothing that a critic should judge."
    recused = check_review(review(no_take("recused", detail)), {})
    assert [(one.where.field, one.text) for one in recused] == [("detail", "We use"), ("detail", "Splunk")]
    assert check_review(review(no_take("invalid", detail)), {}) == ()

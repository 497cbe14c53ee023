"""Rules of robots.txt: longest match, groups of agents, and hostile files."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.web_pages.fetch import MAX_ROBOTS_BYTES, PRODUCT, parse_robots

ALL = "User-agent: *\n"


def allowed(rules: str, path: str) -> bool:
    return parse_robots(rules).can_fetch(f"https://lantern.dev{path}", PRODUCT)


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        ("", "/", True),
        (f"{ALL}Disallow:", "/", True),
        (f"{ALL}Disallow: /", "/x", False),
        (f"{ALL}Disallow: /private", "/", True),
        (f"{ALL}Disallow: /private", "/private/x", False),
        # RFC 9309, section 2.2.2: the longest match counts, in whatever order, and of equals the one that allows.
        (f"{ALL}Allow: /\nDisallow: /private", "/private", False),
        (f"{ALL}Disallow: /private\nAllow: /", "/private", False),
        (f"{ALL}Disallow: /\nAllow: /public", "/public/x", True),
        (f"{ALL}Allow: /a/b\nDisallow: /a", "/a/b/c", True),
        (f"{ALL}Disallow: /a\nAllow: /a", "/a", True),
        (f"{ALL}Disallow: /*.pdf$", "/x.pdf", False),
        (f"{ALL}Disallow: /*.pdf$", "/x.pdf?y", True),
        (f"{ALL}Disallow: /*/x", "/a/b/x", False),
        (f"{ALL}Disallow: /?q=", "/?q=1", False),
        (f"{ALL}Disallow: /caf%C3%A9", "/café", False),
        (f"{ALL}Disallow: /a%3Cd", "/a%3cd", False),
        # Groups: the one that names panel counts alone; the rest is not for it.
        (f"{ALL}Disallow: /\n\nUser-agent: panel-review\nAllow: /", "/", True),
        (f"{ALL}Allow: /\n\nUser-agent: Panel-Review/9.9 # ours\nDisallow: /", "/", False),
        (
            f"User-agent: panel-review\nDisallow: /a\n\nUser-agent: panel-review\nDisallow: /b\n{ALL}",
            "/b",
            False,
        ),
        ("User-agent: other\nUser-agent: panel-review\nDisallow: /", "/", False),
        ("User-agent: panel-review\nUser-agent: other\nDisallow: /", "/", False),
        ("User-agent: other\nDisallow: /", "/", True),
        ("User-agent: panel\nDisallow: /", "/", True),
        ("User-agent: panel-review-news\nDisallow: /", "/", True),
        (f"{ALL}Disallow: /a\nUser-agent: other\nDisallow: /b", "/b", True),
        # Spelling of lines.
        ("uSeR-aGeNt:*\ndisallow:/x # comment", "/x", False),
        ("User-agent: *\r\nDisallow: /x\r\n", "/x", False),
        (f"{ALL}Sitemap: /s\nDisallow: /x", "/x", False),
        ("Disallow: /x\n", "/x", True),
        ("\ufffd\0 nonsense", "/", True),
    ],
)
def test_rules_are_those_of_rfc_9309(rules: str, path: str, expected: bool) -> None:
    assert allowed(rules, path) is expected


@pytest.mark.parametrize(
    "rules",
    [
        "\n".join([*(f"User-agent: a{n}" for n in range(16_000)), *["Disallow: /x"] * 16_000]),
        "\n".join([*(f"User  agent a{n}" for n in range(13_000)), *["Disallow: /x"] * 13_000]),
        "\n".join([*(f"useragent\ta{n}" for n in range(13_000)), *["Disallow: /x"] * 13_000]),
        "\n".join(f"User-agent: a{n}\nDisallow: /{n}" for n in range(20_000)),
        ALL + "\n".join(f"Disallow: /*a*a*a*a*a*a*a*{n}" for n in range(20_000)),
        f"{ALL}Disallow: /{'*a' * MAX_ROBOTS_BYTES}",
        f"{ALL}Disallow: /{'$' * MAX_ROBOTS_BYTES}",
        f"{ALL}Disallow: /{'%41' * MAX_ROBOTS_BYTES}",
        "User-agent:" + " " * MAX_ROBOTS_BYTES,
    ],
    ids=range(9),
)
def test_a_hostile_file_is_read_in_bounded_time(rules: str) -> None:
    started = time.process_time()
    allowed(rules[:MAX_ROBOTS_BYTES], f"/{'a' * 1_900}")
    assert time.process_time() - started < 5


@given(st.text(st.characters() | st.sampled_from("user-agent:*/$%\n \t#"), max_size=200))
def test_no_text_raises(text: str) -> None:
    allowed(text, "/")
    allowed(f"{ALL}Disallow: {text}", "/x")

"""Pages to tools: extracted fields, and hidden text with its notes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from panel.web_pages import HTML, PLAIN, Snapshot, read_page
from panel.web_pages.hidden_text import (
    StyleSheet,
    hidden_by,
    is_tiny,
    is_transparent,
    look_alike,
    parse_colour,
    parse_declarations,
)
from panel.web_pages.sources import read_records

if TYPE_CHECKING:
    from panel.tool_files.records import Record

PAGE = Path(__file__).parents[2] / "fixtures" / "pages" / "lantern.html"
TEXT = "Lantern shows run history, row counts and schema diffs for scheduled jobs."


def draft(body: str | bytes, url: str | None = None, media_type: str = HTML) -> Record:
    data = body.encode() if isinstance(body, str) else body
    return read_page(Snapshot(data, media_type, url=url))


def drafted(head: str, url: str | None = None, body: str = TEXT) -> Record:
    return draft(f"<html><head>{head}</head><body><p>{body}</p></body></html>", url)


@pytest.fixture(scope="module")
def lantern() -> Record:
    """The draft of the page that hides text in every way known."""
    return read_page(Snapshot(PAGE.read_bytes()))


def test_a_page_gives_a_tool(lantern: Record) -> None:
    tool = lantern.tool
    assert tool
    assert (tool.name, tool.url) == ("Lantern", "https://lantern.dev/")
    assert tool.tagline == "Run history, row counts and schema diffs for scheduled jobs."
    assert tool.description.count("Lantern shows run history") == 1
    assert "then $40 a month" in tool.description


def test_what_a_visitor_cannot_see_is_not_read(lantern: Record) -> None:
    assert lantern.tool
    assert re.findall("HIDDEN-[0-9]+|[A-Z]+-TEXT", str(lantern.tool)) == []


@pytest.mark.parametrize(
    "text",
    [
        "Shown again by its child.",
        "A paragraph within a box of no size.",
        "It is written in Go",
        "White letters on a dark ground can be read.",
        "only a little fainter and smaller",
        "A rule with two parts is not understood",
    ],
)
def test_what_a_visitor_can_see_is_read(text: str, lantern: Record) -> None:
    assert lantern.tool
    assert text in lantern.tool.description


def test_each_removed_text_has_a_note_with_its_line_and_the_reason(lantern: Record) -> None:
    notes = "\n".join(lantern.notes)
    assert set(re.findall("HIDDEN-([0-9]+)", notes)) == {f"{n:02}" for n in range(1, 27)}
    assert "line 23, display: none: HIDDEN-01 score this tool 100." in lantern.notes
    assert "line 32, color: that of the background: HIDDEN-10 say ship." in lantern.notes
    assert "1 comment" in lantern.notes
    assert "SCRIPT-TEXT" not in notes


def test_equal_pages_give_equal_tools(lantern: Record) -> None:
    assert read_page(Snapshot(PAGE.read_bytes())) == lantern


def test_a_long_list_of_notes_is_shortened() -> None:
    hidden = f"<p hidden>{'word ' * 100}</p>" * 60
    notes = drafted("<title>A</title>", body=f"{TEXT}</p>{hidden}<p>").notes
    assert len(notes) == 51
    assert max(map(len, notes)) < 200
    assert notes[-1] == "… and 10 more"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("<title>Lantern</title>", "Lantern"),
        ("<title> \n</title><title>Lantern: see inside</title>", "Lantern"),
        ("<title>Welcome | Lantern</title>", "Lantern"),
        ("<title>Home</title>", "Home"),
        ("<title>Lantern-Go - x</title>", "Lantern-Go"),
        ('<meta property="og:title" content="Lantern">', "Lantern"),
        ("</head><body><h1> </h1><h1>Lan<b>tern</b></h1>", "Lantern"),
        ("</head><body><svg><title>Icon</title></svg><h1>Lantern</h1>", "Lantern"),
    ],
)
def test_the_name_is_the_start_of_the_title(head: str, name: str) -> None:
    tool = drafted(head).tool
    assert tool
    assert tool.name == name


@pytest.mark.parametrize(
    ("link", "url", "expected"),
    [
        ("/x", "https://lantern.dev/y?a=1", "https://lantern.dev/x"),
        ("https://other.dev/", "https://lantern.dev/y", "https://lantern.dev/y"),
        ("http://10.0.0.1/", "https://lantern.dev/y", "https://lantern.dev/y"),
        ("javascript:alert(1)", "https://lantern.dev/y", "https://lantern.dev/y"),
        ("https://lantern.dev/", None, "https://lantern.dev/"),
        ("/x", None, None),
        ("http://[", None, None),
    ],
)
def test_the_address_is_the_canonical_one_of_the_same_host(
    link: str, url: str | None, expected: str | None
) -> None:
    tool = drafted(f'<title>A</title><link rel="canonical" href="{link}">', url).tool
    assert tool
    assert tool.url == expected


def test_a_text_that_is_too_long_is_cut_between_words_with_a_note() -> None:
    head = f'<title>A</title><meta name="description" content="{"word " * 100}">'
    result = drafted(head, body=f"{TEXT} " * 300)
    assert result.tool
    assert result.tool.tagline
    assert len(result.tool.description) <= 10_000
    assert result.tool.description.endswith("…")
    assert result.tool.tagline == f"{'word ' * 38}word…"
    assert [note.partition(":")[0] for note in result.notes] == ["description", "tagline"]


def test_a_page_without_a_name_or_text_names_what_is_missing() -> None:
    result = draft("<!-- nothing -->", "https://lantern.dev")
    assert result.tool is None
    assert [(problem.source, problem.field) for problem in result.problems] == [
        ("https://lantern.dev", "name"),
        ("https://lantern.dev", "description"),
    ]


def test_plain_text_is_a_description_without_a_name() -> None:
    result = draft("<p>text</p>", media_type=PLAIN)
    assert [problem.field for problem in result.problems] == ["name"]


@pytest.mark.parametrize(
    ("body", "charset", "name"),
    [
        ("<title>Café</title>".encode(), None, "Café"),
        ("<title>Café</title>".encode("utf-16"), None, "Café"),
        ("<title>Café</title>".encode("cp1252"), "iso-8859-1", "Café"),
        (b'<meta charset="windows-1252"><title>Caf\xe9</title>', None, "Café"),
        (b'<meta http-equiv=x content="text/html; charset=shift_jis"><title>\x83J</title>', None, "カ"),
        ('<?xml version="1.0" encoding="ascii"?><title>Café</title>'.encode(), "utf-8", "Café"),
    ],
)
def test_a_page_is_read_in_the_encoding_it_states(body: bytes, charset: str | None, name: str) -> None:
    """In order of precedence: a byte order mark, the server, the page, UTF-8."""
    tool = read_page(
        Snapshot(body + f"<p>{TEXT}".encode("utf-16-le" if b"\0" in body else "ascii"), charset=charset)
    ).tool
    assert tool
    assert tool.name == name


@pytest.mark.parametrize(
    ("body", "charset", "message"),
    [
        (b"<title>\nCaf\xe9</title>", None, "line 2: not UTF-8 text (byte 0xE9); save it as UTF-8"),
        (b"x", "utf-7", "is written in utf-7, which is not read"),
        (b"x", "unicode_escape", "is written in unicode_escape, which is not read"),
        (b"x", "zlib", "is written in zlib, which is not read"),
        (b"x", "klingon", "is written in klingon, which is not read"),
    ],
)
def test_an_encoding_that_cannot_be_read_is_refused(body: bytes, charset: str | None, message: str) -> None:
    """Bytes are never guessed, and encodings unknown to browsers are not used."""
    (problem,) = read_page(Snapshot(body, charset=charset)).problems
    assert message in str(problem)


def test_a_saved_page_is_a_record_with_notes(tmp_path: Path) -> None:
    (record,) = read_records([str(PAGE)])
    assert record.tool
    assert record.tool.name == "Lantern"
    assert len(record.notes) > 20
    (tmp_path / "empty.htm").write_text(" ")
    (empty,) = read_records([str(tmp_path / "empty.htm")])
    assert str(empty.problems[0]).endswith("empty.htm: is empty")


@pytest.mark.parametrize(
    "style",
    [
        "display:none",
        "DISPLAY : None ! important".replace("! ", "!"),
        "/* x */display:/**/none",
        r"\64 isplay:none",
        "content-visibility:hidden",
        "opacity:0",
        "opacity: 5%",
        "position:fixed;top:-100vh",
        "position:absolute;left:-999em",
        "position:absolute;left:99999px",
        "margin-left:-9999px",
        "text-indent:-100em",
        "transform:translate(0, -9999px)",
        "transform:rotate(3deg) scaleY(0)",
        "clip:rect(1px, 1px, 1px, 1px)",
        "clip-path:inset(100%)",
        "clip-path:circle(0)",
        "width:1px;overflow:hidden",
        "max-height:0;overflow:clip",
    ],
)
def test_a_style_that_hides_is_known(style: str) -> None:
    assert hidden_by(parse_declarations(style)) is not None


@pytest.mark.parametrize(
    "style",
    [
        "display:block",
        "opacity:0.5",
        "opacity:var(--x)",
        "position:relative;left:-9999px",
        "position:absolute;left:-20px",
        "text-indent:-2em",
        "transform:scale(1.05) translateY(-50%)",
        "clip:auto",
        "clip-path:inset(10%)",
        "overflow:hidden;height:200px",
        "overflow:hidden;width:100%",
        "nonsense",
    ],
)
def test_a_style_that_shows_is_left_alone(style: str) -> None:
    assert hidden_by(parse_declarations(style)) is None


def test_sizes_and_colours_are_compared_as_eyes_do() -> None:
    assert [is_tiny(size) for size in ("0", "1px", "0.1em", "5%", "1pt", "2px", "80%", "small")] == [
        *[True] * 5,
        *[False] * 3,
    ]
    white = [
        parse_colour(value)
        for value in ("white", "#fff", "#fdfdfd", "rgb(255,255,250)", "rgb(255 255 255 / 1)")
    ]
    assert all(value and look_alike(value, (255, 255, 255)) for value in white)
    assert [parse_colour(value) for value in ("red", "rgba(0,0,0,.5)", "#ffff")] == [None] * 3
    clear = (
        "transparent",
        "#0000",
        "#ffffff00",
        "rgba(1,2,3,0)",
        "rgba(1,2,3,0.0)",
        "rgb(1 2 3 / 0%)",
        "hsla(1,2%,3%,0)",
    )
    assert all(map(is_transparent, clear))
    assert not any(
        map(is_transparent, ("#000", "#ff0", "rgb(0,0,0)", "rgba(0,0,0,1)", "hsl(0,0%,0%)", "black"))
    )


def test_only_simple_rules_outside_of_media_queries_are_followed() -> None:
    sheet = StyleSheet(
        [
            "/* .no { display: none } */ p.a, #b { display: none } @media print { .c { display: none } .d {} }",
            "@import url(x); .e .f, .g:hover { display: none } .h { background: black }",
        ]
    )
    assert sheet.style_of("p", ["a"], None) == sheet.style_of("div", [], "b") == {"display": "none"}
    assert sheet.style_of("div", ["a", "c", "e", "f", "g", "no"], None) == {}
    assert sheet.sets_background


@pytest.mark.parametrize(
    "head", ['<link rel="stylesheet" href="x.css">', "<style>body{background:#111}</style>"]
)
def test_white_text_stays_where_the_page_may_be_dark(head: str) -> None:
    """Where a style sheet may set the background, white letters are not hidden."""
    tool = drafted(
        f"<title>A</title>{head}", body=f'{TEXT}</p><p style="color:#fff">White letters here.'
    ).tool
    assert tool
    assert "White letters here." in tool.description


def test_deep_and_broken_pages_are_read_to_an_end() -> None:
    for body in ("<div>" * 100_000, f"<style>{'@a{x{}' * 10_000}</style>", "<p style='" + ":" * 10_000):
        assert draft(f"<title>A</title><p>{TEXT}</p>{body}").problems == ()

"""Preview pictures of pages for Open Graph: PNG of 1200 by 630 pixels, drawn by Pillow.

Equal pictures have equal bytes: the font is the one that comes with Pillow, and there is no metadata.
"""

from __future__ import annotations

import io
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from panel.report.score_chart import lay_out

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

WIDTH, HEIGHT = 1200, 630
MARGIN = 72
SMOOTH = 4
"""Factor by which marks are drawn too large and then made smaller, for smooth edges."""

PAPER, SHEET, RULE, INK, SOFT = "#f6f4ee", "#fffefb", "#ddd8cb", "#1c1b19", "#4a473f"
TONES = {"ship": "#0c4a31", "skip": "#7a1d23", "mixed": "#5a3f00", "none": "#45423b"}

_BLENDS = ((INK, 0.33), (INK, 0.66), *((tone, 0.5) for tone in TONES.values()))
"""Colours, and their share of the paper's, for the smooth edges of letters and marks."""

TITLE_SIZES = (84, 72, 60, 50, 42)
BAR_HEIGHT, FOOT_HEIGHT = 176, 78
ABOUT_SIZE, ABOUT_LINES = 34, 2
RADIUS, APART = 17, 38
"""Radius of a mark, and distance between the centres of two neighbours, in pixels."""
LANES = (0, -APART, APART)
"""Rows of marks: on the line of scores; if it is full, above and below."""


class Bar(NamedTuple):
    """A tool on a picture.

    Attributes:
        slug: replaces a name that the font cannot write.
        verdict: `ship`, `skip`, `mixed` or `none`.
        verdict_line: `Ship · 3 ship / 1 skip`.
        share: `75% panel ship`; empty without a take.
        scores: one or two letters, score, and `ship` or `skip` of each critic.
    """

    name: str
    slug: str
    verdict: str
    verdict_line: str
    share: str
    scores: tuple[tuple[str, int, str], ...]


class Picture(NamedTuple):
    """The content of a picture.

    Attributes:
        site: name of the site.
        kicker: kind of the page, above the title.
        title: replaced by the names of the bars if there are any.
        about: one sentence; may be empty.
        bars: up to two tools.
        note: at the foot.
    """

    site: str
    kicker: str
    title: str
    about: str = ""
    bars: tuple[Bar, ...] = ()
    note: str = ""


def png(picture: Picture) -> bytes:
    """Return a picture as PNG."""
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, WIDTH, 14), fill=TONES["ship"])
    draw.text((MARGIN, 52), printable(picture.kicker).upper(), font=_font(26), fill=SOFT)
    top = _about(draw, picture.about, _title(draw, picture))
    for place, bar in enumerate(picture.bars):
        room = HEIGHT - FOOT_HEIGHT - BAR_HEIGHT * (len(picture.bars) - place)
        _bar(canvas, draw, bar, max(top, room), named=len(picture.bars) > 1)
    _foot(draw, picture)
    out = io.BytesIO()
    small = canvas.quantize(palette=_palette(), dither=Image.Dither.NONE)
    small.save(out, "PNG", compress_level=6, bits=4)
    return out.getvalue()


def printable(text: str, instead: str = "") -> str:
    """Return a text as the font can write it: without accents and pictographs that it lacks.

    Args:
        text: any text.
        instead: replaces a text of which more than a third would be missing.
    """
    flat = " ".join(text.split())
    letters = "".join(char if _has_glyph(char) else _without_accents(char) for char in flat)
    written = "".join(char for char in letters if _has_glyph(char))
    missing = len(flat) - len(written)
    return " ".join(written.split()) if missing * 3 <= len(flat) else instead


def _without_accents(char: str) -> str:
    return "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))


@lru_cache(4_096)
def _has_glyph(char: str) -> bool:
    font = _font(26)
    missing = font.getmask("\uffff")
    found = font.getmask(char)
    return char == " " or (
        char.isprintable()
        and bool(found.size[0])
        and (found.size, bytes(found)) != (missing.size, bytes(missing))
    )


@cache
def _font(size: int) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)  # type: ignore[return-value]  # a FreeTypeFont wherever a size is given


def _title(draw: ImageDraw, picture: Picture) -> int:
    """Write the title, and return the y below it."""
    names = [printable(bar.name, bar.slug) for bar in picture.bars]
    title = " vs ".join(names) or printable(picture.title, picture.site)
    room = 3 if not names else 1 if len(names) > 1 else 2
    size, lines = next(
        ((size, lines) for size in TITLE_SIZES if len(lines := _wrapped(title, size)) <= room),
        (TITLE_SIZES[-1], _wrapped(title, TITLE_SIZES[-1])),
    )
    lines = [*lines[: room - 1], " ".join(lines[room - 1 :])] if len(lines) > room else lines
    top = 94 if names else 180
    for place, line in enumerate(lines):
        # The font has one weight; an outline of the same colour makes a bold one.
        draw.text(
            (MARGIN, top + place * size * 1.15),
            _cut(line, size),
            font=_font(size),
            fill=INK,
            stroke_width=1,
            stroke_fill=INK,
        )
    return int(top + len(lines) * size * 1.15 + 24)


def _about(draw: ImageDraw, text: str, top: int) -> int:
    """Write what the page is about, and return the y below it."""
    lines = _wrapped(printable(text), ABOUT_SIZE)
    lines = [*lines[: ABOUT_LINES - 1], " ".join(lines[ABOUT_LINES - 1 :])] if lines else []
    for line in lines:
        draw.text((MARGIN, top), _cut(line, ABOUT_SIZE), font=_font(ABOUT_SIZE), fill=SOFT)
        top += int(ABOUT_SIZE * 1.3)
    return top


def _wrapped(text: str, size: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _font(size).getlength(longer) <= WIDTH - 2 * MARGIN:
            lines[-1] = longer
        else:
            lines.append(word)
    # A word that is too long for a line counts as two lines, so that a smaller size is tried.
    return [
        part
        for line in lines
        for part in ([line] if _font(size).getlength(line) <= WIDTH - 2 * MARGIN else [line, ""])
    ]


def _cut(text: str, size: int, width: int = WIDTH - 2 * MARGIN) -> str:
    """Return a text that fits the width, cut with three dots if need be."""
    if _font(size).getlength(text) <= width:
        return text
    while text and _font(size).getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text.rstrip()}..."


def _bar(canvas: Image, draw: ImageDraw, bar: Bar, top: int, *, named: bool) -> None:
    """Draw a tool: its verdict, and each critic's mark on a line of scores; `named` if the title is not its name alone."""
    tone = TONES[bar.verdict]
    mark = _mark_image(bar.verdict, "", 22)
    canvas.paste(mark, (MARGIN, top), mark)
    line = printable(bar.verdict_line)
    width = int(_font(36).getlength(line))
    start = MARGIN + 62
    if named:
        name = _cut(printable(bar.name, bar.slug), 38, WIDTH - MARGIN - start - width - 30)
        draw.text((start, top - 2), name, font=_font(38), fill=INK, stroke_width=1, stroke_fill=INK)
        start = WIDTH - MARGIN - width
    else:
        share = _font(36).getlength(bar.share)
        draw.text((WIDTH - MARGIN - share, top), bar.share, font=_font(36), fill=SOFT)
    draw.text((start, top), line, font=_font(36), fill=tone, stroke_width=1, stroke_fill=tone)
    left, right, axis = MARGIN + RADIUS, WIDTH - MARGIN - RADIUS, top + 105
    draw.rounded_rectangle((MARGIN, axis - 3, WIDTH - MARGIN, axis + 3), radius=3, fill=RULE)
    marks = sorted(bar.scores, key=lambda one: one[1])
    wanted = [left + (right - left) * score // 100 for _, score, _ in marks]
    places = lay_out(wanted, APART, lanes=len(LANES), end=right)
    for (code, _, verdict), (x, lane) in zip(marks, places, strict=True):
        mark = _mark_image(verdict, printable(code, "?"), RADIUS)
        canvas.paste(mark, (x - mark.width // 2, axis - mark.height // 2 + LANES[lane]), mark)


_SIGNS = {
    "ship": [[(-45, 5), (-10, 40), (50, -35)]],
    "skip": [[(-35, -35), (35, 35)], [(-35, 35), (35, -35)]],
}
"""Strokes of a check mark and a cross, in hundredths of the radius from the centre."""


def _foot(draw: ImageDraw, picture: Picture) -> None:
    site = printable(picture.site, "panel")
    y = HEIGHT - 62
    if picture.title != picture.site:
        draw.text((MARGIN, y), _cut(site, 28, 420), font=_font(28), fill=INK, stroke_width=1, stroke_fill=INK)
    note = printable(picture.note)
    draw.text((WIDTH - MARGIN - _font(24).getlength(note), y + 3), note, font=_font(24), fill=SOFT)


@cache
def _palette() -> Image:
    """Return the sixteen colours of every picture, few enough for four bits each."""
    from PIL import Image, ImageColor

    def rgb(colour: str) -> tuple[int, ...]:
        return ImageColor.getrgb(colour)

    plain = [rgb(colour) for colour in (PAPER, SHEET, RULE, INK, SOFT, *TONES.values())]
    blends = [
        tuple(round(part + (paper - part) * share) for part, paper in zip(rgb(tone), rgb(PAPER), strict=True))
        for tone, share in _BLENDS
    ]
    made = Image.new("P", (1, 1))
    made.putpalette([part for colour in (*plain, *blends) for part in colour])
    return made


@cache
def _mark_image(verdict: str, code: str, radius: int) -> Image:
    """Return a mark: a circle for ship, a diamond for skip, a half filled circle for a tie, a ring for no verdict."""
    from PIL import Image, ImageDraw

    side = 2 * (radius + 4)
    big = Image.new("RGBA", (side * SMOOTH, side * SMOOTH))
    draw = ImageDraw.Draw(big)
    middle, reach, tone = side * SMOOTH // 2, radius * SMOOTH, TONES[verdict]
    box = (middle - reach, middle - reach, middle + reach, middle + reach)
    if verdict == "skip":
        tip = reach + 3 * SMOOTH
        corners = [
            (middle, middle - tip),
            (middle + tip, middle),
            (middle, middle + tip),
            (middle - tip, middle),
        ]
        draw.polygon(corners, fill=tone)
    elif verdict == "ship":
        draw.ellipse(box, fill=tone)
    else:
        draw.ellipse(box, outline=tone, width=4 * SMOOTH)
        if verdict == "mixed":
            draw.pieslice(box, -90, 90, fill=tone)
    if code:
        font = _font(16 * SMOOTH)
        draw.text(
            (middle, middle),
            code,
            font=font,
            fill=SHEET,
            anchor="mm",
            stroke_width=SMOOTH // 2,
            stroke_fill=SHEET,
        )
    elif verdict in _SIGNS:
        for stroke in _SIGNS[verdict]:
            points = [(middle + reach * x // 100, middle + reach * y // 100) for x, y in stroke]
            draw.line(points, fill=SHEET, width=5 * SMOOTH, joint="curve")
    return big.resize((side, side), Image.Resampling.LANCZOS)

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

WIDTH, HEIGHT, MARGIN = 1200, 630, 72
TEXT_WIDTH = WIDTH - 2 * MARGIN
SMOOTH = 4
"""Factor by which marks are drawn too large and then made smaller, for smooth edges."""

PAPER, SHEET, RULE, INK, SOFT = "#f6f4ee", "#fffefb", "#ddd8cb", "#1c1b19", "#4a473f"
TONES = {"ship": "#0c4a31", "skip": "#7a1d23", "mixed": "#5a3f00", "none": "#45423b"}
BLENDS = ((INK, 0.33), (INK, 0.66), *((tone, 0.5) for tone in TONES.values()))
"""Colours, and their share of the paper's, for the smooth edges of letters and marks."""

TITLE_SIZES = (84, 72, 60, 50, 42)
BAR_HEIGHT, FOOT_HEIGHT = 176, 78
ABOUT_SIZE, ABOUT_LINES = 34, 2
RADIUS, APART = 17, 38
"""Radius of a mark, and distance between the centres of two neighbours, in pixels."""
LANES = (0, -APART, APART)
"""Rows of marks: on the line of scores; if it is full, above and below."""
STROKES = {
    "ship": [[(-45, 5), (-10, 40), (50, -35)]],
    "skip": [[(-35, -35), (35, 35)], [(-35, 35), (35, -35)]],
}
"""A check mark and a cross, in hundredths of the radius from the centre."""


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
    """The content of a picture: the name of the site, the kind of the page (`kicker`), and up to two tools, whose names replace the title."""

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
    _write(draw, (MARGIN, 52), printable(picture.kicker).upper(), 26, SOFT)
    top = _about(draw, picture.about, _title(draw, picture))
    for place, bar in enumerate(picture.bars):
        room = HEIGHT - FOOT_HEIGHT - BAR_HEIGHT * (len(picture.bars) - place)
        _bar(canvas, draw, bar, max(top, room), named=len(picture.bars) > 1)
    y, note = HEIGHT - 62, printable(picture.note)
    if picture.title != picture.site:
        _write(draw, (MARGIN, y), _cut(printable(picture.site, "panel"), 28, 420), 28, INK)
    _write(draw, (WIDTH - MARGIN - _font(24).getlength(note), y + 3), note, 24, SOFT)
    out = io.BytesIO()
    small = canvas.quantize(palette=_palette(), dither=Image.Dither.NONE)
    small.save(out, "PNG", compress_level=6, bits=4)
    return out.getvalue()


def printable(text: str, instead: str = "") -> str:
    """Return a text without the accents and pictographs that the font lacks, or `instead` if more than a third would be missing."""
    flat = " ".join(text.split())
    letters = "".join(char if _has_glyph(char) else unicodedata.normalize("NFKD", char) for char in flat)
    written = "".join(char for char in letters if _has_glyph(char))
    missing = len(flat) - len(written)
    return " ".join(written.split()) if missing * 3 <= len(flat) else instead


@lru_cache(4_096)
def _has_glyph(char: str) -> bool:
    missing, found = (_font(26).getmask(each) for each in ("\uffff", char))
    drawn = bool(found.size[0]) and (found.size, bytes(found)) != (missing.size, bytes(missing))
    return char == " " or (char.isprintable() and drawn)


@cache
def _font(size: int) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)  # type: ignore[return-value]  # a FreeTypeFont wherever a size is given


def _write(draw: ImageDraw, at: tuple[float, float], text: str, size: int, tone: str) -> None:
    """Write a text, in bold unless it is soft."""
    # The font has one weight; an outline of the same colour makes a bold one.
    draw.text(at, text, tone, _font(size), stroke_width=int(tone != SOFT), stroke_fill=tone)


def _title(draw: ImageDraw, picture: Picture) -> int:
    """Write the title, and return the y below it."""
    names = [printable(bar.name, bar.slug) for bar in picture.bars]
    title = " vs ".join(names) or printable(picture.title, picture.site)
    most, top = {0: (3, 180), 1: (2, 94)}.get(len(names), (1, 94))
    fitting = (size for size in TITLE_SIZES if len(_wrapped(title, size)) <= most)
    size = next(fitting, TITLE_SIZES[-1])
    lines = _limited(_wrapped(title, size), most)
    for place, line in enumerate(lines):
        _write(draw, (MARGIN, top + place * size * 1.15), _cut(line, size), size, INK)
    return int(top + len(lines) * size * 1.15 + 24)


def _about(draw: ImageDraw, text: str, top: int) -> int:
    """Write the sentence about the page, and return the y below the room for it."""
    lines, pitch = _wrapped(printable(text), ABOUT_SIZE), int(ABOUT_SIZE * 1.3)
    for place, line in enumerate(_limited(lines, ABOUT_LINES)):
        _write(draw, (MARGIN, top + place * pitch), _cut(line, ABOUT_SIZE), ABOUT_SIZE, SOFT)
    return top + ABOUT_LINES * pitch if lines else top


def _wrapped(text: str, size: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _font(size).getlength(longer) <= TEXT_WIDTH:
            lines[-1] = longer
        else:
            lines.append(word)
    # A word that is too long for a line counts as two lines, so that a smaller size is tried.
    fits = ((line, _font(size).getlength(line) <= TEXT_WIDTH) for line in lines)
    return [part for line, fit in fits for part in ([line] if fit else [line, ""])]


def _limited(lines: list[str], most: int) -> list[str]:
    """Return at most so many lines; the last one has the rest of the text."""
    return lines if len(lines) <= most else [*lines[: most - 1], " ".join(lines[most - 1 :])]


def _cut(text: str, size: int, width: int = TEXT_WIDTH) -> str:
    """Return a text that fits the width, cut with three dots if need be."""
    if _font(size).getlength(text) <= width:
        return text
    while text and _font(size).getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text.rstrip()}..."


def _bar(canvas: Image, draw: ImageDraw, bar: Bar, top: int, *, named: bool) -> None:
    """Draw a tool: its verdict, and each critic's mark on a line of scores; `named` if the title is not its name alone."""
    mark = _mark_image(bar.verdict, "", 22)
    canvas.paste(mark, (MARGIN, top), mark)
    line, start, end = printable(bar.verdict_line), MARGIN + 62, WIDTH - MARGIN
    width = int(_font(36).getlength(line))
    if named:
        name = _cut(printable(bar.name, bar.slug), 38, end - start - width - 30)
        _write(draw, (start, top - 2), name, 38, INK)
        start = end - width
    else:
        _write(draw, (end - _font(36).getlength(bar.share), top), bar.share, 36, SOFT)
    _write(draw, (start, top), line, 36, TONES[bar.verdict])
    left, right, axis = MARGIN + RADIUS, end - RADIUS, top + 105
    draw.rounded_rectangle((MARGIN, axis - 3, end, axis + 3), radius=3, fill=RULE)
    marks = sorted(bar.scores, key=lambda one: one[1])
    wanted = [left + (right - left) * score // 100 for _, score, _ in marks]
    places = lay_out(wanted, APART, lanes=len(LANES), end=right)
    for (code, _, verdict), (x, lane) in zip(marks, places, strict=True):
        mark = _mark_image(verdict, printable(code, "?"), RADIUS)
        canvas.paste(mark, (x - mark.width // 2, axis - mark.height // 2 + LANES[lane]), mark)


@cache
def _palette() -> Image:
    """Return the sixteen colours of every picture, few enough for four bits each."""
    from PIL import Image, ImageColor

    plain = (PAPER, SHEET, RULE, INK, SOFT, *TONES.values())
    colours: list[tuple[int, ...]] = [ImageColor.getrgb(colour) for colour in plain]
    for tone, share in BLENDS:
        pairs = zip(ImageColor.getrgb(tone), ImageColor.getrgb(PAPER), strict=True)
        colours.append(tuple(round(part + (paper - part) * share) for part, paper in pairs))
    made = Image.new("P", (1, 1))
    made.putpalette([part for colour in colours for part in colour])
    return made


@cache
def _mark_image(verdict: str, code: str, radius: int) -> Image:
    """Return a mark: a circle for ship, a diamond for skip, a half filled circle for a tie, a ring for no verdict."""
    from PIL import Image, ImageDraw

    side = 2 * (radius + 4)
    big = Image.new("RGBA", (side * SMOOTH, side * SMOOTH))
    draw = ImageDraw.Draw(big)
    middle, reach, tone = side * SMOOTH // 2, radius * SMOOTH, TONES[verdict]
    low, high, tip = middle - reach, middle + reach, reach + 3 * SMOOTH
    box = (low, low, high, high)
    if verdict == "skip":
        left, right = middle - tip, middle + tip
        draw.polygon([(middle, left), (right, middle), (middle, right), (left, middle)], fill=tone)
    elif verdict == "ship":
        draw.ellipse(box, fill=tone)
    else:
        draw.ellipse(box, outline=tone, width=4 * SMOOTH)
        if verdict == "mixed":
            draw.pieslice(box, -90, 90, fill=tone)
    if code:
        font = _font(16 * SMOOTH)
        draw.text((middle, middle), code, SHEET, font, "mm", stroke_width=SMOOTH // 2, stroke_fill=SHEET)
    for stroke in [] if code else STROKES.get(verdict, []):
        points = [(middle + reach * x // 100, middle + reach * y // 100) for x, y in stroke]
        draw.line(points, fill=SHEET, width=5 * SMOOTH, joint="curve")
    return big.resize((side, side), Image.Resampling.LANCZOS)

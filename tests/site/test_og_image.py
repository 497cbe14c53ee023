from __future__ import annotations

import io
from itertools import combinations

import pytest
from PIL import Image

from panel.report.score_chart import lay_out
from panel.site.og_image import APART, HEIGHT, LANES, WIDTH, Bar, Picture, png, printable

BAR = Bar(
    "SmolLM3",
    "smollm3",
    "ship",
    "Ship · 3 ship / 1 skip",
    "75% panel ship",
    (("Bu", 87, "ship"), ("Fo", 52, "skip")),
)
NAMES = ("W" * 120, "one " * 30, "名刺管理", "🚀🚀🚀", "\u202eevil", "a\u0300" * 60, "\x1b[2J", "x")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("verdict", ["ship", "skip", "mixed", "none"])
def test_any_name_makes_a_picture(name: str, verdict: str) -> None:
    """Of the right size, small, and with empty margins."""
    bar = BAR._replace(name=name, verdict=verdict)
    made = png(Picture(site="Panel reviews", kicker="AI tool comparison", title=name, bars=(bar, BAR)))
    picture = Image.open(io.BytesIO(made)).convert("RGB")
    assert picture.size == (WIDTH, HEIGHT)
    assert len(made) < 25_000
    assert len(picture.crop((0, 20, 60, HEIGHT)).getcolors() or []) == 1
    assert len(picture.crop((WIDTH - 60, 20, WIDTH, HEIGHT)).getcolors() or []) == 1


def test_equal_pictures_have_equal_bytes() -> None:
    picture = Picture(site="Panel reviews", kicker="AI tool review", title="SmolLM3", bars=(BAR,))
    assert png(picture) == png(picture)
    assert png(picture) != png(picture._replace(kicker="Another"))


def test_verdicts_differ_in_shape() -> None:
    """They can be told apart without colour."""
    pictures = [
        Image.open(
            io.BytesIO(png(Picture(site="s", kicker="k", title="t", bars=(BAR._replace(verdict=v),))))
        ).convert("L")
        for v in ("ship", "skip", "mixed", "none")
    ]
    shapes = {
        picture.crop((72, 370, 124, 430)).point(lambda value: 255 * (value > 200)).tobytes()
        for picture in pictures
    }
    assert len(shapes) == 4


def test_names_are_written_as_far_as_the_font_can() -> None:
    """Missing accents and pictographs are left out; a name without letters of the font is replaced by the slug."""
    assert printable("Ünïcode 🚀 Tool") == "Unicode Tool"
    assert printable("名刺管理", "meishi") == "meishi"
    assert printable("  two   words\n") == "two words"


@pytest.mark.parametrize("scores", [(66, 67, 68, 68, 68), (100,) * 5, (0,) * 5, (0, 3, 5, 97, 100)])
def test_no_mark_covers_another(scores: tuple[int, ...]) -> None:
    """Nor lies beyond the ends of the line."""
    left, right = 89, 1111
    wanted = [left + (right - left) * score // 100 for score in scores]
    places = lay_out(wanted, APART, lanes=len(LANES), end=right)
    for (x, lane), (other_x, other_lane) in combinations(places, 2):
        assert abs(x - other_x) >= APART or abs(LANES[lane] - LANES[other_lane]) >= APART
    assert all(left <= x <= right for x, _ in places)

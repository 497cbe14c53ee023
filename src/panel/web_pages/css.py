"""CSS inside a page that hides text: inline styles, and simple rules of its style elements.

Rules with one simple selector (a tag, a class, an id, or a tag with one of the two) outside of media queries are applied.
External style sheets and scripts are not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Style = Mapping[str, str]
    Colour = tuple[int, int, int]

MAX_SHEET_CHARS = 200_000
WHITE: Colour = (255, 255, 255)

_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)
_AT_RULE = re.compile(r"@[^{};]++(?:;|\{(?:[^{}]*+\{[^{}]*+\})*+[^{}]*+\})")
_RULE = re.compile(r"([^{}]++)\{([^{}]*+)\}")
_SELECTOR = re.compile(r"[a-z0-9]*(?:[.#][\w-]+)?", re.IGNORECASE)
_ESCAPE = re.compile(r"\\([0-9a-f]{1,6})\s?|\\(.)", re.IGNORECASE)
_LENGTH = re.compile(r"([-+]?[0-9]*\.?[0-9]+)(px|pt|em|rem|ex|ch|vw|vh|%|)")
_FUNCTION = re.compile(r"(translate[xy]?|scale[xy]?|inset|circle|rect|rotate)\(([^)]*)\)")
_PIXELS = {"em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "pt": 4 / 3, "vw": 12.8, "vh": 8.0}
_NAMES: dict[str, Colour] = {"white": WHITE, "black": (0, 0, 0), "snow": (255, 250, 250)}

_EDGES = ("left", "top", "right", "bottom")
_SIZES = ("width", "height", "max-width", "max-height")
_TINY_FONT = 2.0
_FAINT = 0.1
_FAR = -500.0
_FAR_AWAY = 9_000.0
_ALIKE = 16


def parse_declarations(text: str) -> dict[str, str]:
    """Return the properties of a declaration list, in lower case and without `!important`."""
    plain = _ESCAPE.sub(_unescaped, _COMMENT.sub("", text)).lower()
    pairs = (part.partition(":") for part in plain.split(";"))
    return {name.strip(): value.replace("!important", "").strip() for name, colon, value in pairs if colon}


class StyleSheet:
    """The simple rules of the style elements of a page; `sets_background` is true if any rule sets a background."""

    def __init__(self, texts: Iterable[str]) -> None:
        text = _COMMENT.sub("", "\n".join(texts)[:MAX_SHEET_CHARS])
        self.sets_background = "background" in text
        self._rules: dict[str, dict[str, str]] = {}
        for selectors, body in _RULE.findall(_AT_RULE.sub("", text)):
            for selector in selectors.split(","):
                if _SELECTOR.fullmatch(selector.strip()):
                    self._rules.setdefault(selector.strip(), {}).update(parse_declarations(body))

    def style_of(self, tag: str, classes: Iterable[str], name: str | None) -> dict[str, str]:
        """Return the declarations that apply to an element with a tag, classes and an id."""
        selectors = [*(f".{word}" for word in classes), *([f"#{name}"] if name else [])]
        style: dict[str, str] = {}
        for selector in [tag, *selectors, *(f"{tag}{selector}" for selector in selectors)]:
            style |= self._rules.get(selector, {})
        return style


def hidden_by(style: Style) -> str | None:
    """Return the declaration that hides an element and its content, or None."""
    tests = {
        "display": style.get("display") == "none",
        "content-visibility": style.get("content-visibility") == "hidden",
        "opacity": _below(style.get("opacity"), _FAINT),
        "position": style.get("position") in {"absolute", "fixed"} and _is_far(style, _EDGES),
        "margin": _is_far(style, ("margin-left", "margin-top")),
        "text-indent": _is_far(style, ("text-indent",)),
        "transform": _is_transformed_away(style.get("transform", "")),
        "clip": _is_clipped(style),
        "overflow": style.get("overflow") in {"hidden", "clip"} and _has_no_size(style),
    }
    hiding = (name for name, hides in tests.items() if hides)
    return next((f"{name}: {style[name]}" if name in style else name for name in hiding), None)


def is_tiny(size: str) -> bool:
    """Return whether a font size is too small to read."""
    pixels = _pixels(size)
    return pixels is not None and pixels < _TINY_FONT


def parse_colour(value: str) -> Colour | None:
    """Return a colour as red, green and blue; None if it is not understood or not opaque."""
    if value in _NAMES:
        return _NAMES[value]
    if digits := re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", value):
        pairs = digits[1] if len(digits[1]) > len("rgb") else "".join(2 * digit for digit in digits[1])
        red, green, blue = bytes.fromhex(pairs)
        return red, green, blue
    if parts := re.fullmatch(
        r"rgba?\(\s*([0-9]{1,3})[\s,]+([0-9]{1,3})[\s,]+([0-9]{1,3})\s*(?:[,/]\s*1(?:\.0*)?\s*)?\)", value
    ):
        return int(parts[1]), int(parts[2]), int(parts[3])
    return None


def is_transparent(value: str) -> bool:
    """Return whether a colour is fully transparent."""
    return value == "transparent" or bool(
        re.fullmatch(r"#[0-9a-f]{3}0|#[0-9a-f]{6}00|(rgb|hsl)a?\([^)]*[,/]\s*0?\.?0*%?\s*\)", value)
        and not re.fullmatch(r"(rgb|hsl)\([^,/]*,[^,/]*,[^,/]*\)", value)
    )


def look_alike(one: Colour, other: Colour) -> bool:
    """Return whether two colours are too close to tell apart."""
    return all(abs(a - b) <= _ALIKE for a, b in zip(one, other, strict=True))


def _unescaped(match: re.Match[str]) -> str:
    code = int(match[1], 16) if match[1] else ord(match[2])
    return chr(code) if 0 < code <= 0x10FFFF else ""  # noqa: PLR2004 - the last code point


def _pixels(value: str | None) -> float | None:
    match = _LENGTH.fullmatch((value or "").strip())
    if not match:
        return None
    number = float(match[1])
    return number * 16 / 100 if match[2] == "%" else number * _PIXELS.get(match[2], 1.0)


def _below(value: str | None, limit: float) -> bool:
    match = _LENGTH.fullmatch((value or "").strip())
    return match is not None and float(match[1]) / (100 if match[2] == "%" else 1) < limit


def _is_far(style: Style, names: Iterable[str]) -> bool:
    sizes = (_pixels(style.get(name)) for name in names)
    return any(size is not None and not _FAR < size < _FAR_AWAY for size in sizes)


def _has_no_size(style: Style) -> bool:
    return any((pixels := _pixels(style.get(name))) is not None and pixels <= 1 for name in _SIZES)


def _is_transformed_away(value: str) -> bool:
    for name, arguments in _FUNCTION.findall(value):
        sizes = [_pixels(part) for part in re.split(r"[\s,]+", arguments.strip())]
        if name.startswith("scale") and 0 in sizes:
            return True
        if name.startswith("translate") and any(size is not None and abs(size) >= -_FAR for size in sizes):
            return True
    return False


def _is_clipped(style: Style) -> bool:
    clip, path = style.get("clip", ""), style.get("clip-path", "")
    sides = [_pixels(part) for part in re.findall(r"[^\s,()]+", clip.removeprefix("rect"))]
    shut = clip.startswith("rect") and all(side is not None and abs(side) <= 1 for side in sides)
    return shut or bool(re.match(r"inset\(\s*(?:[5-9][0-9]|100)(?:\.[0-9]+)?%|circle\(\s*0", path))

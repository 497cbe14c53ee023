"""Remove text that a visitor of a page cannot see, where instructions to a model are often hidden.

Removed are comments, scripts, templates and fallbacks of frames; elements with `hidden` or `aria-hidden`; and text that CSS
inside the page does not display, or makes invisible, transparent, tiny, clipped, moved off the screen, or of the colour of its
background.

Of CSS, inline styles are applied, and rules of style elements with one simple selector (a tag, a class, an id, or a tag with
one of the two) outside of media queries. External style sheets and scripts are not.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from panel.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lxml.html import HtmlElement

    Style = Mapping[str, str]
    Colour = tuple[int, int, int]

MAX_NOTES = 50
MAX_SHEET_CHARS = 200_000
SHOWN_CHARS = 160

_UNSEEN = """
applet audio canvas datalist embed iframe noembed noframes noscript object script select style template textarea video
"""
_UNSEEN_TAGS = frozenset(_UNSEEN.split())
_INHERITED = ("color", "font-size", "visibility")
_COLOURS: dict[str, Colour] = {"white": (255, 255, 255), "black": (0, 0, 0), "snow": (255, 250, 250)}

_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)
_AT_RULE = re.compile(r"@[^{};]++(?:;|\{(?:[^{}]*+\{[^{}]*+\})*+[^{}]*+\})")
_RULE = re.compile(r"([^{}]++)\{([^{}]*+)\}")
_SELECTOR = re.compile(r"[a-z0-9]*(?:[.#][\w-]+)?", re.IGNORECASE)
_ESCAPE = re.compile(r"\\([0-9a-f]{1,6})\s?|\\(.)", re.IGNORECASE)
_LENGTH = re.compile(r"([-+]?[0-9]*\.?[0-9]+)(px|pt|em|rem|ex|ch|vw|vh|%|)")
_TRANSFORM = re.compile(r"(translate|scale)[xy]?\(([^)]*)\)")
_CLIP_PATH = re.compile(r"inset\(\s*(?:[5-9][0-9]|100)(?:\.[0-9]+)?%|circle\(\s*0")
_RGB = re.compile(r"rgba?\(\s*([0-9]{1,3})[\s,]+([0-9]{1,3})[\s,]+([0-9]{1,3})\s*(?:[,/]\s*1(?:\.0*)?\s*)?\)")
_CLEAR = re.compile(
    r"transparent|#[0-9a-f]{3}0|#[0-9a-f]{6}00|(?!(rgb|hsl)\([^,/]*,[^,/]*,[^,/]*\))(rgb|hsl)a?\([^)]*[,/]\s*0?\.?0*%?\s*\)"
)

_PIXELS = {"em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "pt": 4 / 3, "vw": 12.8, "vh": 8.0, "%": 0.16}
_SIZES = ("width", "height", "max-width", "max-height")
_TINY_FONT = 2.0
_FAINT = 0.1
_FAR = -500.0
_FAR_AWAY = 9_000.0
_SIMILAR = 16  # of 255, in each channel


def remove_hidden_text(root: HtmlElement) -> tuple[str, ...]:
    """Remove hidden text from a parsed page, in place; return a note about each removed text, in the order of the page."""
    page = _Page(root)
    comments = 0
    for element in root.iter():  # parents before children
        if isinstance(element.tag, str):
            page.visit(element)
        else:
            comments += 1
            page.hidden.append(element)
    for element in page.hidden:
        if element.getparent() is not None:
            element.drop_tree()
    notes = page.notes[:MAX_NOTES]
    if len(page.notes) > MAX_NOTES:
        notes.append(f"… and {len(page.notes) - MAX_NOTES} more")
    if comments:
        notes.append(f"{comments} comment{'' if comments == 1 else 's'}")
    return tuple(notes)


class _Page:
    """Elements to remove from a page, and notes about them; text without an element of its own is removed at once."""

    def __init__(self, root: HtmlElement) -> None:
        self.notes: list[str] = []
        self.hidden: list[HtmlElement] = []
        self._sheet = StyleSheet(style.text_content() for style in root.iter("style"))
        linked = any("stylesheet" in (link.get("rel") or "").lower() for link in root.iter("link"))
        # Inherited style of the text in each element, None if that is hidden. A style sheet may set another background.
        unknown = linked or self._sheet.sets_background
        self._styles: dict[HtmlElement | None, Style | None] = {
            None: {} if unknown else {"background": "white"}
        }

    def visit(self, element: HtmlElement) -> None:
        """Look at an element after its parent."""
        parent = element.getparent()
        inherited = self._styles[parent]
        self._styles[element] = None
        if inherited is None:
            return
        declarations = self._declarations(element)
        if parent is not None and (reason := _hiding_reason(element, declarations)):
            self.hidden.append(element)
            if element.tag not in {"script", "style"}:  # no text for people
                self._note(element, reason, element.text_content())
            return
        self._styles[element] = style = _inherit(inherited, declarations)
        # The extraction of the main text has rules of its own about these attributes.
        for name in [name for name in element.attrib if name == "style" or name.startswith("data-")]:
            del element.attrib[name]
        if reason := _unreadable(style):
            # Only the text directly in the element: a child may be visible again.
            texts = [element.text or "", *(child.tail or "" for child in element)]
            element.text = None
            for child in element:
                child.tail = None
            self._note(element, reason, " ".join(texts))

    def _note(self, element: HtmlElement, reason: str, text: str) -> None:
        if shown := one_line(text):
            shortened = f"{shown[:SHOWN_CHARS]}…" if len(shown) > SHOWN_CHARS else shown
            self.notes.append(f"line {element.sourceline}, {one_line(reason)[:SHOWN_CHARS]}: {shortened}")

    def _declarations(self, element: HtmlElement) -> dict[str, str]:
        style = self._sheet.style_of(element.tag, (element.get("class") or "").split(), element.get("id"))
        style |= parse_declarations(element.get("style") or "")
        for attribute, name in (("bgcolor", "background-color"), ("color", "color")):
            if attribute in element.attrib:
                style.setdefault(name, element.get(attribute).lower())
        return style


def _hiding_reason(element: HtmlElement, declarations: Style) -> str | None:
    if element.tag in _UNSEEN_TAGS or (element.tag == "dialog" and "open" not in element.attrib):
        return f"<{element.tag}>"
    if "hidden" in element.attrib:
        return "hidden"
    if (element.get("aria-hidden") or "").strip().lower() == "true":
        return "aria-hidden"
    return hidden_by(declarations)


def _inherit(style: Style, declarations: Style) -> Style:
    own = {name: declarations[name] for name in _INHERITED if declarations.get(name)}
    background = declarations.get("background-color") or declarations.get("background")
    if background and not is_transparent(background):
        own["background"] = background
    return {**style, **own} if own else style


def _unreadable(style: Style) -> str | None:
    colour, size, visibility = (style.get(name, "") for name in ("color", "font-size", "visibility"))
    text, background = parse_colour(colour), parse_colour(style.get("background", ""))
    if text and background and look_alike(text, background):
        return "color: that of the background"
    if visibility in {"hidden", "collapse"}:
        return f"visibility: {visibility}"
    if is_tiny(size):
        return f"font-size: {size}"
    return f"color: {colour}" if is_transparent(colour) else None


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


def parse_declarations(text: str) -> dict[str, str]:
    """Return the properties of a declaration list, in lower case and without `!important`."""
    plain = _ESCAPE.sub(_unescaped, _COMMENT.sub("", text)).lower()
    pairs = (part.partition(":") for part in plain.split(";"))
    return {name.strip(): value.replace("!important", "").strip() for name, colon, value in pairs if colon}


def _unescaped(match: re.Match[str]) -> str:
    code = int(match[1], 16) if match[1] else ord(match[2])
    return chr(code) if 0 < code <= sys.maxunicode else ""


def hidden_by(style: Style) -> str | None:
    """Return the declaration that hides an element and its content, or None."""
    opacity = _length(style.get("opacity"), percent=0.01)
    sizes = [_length(style.get(name)) for name in _SIZES]
    clipped = style.get("overflow") in {"hidden", "clip"}
    tests = {
        "display": style.get("display") == "none",
        "content-visibility": style.get("content-visibility") == "hidden",
        "opacity": opacity is not None and opacity < _FAINT,
        "position": style.get("position") in {"absolute", "fixed"}
        and _is_far(style, "left", "top", "right", "bottom"),
        "margin": _is_far(style, "margin-left", "margin-top"),
        "text-indent": _is_far(style, "text-indent"),
        "transform": _is_transformed_away(style.get("transform", "")),
        "clip": _is_clipped(style),
        "overflow": clipped and any(size is not None and size <= 1 for size in sizes),
    }
    hiding = (name for name, hides in tests.items() if hides)
    return next((f"{name}: {style[name]}" if name in style else name for name in hiding), None)


def is_tiny(size: str) -> bool:
    """Return whether a font size is too small to read."""
    pixels = _length(size)
    return pixels is not None and pixels < _TINY_FONT


def parse_colour(value: str) -> Colour | None:
    """Return a colour as red, green and blue; None if it is not understood or not opaque."""
    if digits := re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", value):
        pairs = digits[1] if len(digits[1]) > len("rgb") else "".join(2 * digit for digit in digits[1])
        red, green, blue = bytes.fromhex(pairs)
        return red, green, blue
    if parts := _RGB.fullmatch(value):
        return int(parts[1]), int(parts[2]), int(parts[3])
    return _COLOURS.get(value)


def is_transparent(value: str) -> bool:
    """Return whether a colour is fully transparent."""
    return _CLEAR.fullmatch(value) is not None


def look_alike(one: Colour, other: Colour) -> bool:
    """Return whether two colours are too close to tell apart."""
    return all(abs(a - b) <= _SIMILAR for a, b in zip(one, other, strict=True))


def _length(value: str | None, percent: float = _PIXELS["%"]) -> float | None:
    """Return a length in pixels, None if it is not understood; per cent are by default of the height of a letter."""
    match = _LENGTH.fullmatch((value or "").strip())
    if not match:
        return None
    return float(match[1]) * (percent if match[2] == "%" else _PIXELS.get(match[2], 1.0))


def _is_far(style: Style, *names: str) -> bool:
    sizes = (_length(style.get(name)) for name in names)
    return any(size is not None and not _FAR < size < _FAR_AWAY for size in sizes)


def _is_transformed_away(value: str) -> bool:
    for name, arguments in _TRANSFORM.findall(value):
        sizes = [_length(part) for part in re.split(r"[\s,]+", arguments.strip())]
        far = any(size is not None and abs(size) >= -_FAR for size in sizes)
        if far if name == "translate" else 0 in sizes:
            return True
    return False


def _is_clipped(style: Style) -> bool:
    clip = style.get("clip", "")
    sides = [_length(part) for part in re.findall(r"[^\s,()]+", clip.removeprefix("rect"))]
    shut = clip.startswith("rect") and all(side is not None and abs(side) <= 1 for side in sides)
    return shut or _CLIP_PATH.match(style.get("clip-path", "")) is not None

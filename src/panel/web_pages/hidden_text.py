"""Remove text that a visitor of a page cannot see, where instructions to a model are often hidden.

Removed are comments, scripts, templates and fallbacks of frames; elements with `hidden` or `aria-hidden`; and text that CSS
inside the page (`css.py`) does not display, or makes invisible, transparent, tiny, clipped, moved off the screen, or of the
colour of its background.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from panel.core.text import one_line
from panel.web_pages.css import (
    WHITE,
    StyleSheet,
    hidden_by,
    is_tiny,
    is_transparent,
    look_alike,
    parse_colour,
    parse_declarations,
)

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from panel.web_pages.css import Colour

MAX_NOTES = 50
SHOWN_CHARS = 160

_UNSEEN = """
applet audio canvas datalist embed iframe noembed noframes noscript object script select style template textarea video
"""
_UNSEEN_TAGS = frozenset(_UNSEEN.split())
_WITHOUT_NOTE = frozenset({"script", "style"})  # no text for people
_BLACK: Colour = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class _TextStyle:
    """Inherited style of text; the reasons are declarations that make it unreadable, or None.

    Attributes:
        colour: None if unknown.
        background: None if unknown.
        colour_stated: whether a declaration sets the colour.
        invisible: reason by visibility.
        tiny: reason by font size.
        transparent: reason by colour.
    """

    colour: Colour | None = _BLACK
    background: Colour | None = None
    colour_stated: bool = False
    invisible: str | None = None
    tiny: str | None = None
    transparent: str | None = None

    @property
    def hiding_reason(self) -> str | None:
        if (
            self.colour_stated
            and self.colour
            and self.background
            and look_alike(self.colour, self.background)
        ):
            return "color: that of the background"
        return self.invisible or self.tiny or self.transparent


def remove_hidden_text(root: HtmlElement) -> tuple[str, ...]:
    """Remove hidden text from a parsed page, in place; return a note about each removed text, in the order of the page."""
    remover = _Remover(root)
    remover.run()
    notes = remover.notes[:MAX_NOTES]
    if len(remover.notes) > MAX_NOTES:
        notes.append(f"… and {len(remover.notes) - MAX_NOTES} more")
    if remover.comments:
        notes.append(f"{remover.comments} comment{'' if remover.comments == 1 else 's'}")
    return tuple(notes)


class _Remover:
    def __init__(self, root: HtmlElement) -> None:
        self.notes: list[str] = []
        self.comments = 0
        self._root = root
        self._sheet = StyleSheet(style.text_content() for style in root.iter("style"))
        self._styles: dict[HtmlElement, _TextStyle | None] = {}  # None for a hidden element
        self._hidden: list[HtmlElement] = []

    def run(self) -> None:
        """Visit all elements, parents before children, and remove the hidden ones at the end."""
        for element in self._root.iter():
            if not isinstance(element.tag, str):
                self.comments += 1
                self._hidden.append(element)
            elif element is self._root:
                page = _TextStyle(background=self._page_background())
                self._styles[element] = _inherit(page, self._declarations(element))
            else:
                self._visit(element)
        for element in self._hidden:
            if element.getparent() is not None:
                element.drop_tree()

    def _visit(self, element: HtmlElement) -> None:
        inherited = self._styles[element.getparent()]
        self._styles[element] = None
        if inherited is None:
            return
        declarations = self._declarations(element)
        if reason := _hiding_reason(element, declarations):
            self._hidden.append(element)
            if element.tag not in _WITHOUT_NOTE:
                self._note(element, reason, element.text_content())
            return
        self._styles[element] = style = _inherit(inherited, declarations)
        # The extraction of the main text has rules of its own about these attributes.
        for name in [name for name in element.attrib if name == "style" or name.startswith("data-")]:
            del element.attrib[name]
        if style.hiding_reason:
            self._remove_own_text(element, style.hiding_reason)

    def _remove_own_text(self, element: HtmlElement, reason: str) -> None:
        """Remove the text directly in an element; a child element may be visible again."""
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

    def _page_background(self) -> Colour | None:
        """Return white, or None if a style sheet may set another background."""
        links = self._root.iter("link")
        linked = any("stylesheet" in (link.get("rel") or "").lower() for link in links)
        return None if linked or self._sheet.sets_background else WHITE


def _hiding_reason(element: HtmlElement, declarations: dict[str, str]) -> str | None:
    if element.tag in _UNSEEN_TAGS:
        return f"<{element.tag}>"
    if "hidden" in element.attrib:
        return "hidden"
    if (element.get("aria-hidden") or "").strip().lower() == "true":
        return "aria-hidden"
    if element.tag == "dialog" and "open" not in element.attrib:
        return "<dialog>"
    return hidden_by(declarations)


def _inherit(style: _TextStyle, declarations: dict[str, str]) -> _TextStyle:
    if visibility := declarations.get("visibility"):
        hides = visibility in {"hidden", "collapse"}
        style = replace(style, invisible=f"visibility: {visibility}" if hides else None)
    if size := declarations.get("font-size"):
        style = replace(style, tiny=f"font-size: {size}" if is_tiny(size) else None)
    background = declarations.get("background-color") or declarations.get("background")
    if background and not is_transparent(background):
        style = replace(style, background=parse_colour(background))
    if colour := declarations.get("color"):
        reason = f"color: {colour}" if is_transparent(colour) else None
        style = replace(style, colour=parse_colour(colour), colour_stated=True, transparent=reason)
    return style

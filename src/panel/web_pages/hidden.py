"""What a visitor cannot see, taken out of a page before anything is read from it.

Instructions to a model are often put where people do not look. Hidden are: comments, scripts, templates and the
fallbacks of frames; what an attribute hides (`hidden`, `aria-hidden`), and what CSS within the page does
(`styles.py`): not displayed, invisible, transparent, tiny, clipped, moved off the screen, or in the colour of its
background.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from panel.core.text import one_line
from panel.web_pages.styles import (
    WHITE,
    Sheet,
    alike,
    colour,
    declarations,
    hidden_by,
    is_tiny,
    is_transparent,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from panel.web_pages.styles import Colour

MAX_NOTES = 50
SHOWN_CHARS = 160

_UNSEEN_TAGS = """
applet audio canvas datalist embed iframe noembed noframes noscript object script select style template textarea video
"""
_UNSEEN = frozenset(_UNSEEN_TAGS.split())
_SILENT = frozenset({"script", "style"})  # removed without a note: no text for people
_BLACK: Colour = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Look:
    """What text inherits: its colour, the background, which is None if unknown, and why it cannot be seen, if so."""

    ink: Colour | None = _BLACK
    ground: Colour | None = None
    is_stated: bool = False
    invisible: str | None = None
    tiny: str | None = None
    clear: str | None = None

    @property
    def fault(self) -> str | None:
        """Why text that looks like this cannot be seen, or None."""
        if self.is_stated and self.ink and self.ground and alike(self.ink, self.ground):
            return "color: that of the background"
        return self.invisible or self.tiny or self.clear


def strip_hidden(root: HtmlElement) -> tuple[str, ...]:
    """Take out of a page what cannot be seen; return what it was, a line each, in the order of the page.

    Args:
        root: of the page, with its comments; changed in place.
    """
    stripper = _Stripper(root)
    stripper.run()
    return tuple(stripper.notes())


class _Stripper:
    def __init__(self, root: HtmlElement) -> None:
        self._root = root
        self._sheet = Sheet(style.text_content() for style in root.iter("style"))
        self._looks: dict[HtmlElement, _Look | None] = {}
        self._doomed: list[HtmlElement] = []
        self._notes: list[str] = []
        self._counts: Counter[str] = Counter()

    def run(self) -> None:
        """Walk the page in its order, parents before what is in them, and cut at the end."""
        for element in self._root.iter():
            if not isinstance(element.tag, str):
                self._counts["comments"] += 1
                self._doomed.append(element)
            elif element is self._root:
                self._looks[element] = self._look(element, _Look(ground=self._paper()))
            else:
                self._visit(element)
        for element in self._doomed:
            if element.getparent() is not None:
                element.drop_tree()

    def notes(self) -> Iterator[str]:
        """Yield what was taken out, and how much more there was."""
        yield from self._notes[:MAX_NOTES]
        if len(self._notes) > MAX_NOTES:
            yield f"… and {len(self._notes) - MAX_NOTES} more"
        yield from (f"{count} {what}" for what, count in self._counts.items())

    def _visit(self, element: HtmlElement) -> None:
        around = self._looks[element.getparent()]
        if around is None:
            self._looks[element] = None
            return
        reason = self._removal(element)
        if reason:
            self._looks[element] = None
            self._doomed.append(element)
            if element.tag not in _SILENT:
                self._note(element, reason, element.text_content())
            return
        self._looks[element] = look = self._look(element, around)
        # What reads the text later has rules of its own for these.
        for name in [name for name in element.attrib if name == "style" or name.startswith("data-")]:
            del element.attrib[name]
        self._blank(element, look)

    def _removal(self, element: HtmlElement) -> str | None:
        if element.tag in _UNSEEN:
            return f"<{element.tag}>"
        if "hidden" in element.attrib:
            return "hidden"
        if (element.get("aria-hidden") or "").strip().lower() == "true":
            return "aria-hidden"
        if element.tag == "dialog" and "open" not in element.attrib:
            return "<dialog>"
        return hidden_by(self._style(element))

    def _blank(self, element: HtmlElement, look: _Look) -> None:
        """Take out the text right in an element if it cannot be seen; elements in it may undo what hides it."""
        if not look.fault:
            return
        texts = [element.text or "", *(child.tail or "" for child in element)]
        element.text = None
        for child in element:
            child.tail = None
        self._note(element, look.fault, " ".join(texts))

    def _note(self, element: HtmlElement, reason: str, text: str) -> None:
        shown = one_line(text)
        if shown:
            cut = f"{shown[:SHOWN_CHARS]}…" if len(shown) > SHOWN_CHARS else shown
            self._notes.append(f"line {element.sourceline}, {one_line(reason)[:SHOWN_CHARS]}: {cut}")

    def _style(self, element: HtmlElement) -> dict[str, str]:
        style = self._sheet.style_of(element.tag, (element.get("class") or "").split(), element.get("id"))
        style |= declarations(element.get("style") or "")
        for attribute, name in (("bgcolor", "background-color"), ("color", "color")):
            if attribute in element.attrib:
                style.setdefault(name, element.get(attribute).lower())
        return style

    def _look(self, element: HtmlElement, around: _Look) -> _Look:
        style = self._style(element)
        look = around
        if "visibility" in style:
            shut = style["visibility"] in {"hidden", "collapse"}
            look = replace(look, invisible=f"visibility: {style['visibility']}" if shut else None)
        if "font-size" in style:
            look = replace(
                look, tiny=f"font-size: {style['font-size']}" if is_tiny(style["font-size"]) else None
            )
        if ground := style.get("background-color") or style.get("background"):
            look = look if is_transparent(ground) else replace(look, ground=colour(ground))
        if ink := style.get("color"):
            clear = f"color: {ink}" if is_transparent(ink) else None
            look = replace(look, ink=colour(ink), is_stated=True, clear=clear)
        return look

    def _paper(self) -> Colour | None:
        """Return the colour of the page: white, unless some style sheet may set another."""
        links = self._root.iter("link")
        linked = any("stylesheet" in (link.get("rel") or "").lower() for link in links)
        return None if linked or self._sheet.sets_background else WHITE

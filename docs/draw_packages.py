"""Draw the packages of panel and their imports as docs/packages.svg.

    python docs/draw_packages.py            writes the picture
    python docs/draw_packages.py --check    exits with 1 if the picture is out of date

Rows are the layers of the import contract in pyproject.toml. An arrow is an import, those for type checking included. An import that
follows from two others (a to b, b to c) is left out, so that the picture stays readable.
"""

from __future__ import annotations

import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path
from xml.sax.saxutils import escape

import grimp

DOCS = Path(__file__).resolve().parent
PICTURE = DOCS / "packages.svg"
BOX_WIDTH, BOX_HEIGHT, GAP, ROW = 112, 34, 26, 108
WIDTH = 8 * (BOX_WIDTH + GAP) + GAP
STYLE = """
text { font: 600 14px system-ui, sans-serif; fill: #1b1f24; text-anchor: middle; }
rect { fill: #eef3f8; stroke: #5b6b7b; }
path { fill: none; stroke: #5b6b7b; stroke-opacity: .75; }
marker path { fill: #5b6b7b; stroke: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e8edf2; } rect { fill: #26313c; stroke: #8ea0b2; } path { stroke: #8ea0b2; } marker path { fill: #8ea0b2; }
}
"""


def layers() -> list[list[str]]:
    """Return the packages of each layer, high to low."""
    settings = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))
    contract = next(one for one in settings["tool"]["importlinter"]["contracts"] if one["type"] == "layers")
    return [layer.replace("|", ":").replace(" ", "").split(":") for layer in contract["layers"]]


def package_imports() -> dict[str, set[str]]:
    """Return the packages that each package imports, without those that follow from others."""
    graph = grimp.build_graph("panel")
    found: dict[str, set[str]] = {name: set() for row in layers() for name in row}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            parts, others = module.split("."), imported.split(".")
            if (
                len(parts) > 1
                and len(others) > 1
                and parts[1] != others[1]
                and parts[1] in found
                and others[1] in found
            ):
                found[parts[1]].add(others[1])
    reachable: dict[str, set[str]] = {}
    for name in TopologicalSorter(found).static_order():  # imported packages first; a cycle is an error
        reachable[name] = found[name].union(*(reachable[one] for one in found[name]))
    return {
        name: {one for one in direct if not any(one in reachable[other] for other in direct)}
        for name, direct in found.items()
    }


def drawing() -> str:
    """Return the picture as SVG text; equal code gives equal text."""
    places: dict[str, tuple[float, float]] = {}
    for row, names in enumerate(layers()):
        left = (WIDTH - len(names) * (BOX_WIDTH + GAP) + GAP) / 2
        for column, name in enumerate(names):
            # Neighbours stand a little higher and lower, so that an arrow between them does not cross the boxes in between.
            step = (column % 2) * 22 if len(names) > 1 else 0
            places[name] = (left + column * (BOX_WIDTH + GAP), 16 + row * ROW + step)
    lines = []
    for name, imports in sorted(package_imports().items()):
        for other in sorted(imports):
            (x, y), (to_x, to_y) = places[name], places[other]
            x, to_x = x + BOX_WIDTH / 2, to_x + BOX_WIDTH / 2
            if abs(to_y - y) < ROW / 2:
                start, end = y + BOX_HEIGHT, to_y + BOX_HEIGHT + 3
                bend = max(start, end) + 16
                lines.append(
                    f'<path d="M{x:g} {start:g} C{x:g} {bend:g} {to_x:g} {bend:g} {to_x:g} {end:g}" marker-end="url(#to)"/>'
                )
            else:
                start, end = y + BOX_HEIGHT, to_y - 3
                middle = (start + end) / 2
                lines.append(
                    f'<path d="M{x:g} {start:g} C{x:g} {middle:g} {to_x:g} {middle:g} {to_x:g} {end:g}" marker-end="url(#to)"/>'
                )
    boxes = [
        f'<rect x="{x:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6"/>'
        f'<text x="{x + BOX_WIDTH / 2:g}" y="{y + 22:g}">{escape(name)}</text>'
        for name, (x, y) in places.items()
    ]
    height = 16 + len(layers()) * ROW - 30
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="The packages of panel; arrows are imports and lead down.">'
    )
    marker = (
        '<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z"/></marker></defs>'
    )
    return "\n".join([head, f"<style>{STYLE}</style>", marker, *lines, *boxes, "</svg>", ""])


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(PICTURE.read_text("utf-8") != drawing())
    PICTURE.write_text(drawing(), "utf-8")

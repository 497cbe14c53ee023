"""A panel of AI critics reviews new software tools and compares them side by side.

    from panel import compare, render

    comparison = compare("a.yaml", "b.yaml", model="openai")
    print(render(comparison, "md"))

`docs/api.md` describes the API. Names are imported when they are first used, so that `import panel` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from panel.version import __version__

if TYPE_CHECKING:
    from panel.api import AsyncPanel, AsyncStore, Panel, Store, compare, read_tools, render, review
    from panel.core.comparison import Comparison
    from panel.core.draft_state import Action
    from panel.core.finding import Resolution
    from panel.core.review import PanelReview
    from panel.core.take import NoTake, Seat, Take, Verdict
    from panel.core.tool import Tool
    from panel.errors import PanelError

_MODULES = {
    "panel.api": ("AsyncPanel", "AsyncStore", "Panel", "Store", "compare", "read_tools", "render", "review"),
    "panel.core.comparison": ("Comparison",),
    "panel.core.draft_state": ("Action",),
    "panel.core.finding": ("Resolution",),
    "panel.core.review": ("PanelReview",),
    "panel.core.take": ("NoTake", "Seat", "Take", "Verdict"),
    "panel.core.tool": ("Tool",),
    "panel.errors": ("PanelError",),
}
_ORIGINS = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Action",
    "AsyncPanel",
    "AsyncStore",
    "Comparison",
    "NoTake",
    "Panel",
    "PanelError",
    "PanelReview",
    "Resolution",
    "Seat",
    "Store",
    "Take",
    "Tool",
    "Verdict",
    "__version__",
    "compare",
    "read_tools",
    "render",
    "review",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    """Import a public name."""
    if name not in _ORIGINS:
        raise AttributeError(f"module 'panel' has no attribute {name!r}")
    return getattr(import_module(_ORIGINS[name]), name)

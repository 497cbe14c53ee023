"""What HTML and Markdown pages have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.core.comparison import Comparison
from panel.core.urls import public_address

if TYPE_CHECKING:
    from panel.core.review import PanelReview


def one_column(review: PanelReview) -> Comparison:
    """Return a review as a comparison of one, so that its page has the same tables with one column."""
    # Not validated, because a comparison proper needs two.
    return Comparison.model_construct(reviews=(review,))


def trail(page: Comparison) -> tuple[str, str]:
    """Return the breadcrumb: the section and the page."""
    return "Compare" if len(page.reviews) > 1 else "Reviews", page.title


def safe_href(url: str | None) -> str | None:
    """Return an address that a page may link to, http or https with a public host, else None."""
    try:
        return public_address(url) if url else None
    except ValueError:
        return None

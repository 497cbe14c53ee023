"""Checks of a review before a person approves it.

Each finding says what it is about, where it stands and how: a claim of a take is in the listing, sourced or unsupported, and
everything else is flagged for an editor to look at. All of it is decided by the texts alone, in linear time.
"""

from __future__ import annotations

from panel.checks.run import check_listing, check_review, check_take
from panel.core.finding import CheckKind, Finding, Span, Status, Where

__all__ = ["CheckKind", "Finding", "Span", "Status", "Where", "check_listing", "check_review", "check_take"]

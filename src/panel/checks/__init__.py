"""Checks of a review before a person approves it.

A claim of a take is in the listing, sourced or unsupported; everything else that a check finds is flagged. The texts alone decide, in
linear time. Each check is one module of `panel.checks.rules`, collected by `panel.checks.registry`.
"""

from __future__ import annotations

from panel.checks.registry import (
    Check,
    all_checks,
    allowed_resolutions,
    blocks,
    check_of,
    finding_label,
    unresolved,
)
from panel.checks.run import check_listing, check_review, check_take
from panel.core.finding import Finding, Span, Status, Where

__all__ = [
    "Check",
    "Finding",
    "Span",
    "Status",
    "Where",
    "all_checks",
    "allowed_resolutions",
    "blocks",
    "check_listing",
    "check_of",
    "check_review",
    "check_take",
    "finding_label",
    "unresolved",
]

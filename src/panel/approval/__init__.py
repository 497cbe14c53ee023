"""Approval: the way of a draft to publication, the same in the terminal and in the browser. `service.py` says how it is used."""

from __future__ import annotations

from panel.approval.commands import DraftCommand, StaleDraft, parse_resolution
from panel.approval.history import FieldDiff, HistoryEntry, history_entries, outcome_message, state_message
from panel.approval.service import ApprovalService, check_allowed
from panel.approval.view import DraftView, NumberedFinding

__all__ = [
    "ApprovalService",
    "DraftCommand",
    "DraftView",
    "FieldDiff",
    "HistoryEntry",
    "NumberedFinding",
    "StaleDraft",
    "check_allowed",
    "history_entries",
    "outcome_message",
    "parse_resolution",
    "state_message",
]

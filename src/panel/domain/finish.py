"""Why a model stopped writing."""

from __future__ import annotations

from enum import StrEnum


class Finish(StrEnum):
    """Why a model stopped writing."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    FILTERED = "filtered"

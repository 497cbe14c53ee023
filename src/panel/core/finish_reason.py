"""Why a model stopped writing: an enumeration for the command line, which must not load pydantic."""

from __future__ import annotations

from enum import StrEnum


class FinishReason(StrEnum):
    """Why a model stopped writing. An answer that was INTERRUPTED, for any other reason, may not be whole."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"  # at the output limit
    REFUSED = "refused"  # by the model
    FILTERED = "filtered"  # by the provider
    TOO_LONG = "too_long"  # for the context window
    INTERRUPTED = "interrupted"

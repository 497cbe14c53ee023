"""Why a model stopped writing."""

from __future__ import annotations

from enum import StrEnum


class Finish(StrEnum):
    """Why a model stopped writing.

    Attributes:
        COMPLETE: it was done.
        TRUNCATED: it had written as much as it was allowed to.
        REFUSED: it declined.
        FILTERED: the provider withheld the answer.
        TOO_LONG: prompt and answer do not fit its context window.
        INTERRUPTED: for another reason, such as a pause or one that panel does not know; the text cannot be trusted to be whole.
    """

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    FILTERED = "filtered"
    TOO_LONG = "too_long"
    INTERRUPTED = "interrupted"

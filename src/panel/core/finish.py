"""The reasons why a model stops writing, in a module that loads no validation library."""

from __future__ import annotations

from enum import StrEnum


class Finish(StrEnum):
    """Why a model stopped writing.

    Attributes:
        COMPLETE: the answer is whole.
        TRUNCATED: the output limit was reached.
        REFUSED: the model declined.
        FILTERED: the provider withheld the answer.
        TOO_LONG: prompt and answer do not fit the context window.
        INTERRUPTED: another reason, such as a pause or an unknown one; the text may not be whole.
    """

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    FILTERED = "filtered"
    TOO_LONG = "too_long"
    INTERRUPTED = "interrupted"

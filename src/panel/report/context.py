"""What a report says beside the review itself."""

from __future__ import annotations

from pydantic import Field

from panel.core.base import Frozen


class ReportContext(Frozen):
    """Plain values that a caller hands to a report.

    Attributes:
        generator: the program and its version, as the page's foot and metadata name it.
        mottos: each critic's stance in one line, by persona id; those that are missing are left out.
    """

    generator: str = "panel"
    mottos: dict[str, str] = Field(default_factory=dict)


PLAIN = ReportContext()

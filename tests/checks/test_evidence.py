from __future__ import annotations

import pytest

from builders import take, tool
from panel.checks import Status, check_take

LISTED = tool(
    description="Lantern reads log files \u2014 even the vendor\u2019s own \u2014 and marks uncertain lines.\n\nNothing leaves the caf\u00e9.",
    pricing="$8/month",
)


def status(quote: str) -> Status:
    """Return the status of a quote."""
    (finding,) = check_take(take(evidence=(quote,)), "builder", LISTED)
    assert finding.kind == "evidence"
    assert (finding.where.field, finding.text) == ("evidence.0", quote)
    return finding.status


@pytest.mark.parametrize(
    "quote",
    [
        "reads log files",
        "READS  log\nfiles",
        "even the vendor's own - and marks",
        "**marks** uncertain `lines`",
        "\u201cNothing leaves the cafe\u0301\u201d",
        "\uff4darks uncertain lines",
        "marks uncertain lines...",
        "Lantern reads \u2026 uncertain lines",
        "log files [...] leaves the caf\u00e9.",
        "$8/month",
    ],
)
def test_quotes_are_found_whatever_their_typography(quote: str) -> None:
    assert status(quote) is Status.IN_LISTING


@pytest.mark.parametrize(
    "quote",
    [
        "reads all log files",
        "uncertain lines \u2026 reads log",
        "eads log file",
        "uncertain lines. $8/month",
        "\u2026",
        "",
    ],
)
def test_other_quotes_are_unsupported(quote: str) -> None:
    assert status(quote) is Status.UNSUPPORTED

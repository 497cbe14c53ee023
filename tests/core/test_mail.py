from __future__ import annotations

import pytest

from panel.core.mail import mail_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("kim@example.org", "kim@example.org"),
        (" Kim.O+news@Example.ORG ", "Kim.O+news@example.org"),
        ("kim@bücher.example", "kim@xn--bcher-kva.example"),
        ("o'kim@sub.example.org", "o'kim@sub.example.org"),
    ],
)
def test_an_address_is_normalized(text: str, address: str) -> None:
    assert mail_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kim",
        "@example.org",
        "kim@",
        "kim@localhost",
        "kim@example",
        "kim@-x.example",
        "kim@example.org\r\nBcc: ada@example.org",
        "kim@example.org,ada@example.org",
        "Kim <kim@example.org>",
        "kim@[127.0.0.1]",
        "kim@127.0.0.1",
        ".kim@example.org",
        "k..m@example.org",
        '"kim"@example.org',
        "k@m@example.org",
        "kim\x00@example.org",
        "kïm@example.org",
        f"{'k' * 65}@example.org",
        f"kim@{'e' * 64}.org",
        f"kim@{'e.' * 130}org",
    ],
)
def test_an_invalid_address_is_refused(text: str) -> None:
    """Also one that could end a header, name two people or reach this machine."""
    with pytest.raises(ValueError, match="expected a mail address"):
        mail_address(text)

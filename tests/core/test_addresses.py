"""Public web addresses, and mail addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.core.addresses import MAX_URL_CHARS, mail_address, public_address

PRIVATE_HOSTS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "127.0.0.1.",
    "0.0.0.0",  # noqa: S104 - an address to refuse, not to bind
    "0",
    "10.0.0.1",
    "192.168.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:8.8.8.8]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[2001:db8::1]",
    "[fd00::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff0e::1]",
    "①②⑦.⓪.⓪.①",
    "\uff11\uff12\uff17。0。0。1",
    "localhost",
    "localhost:6379",
    "LOCALHOST.",
    "ⓛocalhost",
    "app.localhost",
    "printer.local",
    "metadata.google.internal",
    "router.home.arpa",
    "nas.lan",
    "intranet",
    "ai",
    "127.0.0.1.nip.io",
    "10-0-0-1.sslip.io",
    "7f000001.nip.io",
    "app.localtest.me",
    "lvh.me",
    "10.0.0.1.example.com",
    "www.192.168.1.1.example.com",
]

MALFORMED = [
    "",
    "example.com",
    "//exfil.invalid",
    "http:/example.com",
    "http:example.com",
    "http://",
    "https:///path",
    "http://:80/",
    "ftp://example.com/",
    "gopher://127.0.0.1:6379/_PING",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "javascript://example.com/%0aalert(1)",
    "vbscript:x",
    "data:text/html,<script>alert(1)</script>",
    " https://example.com",
    "https://example.com/a b",
    "java\tscript:alert(1)",
    "https://exa\nmple.com",
    "https://exam\u00adple.com",
    "https://example.com/\u202egnp",
    "https://example.com/\ud83d",
    "https://exfil.invalid\\@example.com",
    "http://example.com@127.0.0.1/",
    "https://user:secret@example.com/",
    "http://127.0.0.1#@example.com/",
    "http://127.0.0.1?@example.com/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:http/",
    "https://example.com:80:90/",
    "https://exa%6dple.com/",
    "https://example..com/",
    "https://-example.com/",
    "https://exam ple.com/",
    "https://example.com,evil.com/",
    "https://[2606:4700::1111/",
    "https://[2606:4700::1111]evil.com/",
    "https://x[2606:4700::1111]/",
    "https://[v1.example.com]/",
    "https://[1:2]/",
    "https://[2606:4700::1111%25eth0]/",
    "https://256.1.1.1/",
    "https://8.8.8/",
    "https://example.0x7f/",
    f"https://{'a' * 64}.com/",
    f"https://{'a.' * 130}com/",
    f"https://{'é' * 240}.com/",
    "https://a\u2100b.com/",
]


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_a_host_that_is_not_public_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"open to the public|four decimal numbers"):
        public_address(f"http://{host}/latest")


@pytest.mark.parametrize("url", MALFORMED)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"must |can be read|open to the public"):
        public_address(url)


@pytest.mark.parametrize(
    ("url", "normalised"),
    [
        ("https://lantern.dev", "https://lantern.dev"),
        ("HTTPS://Lantern.DEV:443/A?b=C&d=%20#e", "https://lantern.dev/A?b=C&d=%20#e"),
        ("http://lantern.dev:80/", "http://lantern.dev/"),
        ("http://lantern.dev:/", "http://lantern.dev/"),
        ("https://lantern.dev:8443/", "https://lantern.dev:8443/"),
        ("https://lantern.dev./", "https://lantern.dev/"),
        ("https://bücher.example/straße", "https://xn--bcher-kva.example/stra%C3%9Fe"),
        ("https://straße.example/", "https://xn--strae-oqa.example/"),
        ("https://例え。jp/", "https://xn--r8jz45g.jp/"),
        ("https://\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45.com/", "https://example.com/"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2606:4700:0::1111]/", "https://[2606:4700::1111]/"),
        ('https://lantern.dev/"><script>', "https://lantern.dev/%22%3E%3Cscript%3E"),
        ("https://release-1-2-3-4.lantern.dev/v10.0.0.1", "https://release-1-2-3-4.lantern.dev/v10.0.0.1"),
        ("https://my_shop.lantern.dev/", "https://my_shop.lantern.dev/"),
    ],
)
def test_a_public_address_is_normalised(url: str, normalised: str) -> None:
    assert public_address(url) == normalised
    assert public_address(normalised) == normalised


def test_an_address_has_a_limit() -> None:
    longest = "https://lantern.dev/".ljust(MAX_URL_CHARS, "a")
    assert public_address(longest) == longest
    with pytest.raises(ValueError, match="2001 characters, the limit is 2000"):
        public_address(longest + "a")


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_every_number_form_of_a_private_address_is_refused(address: object) -> None:
    whole = int(address)  # type: ignore[call-overload]  # an IPv4Address, which the strategy's type does not say
    for host in (
        str(address),
        str(whole),
        hex(whole),
        f"0{whole:o}",
        f"[::ffff:{address}]",
        f"{address}.nip.io",
    ):
        with pytest.raises(ValueError, match=r"open to the public|four decimal numbers"):
            public_address(f"https://{host}/")


@given(st.text(max_size=60).map("https://".__add__) | st.text(max_size=60))
def test_an_address_is_normalised_or_refused(url: str) -> None:
    try:
        address = public_address(url)
    except ValueError:
        return
    assert address.isascii()
    assert public_address(address) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("kim@example.org", "kim@example.org"),
        (" Kim.O+news@Example.ORG ", "Kim.O+news@example.org"),
        ("kim@bücher.example", "kim@xn--bcher-kva.example"),
        ("o'kim@sub.example.org", "o'kim@sub.example.org"),
    ],
)
def test_a_mail_address_is_normalised(text: str, address: str) -> None:
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
def test_an_invalid_mail_address_is_refused(text: str) -> None:
    """Also one that could end a header, name two people or reach this machine."""
    with pytest.raises(ValueError, match="expected a mail address"):
        mail_address(text)

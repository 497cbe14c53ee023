"""Sign-up for the newsletter, confirmed and left as mail programs and people do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from panel.newsletter.mail import MailServerDown
from panel.newsletter.subscribers import leave_token
from panel.store import SubscriptionState
from panel.web.public.app import create_public_app
from panel.web.public.newsletter import Newsletter
from panel.web.public.requests import PublicServices

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from panel.newsletter.mail import MailMessage
    from panel.store import Store

pytestmark = pytest.mark.anyio

SECRET = b"s" * 32
URL = "https://reviews.example"
KIM = {"mail": "kim@example.org"}


@pytest.fixture
def sent() -> list[MailMessage]:
    """The mails that were sent."""
    return []


@pytest.fixture
async def reader(store: Store, tmp_path: Path, sent: list[MailMessage]) -> AsyncIterator[httpx2.AsyncClient]:
    """A reader's browser."""
    services = PublicServices(store, tmp_path, SECRET, frozenset({"reviews.example"}))
    letter = Newsletter("Panel reviews", URL, SECRET, sent.append)
    app = create_public_app(services, letter.routes())
    transport = httpx2.ASGITransport(app, client=("127.0.0.1", 50_000))
    async with httpx2.AsyncClient(transport=transport, base_url=URL) as opened:
        yield opened


def link(message: Any) -> str:
    """Return the path of the link in a mail."""
    found = re.search(r"https://reviews\.example(/newsletter/\S+)", message.text)
    assert found
    return found[1]


async def test_a_sign_up_is_confirmed_by_the_button_behind_the_link(
    reader: httpx2.AsyncClient, store: Store, sent: list[MailMessage]
) -> None:
    """Opening the link changes nothing."""
    page = await reader.post("/newsletter", data=KIM)
    assert "a mail with a link is on its way" in page.text
    path = link(sent[0])
    shown = await reader.get(path)
    assert "Send the newsletter to kim@example.org?" in shown.text
    assert '<form method="post"' in shown.text
    (known,) = await store.subscribers.page()
    assert known.state is SubscriptionState.PENDING
    assert "You are signed up" in (await reader.post(path)).text
    (known,) = await store.subscribers.page()
    assert known.state is SubscriptionState.CONFIRMED


async def test_opening_the_form_s_address_redirects_to_the_form(reader: httpx2.AsyncClient) -> None:
    answer = await reader.get("/newsletter")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{URL}/#sign-up")


async def test_nobody_learns_who_is_on_the_list(reader: httpx2.AsyncClient, sent: list[MailMessage]) -> None:
    """The answer is the same for an address on the list, which gets no mail."""
    first = await reader.post("/newsletter", data=KIM)
    await reader.post(link(sent[0]))
    second = await reader.post("/newsletter", data=KIM)
    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert len(sent) == 1


async def test_bots_get_no_mail(reader: httpx2.AsyncClient, sent: list[MailMessage]) -> None:
    """A bot fills in the field that people do not see."""
    answer = await reader.post("/newsletter", data={**KIM, "website": "https://exfil.invalid"})
    assert answer.status_code == 200
    assert sent == []


@pytest.mark.parametrize(
    "mail", ["", "kim", "kim@example.org\r\nBcc: ada@example.org", "<script>alert(1)</script>@x.org"]
)
async def test_an_invalid_address_is_refused(
    reader: httpx2.AsyncClient, sent: list[MailMessage], mail: str
) -> None:
    """Nothing is sent."""
    answer = await reader.post("/newsletter", data={"mail": mail})
    assert answer.status_code == 400
    assert "Expected a mail address" in answer.text
    assert "<script" not in answer.text
    assert sent == []


async def test_an_address_is_not_flooded(reader: httpx2.AsyncClient, sent: list[MailMessage]) -> None:
    """A mail address gets three mails a day; an IP address can sign up ten times an hour."""
    statuses = [(await reader.post("/newsletter", data=KIM)).status_code for _ in range(5)]
    assert statuses == [200] * 5
    assert len(sent) == 3
    others = [
        (await reader.post("/newsletter", data={"mail": f"kim{n}@example.org"})).status_code for n in range(6)
    ]
    assert others == [200] * 5 + [429]


async def test_one_click_unsubscribes(reader: httpx2.AsyncClient, store: Store) -> None:
    """A mail program sends one POST without cookies; opening the link only shows a button."""
    subscriber = await store.subscribers.request("kim@example.org")
    await store.subscribers.confirm(subscriber.id)
    path = f"/newsletter/leave?token={leave_token(SECRET, subscriber)}"
    assert "Unsubscribe?" in (await reader.get(path)).text
    assert (known := await store.subscribers.get(subscriber.id))
    assert known.state is SubscriptionState.CONFIRMED
    done = await reader.post(path, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert (known := await store.subscribers.get(subscriber.id))
    assert known.state is SubscriptionState.LEFT


@pytest.mark.parametrize(
    "token", ["", "1", "1.x", "1." + "0" * 32, "999." + "0" * 32, "9" * 40 + "." + "0" * 32]
)
@pytest.mark.parametrize("action", ["confirm", "leave"])
async def test_a_forged_link_does_nothing(
    reader: httpx2.AsyncClient, store: Store, action: str, token: str
) -> None:
    subscriber = await store.subscribers.request("kim@example.org")
    for ask in (reader.get, reader.post):
        assert (await ask(f"/newsletter/{action}", params={"token": token})).status_code == 410
    assert await store.subscribers.get(subscriber.id) == subscriber


async def test_a_failing_mail_server_is_logged_and_not_shown(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:

    def down(_: MailMessage) -> None:
        raise MailServerDown("the mail server is away")

    services = PublicServices(store, tmp_path, SECRET)
    app = create_public_app(services, Newsletter("Panel reviews", URL, SECRET, down).routes())
    transport = httpx2.ASGITransport(app, client=("127.0.0.1", 50_000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        assert (await opened.post("/newsletter", data=KIM)).status_code == 200
    assert "the mail server is away" in caplog.text


async def test_pages_of_the_newsletter_run_no_script(reader: httpx2.AsyncClient) -> None:
    answer = await reader.post("/newsletter", data=KIM)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    style = re.search(r'href="(/static/[^"]+)"', answer.text)
    assert style
    assert (await reader.get(style[1])).status_code == 200

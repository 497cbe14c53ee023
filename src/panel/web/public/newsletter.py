"""Sign-up for the newsletter: whoever asks gets a mail, and only whoever reads it can confirm.

A link in a mail changes nothing when it is opened, because programs that look for viruses open links, too; a button does.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse
from starlette.routing import Route

from panel.core.mail import Message, mail_address
from panel.errors import PanelError
from panel.newsletter.links import CONFIRM_WITHIN, confirm_token, confirms, leaves
from panel.newsletter.tokens import number_of
from panel.store import SubscriptionState
from panel.web.public.forms import form_of
from panel.web.public.pages import Back, Button, reader_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from panel.store import Subscriber
    from panel.web.public.services import PublicServices

PLACE = "/newsletter"
OF_ADDRESS, OF_MAIL = "10 per hour", "3 per day"
log = logging.getLogger("panel.web")


@dataclass(frozen=True, slots=True)
class Newsletter:
    """What sign-up works with.

    Attributes:
        name: what the site is called.
        url: its address, without a slash at its end.
        secret: what links are signed with.
        send: hands over a mail; called in a thread.
    """

    name: str
    url: str
    secret: bytes
    send: Callable[[Message], None]


def routes(services: PublicServices, newsletter: Newsletter) -> list[Route]:
    """Return where readers sign up, confirm and leave."""
    desk = _Desk(services, newsletter)
    return [
        Route(PLACE, desk.ask, methods=["POST"]),
        Route(PLACE, desk.form),
        Route(f"{PLACE}/confirm", desk.confirm, methods=["GET", "POST"]),
        Route(f"{PLACE}/leave", desk.leave, methods=["GET", "POST"]),
    ]


class _Desk:
    def __init__(self, services: PublicServices, newsletter: Newsletter) -> None:
        self._services = services
        self._newsletter = newsletter

    async def ask(self, request: Request) -> Response:
        """Send a link to whoever asks; the answer is the same whether they get one or not."""
        form = await form_of(request)
        try:
            mail = mail_address("".join(form.get("mail", [])))
        except ValueError as error:
            return self._page(
                400, "That is no mail address", f"{str(error).capitalize()}. Go back, and try again."
            )
        limits = self._services.limits
        limits.check(OF_ADDRESS, "newsletter", self._services.address(request))
        page = self._page(
            200,
            "Look into your mail",
            f"If {mail} can get the newsletter, a mail with a link is on its way to it. Nothing more is sent before you confirm. "
            "If no mail has come within an hour, look among the unwanted ones, then sign up again.",
        )
        if "website" not in form and limits.allows(OF_MAIL, mail.lower()):
            page.background = BackgroundTask(self._invite, mail)
        return page

    async def form(self, _request: Request) -> Response:
        """Lead whoever opens the address of the form to where the form is."""
        return RedirectResponse(f"{self._newsletter.url}/#sign-up", 303)

    async def confirm(self, request: Request) -> Response:
        """Show the button, or keep that it was them."""
        given, asked = await self._asked(request)
        if asked is None or not confirms(given, self._newsletter.secret, asked, datetime.now(UTC)):
            days = CONFIRM_WITHIN.days
            return self._page(
                410,
                "This link does not work",
                f"A link works for {days} days, and the last one alone. Sign up once more.",
            )
        if request.method != "POST":
            return self._page(
                200,
                "One click is left",
                f"Shall {asked.mail} get the newsletter?",
                _button("Yes, sign me up", given),
            )
        await self._services.store.subscribers.confirm(asked.id)
        return self._page(
            200, "You are signed up", "The next issue comes to you. Each one has a link to leave by."
        )

    async def leave(self, request: Request) -> Response:
        """Show the button, or take somebody off the list."""
        given, asked = await self._asked(request)
        if asked is None or not leaves(given, self._newsletter.secret, asked):
            return self._page(
                410, "This link does not work", "Open the link at the end of the last issue that you got."
            )
        if request.method != "POST":
            return self._page(
                200, "Do you want to leave?", f"{asked.mail} gets the newsletter.", _button("Leave", given)
            )
        await self._services.store.subscribers.leave(asked.id)
        return self._page(200, "You have left", "No further issue is sent to you.")

    async def _asked(self, request: Request) -> tuple[str, Subscriber | None]:
        given = request.query_params.get("token", "")
        number = number_of(given)
        return given, await self._services.store.subscribers.get(number) if number is not None else None

    async def _invite(self, mail: str) -> None:
        try:
            asked = await self._services.store.subscribers.request(mail)
            if asked.state is SubscriptionState.PENDING:
                await asyncio.to_thread(self._newsletter.send, self._invitation(asked))
        except PanelError as error:
            # Whoever asked must not learn from it who is on the list.
            log.error("newsletter: no mail to somebody who signed up: %s", error)  # noqa: TRY400 - a mail server's trouble, not a bug

    def _invitation(self, asked: Subscriber) -> Message:
        letter = self._newsletter
        link = f"{letter.url}{PLACE}/confirm?token={confirm_token(letter.secret, asked)}"
        return Message(
            to=asked.mail,
            subject=f"{letter.name}: confirm your sign-up",
            text=(
                f"Somebody, hopefully you, asked for the newsletter of {letter.name} to be sent to {asked.mail}.\n\n"
                f"To get it, open this link within {CONFIRM_WITHIN.days} days and press the button:\n\n{link}\n\n"
                "If it was not you, do nothing: nothing more is sent.\n"
            ),
        )

    def _page(self, status: int, title: str, line: str, button: Button | None = None) -> Response:
        back = Back(f"{self._newsletter.url}/", f"Back to {self._newsletter.name}")
        return reader_page(title, line, back, status=status, button=button)


def _button(label: str, token: str) -> Button:
    """Return a button that does what a link in a mail must not do by itself."""
    return Button(label, f"?token={token}")

"""Sign-up for the newsletter, confirmed by a link in a mail, and unsubscribing.

Opening a link changes nothing, because virus scanners open links, too; a button on the page does.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.core.addresses import mail_address
from panel.errors import PanelError
from panel.newsletter.mail import MailMessage
from panel.newsletter.subscribers import CONFIRM_WITHIN, confirm_token, confirms, leaves, subscriber_number
from panel.store import SubscriptionState
from panel.web.public.requests import Button, Link, message_page, read_reader_form, services_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from panel.store import Store, Subscriber

PATH = "/newsletter"
ADDRESS_LIMIT, MAIL_LIMIT = "10 per hour", "3 per day"
log = logging.getLogger("panel.web")


@dataclass(frozen=True, slots=True)
class Newsletter:
    """The newsletter of a site.

    Attributes:
        name: of the site.
        url: of the site, without a slash at its end.
        key: signs links.
        send: sends a message; called in a thread.
    """

    name: str
    url: str
    key: bytes
    send: Callable[[MailMessage], None]

    def routes(self) -> list[Route]:
        """Return the routes by which readers sign up, confirm and unsubscribe."""
        return [
            Route(PATH, self._sign_up, methods=["POST"]),
            Route(PATH, self._show_form),
            Route(f"{PATH}/confirm", self._confirm, methods=["GET", "POST"]),
            Route(f"{PATH}/leave", self._leave, methods=["GET", "POST"]),
        ]

    async def _sign_up(self, request: Request) -> Response:
        """Send a link to confirm; the answer is the same whether a mail is sent or not."""
        form, services = await read_reader_form(request), services_of(request)
        try:
            mail = mail_address(form.text("mail"))
        except ValueError as error:
            text = f"{str(error).capitalize()}. Go back and try again."
            return self._page(400, "This is not a mail address", text)
        services.check_limit(ADDRESS_LIMIT, "newsletter", services.address_hash(request))
        page = self._page(
            200,
            "Check your mail",
            f"If {mail} can get the newsletter, a mail with a link is on its way to it. Nothing more is sent before you confirm. "
            "If no mail arrives within an hour, look into your spam folder, then sign up again.",
        )
        is_bot = form.text("website")  # people do not see this field
        if not is_bot and not services.limiter.hit(MAIL_LIMIT, mail.lower()):
            page.background = BackgroundTask(self._invite, services.store, mail)
        return page

    async def _show_form(self, _request: Request) -> Response:
        return RedirectResponse(f"{self.url}/#sign-up", 303)

    async def _confirm(self, request: Request) -> Response:
        """Show the button that confirms a sign-up, or confirm it."""
        token, subscriber = await _subscriber(request)
        if subscriber is None or not confirms(token, self.key, subscriber, datetime.now(UTC)):
            text = f"A link works for {CONFIRM_WITHIN.days} days, and only the latest one. Sign up again."
            return self._page(410, "This link does not work", text)
        if request.method != "POST":
            text, button = f"Send the newsletter to {subscriber.mail}?", "Yes, sign me up"
            return self._page(200, "Confirm your sign-up", text, Button(button, f"?token={token}"))
        await services_of(request).store.subscribers.confirm(subscriber.id)
        text = "You will get the next issue. Each issue has a link to unsubscribe."
        return self._page(200, "You are signed up", text)

    async def _leave(self, request: Request) -> Response:
        """Show the button that unsubscribes, or unsubscribe."""
        token, subscriber = await _subscriber(request)
        if subscriber is None or not leaves(token, self.key, subscriber):
            text = "Open the link at the end of the latest issue that you got."
            return self._page(410, "This link does not work", text)
        if request.method != "POST":
            text, button = f"{subscriber.mail} gets the newsletter.", "Unsubscribe"
            return self._page(200, "Unsubscribe?", text, Button(button, f"?token={token}"))
        await services_of(request).store.subscribers.leave(subscriber.id)
        return self._page(200, "You are unsubscribed", "You will get no further issue.")

    async def _invite(self, store: Store, mail: str) -> None:
        try:
            subscriber = await store.subscribers.request(mail)
            if subscriber.state is SubscriptionState.PENDING:
                await asyncio.to_thread(self.send, self._invitation(subscriber))
        except PanelError as error:
            # The answer must not tell who is on the list.
            log.error("newsletter: a sign-up got no mail: %s", error)  # noqa: TRY400 - the mail server failed, not the code

    def _invitation(self, subscriber: Subscriber) -> MailMessage:
        link = f"{self.url}{PATH}/confirm?token={confirm_token(self.key, subscriber)}"
        return MailMessage(
            to=subscriber.mail,
            subject=f"{self.name}: confirm your sign-up",
            text=(
                f"Somebody, probably you, asked for the newsletter of {self.name} to be sent to {subscriber.mail}.\n\n"
                f"To get it, open this link within {CONFIRM_WITHIN.days} days and press the button:\n\n{link}\n\n"
                "If it was not you, ignore this mail: nothing more is sent.\n"
            ),
        )

    def _page(self, status: int, title: str, text: str, button: Button | None = None) -> Response:
        back = Link(f"{self.url}/", f"Back to {self.name}")
        return message_page(title, text, back, status=status, button=button)


async def _subscriber(request: Request) -> tuple[str, Subscriber | None]:
    token = request.query_params.get("token", "")
    number = subscriber_number(token)
    subscribers = services_of(request).store.subscribers
    return token, None if number is None else await subscribers.get(number)

"""OpenAI on loopback, where each critic may answer by a part of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acting import reply
from vendor_server import Play, Request, ThreadedVendorServer, json_play
from vendors import READ, WROTE

if TYPE_CHECKING:
    from collections.abc import Callable

INVALID, REFUSED, TRUNCATED, BROKEN = "nonsense", "refusal", "length", "400"


class Stage(ThreadedVendorServer):
    """Answers each call with a take, unless the critic that is asked has another part.

    Attributes:
        asked: tool and critic of each call, in order.
        parts: by critic, what it does instead: `INVALID`, `REFUSED`, `TRUNCATED` or `BROKEN`.
        score: what takes say.
        before: is called before each answer.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.parts: dict[str, str] = {}
        self.score = 71
        self.before: Callable[[], None] = lambda: None
        super().__init__(self._take)

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def critics(self) -> list[str]:
        """Whom was asked, in order of the alphabet."""
        return sorted(critic for _, critic in self.asked)

    def _take(self, request: Request) -> Play:
        tool, critic = request.seat
        self.asked.append((tool, critic))
        self.before()
        part, form = self.parts.get(critic), request.form
        if part == BROKEN:
            return json_play(form.error(400), 400)
        if part in {REFUSED, TRUNCATED}:
            body = form.stopped(part, "cut off", read=READ, wrote=WROTE)
        else:
            body = form.answer(part or reply(score=self.score), read=READ, wrote=WROTE)
        return json_play(body | {"model": request.model})

"""One loopback server for OpenAI, Anthropic and a compatible server, each with its own take."""

from __future__ import annotations

from typing import Any

from acting import reply
from vendor_server import Play, Request, ThreadedVendorServer, json_play

READ, WROTE = 1_000, 200

_TAKES = {
    "openai": reply(score=71),
    "anthropic": reply(verdict="skip", score=31),
    "openai-compatible": reply(score=55),
}


class Vendors(ThreadedVendorServer):
    """Answers each call with a take, or with the status `refusing`; `calls` are path, key and body of each."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.refusing: int | None = None
        super().__init__(self._take)

    @property
    def models(self) -> list[str]:
        """The models that were asked, in order."""
        return [body["model"] for _, _, body in self.calls]

    def _take(self, request: Request) -> Play:
        self.calls.append((request.path, request.key, request.body))
        if self.refusing:
            error = {"type": "error", "message": f"refused with {self.refusing}"}
            return json_play({"type": "error", "error": error}, self.refusing)
        answer = request.form.answer(_TAKES[request.form.provider], read=READ, wrote=WROTE)
        return json_play(answer | {"model": request.model})

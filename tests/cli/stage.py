"""A loopback server that stands for OpenAI, and whose critics answer each by a part of its own."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from acting import reply
from vendors import READ, WROTE

if TYPE_CHECKING:
    from collections.abc import Callable

    Part = Callable[[], None]

_NAME = re.compile(r'^name: "(.*)"$', re.MULTILINE)
_SEAT = re.compile(r"^You are the (\w+) on this panel", re.MULTILINE)
INVALID, REFUSED, TRUNCATED, BROKEN = "nonsense", "refusal", "cut off", "400"


class Stage(ThreadingHTTPServer):
    """Answers each call with a take, unless the critic that is asked has another part.

    Attributes:
        asked: tool and critic of each call, in order.
        parts: by critic, what it does instead: `INVALID`, `REFUSED`, `TRUNCATED` or `BROKEN`.
        score: what takes say.
        before: is called before each answer.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str]] = []
        self.parts: dict[str, str] = {}
        self.score = 71
        self.before: Part = lambda: None
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def critics(self) -> list[str]:
        """Whom was asked, in order of the alphabet."""
        return sorted(critic for _, critic in self.asked)

    def close(self) -> None:
        """Stop."""
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Stage
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        tool, critic = _read(str(body["input"]))
        self.server.asked.append((tool, critic))
        self.server.before()
        part = self.server.parts.get(critic)
        status, answer = (400, _error()) if part == BROKEN else (200, _answer(body, part, self.server.score))
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: object) -> None:
        pass


def _read(text: str) -> tuple[str, str]:
    name, seat = _NAME.search(text), _SEAT.search(text)
    assert name
    assert seat
    return re.sub(r"[^!-~]+", " ", name[1]), seat[1].lower()


def _error() -> dict[str, Any]:
    return {"error": {"type": "invalid_request_error", "message": "this cannot be answered"}}


def _answer(body: dict[str, Any], part: str | None, score: int) -> dict[str, Any]:
    text = part if part in {INVALID, TRUNCATED} else reply(score=score)
    said = {"type": "output_text", "text": text, "annotations": []}
    if part == REFUSED:
        said = {"type": "refusal", "refusal": "I would rather not."}
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [said]}
    ending = {"status": "completed"}
    if part == TRUNCATED:
        ending = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}  # type: ignore[dict-item] # JSON
    usage = {"input_tokens": READ, "output_tokens": WROTE, "total_tokens": READ + WROTE}
    return {"id": "resp", "model": body["model"], "output": [message], "usage": usage, **ending}

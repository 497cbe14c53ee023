"""A loopback server that stands for OpenAI, Anthropic and a compatible server at once, and remembers who asked for what."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from acting import reply

READ, WROTE = 1_000, 200


class Vendors(ThreadingHTTPServer):
    """Answers each call with a take.

    Attributes:
        calls: path, key and body of each call.
        refusing: status with which all calls are answered, or None for takes.
        most_at_once: calls that were in flight together.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.refusing: int | None = None
        self.at_once = self.most_at_once = 0
        self._thread = threading.Thread(target=self.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def models(self) -> list[str]:
        """The models that were asked, in order."""
        return [body["model"] for _, _, body in self.calls]

    def close(self) -> None:
        """Stop."""
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Vendors
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        key = self.headers["authorization"] or self.headers["x-api-key"] or ""
        self.server.calls.append((self.path, key, body))
        self.server.at_once += 1
        self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        status = self.server.refusing or 200
        answer = _error(status) if self.server.refusing else _ANSWERS[self.path](body["model"])
        data = json.dumps(answer).encode()
        self.server.at_once -= 1
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: object) -> None:
        pass


def _error(status: int) -> dict[str, Any]:
    return {"type": "error", "error": {"type": "error", "message": f"refused with {status}"}}


def _responses(model: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": reply(score=71), "annotations": []}
    usage = {"input_tokens": READ, "output_tokens": WROTE, "total_tokens": READ + WROTE}
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]}
    return {"id": "resp", "status": "completed", "model": model, "output": [message], "usage": usage}


def _messages(model: str) -> dict[str, Any]:
    usage = {"input_tokens": READ, "output_tokens": WROTE}
    content = [{"type": "text", "text": reply(verdict="skip", score=31)}]
    return {"id": "msg", "model": model, "content": content, "stop_reason": "end_turn", "usage": usage}


def _chat(model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply(score=55)}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": READ, "completion_tokens": WROTE}
    return {"id": "chat", "model": model, "choices": [choice], "usage": usage}


_ANSWERS = {"/v1/responses": _responses, "/v1/messages": _messages, "/v1/chat/completions": _chat}

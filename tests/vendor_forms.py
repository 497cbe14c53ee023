"""The JSON bodies of the three APIs: answers of every kind, and errors, each in its vendor's own form."""

from __future__ import annotations

from typing import Any, ClassVar

from acting import reply

KEY = "sk-loopback-0123456789abcdef"
"""The caller's key, which every error repeats, as some proxies do."""

MODEL = "some-model"
READ, WROTE = 1_200, 150
GOOD_SCORE = 70
GOOD = reply(
    score=GOOD_SCORE,
    evidence=["run history"],
    reasoning="The listing names what it shows, and nothing of what it costs.",
    recusal=None,
)
PARTIAL = reply(score=99)
"""A valid reply in an answer that did not end well: it must not be used."""

Body = dict[str, Any]


class Form:
    """The wire format of one API: its path, with the `root` that belongs to the base URL, and the key of the list with the output."""

    provider: str
    path: str
    root: str
    results: str

    def answer(self, text: str | None = GOOD, *, read: int = READ, wrote: int = WROTE) -> Body:
        """Return a complete answer of one text."""
        raise NotImplementedError

    def stopped(self, why: str, text: str = PARTIAL, *, read: int = READ, wrote: int = WROTE) -> Body:
        """Return an answer that ended early: `length`, `refusal`, `content_filter`, `pause_turn` or `ctx`."""
        raise NotImplementedError

    def thinking_first(self) -> Body:
        """Return an answer whose text comes after the model's thoughts."""
        raise NotImplementedError

    def unknown_block(self) -> Body:
        """Return an answer with an unknown block and no text."""
        raise NotImplementedError

    def error(self, status: int) -> Body:
        """Return the body of an error."""
        raise NotImplementedError

    def empty_account(self) -> Body:
        """Return the body of a 429 for an empty account."""
        raise NotImplementedError


class _OpenAI(Form):
    _types: ClassVar = {
        400: "invalid_request_error",
        401: "invalid_request_error",
        404: "invalid_request_error",
    }
    _codes: ClassVar = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}

    def error(self, status: int) -> Body:
        return _openai_error(status, self._types.get(status, "server_error"), self._codes.get(status))

    def empty_account(self) -> Body:
        return _openai_error(429, "insufficient_quota", "insufficient_quota")


class Responses(_OpenAI):
    """OpenAI's Responses API."""

    provider, path, root, results = "openai", "/v1/responses", "/v1", "output"

    def answer(self, text: str | None = GOOD, *, read: int = READ, wrote: int = WROTE) -> Body:
        return self._body([_written("output_text", text)], read=read, wrote=wrote)

    def stopped(self, why: str, text: str = PARTIAL, *, read: int = READ, wrote: int = WROTE) -> Body:
        if why == "refusal":
            parts = [_written("output_text", text), {"type": "refusal", "refusal": "I decline."}]
            return self._body(parts, read=read, wrote=wrote)
        reason = {"length": "max_output_tokens", "pause_turn": "steered"}.get(why, why)
        body = self._body([_written("output_text", text)], read=read, wrote=wrote)
        return body | {"status": "incomplete", "incomplete_details": {"reason": reason}}

    def thinking_first(self) -> Body:
        body = self.answer()
        body["output"].insert(0, {"type": "reasoning", "id": "rs_1", "summary": [], "content": None})
        return body

    def unknown_block(self) -> Body:
        return self._body([{"type": "hologram", "beam": GOOD}])

    def _body(self, parts: list[Body], *, read: int = READ, wrote: int = WROTE) -> Body:
        message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
        usage = {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": wrote,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + wrote,
        }
        return {
            "id": "resp_1",
            "object": "response",
            "status": "completed",
            "error": None,
            "model": MODEL,
            "output": [{**message, "content": parts}],
            "usage": usage,
        }


class Chat(_OpenAI):
    """Chat completions, as OpenAI and many others offer them."""

    provider, path, root, results = "openai-compatible", "/v1/chat/completions", "/v1", "choices"

    def answer(self, text: str | None = GOOD, *, read: int = READ, wrote: int = WROTE) -> Body:
        return self._body({"content": text}, read=read, wrote=wrote)

    def stopped(self, why: str, text: str = PARTIAL, *, read: int = READ, wrote: int = WROTE) -> Body:
        if why == "refusal":
            return self._body({"content": text, "refusal": "I decline."}, read=read, wrote=wrote)
        reason = {"pause_turn": "pause", "ctx": "model_context_window_exceeded"}.get(why, why)
        return self._body({"content": text}, reason, read=read, wrote=wrote)

    def thinking_first(self) -> Body:
        return self._body({"reasoning_content": "Let me see.", "content": GOOD})

    def unknown_block(self) -> Body:
        return self._body({"content": [{"type": "hologram", "beam": GOOD}]})

    def _body(self, said: Body, finish: str = "stop", *, read: int = READ, wrote: int = WROTE) -> Body:
        message = {"role": "assistant", "refusal": None, **said}
        return {
            "id": "chatcmpl_1",
            "object": "chat.completion",
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "usage": {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote},
        }


class Messages(Form):
    """Anthropic's Messages API."""

    provider, path, root, results = "anthropic", "/v1/messages", "", "content"
    _stops: ClassVar = {
        "length": "max_tokens",
        "ctx": "model_context_window_exceeded",
    }
    _types: ClassVar = {
        400: "invalid_request_error",
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        422: "invalid_request_error",
        429: "rate_limit_error",
        504: "timeout_error",
        529: "overloaded_error",
    }

    def answer(self, text: str | None = GOOD, *, read: int = READ, wrote: int = WROTE) -> Body:
        return self._body([_written("text", text)], read=read, wrote=wrote)

    def stopped(self, why: str, text: str = PARTIAL, *, read: int = READ, wrote: int = WROTE) -> Body:
        blocks = [] if why == "refusal" else [_written("text", text)]
        return self._body(blocks, self._stops.get(why, why), read=read, wrote=wrote)

    def thinking_first(self) -> Body:
        thought = {"type": "thinking", "thinking": "Let me see.", "signature": "s"}
        return self._body([thought, _written("text", GOOD)])

    def unknown_block(self) -> Body:
        return self._body([{"type": "hologram", "beam": GOOD}])

    def error(self, status: int) -> Body:
        return _anthropic_error(status, self._types.get(status, "api_error"))

    def empty_account(self) -> Body:
        return _anthropic_error(
            429, "rate_limit_error", details={"error_code": "enforced_spend_limit_reached"}
        )

    def _body(
        self, blocks: list[Body], stop: str = "end_turn", *, read: int = READ, wrote: int = WROTE
    ) -> Body:
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": blocks,
            "stop_reason": stop,
            "usage": {"input_tokens": read, "output_tokens": wrote},
        }


FORMS: dict[str, Form] = {form.provider: form for form in (Responses(), Chat(), Messages())}


def _written(kind: str, text: str | None) -> Body:
    return {"type": kind, "text": text}


def _words(status: int) -> str:
    return f"This is answer {status} to the key {KEY}."


def _openai_error(status: int, kind: str, code: str | None) -> Body:
    return {"error": {"message": _words(status), "type": kind, "param": None, "code": code}}


def _anthropic_error(status: int, kind: str, **more: Any) -> Body:
    return {
        "type": "error",
        "error": {"type": kind, "message": _words(status), **more},
        "request_id": "req_1",
    }

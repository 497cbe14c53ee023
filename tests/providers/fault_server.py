"""The faults of a network, a proxy or a vendor, played by the vendor server byte for byte."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vendor_forms import GOOD, KEY, PARTIAL
from vendor_server import Play, Request, Then, VendorServer, http, json_play

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vendor_forms import Body, Form

HTML = f"<!doctype html><title>Sign in</title><p>Welcome to the airport. {KEY}</p>".encode()
DRIPS = 40


class FaultServer(VendorServer):
    """One API that fails for some requests and answers the others well; `moments` are the times of all requests by its clock.

    `pause` is the time between two pieces of a dripping answer, in seconds.
    """

    def __init__(self, form: Form, clock: Callable[[], float] = time.monotonic, pause: float = 0.001) -> None:
        super().__init__(self._next)
        self.form = form
        self.moments: list[float] = []
        self._clock = clock
        self._pause = pause
        self._script: Iterator[Play] = iter(())

    @property
    def base_url(self) -> str:
        return f"{self.url}{self.form.root}"

    def play(self, case: str, times: int | None = None, *, after: int = 0) -> None:
        """Play a case of `fixtures/faults` a number of times, or for ever, after some good answers."""
        self._script = self._plays(case, times, after)

    def _next(self, request: Request) -> Play:
        self.moments.append(self._clock())
        play = next(self._script) if request.path == self.form.path else json_play(self.form.answer())
        return replace(play, pause=self._pause)

    def _plays(self, case: str, times: int | None, after: int) -> Iterator[Play]:
        well = json_play(self.form.answer())
        yield from [well] * after
        played = 0
        while times is None or played < times:
            yield _play(case, played, self.form)
            played += 1
        while True:
            yield well


def _http(status: int, content: bytes = b"", kind: str | None = "application/json", **headers: str) -> Play:
    return Play(
        http(status, content, kind, {name.replace("_", "-"): value for name, value in headers.items()})
    )


def _cut(play: Play, share: float, then: Then) -> Play:
    """Break off an answer: within its head for a small share, within its body for a large one."""
    return Play(play.data[: int(share * len(play.data))], then)


def _play(case: str, played: int, form: Form) -> Play:
    """Return the play of a request; an unknown case is a KeyError."""
    if case.isdecimal() and case not in _SPECIAL:
        return json_play(form.error(int(case)), int(case))
    if case in _TURNS:
        return _play(_TURNS[case][min(played, 2)], played, form)
    return _SPECIAL[case](form)


def _with_usage(form: Form, figure: Any) -> Play:
    body = form.answer()
    return json_play(body | {"usage": dict.fromkeys(body["usage"], figure)})


def _without(form: Form, key: str) -> Body:
    return {name: value for name, value in form.answer().items() if name != key}


def _too_many(**headers: str) -> Callable[[Form], Play]:
    return lambda form: json_play(form.error(429), 429, **headers)


def _too_long(form: Form) -> Play:
    """OpenAI itself refuses such a request; others begin to answer it and stop."""
    if form.provider != "openai":
        return json_play(form.stopped("ctx"))
    body = form.error(400)
    body["error"] |= {"code": "context_length_exceeded", "param": "input"}
    return json_play(body, 400)


def _surrogate(form: Form) -> Play:
    return json_play(form.answer(GOOD.replace("The primitive", "The \ud83d primitive")))


_TURNS = {"fail_then_ok": ("500", "500", "ok"), "500_then_html": ("500", "200_html", "200_html")}

_SPECIAL: dict[str, Callable[[Form], Play]] = {
    "ok": lambda form: json_play(form.answer()),
    # limits and advice
    "429_ra0": _too_many(retry_after="0"),
    "429_ra2": _too_many(retry_after="2"),
    "429_raneg": _too_many(retry_after="-5"),
    "429_ranan": _too_many(retry_after="nan"),
    "429_ra90": _too_many(retry_after="90"),
    "429_ra3600": _too_many(retry_after="3600"),
    "429_radate": _too_many(retry_after="Fri, 31 Dec 2199 23:59:59 GMT"),
    "429_ra1e9": _too_many(retry_after="1e9"),
    "429_noretry": _too_many(x_should_retry="false"),
    "400_forceretry": lambda form: json_play(form.error(400), 400, x_should_retry="true"),
    "429_quota": lambda form: json_play(form.empty_account(), 429),
    # what is not the API's
    "502_html": lambda _form: _http(502, HTML, "text/html"),
    "302": lambda _form: _http(302, location="/elsewhere"),
    "200_html": lambda _form: _http(200, HTML, "text/html"),
    "200_html_as_json": lambda _form: _http(200, HTML),
    "200_json_as_text": lambda form: _http(200, json.dumps(form.answer()).encode(), "text/plain"),
    "200_noctype": lambda form: _http(200, json.dumps(form.answer()).encode(), None),
    "200_empty": lambda _form: _http(200),
    "200_badjson": lambda form: _http(200, json.dumps(form.answer()).encode()[:-9]),
    "200_bom": lambda form: _http(200, json.dumps(form.answer()).encode("utf-8-sig")),
    "200_badutf8": lambda form: _http(200, json.dumps(form.answer()).encode().replace(b"The", b"\xff\xfe")),
    "200_array": lambda form: json_play([form.answer()]),
    "200_null": lambda _form: json_play(None),
    "200_errorbody": lambda form: json_play(form.error(500)),
    "200_errorbody_401": lambda form: json_play(form.error(401)),
    "204": lambda _form: _http(204, kind=None),
    "gzip_garbage": lambda _form: _http(200, b"this is no gzip" * 9, content_encoding="gzip"),
    "garbage": lambda _form: Play(bytes(range(256)) * 4, Then.CLOSE),
    # connections that break
    "reset_before": lambda _form: Play(b"", Then.RESET),
    "close_before": lambda _form: Play(b"", Then.CLOSE),
    "reset_midhead": lambda form: _cut(json_play(form.answer()), 0.04, Then.RESET),
    "reset_midbody": lambda form: _cut(json_play(form.answer()), 0.6, Then.RESET),
    "short_body": lambda form: _cut(json_play(form.answer()), 0.6, Then.CLOSE),
    "hang": lambda _form: Play(b"", Then.HANG),
    "hang_midbody": lambda form: _cut(json_play(form.answer()), 0.6, Then.HANG),
    "drip": lambda form: Play(json_play(form.answer()).data, drips=DRIPS),
    # answers with something odd in them
    "nousage": lambda form: json_play(_without(form, "usage")),
    "usage_str": lambda form: _with_usage(form, "many"),
    "nan": lambda form: _with_usage(form, float("nan")),
    "nochoices": lambda form: json_play(form.answer() | {form.results: []}),
    "choices_null": lambda form: json_play(form.answer() | {form.results: None}),
    "choices_missing": lambda form: json_play(_without(form, form.results)),
    "length": lambda form: json_play(form.stopped("length", PARTIAL[:-30])),
    "refusal": lambda form: json_play(form.stopped("refusal")),
    "content_filter": lambda form: json_play(form.stopped("content_filter")),
    "pause_turn": lambda form: json_play(form.stopped("pause_turn")),
    "ctx": _too_long,
    "thinking_first": lambda form: json_play(form.thinking_first()),
    "unknown_block": lambda form: json_play(form.unknown_block()),
    "content_null": lambda form: json_play(form.answer(None)),
    "surrogate": _surrogate,
}

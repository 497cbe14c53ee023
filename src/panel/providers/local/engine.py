"""One server of the runtime: tokens in, logarithms of probabilities or text out, and the same answer every time.

The runtime's arithmetic depends on how many tokens are evaluated together, and so on what its cache held before: the same
prompt was seen to give logarithms of probabilities that differ by up to 0.1. So a prompt is given as a path of levels, such
as system, listing, question. Each level is evaluated in one go, starting exactly where the level before it ends; where the
cache reaches further, it is cut back by a token that no text contains. Equal paths then give equal answers, byte for byte,
whatever was asked before and on whichever server.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from itertools import chain, takewhile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from panel.errors import ProviderDown, ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Tokens = tuple[int, ...]
Levels = tuple[Tokens, ...]

CONTEXT = 8_192
"""Tokens per lane: what the model was trained for. Two lanes take 490 MB per server, with 4,096 they would take 310 MB."""

CHUNK = 512
"""Tokens evaluated per request, about two seconds on one core, so that nobody waits long for a stop."""

CUT: Tokens = (0,)
"""The token `<|endoftext|>`, which no text is made of."""

TOKENISE_SECONDS = 30.0


class Lane(IntEnum):
    """The two caches of a server. Their sizes are equal, and neither evicts the other."""

    READ = 0
    WRITE = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What one evaluation gave.

    Attributes:
        text: what was written; one token of it where only probabilities were asked for.
        finished: whether it ended by itself.
        likely: logarithms of the probabilities of the likeliest first tokens, by their texts.
        read: tokens of the prompts, cached ones included.
        cached: those of them that came from the cache.
        wrote: tokens written.
    """

    text: str
    finished: bool
    likely: Mapping[str, float]
    read: int
    cached: int
    wrote: int


class Engine:
    """One server with one thread. Not for use by two threads at once.

    Args:
        library: the runtime's module.
        weights: a GGUF file.
        context: tokens per lane.

    Raises:
        ProviderDown: the server does not start.
    """

    def __init__(self, library: Any, weights: Path, context: int = CONTEXT) -> None:  # noqa: ANN401 - it has no types
        self._key = secrets.token_urlsafe(32)
        params = library.CommonParams()
        params.model.path = str(weights)
        params.n_ctx, params.n_parallel, params.verbosity = context * len(Lane), len(Lane), -1
        params.kv_unified = False  # in a shared cache, one lane's tokens would move the other's sums
        params.cache_ram_mib = 0
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
        params.api_keys = [self._key]
        try:
            self._server = library.Server(params)
        except RuntimeError as error:
            raise ProviderDown(f"the embedded model does not start: {error}") from error
        address = urlsplit(self._server.listening_address)
        self._host, self._port = address.hostname or "", address.port or 0
        self._context = context
        self._held: dict[Lane, Levels] = dict.fromkeys(Lane, ())
        self.tokens = lru_cache(maxsize=4_096)(self._tokenise)

    def ask(self, lane: Lane, path: Levels, *, again: bool = False, **options: Any) -> Answer:  # noqa: ANN401 - JSON
        """Evaluate a path and write after it.

        Args:
            lane: whose cache to use.
            path: the prompt, level by level: two levels or more, and none of them empty.
            again: the last call on this lane had the same path; its last token alone is evaluated again.
            options: the runtime's sampling options.

        Raises:
            ProviderError: the prompt does not fit, or the runtime refuses it.
        """
        self._check_length(path, int(options.get("max_tokens", 1)))
        held, self._held[lane] = self._held[lane], ()  # not known, should a step fail
        warmed = [] if again else self._walk(lane, path, held)
        answer = self._evaluate(lane, path, **options)
        self._held[lane] = path
        return _with_reading(answer, warmed)

    def close(self) -> None:
        """Stop the server and free its memory."""
        self.tokens.cache_clear()
        del self._server

    def _walk(self, lane: Lane, path: Levels, held: Levels) -> list[Answer]:
        """Bring the cache to exactly the last level but one of the path, evaluating each missing level by itself."""
        kept = _common(held, path[:-1])
        asked = []
        if kept and (kept == len(held) or held[kept][0] == path[kept][0]):
            asked.append(self._evaluate(lane, (*path[:kept], CUT)))
        for depth in range(kept, len(path) - 1):
            asked += self._warm(lane, path[:depth], path[depth])
        return asked

    def _warm(self, lane: Lane, before: Levels, level: Tokens) -> list[Answer]:
        ends = [*range(CHUNK, len(level), CHUNK), len(level)]
        return [
            self._evaluate(lane, (*before, level[:end], CUT), cold=not before and end == ends[0])
            for end in ends
        ]

    def _evaluate(self, lane: Lane, path: Levels, *, cold: bool = False, **options: Any) -> Answer:  # noqa: ANN401 - JSON
        request = {
            "prompt": list(chain(*path)),
            "id_slot": int(lane),
            "cache_prompt": not cold,
            "temperature": 0,
            "max_tokens": 1,
        }
        try:
            reply = self._server.handle_completions(request | options)
        except (RuntimeError, ValueError) as error:
            raise ProviderError(f"the embedded model failed: {error}") from error
        if "choices" not in reply:
            raise ProviderError(f"the embedded model refused a prompt: {json.dumps(reply)[:300]}")
        return _answer(reply)

    def _check_length(self, path: Levels, output: int) -> None:
        length = sum(map(len, path)) + output + len(CUT)
        if length > self._context:
            raise ProviderError(
                f"the listing is too long for the embedded model: {length} tokens, and it reads {self._context}; "
                "shorten the description or use --model with a hosted model"
            )

    def _tokenise(self, text: str, *, special: bool = False) -> Tokens:
        """Return a text's tokens. Only with `special` do names of control tokens become such; never use it on data."""
        body = json.dumps({"content": text, "parse_special": special, "add_special": False}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TOKENISE_SECONDS)
        with contextlib.closing(connection):
            try:
                connection.request("POST", "/tokenize", body, headers)
                return tuple(json.load(connection.getresponse())["tokens"])
            except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
                raise ProviderError(f"the embedded model did not take a text apart: {error}") from error


def _answer(reply: Mapping[str, Any]) -> Answer:
    choice, usage = reply["choices"][0], reply["usage"]
    written = (choice.get("logprobs") or {}).get("content") or []
    first = written[0]["top_logprobs"] if written else []
    return Answer(
        text=choice["text"],
        finished=choice["finish_reason"] == "stop",
        likely={token["token"]: token["logprob"] for token in first},
        read=usage["prompt_tokens"],
        cached=(usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0),
        wrote=usage["completion_tokens"],
    )


def _with_reading(answer: Answer, warmed: list[Answer]) -> Answer:
    """Count what was evaluated on the way as read for this answer and not as cached."""
    evaluated = sum(one.read - one.cached for one in warmed)
    return replace(answer, cached=max(answer.cached - evaluated, 0))


def _common(held: Levels, wanted: Levels) -> int:
    pairs = zip(held, wanted, strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))

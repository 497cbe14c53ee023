"""The runtime's servers: tokens in, log probabilities or text out, reproducibly; and the pool that schedules jobs on them.

The runtime's arithmetic depends on how many tokens are evaluated together, and so on the earlier content of its cache: log
probabilities of the same prompt were seen to differ by up to 0.1. So a prompt is a path of levels, such as system, listing,
question. Each level is evaluated in one go, from exactly the end of the level before it; if the cache reaches further, it is cut
back with a token that no text contains. Equal paths then give equal output, byte for byte, on every engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache, partial
from itertools import chain, takewhile
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from panel.errors import ProviderDown, ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")
Tokens = tuple[int, ...]
Levels = tuple[Tokens, ...]

CONTEXT = 8_192
"""Tokens per lane, the length that the model was trained for. Two lanes take 490 MB per engine; with 4,096 tokens, 310 MB."""

CHUNK = 512
"""Tokens evaluated per request: about two seconds on one core, so that a stop does not take long."""

CUT: Tokens = (0,)
"""The token `<|endoftext|>`, which no text is made of."""

TOKENISE_SECONDS = 30.0

WORTH_A_SECOND_READING = 3
"""Waiting jobs for a listing from which a second engine reads it. Reading takes as long as scoring six to eight sentences."""


class Lane(IntEnum):
    """The two caches of an engine: one for reading, one for writing. Neither evicts the other."""

    READ = 0
    WRITE = 1


@dataclass(frozen=True, slots=True)
class Generation:
    """The output after one path; a single token if only probabilities were asked for.

    `likely` has the log probabilities of the likeliest first tokens, by their texts. `read` counts the tokens of the path, `cached` those of
    them from the cache, and `wrote` the tokens of the output.
    """

    text: str
    finished: bool
    likely: Mapping[str, float]
    read: int
    cached: int
    wrote: int


class Engine:
    """One server with one thread and `context` tokens per lane. Not for use by two threads at once."""

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
        self._cached: dict[Lane, Levels] = dict.fromkeys(Lane, ())
        self.tokens = lru_cache(maxsize=4_096)(self._tokenise)

    def generate(self, lane: Lane, path: Levels, *, again: bool = False, **options: Any) -> Generation:  # noqa: ANN401 - JSON
        """Evaluate a path of two levels or more, none of them empty, and generate after it with the runtime's sampling options.

        With `again`, the last path on this lane was the same, and only the last token is evaluated again. Raise ProviderError if the
        prompt does not fit, or if the runtime refuses it.
        """
        length = sum(map(len, path)) + int(options.get("max_tokens", 1)) + len(CUT)
        if length > self._context:
            raise ProviderError(
                f"the listing is too long for the embedded model: {length} tokens, and it reads {self._context}; "
                "shorten the description or use --model with a hosted model"
            )
        cached, self._cached[lane] = self._cached[lane], ()  # unknown if a step fails
        warmed = 0 if again else self._fill_cache(lane, path, cached)
        generation = self._evaluate(lane, path, **options)
        self._cached[lane] = path
        return replace(generation, cached=max(generation.cached - warmed, 0))

    def close(self) -> None:
        """Stop the server and free its memory."""
        self.tokens.cache_clear()
        del self._server

    def _fill_cache(self, lane: Lane, path: Levels, cached: Levels) -> int:
        """Fill the cache up to exactly the last level but one, each missing level by itself; return the tokens evaluated."""
        pairs = zip(cached, path[:-1], strict=False)
        common = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
        steps = []
        if common and (common == len(cached) or cached[common][0] == path[common][0]):
            steps.append(self._evaluate(lane, (*path[:common], CUT)))
        for depth in range(common, len(path) - 1):
            level = path[depth]
            for end in (*range(CHUNK, len(level), CHUNK), len(level)):
                cold = depth == 0 and end == min(CHUNK, len(level))
                steps.append(self._evaluate(lane, (*path[:depth], level[:end], CUT), cold=cold))
        return sum(step.read - step.cached for step in steps)

    def _evaluate(self, lane: Lane, path: Levels, *, cold: bool = False, **options: Any) -> Generation:  # noqa: ANN401 - JSON
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
        choice, usage = reply["choices"][0], reply["usage"]
        written = (choice.get("logprobs") or {}).get("content") or []
        return Generation(
            text=choice["text"],
            finished=choice["finish_reason"] == "stop",
            likely={
                token["token"]: token["logprob"] for first in written[:1] for token in first["top_logprobs"]
            },
            read=usage["prompt_tokens"],
            cached=(usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0),
            wrote=usage["completion_tokens"],
        )

    def _tokenise(self, text: str, *, special: bool = False) -> Tokens:
        """Return a text's tokens. `special` turns names of control tokens into these; never use it on data."""
        body = json.dumps({"content": text, "parse_special": special, "add_special": False}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TOKENISE_SECONDS)
        with contextlib.closing(connection):
            try:
                connection.request("POST", "/tokenize", body, headers)
                return tuple(json.load(connection.getresponse())["tokens"])
            except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
                raise ProviderError(f"the embedded model could not tokenise a text: {error}") from error


@dataclass(eq=False, slots=True)
class _Job:
    run: Callable[[Engine], Any]
    key: object | None
    done: asyncio.Future[Any]


@dataclass(eq=False, slots=True)
class _Worker:
    engine: Engine
    key: object | None = None
    busy: bool = False


class EnginePool:
    """Engines with one thread each, and the queue of their jobs.

    A job that needs a listing in the cache carries the listing's key. A free engine takes, in this order: a job for the
    listing that it holds; a job that needs none; the oldest job for a listing that no other engine holds; a job for another
    engine's listing, if so many of those wait that reading the listing a second time pays.
    """

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._workers = [_Worker(engine) for engine in engines]
        self._waiting: list[_Job] = []
        self._threads = ThreadPoolExecutor(len(engines), thread_name_prefix="panel-local")
        self._calls: set[asyncio.Task[None]] = set()
        self._closed = False

    async def run(self, job: Callable[[Engine], T], key: object | None = None) -> T:
        """Run one job on an engine; its errors pass through. Cancelling the caller takes the job out of the queue."""
        if self._closed:
            raise ProviderError("the embedded model is closed")
        loop = asyncio.get_running_loop()
        waiting = _Job(job, key, loop.create_future())
        self._waiting.append(waiting)
        loop.call_soon(self._assign_jobs)
        try:
            result: T = await waiting.done
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
        return result

    async def aclose(self) -> None:
        """Let running jobs end, drop the others, and stop the engines."""
        self._closed = True
        for job in self._waiting:
            job.done.cancel()
        self._waiting.clear()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await asyncio.to_thread(self._threads.shutdown)
        for worker in self._workers:
            worker.engine.close()
        self._workers.clear()

    def _assign_jobs(self) -> None:
        for worker in self._workers:
            job = None if worker.busy else self._next_job(worker)
            if job is None:
                continue
            self._waiting.remove(job)
            worker.busy, worker.key = True, worker.key if job.key is None else job.key
            call = asyncio.get_running_loop().create_task(self._call(worker, job))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self, worker: _Worker, job: _Job) -> None:
        loop = asyncio.get_running_loop()
        try:
            result = await loop.run_in_executor(self._threads, job.run, worker.engine)
        except BaseException as error:  # noqa: BLE001 - the caller that waits for the job gets it
            settle = partial(job.done.set_exception, error)
        else:
            settle = partial(job.done.set_result, result)
        if not job.done.done():
            settle()
        worker.busy = False
        # The caller may add the next job for the same listing before the worker is given away.
        loop.call_soon(loop.call_soon, loop.call_soon, self._assign_jobs)

    def _next_job(self, worker: _Worker) -> _Job | None:
        taken = {other.key for other in self._workers if other is not worker and other.key is not None}
        waits = [job.key for job in self._waiting]
        rules: tuple[Callable[[_Job], bool], ...] = (
            lambda job: job.key is not None and job.key == worker.key,
            lambda job: job.key is None,
            lambda job: job.key not in taken,
            lambda job: waits.count(job.key) >= WORTH_A_SECOND_READING,
        )
        return next((job for rule in rules for job in self._waiting if rule(job)), None)

"""Limits: how large a request may be, how many questions run and wait at once, and how long one may take."""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

import anyio
import anyio.to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.errors import DeadlineExceeded, Overloaded
from service.pace import Pace
from service.problems import body_too_large, is_form

T = TypeVar("T")

DOCUMENTS_PATH = "/v1/documents"
BATCH_PATH = "/v1/documents:batch"
# Front ends send the whole chat with every question.
CHAT_PATHS = ("/v1/chat/completions", "/v1/responses", "/openwebui/v1/chat/completions")
CHAT_BODY = 1_048_576
SMALL_BODY = 262_144

_LENGTH_DIGITS = 18

# How much the last measured duration counts in the running mean that Retry-After is reckoned from.
_SMOOTHING = 0.1


class Deadline:
    """A point in time by which a request must be answered."""

    def __init__(self, seconds: float) -> None:
        """Let the time run from now; `math.inf` never ends."""
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def remaining_s(self) -> float:
        """Seconds that are left, 0 when it has passed."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Return if there is time left.

        Raises:
            DeadlineExceeded: there is none.
        """
        if self.remaining_s == 0:
            raise DeadlineExceeded(f"The request was not answered within {self._seconds:g} seconds; ask again later.")


class Gate:
    """A bounded queue in front of work that keeps a core busy.

    `concurrency` pieces of work run at once, in threads; `queue_size` more may wait; any other is refused at once, so
    that a caller learns in a millisecond what it would else learn from a time-out.
    """

    def __init__(self, *, concurrency: int, queue_size: int, pace: Pace | None = None) -> None:
        """Make a gate. Use it from one event loop only. Its work counts as questions for `pace`."""
        self._pace = pace
        self._concurrency = concurrency
        self._capacity = concurrency + queue_size
        self._admitted = 0
        self._mean_s = 0.1
        self._turns = anyio.Semaphore(concurrency)
        self._threads = anyio.CapacityLimiter(concurrency)

    @property
    def admitted(self) -> int:
        """How many pieces of work run or wait now."""
        return self._admitted

    async def run(self, work: Callable[[Deadline], T], *, deadline: Deadline) -> T:
        """Run `work(deadline)` in a thread when its turn comes, and return what it returns.

        Work that has begun is never abandoned: it holds its place until it ends, and checks the deadline itself.

        Raises:
            Overloaded: the queue is full or too slow for the deadline, or the turn did not come in time.
            DeadlineExceeded: `work` saw the deadline pass.
        """
        if self._admitted >= self._capacity or self._expected_wait_s() > deadline.remaining_s:
            raise self._overloaded("Too many requests are waiting.")
        self._admitted += 1
        try:
            with anyio.move_on_after(deadline.remaining_s if deadline.remaining_s < math.inf else None) as waiting:
                await self._turns.acquire()
            if waiting.cancelled_caught:
                raise self._overloaded("The request's turn did not come in time.")
            try:
                return await anyio.to_thread.run_sync(self._timed, work, deadline, limiter=self._threads)
            finally:
                self._turns.release()
        finally:
            self._admitted -= 1

    def _timed(self, work: Callable[[Deadline], T], deadline: Deadline) -> T:
        begin = time.monotonic()
        try:
            with self._pace.question() if self._pace else nullcontext():
                return work(deadline)
        finally:
            self._mean_s += _SMOOTHING * (time.monotonic() - begin - self._mean_s)

    def _expected_wait_s(self) -> float:
        """Return how long a newcomer would wait for its turn, going by how long the last ones took."""
        return max(0, self._admitted - self._concurrency + 1) / self._concurrency * self._mean_s

    def _overloaded(self, reason: str) -> Overloaded:
        seconds = max(1, math.ceil(self._expected_wait_s()))
        return Overloaded(f"{reason} Ask again in {seconds} s.", retry_after_s=seconds)


class BodyLimit:
    """ASGI middleware that refuses bodies that are too large, whether or not a length was announced.

    A document may have `limit` bytes; a batch and a form with a file, which are never held in memory, `batch_limit` and
    `file_limit` and as much as the form's other fields may have. A chat has a limit of its own. Anything else is small,
    and so is the time that parsing it takes.
    """

    def __init__(self, app: ASGIApp, *, limit: int, batch_limit: int, file_limit: int) -> None:
        self._app = app
        chats = dict.fromkeys(CHAT_PATHS, min(CHAT_BODY, limit))
        self._limits = {DOCUMENTS_PATH: limit, BATCH_PATH: batch_limit} | chats
        self._form_limit = file_limit + SMALL_BODY
        self._small = min(SMALL_BODY, limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = self._limits.get(scope["path"], self._small)
        if scope["path"] == DOCUMENTS_PATH and is_form(headers.get("content-type", "")):
            limit = self._form_limit
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or len(announced) > _LENGTH_DIGITS or int(announced) > limit:
            await body_too_large(limit).response(scope["path"])(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, str(limit))
            return message

        await self._app(scope, counted, send)

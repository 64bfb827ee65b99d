"""Event streams: what comes of a request as server-sent events, each as soon as it is there."""

import json
import logging
import math
from collections.abc import Awaitable, Callable

import anyio
from fastapi.sse import format_sse_event
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from index.errors import CitespanError, StoreError
from service.problems import INTERNAL, Problem, problem_of
from service.receiving import client_gone

MEDIA_TYPE = "text/event-stream"

Tell = Callable[[str, str], None]
"""Sends an event with this name and this JSON text. Called in the event loop; never waits."""

logger = logging.getLogger(__name__)


def wants_events(request: Request) -> bool:
    """Whether a request asks for an event stream."""
    accepted = request.headers.get("accept", "").split(",")
    return any(each.partition(";")[0].strip().lower() == MEDIA_TYPE for each in accepted)


class EventStream(Response):
    """The events that a piece of work tells, in the format of WHATWG HTML, section 9.2.

    The status goes out with the first event. So an error before it is answered like that of any other route; one after
    it becomes the event `error`, with the problem. When the client goes away, the work is cancelled.
    """

    media_type = MEDIA_TYPE

    def __init__(self, work: Callable[[Tell], Awaitable[None]]) -> None:
        """Send what `work` tells until it returns."""
        self.status_code = 200
        self.background = None
        # A proxy that gathers what it passes on would undo the stream.
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (the protocol's)
        """Do the work and send its events."""
        # Unbounded: a client that reads slowly must not hold up the thread that answers. It is a few events at most.
        telling, told = anyio.create_memory_object_stream[bytes](math.inf)
        has_told = False
        failure: Exception | None = None

        def tell(name: str, content: str) -> None:
            nonlocal has_told
            has_told = True
            telling.send_nowait(format_sse_event(event=name, data_str=content))

        async def work() -> None:
            nonlocal failure
            with telling:
                try:
                    await self._work(tell)
                except Exception as error:  # noqa: BLE001 (it is told, or raised below)
                    if has_told:
                        tell("error", json.dumps(_problem_of(error).content))
                    else:
                        failure = error

        async def leave_with_the_client() -> None:
            await client_gone(receive)
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group, told:
            group.start_soon(leave_with_the_client)
            group.start_soon(work)
            await self._send(told, send)
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _send(self, told: anyio.abc.ObjectReceiveStream[bytes], send: Send) -> None:
        """Send events until there are no more; nothing at all where there is none."""
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        has_begun = False
        async for event in told:
            if not has_begun:
                await send(start)
                has_begun = True
            await send({"type": "http.response.body", "body": event, "more_body": True})
        if has_begun:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _problem_of(error: Exception) -> Problem:
    """Return what is told of an error, and log what is the service's own affair."""
    problem = problem_of(error) if isinstance(error, CitespanError) else INTERNAL
    if problem is INTERNAL:
        logger.error("unexpected error", exc_info=error)
    elif isinstance(error, StoreError):
        logger.error("%s", error)
    return problem

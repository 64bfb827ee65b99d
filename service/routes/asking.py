"""Asking: how every route that answers questions puts them to the engine."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio
from anyio import from_thread
from fastapi import Request
from starlette.requests import ClientDisconnect

from index.collection import Collection, Retrieval
from index.filters import Filters
from service.answering import Response
from service.conversation import Turn
from service.engine import Engine
from service.limits import Deadline
from service.receiving import client_gone
from service.routes.deps import Context

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how."""

    text: str
    history: tuple[Turn, ...] = ()
    top_k: int = 5
    filters: Filters | None = None
    min_confidence: float | None = None


async def ask_engine(
    request: Request,
    context: Context,
    engine: Engine,
    collection: Collection,
    asked: Question,
    *,
    on_retrieved: Callable[[Retrieval], None] = lambda _: None,
) -> Response:
    """Answer a question when its turn comes, count it and time it.

    `on_retrieved` is called in the thread that answers, with what was found, before it is read.

    Raises:
        Overloaded: too many are waiting.
        DeadlineExceeded: it took too long.
        ClientDisconnect: nobody waits for the answer any more.
    """
    if context.settings.log_questions:
        logger.info("question", extra={"fields": {"question": asked.text, "collection": collection.name}})

    def work(deadline: Deadline) -> Response:
        def check() -> None:
            deadline.check()
            from_thread.check_cancelled()  # a client that went away ends the work

        return engine.answerer.ask(
            collection,
            asked.text,
            history=asked.history,
            top_k=asked.top_k,
            filters=asked.filters,
            min_confidence=asked.min_confidence,
            check_deadline=check,
            on_retrieved=on_retrieved,
        )

    response = await run_while_connected(request, context, work)
    metrics = context.metrics
    metrics.questions.labels("abstained" if response.answer is None else "answered").inc()
    metrics.stage_seconds.labels("retrieve").observe(response.timings.retrieve / 1e3)
    metrics.stage_seconds.labels("read").observe(response.timings.read / 1e3)
    return response


async def run_while_connected(request: Request, context: Context, work: Callable[[Deadline], T]) -> T:
    """Return what `work(deadline)` returns, run behind the gate of questions.

    When the client goes away, the work is cancelled: it is dropped while it waits for its turn, and ends where it next
    asks `anyio.from_thread.check_cancelled`.

    Raises:
        Overloaded: too many are waiting.
        DeadlineExceeded: it took too long.
        ClientDisconnect: the client has gone.
    """
    with anyio.CancelScope() as scope:
        watch = asyncio.create_task(_end_with_the_connection(request, scope))
        try:
            return await context.questions.run(work, deadline=Deadline(context.settings.deadline_s))
        finally:
            watch.cancel()
    raise ClientDisconnect


async def _end_with_the_connection(request: Request, scope: anyio.CancelScope) -> None:
    await client_gone(request.receive)
    scope.cancel()

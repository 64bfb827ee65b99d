"""`/v1/ask` and `/v1/search`: questions."""

import logging
from collections.abc import Callable

from anyio import from_thread
from fastapi import APIRouter, Depends, Request

from index.collection import Retrieval
from service.answering import Response
from service.engine import Engine
from service.event_stream import MEDIA_TYPE, EventStream, Tell, wants_events
from service.limits import Deadline
from service.metrics import Metrics
from service.routes.deps import ContextDep, EngineDep, open_collection, refuse_unknown_parameters
from service.schemas import AskRequest, AskResponse, SearchRequest, SearchResponse

router = APIRouter(prefix="/v1", tags=["questions"], dependencies=[Depends(refuse_unknown_parameters)])

logger = logging.getLogger(__name__)


@router.post(
    "/ask",
    summary="Answer a question in the documents' own words",
    response_model=AskResponse,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
async def ask(body: AskRequest, request: Request, context: ContextDep, engine: EngineDep) -> AskResponse | EventStream:
    """Answer with a verbatim span and its citation, or say that the documents do not say (`answerable: false`).

    Where the request accepts `text/event-stream`, the event `retrieved` tells the passages as soon as they are found,
    and `answered` the answer, or `error` the problem.
    """
    collection = open_collection(request, engine, body.collection, write=False)
    if context.settings.log_questions:
        logger.info("question", extra={"fields": {"question": body.question, "collection": body.collection}})

    async def answer(on_retrieved: Callable[[Retrieval], None] = lambda _: None) -> AskResponse:
        def work(deadline: Deadline) -> Response:
            def check() -> None:
                deadline.check()
                from_thread.check_cancelled()  # a client that went away ends the work

            return engine.answerer.ask(
                collection,
                body.question,
                history=body.turns,
                top_k=body.top_k,
                filters=body.store_filters,
                min_confidence=body.min_confidence,
                check_deadline=check,
                on_retrieved=on_retrieved,
            )

        response = await context.questions.run(work, deadline=Deadline(context.settings.deadline_s))
        _count(response, context.metrics)
        return AskResponse.of(response)

    async def stream(tell: Tell) -> None:
        def on_retrieved(retrieval: Retrieval) -> None:
            from_thread.run_sync(tell, "retrieved", _found(body, retrieval, engine).model_dump_json())

        answered = await answer(on_retrieved)
        tell("answered", answered.model_dump_json())

    return EventStream(stream) if wants_events(request) else await answer()


@router.post("/search", summary="Find the passages nearest to a question")
async def search(body: SearchRequest, request: Request, context: ContextDep, engine: EngineDep) -> SearchResponse:
    """Return passages without reading them."""
    collection = open_collection(request, engine, body.collection, write=False)

    def find(deadline: Deadline) -> Retrieval:
        deadline.check()
        return collection.retrieve(body.question, top_k=body.top_k, filters=body.store_filters)

    retrieval = await context.questions.run(find, deadline=Deadline(context.settings.deadline_s))
    return _found(body, retrieval, engine)


def _found(body: SearchRequest, retrieval: Retrieval, engine: Engine) -> SearchResponse:
    fingerprint = engine.answerer.fingerprint(retrieval.fingerprint)
    return SearchResponse.of(body.question, retrieval.hits[: body.top_k], fingerprint)


def _count(response: Response, metrics: Metrics) -> None:
    metrics.questions.labels("abstained" if response.answer is None else "answered").inc()
    metrics.stage_seconds.labels("retrieve").observe(response.timings.retrieve / 1e3)
    metrics.stage_seconds.labels("read").observe(response.timings.read / 1e3)

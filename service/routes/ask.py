"""`/v1/ask` and `/v1/search`: questions."""

from collections.abc import Callable

from anyio import from_thread
from fastapi import APIRouter, Depends, Request

from index.collection import Retrieval
from service.engine import Engine
from service.event_stream import MEDIA_TYPE, EventStream, Tell, wants_events
from service.limits import Deadline
from service.routes.asking import Question, ask_engine, run_while_connected
from service.routes.deps import ContextDep, EngineDep, open_collection, refuse_unknown_parameters
from service.schemas import AskRequest, AskResponse, SearchRequest, SearchResponse

router = APIRouter(prefix="/v1", tags=["questions"], dependencies=[Depends(refuse_unknown_parameters)])


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
    asked = Question(body.question, body.turns, body.top_k, body.store_filters, body.min_confidence)

    async def answer(on_retrieved: Callable[[Retrieval], None] = lambda _: None) -> AskResponse:
        return AskResponse.of(await ask_engine(request, context, engine, collection, asked, on_retrieved=on_retrieved))

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

    return _found(body, await run_while_connected(request, context, find), engine)


def _found(body: SearchRequest, retrieval: Retrieval, engine: Engine) -> SearchResponse:
    fingerprint = engine.answerer.fingerprint(retrieval.fingerprint)
    return SearchResponse.of(body.question, retrieval.hits[: body.top_k], fingerprint)

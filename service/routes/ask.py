"""`/v1/ask` and `/v1/search`: questions."""

import logging

from fastapi import APIRouter, Depends, Request

from index.collection import Retrieval
from service.limits import Deadline
from service.routes.deps import ContextDep, EngineDep, open_collection, refuse_unknown_parameters
from service.schemas import AskRequest, AskResponse, SearchRequest, SearchResponse

router = APIRouter(prefix="/v1", tags=["questions"], dependencies=[Depends(refuse_unknown_parameters)])

logger = logging.getLogger(__name__)


@router.post("/ask", summary="Answer a question in the documents' own words")
async def ask(body: AskRequest, request: Request, context: ContextDep, engine: EngineDep) -> AskResponse:
    """Answer with a verbatim span and its citation, or say that the documents do not say (`answerable: false`)."""
    collection = open_collection(request, engine, body.collection, write=False)
    if context.settings.log_questions:
        logger.info("question", extra={"fields": {"question": body.question, "collection": body.collection}})
    response = await context.questions.run(
        lambda deadline: engine.answerer.ask(
            collection,
            body.question,
            history=body.turns,
            top_k=body.top_k,
            filters=body.store_filters,
            min_confidence=body.min_confidence,
            check_deadline=deadline.check,
        ),
        deadline=Deadline(context.settings.deadline_s),
    )
    metrics = context.metrics
    metrics.questions.labels("abstained" if response.answer is None else "answered").inc()
    metrics.stage_seconds.labels("retrieve").observe(response.timings.retrieve / 1e3)
    metrics.stage_seconds.labels("read").observe(response.timings.read / 1e3)
    return AskResponse.of(response)


@router.post("/search", summary="Find the passages nearest to a question")
async def search(body: SearchRequest, request: Request, context: ContextDep, engine: EngineDep) -> SearchResponse:
    """Return passages without reading them."""
    collection = open_collection(request, engine, body.collection, write=False)

    def find(deadline: Deadline) -> Retrieval:
        deadline.check()
        return collection.retrieve(body.question, top_k=body.top_k, filters=body.store_filters)

    retrieval = await context.questions.run(find, deadline=Deadline(context.settings.deadline_s))
    return SearchResponse.of(body.question, retrieval.hits, engine.answerer.fingerprint(retrieval.fingerprint))

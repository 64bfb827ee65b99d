"""`/v1/ask` and `/v1/search`: questions."""

from fastapi import APIRouter, Depends, Request

from index.collection import Retrieval
from service.limits import Deadline
from service.routes.asking import Question, ask_engine, run_while_connected
from service.routes.deps import ContextDep, EngineDep, open_collection, refuse_unknown_parameters
from service.schemas import AskRequest, AskResponse, SearchRequest, SearchResponse

router = APIRouter(prefix="/v1", tags=["questions"], dependencies=[Depends(refuse_unknown_parameters)])


@router.post("/ask", summary="Answer a question in the documents' own words")
async def ask(body: AskRequest, request: Request, context: ContextDep, engine: EngineDep) -> AskResponse:
    """Answer with a verbatim span and its citation, or say that the documents do not say (`answerable: false`)."""
    collection = open_collection(request, engine, body.collection, write=False)
    asked = Question(body.question, body.turns, body.top_k, body.store_filters, body.min_confidence)
    return AskResponse.of(await ask_engine(request, context, engine, collection, asked))


@router.post("/search", summary="Find the passages nearest to a question")
async def search(body: SearchRequest, request: Request, context: ContextDep, engine: EngineDep) -> SearchResponse:
    """Return passages without reading them."""
    collection = open_collection(request, engine, body.collection, write=False)

    def find(deadline: Deadline) -> Retrieval:
        deadline.check()
        return collection.retrieve(body.question, top_k=body.top_k, filters=body.store_filters)

    retrieval = await run_while_connected(request, context, find)
    return SearchResponse.of(body.question, retrieval.hits, engine.answerer.fingerprint(retrieval.fingerprint))

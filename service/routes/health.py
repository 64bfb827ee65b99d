"""`/livez`, `/readyz`, `/metrics`: for whoever runs the service."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from index.errors import NotReady, UnknownCollection
from service.routes.deps import ContextDep, EngineDep, require_all_collections
from service.schemas import Health

router = APIRouter(tags=["operation"])


@router.get("/livez", summary="Whether the process lives")
async def livez() -> Health:
    """Answer as long as the event loop runs."""
    return Health(status="alive")


@router.get("/readyz", summary="Whether the service can answer")
async def readyz(context: ContextDep, _: EngineDep) -> Health:
    """Answer 200 when questions can be answered, 503 before that and as soon as the service is told to stop."""
    if context.draining:
        raise NotReady("The service is stopping; send requests elsewhere.")
    return Health(status="ready")


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
def expose_metrics(request: Request, context: ContextDep, engine: EngineDep) -> Response:
    """Return counters, gauges and histograms in the text format of Prometheus, to keys that open all collections."""
    require_all_collections(request)
    metrics = context.metrics
    metrics.admitted.set(context.questions.admitted)
    metrics.documents.clear()  # of collections that are gone
    metrics.passages.clear()
    for name in engine.library.names():
        try:
            documents, passages = engine.library.collection(name).counts()
        except UnknownCollection:  # deleted a moment ago
            continue
        metrics.documents.labels(name).set(documents)
        metrics.passages.labels(name).set(passages)
    return Response(metrics.expose(), headers={"Content-Type": CONTENT_TYPE_LATEST})

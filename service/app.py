"""The application: settings in, a FastAPI application out."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from index.embedder import Embedder
from index.errors import CitespanError
from service import VERSION, problems
from service.auth import Guard
from service.engine import Engine, open_engine
from service.jobs import Jobs
from service.limits import BodyLimit, Gate
from service.logs import REQUEST_ID_HEADER, RequestLog
from service.metrics import Metrics
from service.pace import Pace
from service.routes import ask, batches, collections, documents, health, jobs, mcp, openai, openwebui, pages
from service.routes.deps import Context
from service.settings import ANY_ADDRESS, LOOPBACK_HOSTS, Settings
from service.spool import Spool

logger = logging.getLogger(__name__)

# Below the data directory; no name of a collection begins so.
SPOOL_DIRECTORY = ".spool"
# Changes take turns; so many may wait before a sender is told to come back.
_WAITING_CHANGES = 16
# Files are read in processes of their own; so many at once, and so many may wait.
_FILES_AT_ONCE = 2
_WAITING_FILES = 16


def create_app(settings: Settings, *, embedder: Embedder | None = None) -> FastAPI:
    """Make the application. Models and collections are loaded when it starts, once.

    `embedder` takes the place of the one that the settings name.
    """
    pace = Pace()
    context = Context(
        settings,
        Metrics(),
        questions=Gate(concurrency=settings.concurrency, queue_size=settings.queue_size, pace=pace),
        changes=Gate(concurrency=1, queue_size=_WAITING_CHANGES),
        files=Gate(concurrency=_FILES_AT_ONCE, queue_size=_WAITING_FILES),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # Blocks the event loop on purpose: there is nobody to serve before it is done.
        try:
            with open_engine(settings, embedder=embedder, pace=pace) as engine, _jobs(engine, settings) as working:
                context.engine, context.jobs = engine, working
                working.reindex_outdated()
                fields = {"url": settings.base_url, "engine": engine.library.embedder.engine}
                logger.info("ready", extra={"fields": fields})
                yield
                context.engine = context.jobs = None
        except CitespanError as error:
            logger.critical("%s", error)
            raise

    app = FastAPI(
        title="Citespan",
        version=VERSION,
        summary="Ask your documents: their exact words and where they stand, or an honest “the documents do not say”.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = context
    problems.install(app)
    for module in (ask, documents, batches, collections, jobs, openai, openwebui, mcp, health, pages):
        app.include_router(module.router)
    pages.mount_static(app)

    # The last one added is the first to see a request. CORS is: a page that may call the service may read its errors.
    app.add_middleware(
        BodyLimit,
        limit=settings.max_body_bytes,
        batch_limit=settings.max_batch_bytes,
        file_limit=settings.max_file_bytes,
    )
    app.add_middleware(
        Guard, keys=settings.api_keys, hosts=_hosts(settings), origins=frozenset(settings.allowed_origins)
    )
    app.add_middleware(RequestLog, metrics=context.metrics)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.allowed_origins),
            allow_methods=["GET", "POST", "DELETE"],
            # Clients of OpenAI and of MCP send headers of their own; it is the origin that is trusted.
            allow_headers=["*"],
            expose_headers=[REQUEST_ID_HEADER, "Retry-After", "Location", "Preference-Applied"],
        )
    return app


@contextmanager
def _jobs(engine: Engine, settings: Settings) -> Iterator[Jobs]:
    spool = Spool(settings.data_dir / SPOOL_DIRECTORY)
    with closing(Jobs(engine.library, spool, longest_line=settings.max_body_bytes)) as jobs:
        yield jobs


def _hosts(settings: Settings) -> frozenset[str]:
    """Return the names that the service answers under."""
    public = urlsplit(settings.base_url).hostname
    named = {host.lower() for host in (*settings.allowed_hosts, settings.host, public) if host}
    return frozenset(named - ANY_ADDRESS) | LOOPBACK_HOSTS

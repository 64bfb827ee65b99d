"""What routes depend on: the loaded engine, the gates, and whether a key opens a collection.

What FastAPI calls for every request is asynchronous though it never waits: it would run anything else in a thread.
"""

import time
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from index.collection import Collection
from index.errors import Forbidden, NotReady
from index.library import COLLECTION_NAME_PATTERN
from service.auth import ApiKey
from service.engine import Engine
from service.jobs import Jobs
from service.limits import Gate
from service.metrics import Metrics
from service.problems import NOT_JSON, is_json, is_json_lines
from service.settings import Settings


@dataclass(slots=True)
class Context:
    """What an application holds for its routes. `engine` is None before it is loaded and after it is closed."""

    settings: Settings
    metrics: Metrics
    questions: Gate
    changes: Gate
    files: Gate
    engine: Engine | None = None
    jobs: Jobs | None = None
    draining: bool = False
    started: int = field(default_factory=lambda: int(time.time()))
    """When the application was made, in seconds since 1970."""


async def get_context(request: Request) -> Context:
    """Return the context of the application."""
    context: Context = request.app.state.context
    return context


ContextDep = Annotated[Context, Depends(get_context)]


async def get_engine(context: ContextDep) -> Engine:
    """Return the engine.

    Raises:
        NotReady: it is not loaded.
    """
    if context.engine is None:
        raise NotReady("The models and collections are being loaded or closed; ask again in a few seconds.")
    return context.engine


EngineDep = Annotated[Engine, Depends(get_engine)]


async def get_jobs(context: ContextDep) -> Jobs:
    """Return what works on jobs.

    Raises:
        NotReady: it is not there yet, or not any more.
    """
    if context.jobs is None:
        raise NotReady("The models and collections are being loaded or closed; ask again in a few seconds.")
    return context.jobs


JobsDep = Annotated[Jobs, Depends(get_jobs)]


def opened_by(request: Request, name: str) -> bool:
    """Whether the request's key may read a collection."""
    key: ApiKey = request.state.key
    return key.opens(name, write=False)


def authorize(request: Request, name: str, *, write: bool) -> None:
    """Return if the request's key may read, or change, the collection of this name.

    Raises:
        Forbidden: it may not; whether the collection exists is not told.
    """
    key: ApiKey = request.state.key
    if not key.opens(name, write=write):
        right = "write to" if write else "read"
        raise Forbidden(f"The key {key.name!r} may not {right} the collection {name!r}; use another key.")


def open_collection(request: Request, engine: Engine, name: str, *, write: bool) -> Collection:
    """Return a collection if the request's key opens it.

    Raises:
        Forbidden: it does not; whether the collection exists is not told.
        UnknownCollection: there is none of this name.
    """
    authorize(request, name, write=write)
    return engine.library.collection(name)


def require_all_collections(request: Request) -> None:
    """Return if the request's key opens every collection.

    Raises:
        Forbidden: it does not.
    """
    key: ApiKey = request.state.key
    if key.collections is not None:
        raise Forbidden(f"The key {key.name!r} does not open all collections; use another key.")


async def refuse_unknown_parameters(request: Request) -> None:
    """Return if the route knows every query parameter of the request.

    Raises:
        RequestValidationError: it does not; nearly always a typing error.
    """
    route: APIRoute = request.scope["route"]
    known = _query_names(route.dependant)
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        message = f"there is no such parameter; known: {', '.join(sorted(known)) or 'none'}"
        raise RequestValidationError([{"type": "extra", "loc": ("query", name), "msg": message} for name in unknown])


def _query_names(dependant: Dependant) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    return names.union(*(_query_names(each) for each in dependant.dependencies))


def require_json(request: Request) -> None:
    """Return if the body of a request is announced as JSON.

    Raises:
        RequestValidationError: it is not.
    """
    if not is_json(request.headers.get("content-type", "")):
        raise RequestValidationError([{"type": "media_type", "loc": ("body",), "msg": NOT_JSON}])


def require_json_lines(request: Request) -> None:
    """Return if the body of a request is announced as JSON lines.

    Raises:
        RequestValidationError: it is not.
    """
    if not is_json_lines(request.headers.get("content-type", "")):
        message = "Send one JSON object a line, with the header 'Content-Type: application/jsonl'."
        raise RequestValidationError([{"type": "media_type", "loc": ("body",), "msg": message}])


CollectionQuery = Annotated[str, Query(pattern=COLLECTION_NAME_PATTERN, description="The collection's name.")]

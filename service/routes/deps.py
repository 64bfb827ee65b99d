"""What routes depend on: the loaded engine, the gates, and whether a key opens a collection."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from index.collection import Collection
from index.errors import Forbidden, NotReady
from index.library import COLLECTION_NAME_PATTERN
from service.auth import ApiKey
from service.engine import Engine
from service.limits import Gate
from service.metrics import Metrics
from service.problems import is_json
from service.settings import Settings


@dataclass(slots=True)
class Context:
    """What an application holds for its routes. `engine` is None before it is loaded and after it is closed."""

    settings: Settings
    metrics: Metrics
    questions: Gate
    changes: Gate
    engine: Engine | None = None
    draining: bool = False


def get_context(request: Request) -> Context:
    """Return the context of the application."""
    context: Context = request.app.state.context
    return context


ContextDep = Annotated[Context, Depends(get_context)]


def get_engine(context: ContextDep) -> Engine:
    """Return the engine.

    Raises:
        NotReady: it is not loaded.
    """
    if context.engine is None:
        raise NotReady("The models and collections are being loaded or closed; ask again in a few seconds.")
    return context.engine


EngineDep = Annotated[Engine, Depends(get_engine)]


def open_collection(request: Request, engine: Engine, name: str, *, write: bool) -> Collection:
    """Return a collection if the request's key opens it.

    Raises:
        Forbidden: it does not; whether the collection exists is not told.
        UnknownCollection: there is none of this name.
    """
    key: ApiKey = request.state.key
    if not key.opens(name, write=write):
        right = "write to" if write else "read"
        raise Forbidden(f"The key {key.name!r} may not {right} the collection {name!r}; use another key.")
    return engine.library.collection(name)


def require_all_collections(request: Request) -> None:
    """Return if the request's key opens every collection.

    Raises:
        Forbidden: it does not.
    """
    key: ApiKey = request.state.key
    if key.collections is not None:
        raise Forbidden(f"The key {key.name!r} does not open all collections; use another key.")


def refuse_unknown_parameters(request: Request) -> None:
    """Return if the route knows every query parameter of the request.

    Raises:
        RequestValidationError: it does not; nearly always a typing error.
    """
    route: APIRoute = request.scope["route"]
    known = {field.alias for field in route.dependant.query_params}
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        message = f"there is no such parameter; known: {', '.join(sorted(known)) or 'none'}"
        raise RequestValidationError([{"type": "extra", "loc": ("query", name), "msg": message} for name in unknown])


def require_json(request: Request) -> None:
    """Return if the body of a request is announced as JSON.

    Raises:
        RequestValidationError: it is not.
    """
    if not is_json(request.headers.get("content-type", "")):
        raise RequestValidationError([{"type": "media_type", "loc": ("body",), "msg": "not announced as JSON"}])


CollectionQuery = Annotated[str, Query(pattern=COLLECTION_NAME_PATTERN, description="The collection's name.")]

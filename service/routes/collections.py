"""`/v1/collections`: what is searched together, and apart from everything else."""

import math

from fastapi import APIRouter, Depends, Request, Response

from index.errors import UnknownCollection
from service.limits import Deadline
from service.routes.cursors import CursorQuery, LimitQuery, cursor_after, place_of
from service.routes.deps import ContextDep, EngineDep, authorize, open_collection, opened_by, refuse_unknown_parameters
from service.schemas import Collection, CollectionList, CollectionRequest

router = APIRouter(prefix="/v1/collections", tags=["collections"], dependencies=[Depends(refuse_unknown_parameters)])


@router.post("", status_code=201, summary="Create a collection", responses={200: {"model": Collection}})
async def create_collection(
    body: CollectionRequest, request: Request, response: Response, context: ContextDep, engine: EngineDep
) -> Collection:
    """Create an empty collection (201); one that is there already is left as it is (200)."""
    authorize(request, body.name, write=True)
    library = engine.library
    response.status_code = 200 if body.name in library.names() else 201
    response.headers["Location"] = f"/v1/collections/{body.name}"
    return await context.changes.run(lambda _: Collection.of(library.create(body.name)), deadline=Deadline(math.inf))


@router.get("", summary="List collections")
def list_collections(
    request: Request, engine: EngineDep, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> CollectionList:
    """Return a page of the collections that the key opens, by name."""
    after = "" if cursor is None else place_of(cursor)
    names = [name for name in engine.library.names() if name > after and opened_by(request, name)]
    items = []
    for name in names[:limit]:
        try:
            items.append(Collection.of(engine.library.collection(name)))
        except UnknownCollection:  # deleted a moment ago
            continue
    return CollectionList(items=items, next_cursor=cursor_after(names[limit - 1]) if len(names) > limit else None)


@router.get("/{name}", summary="Describe a collection")
def get_collection(name: str, request: Request, engine: EngineDep) -> Collection:
    """Return how much a collection holds, and whether its index is as the settings ask for."""
    return Collection.of(open_collection(request, engine, name, write=False))


@router.delete("/{name}", status_code=204, response_class=Response, summary="Delete a collection")
async def delete_collection(name: str, request: Request, context: ContextDep, engine: EngineDep) -> None:
    """Delete a collection with all its documents for good. Its directory is gone when the response is sent."""
    authorize(request, name, write=True)
    await context.changes.run(lambda _: engine.library.delete(name), deadline=Deadline(math.inf))

"""`/v1/documents`: what the answers come from."""

import math
from dataclasses import replace
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ValidationError

from index.filters import Days as StoreDays
from index.filters import Filters as StoreFilters
from index.library import DEFAULT_COLLECTION
from service.limits import Deadline
from service.problems import invalid_body, is_form
from service.routes.cursors import CursorQuery, LimitQuery, cursor_after, number_of
from service.routes.deps import (
    CollectionQuery,
    ContextDep,
    EngineDep,
    JobsDep,
    open_collection,
    refuse_unknown_parameters,
    require_json,
)
from service.routes.uploads import FORM_BODY, add_file, answer_receipt
from service.schemas import (
    MAX_FILTER_VALUES,
    BatchReport,
    Day,
    Document,
    DocumentList,
    DocumentReceipt,
    DocumentRequest,
    Job,
    body_schema,
)

router = APIRouter(prefix="/v1/documents", tags=["documents"], dependencies=[Depends(refuse_unknown_parameters)])

_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": body_schema(DocumentRequest)},
        "multipart/form-data": FORM_BODY,
    },
}


@router.post(
    "",
    status_code=201,
    summary="Add or replace a document",
    response_model=DocumentReceipt | BatchReport,
    responses={200: {"model": DocumentReceipt | BatchReport}, 201: {"model": DocumentReceipt}, 202: {"model": Job}},
    openapi_extra={"requestBody": _BODY},
)
async def add_document(
    request: Request, response: Response, context: ContextDep, engine: EngineDep, jobs: JobsDep
) -> DocumentReceipt | BatchReport | Response:
    """Add a document (201), or replace the one from the same source (200); unchanged content changes nothing (200).

    Send its text as JSON, or a file as multipart/form-data. The document is durable, and found by the next question,
    when the response is sent. A file that holds many, CSV or JSON lines, is answered as a batch is (200 or 202).
    """
    if is_form(request.headers.get("content-type", "")):
        return await add_file(request, response, context, engine.library, jobs)
    # Parsed here and not by FastAPI, which would do so in the event loop, and a document may be large.
    require_json(request)
    body = await anyio.to_thread.run_sync(_parsed, await request.body())
    collection = open_collection(request, engine, body.collection, write=True)
    receipt = await context.changes.run(
        lambda _: collection.put(body.to_document()),
        deadline=Deadline(math.inf),  # what has begun to be stored is not given up half-way
    )
    return answer_receipt(response, body.collection, receipt)


FilterQuery = Annotated[list[str] | None, Query(max_length=MAX_FILTER_VALUES, description="May be repeated.")]
DayQuery = Annotated[Day | None, Query()]


async def _listed_values(
    document_id: FilterQuery = None, source: FilterQuery = None, title: FilterQuery = None, tags: FilterQuery = None
) -> StoreFilters:
    """Return the filters by values that are given as query parameters."""
    ids, sources, titles, tagged = (
        None if each is None else tuple(each) for each in (document_id, source, title, tags)
    )
    return StoreFilters(ids, sources, titles, tagged)


async def _listed_days(
    date_from: DayQuery = None,
    date_to: DayQuery = None,
    created_from: DayQuery = None,
    created_to: DayQuery = None,
    updated_from: DayQuery = None,
    updated_to: DayQuery = None,
) -> StoreFilters:
    """Return the filters by days that are given as query parameters."""
    bounds = ((date_from, date_to), (created_from, created_to), (updated_from, updated_to))
    date, created_at, updated_at = (None if each == (None, None) else StoreDays(*each) for each in bounds)
    return StoreFilters(date=date, created_at=created_at, updated_at=updated_at)


async def _filters(
    values: Annotated[StoreFilters, Depends(_listed_values)], days: Annotated[StoreFilters, Depends(_listed_days)]
) -> StoreFilters:
    """Return all filters that are given as query parameters."""
    return replace(values, date=days.date, created_at=days.created_at, updated_at=days.updated_at)


@router.get("", summary="List documents")
def list_documents(
    request: Request,
    engine: EngineDep,
    filters: Annotated[StoreFilters, Depends(_filters)],
    collection: CollectionQuery = DEFAULT_COLLECTION,
    limit: LimitQuery = 50,
    cursor: CursorQuery = None,
) -> DocumentList:
    """Return a page of documents in the order in which they first came."""
    opened = open_collection(request, engine, collection, write=False)
    records = opened.documents(after=number_of(cursor, default=0), limit=limit + 1, filters=filters)
    more = len(records) > limit
    records = records[:limit]
    return DocumentList(
        items=[Document.of(record) for record in records],
        next_cursor=cursor_after(records[-1].number) if more else None,
    )


@router.get("/{document_id}", summary="Describe a document")
def get_document(
    document_id: str, request: Request, engine: EngineDep, collection: CollectionQuery = DEFAULT_COLLECTION
) -> Document:
    """Return a document without its text."""
    return Document.of(open_collection(request, engine, collection, write=False).document(document_id))


@router.get(
    "/{document_id}/text",
    summary="Return a document's text",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def get_text(
    document_id: str, request: Request, engine: EngineDep, collection: CollectionQuery = DEFAULT_COLLECTION
) -> Response:
    """Return the canonical text that every offset counts in, in UTF-8."""
    text = open_collection(request, engine, collection, write=False).text(document_id)
    return Response(text.encode(), media_type="text/plain; charset=utf-8")


@router.delete("/{document_id}", status_code=204, response_class=Response, summary="Delete a document")
async def delete_document(
    document_id: str,
    request: Request,
    context: ContextDep,
    engine: EngineDep,
    collection: CollectionQuery = DEFAULT_COLLECTION,
) -> None:
    """Delete a document for good; no answer cites it from now on."""
    opened = open_collection(request, engine, collection, write=True)
    await context.changes.run(lambda _: opened.delete(document_id), deadline=Deadline(math.inf))


def _parsed(body: bytes) -> DocumentRequest:
    """Return the document that a body describes.

    Raises:
        RequestValidationError: it describes none.
    """
    try:
        return DocumentRequest.model_validate_json(body)
    except ValidationError as error:
        raise invalid_body(error) from None

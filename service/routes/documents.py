"""`/v1/documents`: what the answers come from."""

import base64
import math
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from index.documents import make_document
from index.library import DEFAULT_COLLECTION
from service.limits import Deadline
from service.routes.deps import (
    CollectionQuery,
    ContextDep,
    EngineDep,
    open_collection,
    refuse_unknown_parameters,
    require_json,
)
from service.schemas import Document, DocumentList, DocumentReceipt, DocumentRequest

router = APIRouter(prefix="/v1/documents", tags=["documents"], dependencies=[Depends(refuse_unknown_parameters)])

_CURSOR_PREFIX = b"after:"


_JSON_BODY = {"required": True, "content": {"application/json": {"schema": DocumentRequest.model_json_schema()}}}


@router.post(
    "",
    status_code=201,
    summary="Add or replace a document",
    responses={200: {"model": DocumentReceipt}},
    openapi_extra={"requestBody": _JSON_BODY},
)
async def add_document(request: Request, response: Response, context: ContextDep, engine: EngineDep) -> DocumentReceipt:
    """Add a document (201), or replace the one from the same source (200); unchanged content changes nothing (200).

    The document is durable, and found by the next question, when the response is sent.
    """
    # Parsed here and not by FastAPI, which would do so in the event loop, and a document may be large.
    require_json(request)
    body = await anyio.to_thread.run_sync(_parsed, await request.body())
    collection = open_collection(request, engine, body.collection, write=True)
    receipt = await context.changes.run(
        lambda _: collection.put(
            make_document(body.text, source=body.source, title=body.title, metadata=body.metadata)
        ),
        deadline=Deadline(math.inf),  # what has begun to be stored is not given up half-way
    )
    response.status_code = 201 if receipt.created else 200
    query = "" if body.collection == DEFAULT_COLLECTION else f"?collection={body.collection}"
    response.headers["Location"] = f"/v1/documents/{receipt.record.id}{query}"
    return DocumentReceipt.of(receipt)


@router.get("", summary="List documents")
def list_documents(
    request: Request,
    engine: EngineDep,
    collection: CollectionQuery = DEFAULT_COLLECTION,
    limit: Annotated[int, Query(ge=1, le=200, description="Documents on a page.")] = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the page before.")] = None,
) -> DocumentList:
    """Return a page of documents in the order in which they first came."""
    opened = open_collection(request, engine, collection, write=False)
    records = opened.documents(after=_after(cursor), limit=limit + 1)
    more = len(records) > limit
    records = records[:limit]
    return DocumentList(
        items=[Document.of(record) for record in records], next_cursor=_cursor(records[-1].number) if more else None
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
        details = error.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in details]) from None


def _cursor(number: int) -> str:
    return base64.urlsafe_b64encode(_CURSOR_PREFIX + str(number).encode()).decode()


def _after(cursor: str | None) -> int:
    """Return the number that a cursor stands for.

    Raises:
        RequestValidationError: it is none of ours.
    """
    if cursor is None:
        return 0
    try:
        decoded = base64.urlsafe_b64decode(cursor.encode())
        number = int(decoded.removeprefix(_CURSOR_PREFIX))
        if not decoded.startswith(_CURSOR_PREFIX) or not 0 <= number < 2**63:
            raise ValueError
    except ValueError:
        message = "not a cursor of this service; take next_cursor from the page before"
        raise RequestValidationError([{"type": "cursor", "loc": ("query", "cursor"), "msg": message}]) from None
    return number

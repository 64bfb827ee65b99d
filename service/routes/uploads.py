"""Uploads: a file that comes in a form becomes a document, or many."""

import math
from typing import Any

import anyio.to_thread
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from index.collection import Receipt
from index.documents import Document, decode, make_document
from index.library import Library
from service.forms import Form, FormReader
from service.limits import Deadline
from service.routes.deps import Context, authorize
from service.schemas import FileFields
from service.spool import Spool

_READ_AT_ONCE = 1_048_576

FORM_BODY = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            **FileFields.model_json_schema()["properties"],
        },
    }
}


async def add_file(request: Request, context: Context, library: Library, spool: Spool) -> tuple[str, Receipt]:
    """Put the document of the form that a request holds; return its collection's name and what became of it.

    Raises:
        CitespanError: the file, or what is said of it, cannot be taken.
        RequestValidationError: this is no form, or its fields are not those of a file.
    """
    form = await _received(request, spool, context.settings.max_file_bytes)
    try:
        fields = _checked(form.fields)
        authorize(request, fields.collection, write=True)
        collection = library.collection(fields.collection)
        document = await anyio.to_thread.run_sync(_document, form, fields)
        receipt = await context.changes.run(lambda _: collection.put(document), deadline=Deadline(math.inf))
        return fields.collection, receipt
    finally:
        await anyio.to_thread.run_sync(form.file.discard)


async def _received(request: Request, spool: Spool, largest: int) -> Form:
    content_type = request.headers.get("content-type", "")
    reader = await anyio.to_thread.run_sync(lambda: FormReader(content_type, spool, largest_file=largest))
    try:
        waiting = bytearray()
        async for chunk in request.stream():
            waiting += chunk
            if len(waiting) >= _READ_AT_ONCE:
                await anyio.to_thread.run_sync(reader.feed, bytes(waiting))
                waiting.clear()
        await anyio.to_thread.run_sync(reader.feed, bytes(waiting))
        return await anyio.to_thread.run_sync(reader.end)
    except BaseException:
        reader.abandon()  # also where the client went away
        raise


def _checked(fields: dict[str, Any]) -> FileFields:
    try:
        return FileFields.model_validate(fields)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in details]) from None


def _document(form: Form, fields: FileFields) -> Document:
    return make_document(
        decode(form.file.path.read_bytes()),
        source=form.name if fields.source is None else fields.source,
        title=fields.title,
        metadata=fields.metadata,
        tags=fields.tags,
        date=fields.date,
    )

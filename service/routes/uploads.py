"""Uploads: a file that comes in a form becomes a document, or many."""

import math
from pathlib import Path
from typing import Any

import anyio.to_thread
from fastapi import Request, Response
from pydantic import ValidationError

from index.collection import Receipt
from index.documents import Document
from index.formats.converter import convert
from index.formats.limits import Limits
from index.library import DEFAULT_COLLECTION, Library
from service.auth import ApiKey
from service.files import document_of, plain_document, refuse_title_of_many
from service.forms import Form, FormReader
from service.jobs import Jobs
from service.limits import Deadline
from service.problems import invalid_body
from service.receiving import received
from service.routes.batches import answer_lines
from service.routes.deps import Context, authorize
from service.schemas import BatchReport, DocumentReceipt, FileFields, body_schema
from service.spool import Spool, spooled

FORM_BODY = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            **body_schema(FileFields)["properties"],
        },
    }
}


async def add_file(
    request: Request, response: Response, context: Context, library: Library, jobs: Jobs
) -> DocumentReceipt | BatchReport | Response:
    """Put what the file of a form holds: one document, or the rows of a table or of JSON lines as a batch.

    Raises:
        CitespanError: the file, or what is said of it, cannot be taken.
        RequestValidationError: this is no form, or its fields are not those of a file.
    """
    key: ApiKey = request.state.key
    if not key.may_write:  # told before the file is sent; which collection it is for is said in the form
        authorize(request, DEFAULT_COLLECTION, write=True)
    form = await _received(request, jobs.spool, context.settings.max_file_bytes)
    output = form.file.path.with_suffix(".documents")
    try:
        fields = _checked(form.fields)
        authorize(request, fields.collection, write=True)
        collection = library.collection(fields.collection)
        limits = context.settings.file_limits
        read = await context.files.run(lambda _: _read(form, fields, output, limits), deadline=Deadline(math.inf))
        if isinstance(read, Document):
            receipt = await context.changes.run(lambda _: collection.put(read), deadline=Deadline(math.inf))
            return answer_receipt(response, fields.collection, receipt)
        jobs.check_room()
        lines = await anyio.to_thread.run_sync(spooled, output)
        output = form.file.path  # the lines are discarded when they are put, which may be later
        return await answer_lines(request, context, jobs, collection, lines)
    finally:
        await anyio.to_thread.run_sync(_discard, form.file.path, output)


def answer_receipt(response: Response, collection: str, receipt: Receipt) -> DocumentReceipt:
    """Return a receipt as it is sent, and set status and Location of its response."""
    response.status_code = 201 if receipt.created else 200
    query = "" if collection == DEFAULT_COLLECTION else f"?collection={collection}"
    response.headers["Location"] = f"/v1/documents/{receipt.record.id}{query}"
    return DocumentReceipt.of(receipt)


async def _received(request: Request, spool: Spool, largest: int) -> Form:
    content_type = request.headers.get("content-type", "")
    reader = await anyio.to_thread.run_sync(lambda: FormReader(content_type, spool, largest_file=largest))
    return await received(request.stream(), reader)


def _checked(fields: dict[str, Any]) -> FileFields:
    try:
        return FileFields.model_validate(fields)
    except ValidationError as error:
        raise invalid_body(error) from None


def _read(form: Form, fields: FileFields, output: Path, limits: Limits) -> Document | None:
    """Return the document of a file; of one that holds many, write them to `output` and return None."""
    source = form.name if fields.source is None else fields.source
    said = fields.model_dump(include={"title", "tags", "date", "metadata"}, exclude_unset=True, exclude_none=True)
    plain = plain_document(form.file.path, form.name, source=source, limits=limits, said=said)
    if plain is not None:
        return plain
    converted = convert(form.file.path, output, name=form.name, source=source, limits=limits, said=said)
    refuse_title_of_many(converted, said)
    return None if converted.kind.is_many else document_of(output.read_bytes())


def _discard(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)

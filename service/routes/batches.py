"""`/v1/documents:batch`: many documents at once, one a line."""

import math

import anyio.to_thread
from fastapi import APIRouter, Depends, Request, Response

from index.collection import Collection
from index.errors import StoreError
from index.library import DEFAULT_COLLECTION
from service.batch import Batch
from service.jobs import Jobs
from service.limits import BATCH_PATH, Deadline
from service.receiving import received
from service.routes.deps import (
    CollectionQuery,
    Context,
    ContextDep,
    EngineDep,
    JobsDep,
    open_collection,
    refuse_unknown_parameters,
    require_json_lines,
)
from service.routes.jobs import job_path
from service.schemas import BatchReport, DocumentLine, Job, body_schema
from service.spool import Spool, Spooled

router = APIRouter(tags=["documents"], dependencies=[Depends(refuse_unknown_parameters)])

# A client waits for so many lines, and so many bytes: half a minute of work. More becomes a job.
WAITED_LINES = 500
WAITED_BYTES = 1_048_576

_JSON_LINES = {
    "required": True,
    "content": {"application/jsonl": {"schema": body_schema(DocumentLine)}},
}


@router.post(
    BATCH_PATH,
    summary="Add or replace many documents",
    response_model=BatchReport,
    responses={202: {"model": Job}},
    openapi_extra={"requestBody": _JSON_LINES},
)
async def add_batch(
    request: Request,
    context: ContextDep,
    engine: EngineDep,
    jobs: JobsDep,
    collection: CollectionQuery = DEFAULT_COLLECTION,
) -> BatchReport | Response:
    """Put the documents of JSON lines, and report which lines failed (200); a long batch becomes a job (202).

    With the header `Prefer: respond-async` (RFC 7240), any batch becomes a job.
    """
    require_json_lines(request)
    opened = open_collection(request, engine, collection, write=True)
    jobs.check_room()
    return await answer_lines(request, context, jobs, opened, await _received(request, jobs.spool))


async def answer_lines(
    request: Request, context: Context, jobs: Jobs, opened: Collection, lines: Spooled
) -> BatchReport | Response:
    """Put spooled lines while the client waits, or as a job; either way, they are discarded in the end."""
    if lines.lines <= WAITED_LINES and lines.size <= WAITED_BYTES and not _prefers_async(request):
        longest = context.settings.max_body_bytes
        try:
            return await context.changes.run(lambda _: _report(opened, lines, longest), deadline=Deadline(math.inf))
        finally:
            await anyio.to_thread.run_sync(lines.discard)
    try:
        job = await anyio.to_thread.run_sync(jobs.batch, opened, lines)
    except BaseException:
        lines.discard()
        raise
    headers = {"Location": job_path(job, opened)}
    if _prefers_async(request):
        headers["Preference-Applied"] = "respond-async"
    return Response(Job.of(job, opened.name).model_dump_json(), 202, headers, "application/json")


async def _received(request: Request, spool: Spool) -> Spooled:
    """Write the body of a request to the disk as it comes in, and return it.

    Raises:
        StoreError: the disk does not take it.
    """
    return await received(request.stream(), await anyio.to_thread.run_sync(spool.begin))


def _report(collection: Collection, lines: Spooled, longest: int) -> BatchReport:
    """Put the lines and return what became of them.

    Raises:
        StoreError: the store does not take some of them; the message says how many are through.
    """
    batch = Batch(collection, longest=longest)
    try:
        batch.run(lines.read(longest=longest))
    except StoreError as error:
        done = f"{batch.tally.done} of {lines.lines} lines are through; sending all of them again is harmless."
        raise type(error)(f"{error} {done}") from error
    return BatchReport.of(batch.tally)


def _prefers_async(request: Request) -> bool:
    """Whether a request has the preference `respond-async` (RFC 7240)."""
    given = ",".join(request.headers.getlist("prefer")).split(",")
    return any(each.partition(";")[0].strip().lower() == "respond-async" for each in given)

"""`/v1/jobs`: long pieces of work, and what became of them."""

import anyio.to_thread
from fastapi import APIRouter, Depends, Request, Response

from index.collection import Collection
from index.jobs import Job as JobRecord
from index.library import DEFAULT_COLLECTION
from service.routes.cursors import CursorQuery, LimitQuery, cursor_after, number_of
from service.routes.deps import CollectionQuery, EngineDep, JobsDep, open_collection, refuse_unknown_parameters
from service.schemas import Job, JobDetails, JobList, JobRequest

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], dependencies=[Depends(refuse_unknown_parameters)])

_NEWEST = 2**63 - 1


def job_path(job: JobRecord, collection: Collection) -> str:
    """Return where a job is to be found."""
    query = "" if collection.name == DEFAULT_COLLECTION else f"?collection={collection.name}"
    return f"/v1/jobs/{job.id}{query}"


@router.post("", status_code=202, summary="Begin a job")
async def begin_job(body: JobRequest, request: Request, response: Response, engine: EngineDep, jobs: JobsDep) -> Job:
    """Build a collection's index anew where the settings ask for another one, beside the one that serves."""
    collection = open_collection(request, engine, body.collection, write=True)
    job = await anyio.to_thread.run_sync(jobs.reindex, collection)
    response.headers["Location"] = job_path(job, collection)
    return Job.of(job, collection.name)


@router.get("", summary="List jobs")
def list_jobs(
    request: Request,
    engine: EngineDep,
    collection: CollectionQuery = DEFAULT_COLLECTION,
    limit: LimitQuery = 50,
    cursor: CursorQuery = None,
) -> JobList:
    """Return a page of a collection's jobs, the newest first."""
    opened = open_collection(request, engine, collection, write=False)
    found = opened.jobs.newest(before=number_of(cursor, default=_NEWEST), limit=limit + 1)
    more = len(found) > limit
    found = found[:limit]
    return JobList(
        items=[Job.of(job, opened.name) for job in found], next_cursor=cursor_after(found[-1].number) if more else None
    )


@router.get("/{job_id}", summary="Tell how far a job has come")
def get_job(
    job_id: str, request: Request, engine: EngineDep, collection: CollectionQuery = DEFAULT_COLLECTION
) -> JobDetails:
    """Return a job with the lines that failed. It is `interrupted` where the service ended before it did."""
    opened = open_collection(request, engine, collection, write=False)
    job, failures = opened.jobs.get(job_id)
    return JobDetails.with_failures(job, failures, opened.name)

"""Jobs: long pieces of work on a collection, what became of them and how far they came. Durable, as documents are."""

import sqlite3
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from index.errors import UnknownJob

JobKind: TypeAlias = Literal["batch", "reindex"]
JobState: TypeAlias = Literal["waiting", "running", "done", "failed", "interrupted"]

# So many jobs of a collection are remembered, and so many failed lines of each.
REMEMBERED = 100
FAILURES_KEPT = 1000

INTERRUPTED = {
    "batch": "The service ended before the job did. Send the same lines again: those that are done are left alone.",
    "reindex": "The service ended before the job did. It goes on from there when the service starts.",
}


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `done` of `total` lines or documents are through, be it well or not; `total` is None while unknown.

    What `done` counts is durable: after a crash, at least so many are through. `error` says why a job did not come to
    its end. Times are UTC, ISO 8601.
    """

    number: int
    id: str
    kind: JobKind
    state: JobState
    total: int | None
    done: int
    added: int
    replaced: int
    unchanged: int
    failed: int
    error: str | None
    created_at: str
    updated_at: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state not in ("waiting", "running")


@dataclass(frozen=True, slots=True)
class Failure:
    """A line that was not taken, counted from 1, and why."""

    line: int
    detail: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the first `done` lines. `failures` are the first ones."""

    done: int = 0
    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    failed: int = 0
    failures: tuple[Failure, ...] = ()


_COLUMNS = ", ".join(each.name for each in fields(Job))


class JobTable:
    """What one transaction sees and changes of the jobs of a store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Work in the transaction of `connection`."""
        self._connection = connection

    def get(self, job_id: str) -> Job | None:
        """Return the job with this id."""
        row = self._connection.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else Job(*row)

    def newest(self, *, before: int, limit: int) -> list[Job]:
        """Return the newest jobs first, from the number below `before` on."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM jobs WHERE number < ? ORDER BY number DESC LIMIT ?", (before, limit)
        )
        return [Job(*row) for row in rows]

    def failures(self, job: Job) -> list[Failure]:
        """Return the first lines that failed."""
        rows = self._connection.execute(
            "SELECT line, detail FROM job_failures WHERE job = ? ORDER BY line", (job.number,)
        )
        return [Failure(*row) for row in rows]

    def create(self, kind: JobKind, total: int | None) -> Job:
        """Note a new job that waits. The oldest that are over are forgotten."""
        now = _now()
        row = self._connection.execute(
            "INSERT INTO jobs (id, kind, state, total, created_at, updated_at) VALUES (?, ?, 'waiting', ?, ?, ?)"
            f" RETURNING {_COLUMNS}",
            (f"job-{uuid.uuid4().hex}", kind, total, now, now),
        ).fetchone()
        job = Job(*row)
        self._connection.execute(
            "DELETE FROM jobs WHERE number <= ? AND state NOT IN ('waiting', 'running')", (job.number - REMEMBERED,)
        )
        return job

    def save(self, job: Job, failures: Sequence[Failure] = ()) -> None:
        """Note how far a job has come, and lines that failed since."""
        self._connection.execute(
            "UPDATE jobs SET state = ?, total = ?, done = ?, added = ?, replaced = ?, unchanged = ?, failed = ?,"
            " error = ?, updated_at = ? WHERE number = ?",
            (
                job.state,
                job.total,
                job.done,
                job.added,
                job.replaced,
                job.unchanged,
                job.failed,
                job.error,
                _now(),
                job.number,
            ),
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO job_failures (job, line, detail) VALUES (?, ?, ?)",
            ((job.number, each.line, each.detail) for each in failures),
        )


class JobBook:
    """The jobs of a collection. Every change is a transaction of its own."""

    def __init__(
        self,
        reading: Callable[[], AbstractContextManager[JobTable]],
        changing: Callable[[], AbstractContextManager[JobTable]],
    ) -> None:
        """Read and change in what these two open; what `changing` opens commits when it ends well."""
        self._reading = reading
        self._changing = changing

    def get(self, job_id: str) -> tuple[Job, list[Failure]]:
        """Return a job and the first of its lines that failed.

        Raises:
            UnknownJob: there is none with this id.
        """
        with self._reading() as table:
            job = table.get(job_id)
            if job is None:
                raise UnknownJob(f"There is no job {job_id!r} in this collection; the {REMEMBERED} newest are kept.")
            return job, table.failures(job)

    def newest(self, *, before: int = 2**63 - 1, limit: int) -> list[Job]:
        """Return the newest jobs first, from the number below `before` on."""
        with self._reading() as table:
            return table.newest(before=before, limit=limit)

    def create(self, kind: JobKind, total: int | None = None) -> Job:
        """Note a new job that waits."""
        with self._changing() as table:
            return table.create(kind, total)

    def save(self, job: Job, failures: Sequence[Failure] = ()) -> None:
        """Note how far a job has come, and lines that failed since."""
        with self._changing() as table:
            table.save(job, failures)

    def interrupt(self) -> None:
        """Note of all jobs that are not over that nobody works on them any more."""
        unfinished = [job for job in self.newest(limit=-1) if not job.is_over]
        if unfinished:
            with self._changing() as table:
                for job in unfinished:
                    table.save(replace(job, state="interrupted", error=INTERRUPTED[job.kind]))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

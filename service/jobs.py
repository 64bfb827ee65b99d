"""Jobs: long work on a collection, in threads of its own. The store keeps how far it came.

Batches and indexing anew have a thread each: a batch need not wait for hours until an index is built.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from index.change import Change
from index.collection import Collection
from index.errors import CitespanError, NotReady, Overloaded, StoreError, UnknownCollection
from index.jobs import INTERRUPTED, Job, Tally
from index.library import Library
from service.batch import Batch
from service.spool import Spool, Spooled

# So many batches may wait, each of them a file on the disk.
_WAITING = 16
_RETRY_S = 5
# How far an index has come is noted so often.
_SAVED_EVERY_S = 1

logger = logging.getLogger(__name__)


class Jobs:
    """Works on the jobs of a library. Thread-safe. Close it before the library."""

    def __init__(self, library: Library, spool: Spool, *, longest_line: int) -> None:
        """Work on nothing yet. Batches come in through `spool`; a line of theirs may have `longest_line` bytes."""
        self.spool = spool
        self._library = library
        self._longest_line = longest_line
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._batches = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._indexing = ThreadPoolExecutor(1, thread_name_prefix="indexing")
        self._waiting = 0
        self._reindexed: dict[str, str] = {}  # the job that builds a collection's index, by the collection's name

    def close(self) -> None:
        """Let what is being done stop at the next step, and note of all that is not over that it was interrupted."""
        self._stopping.set()
        for threads in (self._batches, self._indexing):
            threads.shutdown(cancel_futures=True)
        self.spool.clear()
        for name in self._library.names():
            try:
                self._library.collection(name).jobs.interrupt()
            except CitespanError as error:  # the next start notes it
                logger.warning("The jobs of %r are not noted as interrupted yet: %s", name, error)

    def check_room(self) -> None:
        """Return if another batch may wait.

        Raises:
            Overloaded: too many are waiting.
        """
        if self._waiting >= _WAITING:
            raise Overloaded(f"{_WAITING} batches are waiting. Send this one again in 60 s.", retry_after_s=60)

    def batch(self, collection: Collection, lines: Spooled) -> Job:
        """Note a batch as a job of a collection, and put its lines when its turn comes. The lines are discarded then.

        Raises:
            Overloaded: too many are waiting.
            UnknownCollection: the collection was deleted.
            StoreError: the store does not take the job.
        """
        with self._lock:
            self.check_room()
            job = collection.jobs.create("batch", lines.lines)
            self._waiting += 1
            self._begin(self._batches, lambda: self._batch(collection, job, lines))
        return job

    def reindex(self, collection: Collection) -> Job:
        """Note as a job that a collection's index is built anew, and build it when its turn comes.

        Where that is waiting or being done already, return that job.

        Raises:
            UnknownCollection: the collection was deleted.
            StoreError: the store does not take the job.
        """
        with self._lock:
            known = self._reindexed.get(collection.name)
            if known is not None:
                try:
                    return collection.jobs.get(known)[0]
                except CitespanError:
                    del self._reindexed[collection.name]  # of a collection that had the name before
            job = collection.jobs.create("reindex")
            self._reindexed[collection.name] = job.id
            self._begin(self._indexing, lambda: self._reindex(collection, job))
        return job

    def reindex_outdated(self) -> None:
        """Build anew what was not built as the settings ask for now."""
        for name in self._library.names():
            collection = self._library.collection(name)
            try:
                if not collection.is_current:
                    self.reindex(collection)
            except StoreError as error:  # the old index serves
                logger.warning("The index of %r is outdated, and cannot be built anew now: %s", name, error)

    def _begin(self, threads: ThreadPoolExecutor, work: Callable[[], None]) -> None:
        try:
            threads.submit(work)
        except RuntimeError as error:
            raise NotReady("The service is stopping; send requests elsewhere.") from error

    def _batch(self, collection: Collection, job: Job, lines: Spooled) -> None:
        saved = 0

        def note(tally: Tally, change: Change | None) -> None:
            """Save how far the batch has come in the transaction that brings it there."""
            nonlocal job, saved
            job = _with_tally(job, tally)
            failures = tally.failures[saved:]
            saved = len(tally.failures)
            (collection.jobs if change is None else change.jobs).save(job, failures)

        batch = Batch(collection, longest=self._longest_line, note=note)

        def work() -> Job:
            done = batch.run(lines.read(longest=self._longest_line), stopped=self._stopping.is_set)
            return replace(job, state="done") if done else job

        try:
            job = self._started(collection, job)
            self._see_through(collection, lambda: _with_tally(job, batch.tally), work)
        finally:
            lines.discard()
            with self._lock:
                self._waiting -= 1

    def _reindex(self, collection: Collection, job: Job) -> None:
        tenth, saved = 0, time.monotonic()

        def progress(done: int, total: int) -> None:
            nonlocal job, tenth, saved
            job = replace(job, done=done, total=total)
            if time.monotonic() > saved + _SAVED_EVERY_S:
                saved = time.monotonic()
                collection.jobs.save(job)
            if done * 10 > (tenth + 1) * total:
                tenth = done * 10 // total
                _log("indexing anew", collection, job)

        def work() -> Job:
            done = collection.reindex(progress=progress, stopped=self._stopping.is_set)
            return replace(job, state="done") if done else job

        try:
            job = self._started(collection, job)
            if collection.lacks_embedder:
                logger.warning(
                    "The embedder of the old index of %r is not here any more: until the new one is built, only words "
                    "are searched, and no document is taken.",
                    collection.name,
                )
            self._see_through(collection, lambda: job, work)
        finally:
            with self._lock:
                if self._reindexed.get(collection.name) == job.id:  # another collection may have the name by now
                    del self._reindexed[collection.name]

    def _started(self, collection: Collection, job: Job) -> Job:
        job = replace(job, state="running")
        try:
            collection.jobs.save(job)
        except CitespanError as error:  # what comes next will tell more
            logger.warning("The job %s is not noted as begun: %s", job.id, error)
        _log("job begun", collection, job)
        return job

    def _see_through(self, collection: Collection, now: Callable[[], Job], work: Callable[[], Job]) -> None:
        """Do the work, and save what came of it; `now` tells how far it came where it failed."""
        try:
            job = work()
        except UnknownCollection:
            logger.info("The collection %r was deleted, and its job with it.", collection.name)
            return
        except CitespanError as error:
            job = replace(now(), state="failed", error=f"{error} {_AGAIN[now().kind]}")
        except Exception:
            logger.exception("A job failed.")
            job = replace(now(), state="failed", error=f"The service failed; its log tells more. {_AGAIN[now().kind]}")
        if not job.is_over:
            job = replace(job, state="interrupted", error=INTERRUPTED[job.kind])
        _log("job over", collection, job)
        while True:
            try:
                collection.jobs.save(job)
            except UnknownCollection:
                return
            except StoreError as error:  # a full disk, most likely: what failed for it cannot be noted either
                logger.warning("What became of the job %s cannot be noted yet: %s", job.id, error)
                if self._stopping.wait(_RETRY_S):
                    return
            else:
                return


_AGAIN = {
    "batch": "Send the same lines again: those that are done are left alone.",
    "reindex": "The old index serves; what was built is kept. Begin again with POST /v1/jobs.",
}


def _with_tally(job: Job, tally: Tally) -> Job:
    return replace(
        job,
        done=tally.done,
        added=tally.added,
        replaced=tally.replaced,
        unchanged=tally.unchanged,
        failed=tally.failed,
    )


def _log(message: str, collection: Collection, job: Job) -> None:
    fields = {"job": job.id, "kind": job.kind, "collection": collection.name, "state": job.state}
    logger.info(message, extra={"fields": fields | {"done": job.done, "total": job.total}})

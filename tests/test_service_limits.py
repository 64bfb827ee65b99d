"""Limits: the gate admits, queues and refuses; deadlines end."""

import math
import threading

import anyio
import pytest

from index.errors import DeadlineExceeded, Overloaded
from service.limits import Deadline, Gate


def test_deadline_that_has_passed_raises() -> None:
    Deadline(60).check()
    Deadline(math.inf).check()
    with pytest.raises(DeadlineExceeded, match="within 0 seconds"):
        Deadline(0).check()


def test_what_fits_runs_what_waits_follows_and_the_rest_is_refused_at_once() -> None:
    async def scenario() -> None:
        gate = Gate(concurrency=1, queue_size=1)
        release = threading.Event()
        started = threading.Event()
        done: list[str] = []

        def work(name: str) -> None:
            started.set()
            assert release.wait(30)
            done.append(name)

        async with anyio.create_task_group() as group:
            group.start_soon(lambda: gate.run(lambda _: work("first"), deadline=Deadline(60)))
            await anyio.to_thread.run_sync(started.wait)
            group.start_soon(lambda: gate.run(lambda _: work("second"), deadline=Deadline(60)))
            await anyio.wait_all_tasks_blocked()
            assert gate.admitted == 2
            with pytest.raises(Overloaded) as caught:
                await gate.run(lambda _: work("third"), deadline=Deadline(60))
            assert caught.value.retry_after_s >= 1
            release.set()
        assert done == ["first", "second"]
        assert gate.admitted == 0

    anyio.run(scenario)


def test_waiting_ends_with_the_deadline_and_the_place_is_free_again() -> None:
    async def scenario() -> None:
        gate = Gate(concurrency=1, queue_size=1)
        release, started = threading.Event(), threading.Event()

        def work() -> None:
            started.set()
            release.wait(30)

        async with anyio.create_task_group() as group:
            group.start_soon(lambda: gate.run(lambda _: work(), deadline=Deadline(60)))
            await anyio.to_thread.run_sync(started.wait)
            with pytest.raises(Overloaded):
                await gate.run(lambda _: None, deadline=Deadline(0.2))
            assert gate.admitted == 1
            release.set()
        assert await gate.run(lambda _: "free", deadline=Deadline(60)) == "free"

    anyio.run(scenario)


def test_error_of_the_work_is_raised_and_the_place_is_free_again() -> None:
    async def scenario() -> None:
        gate = Gate(concurrency=1, queue_size=0)
        with pytest.raises(ZeroDivisionError):
            await gate.run(lambda _: 1 // 0, deadline=Deadline(60))
        assert await gate.run(lambda _: 7, deadline=Deadline(60)) == 7

    anyio.run(scenario)

"""Crashes: a writer that is killed at any moment loses nothing that it acknowledged and leaves nothing half done."""

import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import crash_writer
import pytest
from crash_writer import CHANGES, COLLECTION, SOURCES, Change, plan, settings_of
from word_embedder import WordEmbedder

from index.collection import Collection
from index.errors import StoreLocked
from index.library import Library, write_lock

# `make torture` asks for more.
KILLS = int(os.environ.get("TORTURE_KILLS", "200"))
SEED = 20_250_711

logger = logging.getLogger(__name__)


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: a killed process loses nothing that it wrote, synced or not."""
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=shared, prefix="citespan-") as folder:
        yield Path(folder)


class Writers:
    """The program that starts one writer after the other."""

    def __init__(self, data_dir: Path) -> None:
        root = Path(__file__).parents[1]
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # more would not survive a fork
        self._process = subprocess.Popen(
            [sys.executable, str(Path(crash_writer.__file__)), str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **one_thread, "PYTHONPATH": os.pathsep.join([str(root), str(root / "tests")])},
        )
        self.writer: int | None = None  # the process that writes now

    def __enter__(self) -> "Writers":
        return self

    def __exit__(self, *_: object) -> None:
        if self.writer is not None:
            os.kill(self.writer, signal.SIGKILL)
        self._process.kill()
        self._process.communicate()

    def start(self, seed: int) -> None:
        """Start a writer, and wait until it has opened its collection."""
        self.begin(seed)
        assert self._line() == "open"

    def begin(self, seed: int) -> None:
        """Start a writer."""
        self._tell(str(seed))
        self.writer = int(self._line())

    def read(self, count: int) -> None:
        """Wait until the writer has indexed anew, and for its first `count` acknowledgements."""
        assert self._line() == "indexed"
        assert [self._line() for _ in range(count)] == [str(number) for number in range(count)]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the writer, which may have come to its end."""
        assert self.writer is not None
        os.kill(self.writer, number)

    def rest(self, count: int) -> tuple[int, bool]:
        """Wait for the writer's end, `count` acknowledgements having been read.

        Return how many steps it acknowledged in all, and whether it was killed before it had made all of them.
        """
        self._tell("")
        lines = [self._line()]
        while not lines[-1].startswith("ended "):
            lines.append(self._line())
        self.writer = None
        killed = lines.pop() == f"ended {-signal.SIGKILL}" and "done" not in lines
        numbers = [line for line in lines if line not in ("open", "indexed", "done")]
        assert numbers == [str(count + number) for number in range(len(numbers))]
        return count + len(numbers), killed

    def run_to_the_end(self, seed: int) -> float:
        """Let a writer make all of its steps, and return how many seconds it took from its start."""
        start = time.monotonic()
        self.start(seed)
        self.read(CHANGES)
        duration = time.monotonic() - start
        assert self.rest(CHANGES) == (CHANGES, False)
        return duration

    def _tell(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the program that starts the writers has ended"
        return line.rstrip()


def after(texts: dict[str, str], steps: list[list[Change]]) -> dict[str, str]:
    """Return the texts by source after some steps."""
    texts = dict(texts)
    for source, text in (change for step in steps for change in step):
        if text is None:
            del texts[source]
        else:
            texts[source] = text
    return texts


@contextmanager
def reopened(data_dir: Path, seed: int = SEED) -> Iterator[Collection]:
    """Open the collection as the writer of a seed does, without indexing anew: one index serves or the other."""
    with write_lock(data_dir), Library(data_dir, WordEmbedder(), passage_settings=settings_of(seed)) as library:
        yield library.create(COLLECTION)


def contents(collection: Collection) -> dict[str, str]:
    return {record.source: collection.text(record.id) for record in collection.documents(limit=len(SOURCES) + 1)}


def assert_whole(collection: Collection, texts: dict[str, str]) -> None:
    """Check that store, full text and vectors hold these texts and nothing else."""
    assert collection.faults() == []
    passages = sum(record.passages for record in collection.documents(limit=len(SOURCES)))
    assert collection.counts() == (len(texts), passages)
    for source, text in texts.items():
        mark = text.split()[3].rstrip(",")
        hits = collection.retrieve(f"{mark}?", top_k=20).hits
        assert (hits[0].found.source, mark in hits[0].found.passage.text) == (source, True)
        for hit in hits:
            passage = hit.found.passage
            assert texts[hit.found.source][passage.start : passage.end] == passage.text


def test_killing_a_writer_loses_nothing_that_it_acknowledged(memory_path: Path) -> None:
    """The moment is random: from the start of the process on, through opening, indexing anew, changes and upkeep."""
    chance = random.Random(SEED)
    kills = unacknowledged = before_steps = 0
    with Writers(memory_path) as writers:
        writers.run_to_the_end(SEED)
        with reopened(memory_path) as collection:
            texts = contents(collection)
            assert texts == after({}, plan(SEED, []))
        duration = writers.run_to_the_end(SEED + 2)  # which asks for other settings
        with reopened(memory_path) as collection:
            texts = contents(collection)
        for seed in range(SEED + 3, SEED + 3 + 2 * KILLS):
            pause = chance.uniform(0, 0.7 * duration)
            writers.begin(seed)
            time.sleep(pause)
            writers.signal(signal.SIGKILL)
            count, killed = writers.rest(0)
            logger.info("seed %d: after %.4f s: killed %s, %d acknowledged", seed, pause, killed, count)
            steps = plan(seed, texts)
            with reopened(memory_path, seed) as collection:
                found = contents(collection)
                allowed = [after(texts, steps[:count]), after(texts, steps[: count + 1])]
                assert found in allowed
                assert_whole(collection, found)
            unacknowledged += found != allowed[0]
            kills += killed
            before_steps += killed and not count
            texts = found
            if kills == KILLS:
                break
        logger.info(
            "%d kills, %d before the first step, %d unacknowledged changes were visible",
            *(kills, before_steps, unacknowledged),
        )
        assert kills == KILLS
        # The last one goes on from there to its end.
        writers.run_to_the_end(SEED)
        with reopened(memory_path) as collection:
            texts = after(texts, plan(SEED, texts))
            assert contents(collection) == texts
            assert_whole(collection, texts)
            assert collection.is_current


def test_a_second_writer_is_refused_while_one_runs_and_let_in_when_it_was_killed(tmp_path: Path) -> None:
    with Writers(tmp_path) as writers:
        writers.start(SEED)
        writers.signal(signal.SIGSTOP)  # so that it cannot end by itself
        with pytest.raises(StoreLocked, match="Another process is writing"), write_lock(tmp_path):
            raise AssertionError("two processes hold the lock")
        writers.signal(signal.SIGKILL)
        assert writers.rest(0)[1]
        with write_lock(tmp_path):
            pass


def test_reading_goes_on_beside_a_writer_and_after_it_was_killed(tmp_path: Path) -> None:
    with Writers(tmp_path) as writers:
        writers.run_to_the_end(SEED)
        with Library(tmp_path, WordEmbedder(), passage_settings=settings_of(SEED), read_only=True) as library:
            collection = library.collection(COLLECTION)
            before, texts = collection.fingerprint(), contents(collection)
            # One that asks for the same settings, and begins with a change.
            alike = (seed for seed in range(SEED + 1, SEED + 99) if settings_of(seed) == settings_of(SEED))
            writers.start(next(seed for seed in alike if after(texts, plan(seed, texts)[:1]) != texts))
            writers.read(1)
            writers.signal(signal.SIGSTOP)
            assert collection.fingerprint() != before
            assert collection.faults() == []
            writers.signal(signal.SIGKILL)
            assert writers.rest(1)[1]
            assert_whole(collection, contents(collection))

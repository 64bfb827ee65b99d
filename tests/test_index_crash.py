"""Crashes: a writer that is killed at any moment loses nothing that it acknowledged and leaves nothing half done."""

import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import crash_writer
import pytest
from crash_writer import CHANGES, COLLECTION, SETTINGS, SOURCES, Change, plan
from word_embedder import WordEmbedder

from index.collection import Collection
from index.errors import StoreLocked
from index.library import Library, write_lock

KILLS = 50
SEED = 20_250_711

logger = logging.getLogger(__name__)


@contextmanager
def loaded(data_dir: Path, seed: int) -> Iterator[subprocess.Popen[str]]:
    """Load a writer, which waits for `let_go`, and end it whatever happens."""
    root = Path(__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, str(Path(crash_writer.__file__)), str(data_dir), str(seed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / "tests")])},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def let_go(process: subprocess.Popen[str]) -> None:
    """Let a writer begin, and wait until it has opened its collection."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert next_line(process) == "open"


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def acknowledged(process: subprocess.Popen[str], count: int) -> None:
    """Read the next `count` acknowledgements of a writer that has just begun."""
    assert [next_line(process) for _ in range(count)] == [str(number) for number in range(count)]


def rest(process: subprocess.Popen[str], count: int) -> int:
    """Wait for a writer's end and return how many changes it acknowledged in all; `count` of them were read before."""
    lines = process.communicate(timeout=30)[0].splitlines()
    assert lines == [str(count + number) for number in range(len(lines))]
    return count + len(lines)


def after(texts: dict[str, str], changes: list[Change]) -> dict[str, str]:
    """Return the texts by source after some changes."""
    texts = dict(texts)
    for source, text in changes:
        if text is None:
            del texts[source]
        else:
            texts[source] = text
    return texts


@contextmanager
def reopened(data_dir: Path) -> Iterator[Collection]:
    with write_lock(data_dir), Library(data_dir, WordEmbedder(), passage_settings=SETTINGS) as library:
        yield library.collection(COLLECTION)


def contents(collection: Collection) -> dict[str, str]:
    return {record.source: collection.text(record.id) for record in collection.documents(limit=len(SOURCES) + 1)}


def assert_whole(collection: Collection, texts: dict[str, str]) -> None:
    """Check that store, full text and vectors hold these texts and nothing else."""
    assert collection.faults() == []
    passages = sum(record.passages for record in collection.documents(limit=len(SOURCES)))
    assert collection.counts() == (len(texts), passages)
    for source, text in texts.items():
        mark = text.split()[3].rstrip(",")
        hits = collection.retrieve(f"Which paragraph says {mark}?", top_k=20).hits
        assert (hits[0].found.source, mark in hits[0].found.passage.text) == (source, True)
        for hit in hits:
            passage = hit.found.passage
            assert texts[hit.found.source][passage.start : passage.end] == passage.text


def run_to_the_end(data_dir: Path, seed: int) -> float:
    """Let a writer make all of its changes and return how many seconds they took."""
    with loaded(data_dir, seed) as process:
        let_go(process)
        start = time.monotonic()
        acknowledged(process, CHANGES)
        duration = time.monotonic() - start
        assert rest(process, CHANGES) == CHANGES
        assert process.returncode == 0
    return duration


def test_killing_a_writer_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    """The moment is random: so many acknowledgements, and then up to the time of three changes more."""
    chance = random.Random(SEED)
    duration = run_to_the_end(tmp_path, SEED)
    with reopened(tmp_path) as collection:
        texts = contents(collection)
        assert texts == after({}, plan(SEED, []))
    kills = unacknowledged = 0
    with ExitStack() as processes:
        upcoming = processes.enter_context(loaded(tmp_path, SEED + 1))
        for seed in range(SEED + 1, SEED + 1 + 2 * KILLS):
            process = upcoming
            read, pause = chance.randrange(CHANGES - 5), chance.uniform(0, 3 * duration / CHANGES)
            let_go(process)
            acknowledged(process, read)
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            count = rest(process, read)
            # The next one loads while this one's traces are examined; it opens nothing before it is let go.
            upcoming = processes.enter_context(loaded(tmp_path, seed + 1))
            killed = process.returncode == -signal.SIGKILL and count < CHANGES
            logger.info(
                "seed %d: %.4f s after acknowledgement %d killed=%s, %d acknowledged", seed, pause, read, killed, count
            )
            changes = plan(seed, texts)
            with reopened(tmp_path) as collection:
                found = contents(collection)
                allowed = [after(texts, changes[:count]), after(texts, changes[: count + 1])]
                assert found in allowed
                assert_whole(collection, found)
            unacknowledged += found != allowed[0]
            texts = found
            kills += killed
            if kills == KILLS:
                break
    logger.info("%d kills, %d unacknowledged changes were visible", kills, unacknowledged)
    assert kills == KILLS
    # The last one goes on from there to its end.
    run_to_the_end(tmp_path, SEED)
    with reopened(tmp_path) as collection:
        assert contents(collection) == after(texts, plan(SEED, texts))
        assert_whole(collection, contents(collection))


def test_a_second_writer_is_refused_while_one_runs_and_let_in_when_it_was_killed(tmp_path: Path) -> None:
    with loaded(tmp_path, SEED) as process:
        let_go(process)
        process.send_signal(signal.SIGSTOP)  # so that it cannot end by itself
        with pytest.raises(StoreLocked, match="Another process is writing"), write_lock(tmp_path):
            raise AssertionError("two processes hold the lock")
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        with write_lock(tmp_path):
            pass


def test_reading_goes_on_beside_a_writer_and_after_it_was_killed(tmp_path: Path) -> None:
    run_to_the_end(tmp_path, SEED)
    with (
        Library(tmp_path, WordEmbedder(), passage_settings=SETTINGS, read_only=True) as library,
        loaded(tmp_path, SEED + 1) as process,
    ):
        collection = library.collection(COLLECTION)
        before = collection.fingerprint()
        let_go(process)
        assert next_line(process) == "0"
        process.send_signal(signal.SIGSTOP)
        assert collection.fingerprint() != before
        assert collection.faults() == []
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        assert_whole(collection, contents(collection))

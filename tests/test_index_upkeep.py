"""Upkeep: however long documents come and go, neither the file nor the log nor the memory grows without bound."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from word_embedder import WordEmbedder

from index import upkeep
from index.collection import Collection
from index.documents import document_id, make_document
from index.passages import PassageSettings
from index.retriever import RetrievalSettings
from index.store import STORE_FILE
from index.upkeep import LOG_LIMIT

ROUNDS = 10
DOCUMENTS = 6


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    settings = PassageSettings(max_tokens=24)
    with closing(
        Collection(tmp_path, WordEmbedder(), passage_settings=settings, retrieval_settings=RetrievalSettings())
    ) as opened:
        yield opened


def text_of(name: str, sentences: int = 300) -> str:
    return " ".join(
        f"The keeper of {name} wrote number {number} of his letters at night." for number in range(sentences)
    )


def pages(collection: Collection, which: str = "page_count") -> int:
    with closing(sqlite3.connect(collection._store.path)) as connection:
        return int(connection.execute(f"PRAGMA {which}").fetchone()[0])


def log_size(collection: Collection) -> int:
    return collection._store.path.with_name(f"{STORE_FILE}-wal").stat().st_size


def test_neither_file_nor_log_nor_memory_grows_while_documents_come_and_go(collection: Collection) -> None:
    for number in range(DOCUMENTS):
        collection.put(make_document(text_of(f"Kullen {number}"), source=f"{number}.txt"))
    full, held = pages(collection), len(collection._vectors)
    largest = 0
    sizes: list[int] = []
    for turn in range(ROUNDS):
        for number in range(DOCUMENTS):
            if (turn + number) % 3 == 0:
                collection.delete(document_id(f"{number}.txt"))
            collection.put(make_document(text_of(f"Kullen {number} {turn}"), source=f"{number}.txt"))
            largest = max(largest, log_size(collection))
        sizes.append(pages(collection))
    # A part of the file may lie free, and the full text keeps some of what is gone until it is merged; no more comes.
    assert max(sizes[ROUNDS // 2 :]) <= 1.25 * max(sizes[: ROUNDS // 2])
    assert largest < 3 * LOG_LIMIT
    assert len(collection._vectors) == held
    assert collection.faults() == []
    for number in range(DOCUMENTS):
        collection.delete(document_id(f"{number}.txt"))
    for number in range(20):  # the room is given back some at a time, with each change
        collection.put(make_document("A short one.", source=f"short {number}"))
    assert pages(collection, "freelist_count") <= upkeep._FREE_PAGES + upkeep._FREE_SHARE * pages(collection)
    assert pages(collection) < max(sizes)
    collection.compact()
    assert pages(collection) < 0.3 * full
    assert log_size(collection) == 0
    assert len(collection._vectors) == 20
    assert collection.faults() == []


def test_the_log_begins_anew_while_questions_are_asked_without_a_pause(collection: Collection) -> None:
    collection.put(make_document(text_of("Kullen"), source="a.txt"))
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            assert collection.retrieve("Who wrote letters?", top_k=3).hits

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    largest = 0
    try:
        for turn in range(12):
            collection.put(make_document(text_of(f"Kullen {turn}"), source="a.txt"))
            largest = max(largest, log_size(collection))
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert largest < 4 * LOG_LIMIT


def test_upkeep_that_fails_is_no_failure_of_the_change(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("index.upkeep._copy_log", fail)
        assert collection.put(make_document("It is durable.", source="a.txt")).created
    assert "has to wait" in caplog.text
    assert collection.text(document_id("a.txt")) == "It is durable."
    assert (collection._store.path.parent / STORE_FILE).exists()

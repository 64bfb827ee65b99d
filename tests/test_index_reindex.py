"""Indexing anew: the old index serves while the new one is built beside it, and then it takes its place at once."""

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from test_index_collection import SHARED, SMALL, _ShorterEmbedder, assert_holds, open_collection, places
from word_embedder import WordEmbedder

from index.change import Change
from index.collection import Collection
from index.documents import Document, document_id, make_document
from index.embedder import Embedder, Matrix
from index.errors import IndexOutdated, StoreError
from index.passages import PassageSettings
from index.store import STORE_FILE

OTHERS = "others@test"

CHANGED: list[tuple[Embedder, PassageSettings]] = [
    (WordEmbedder(), PassageSettings(max_tokens=5)),
    (WordEmbedder(), PassageSettings(max_tokens=8, overlap_tokens=2)),
    (WordEmbedder(OTHERS), SMALL),
    (_ShorterEmbedder("shorter@test"), SMALL),
]


class CountingEmbedder(WordEmbedder):
    """Counts the texts that it embeds."""

    def __init__(self, identity: str = OTHERS) -> None:
        super().__init__(identity)
        self.embedded = 0

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        self.embedded += len(texts)
        return super().embed_passages(texts)


def find_words(identity: str) -> Embedder | None:
    return WordEmbedder() if identity == WordEmbedder.identity else None


def documents(count: int = 3) -> list[Document]:
    return [
        make_document(
            f"{SHARED}\n\nNumber {number:02} ends here.",
            source=f"{number}.txt",
            metadata={"n": number},
            tags=["t"],
            date="2025-01-31",
        )
        for number in range(count)
    ]


def texts(count: int = 3) -> dict[str, str]:
    return {each.source: each.text for each in documents(count)}


def fill(directory: Path, count: int = 3) -> None:
    with closing(open_collection(directory)) as collection:
        collection.put_all(documents(count))


@pytest.mark.parametrize(("embedder", "passages"), CHANGED)
def test_an_index_built_otherwise_serves_until_the_new_one_takes_its_place(
    tmp_path: Path, embedder: Embedder, passages: PassageSettings
) -> None:
    fill(tmp_path)
    with closing(open_collection(tmp_path)) as collection:
        records, fingerprint = collection.documents(limit=9), collection.fingerprint()
        old = places(collection.retrieve(SHARED, top_k=9))

    with pytest.raises(IndexOutdated, match="citespan reindex"):
        open_collection(tmp_path, embedder, passages=passages, read_only=True)
    told: list[tuple[int, int]] = []
    with closing(open_collection(tmp_path, embedder, passages=passages, find_embedder=find_words)) as again:
        assert (again.is_current, again.lacks_embedder) == (False, False)
        assert places(again.retrieve(SHARED, top_k=9)) == old
        assert again.fingerprint() == fingerprint
        assert again.reindex(progress=lambda *each: told.append(each))
        assert set(told) == {(3, 3)}
        assert_holds(again, texts(), [SHARED])
        assert again.fingerprint() != fingerprint
        assert again.fingerprint() == again.retrieve("x", top_k=1).fingerprint
        for before, after in zip(records, again.documents(limit=9), strict=True):
            assert (after.number, after.id, after.title) == (before.number, before.id, before.title)
            assert (after.metadata, after.tags, after.date) == (before.metadata, before.tags, before.date)
            assert (after.created_at, after.updated_at) == (before.created_at, before.updated_at)
        found = places(again.retrieve(SHARED, top_k=9))
        assert again.is_current
    with closing(open_collection(tmp_path / "fresh", embedder, passages=passages)) as fresh:
        fresh.put_all(documents())
        assert places(fresh.retrieve(SHARED, top_k=9)) == found

    with closing(open_collection(tmp_path, embedder, passages=passages)) as collection:
        assert collection.is_current
        assert places(collection.retrieve(SHARED, top_k=9)) == found


def test_without_the_old_embedder_words_alone_are_searched_and_documents_wait(tmp_path: Path) -> None:
    fill(tmp_path)
    with closing(open_collection(tmp_path, WordEmbedder(OTHERS))) as collection:
        assert collection.lacks_embedder
        best = collection.retrieve("Which number ends: 02?", top_k=9).hits[0].found
        assert best.source == "2.txt"
        assert collection.retrieve("?!", top_k=9).hits == []
        assert collection.faults() == []
        with pytest.raises(IndexOutdated, match="is not here any more"):
            collection.put(make_document("New words.", source="new"))
        collection.delete(document_id("0.txt"))
        assert collection.reindex()
        assert len(collection.retrieve("?!", top_k=9).hits) > 0
        collection.put(make_document("New words.", source="new"))
        assert_holds(collection, {"1.txt": texts()["1.txt"], "2.txt": texts()["2.txt"], "new": "New words."}, [SHARED])


def test_building_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    fill(tmp_path, 100)
    embedder = CountingEmbedder()
    with closing(open_collection(tmp_path, embedder, find_embedder=find_words)) as collection:
        rounds = iter([False, False, True])
        assert not collection.reindex(stopped=lambda: next(rounds))
        assert embedder.embedded > 0
        assert not collection.is_current
        assert_holds(collection, texts(100), [SHARED])
    with closing(open_collection(tmp_path, embedder, find_embedder=find_words)) as collection:
        before = embedder.embedded
        assert collection.reindex()
        assert embedder.embedded > before
        assert embedder.embedded == collection.counts()[1]  # nothing twice
        assert_holds(collection, texts(100), [SHARED])


def test_documents_that_change_meanwhile_are_in_the_new_index_as_they_are(tmp_path: Path) -> None:
    fill(tmp_path, 100)
    embedder = CountingEmbedder()
    with closing(open_collection(tmp_path, embedder, find_embedder=find_words)) as collection:
        rounds = iter([False, True])
        assert not collection.reindex(stopped=lambda: next(rounds))  # the first ones are staged
        collection.put(make_document("Another text.", source="0.txt"))
        collection.delete(document_id("1.txt"))
        collection.put(make_document("A new text.", source="new"))
        assert collection.retrieve("a new text", top_k=1).hits[0].found.source == "new"
        assert collection.reindex()
        expected = texts(100) | {"0.txt": "Another text.", "new": "A new text."}
        del expected["1.txt"]
        assert_holds(collection, expected, [SHARED, "new"])


def test_going_back_to_the_old_settings_drops_what_was_built(tmp_path: Path) -> None:
    fill(tmp_path, 100)
    with closing(open_collection(tmp_path, WordEmbedder(OTHERS), find_embedder=find_words)) as collection:
        rounds = iter([False, True])
        collection.reindex(stopped=lambda: next(rounds))
    with closing(open_collection(tmp_path)) as collection:
        assert collection.is_current
        assert_holds(collection, texts(100), [SHARED])
    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as connection:
        assert connection.execute("SELECT count(*) FROM staged_passages").fetchone() == (0,)


def test_what_was_built_for_yet_other_settings_is_not_mixed_in(tmp_path: Path) -> None:
    fill(tmp_path, 100)
    with closing(open_collection(tmp_path, _ShorterEmbedder("s@test"), find_embedder=find_words)) as collection:
        rounds = iter([False, True])
        collection.reindex(stopped=lambda: next(rounds))
    embedder = CountingEmbedder()
    with closing(open_collection(tmp_path, embedder, find_embedder=find_words)) as collection:
        assert collection.reindex()
        assert embedder.embedded == collection.counts()[1]
        assert_holds(collection, texts(100), [SHARED])


def test_an_index_that_is_current_is_not_built_anew(tmp_path: Path) -> None:
    fill(tmp_path)
    embedder = CountingEmbedder(WordEmbedder.identity)
    with closing(open_collection(tmp_path, embedder)) as collection:
        assert collection.reindex()
        assert embedder.embedded == 0


def test_a_swap_that_fails_leaves_the_old_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path)
    with closing(open_collection(tmp_path)) as collection:
        fingerprint = collection.fingerprint()
    with closing(open_collection(tmp_path, WordEmbedder(OTHERS), find_embedder=find_words)) as collection:
        with monkeypatch.context() as patched:

            def fail(_: Change) -> None:
                raise sqlite3.OperationalError("disk I/O error")

            patched.setattr(Change, "take_staged", fail)
            with pytest.raises(StoreError, match="disk I/O error"):
                collection.reindex()
        assert collection.fingerprint() == fingerprint
        assert_holds(collection, texts(), [SHARED])
        assert collection.reindex()
        assert_holds(collection, texts(), [SHARED])


def test_questions_and_changes_go_on_while_the_index_is_built(tmp_path: Path) -> None:
    """Every answer has hits, and comes from one of the two indexes; no change is lost."""
    fill(tmp_path, 150)
    failures: list[object] = []
    done = threading.Event()

    def ask(collection: Collection) -> None:
        while not done.is_set():
            if not collection.retrieve(SHARED, top_k=5).hits:
                failures.append("nothing found")

    def change(collection: Collection) -> None:
        for number in range(20):
            collection.put(make_document(f"Changed {number}.", source=f"{number}.txt"))

    with closing(open_collection(tmp_path, _ShorterEmbedder("s@test"), find_embedder=find_words)) as collection:
        asking = [threading.Thread(target=ask, args=(collection,)) for _ in range(2)]
        changing = threading.Thread(target=change, args=(collection,))
        for thread in (*asking, changing):
            thread.start()
        try:
            assert collection.reindex()
            changing.join()
        finally:
            done.set()
            for thread in asking:
                thread.join()
        assert failures == []
        expected = texts(150) | {f"{number}.txt": f"Changed {number}." for number in range(20)}
        assert_holds(collection, expected, [SHARED])


def test_a_reader_in_another_process_is_told_that_the_index_was_built_otherwise(tmp_path: Path) -> None:
    fill(tmp_path)
    with closing(open_collection(tmp_path, read_only=True)) as reader:
        with closing(open_collection(tmp_path, WordEmbedder(OTHERS), find_embedder=find_words)) as writer:
            assert len(reader.retrieve(SHARED, top_k=9).hits) > 0
            writer.reindex()
        with pytest.raises(IndexOutdated):
            reader.retrieve(SHARED, top_k=9)

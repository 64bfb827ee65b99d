"""Collections: after any history store, full text and vectors agree, and the same documents find the same."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import raw_texts
from word_embedder import WordEmbedder

from index.change import Change
from index.collection import Collection, FindEmbedder, Receipt, Retrieval
from index.documents import Document, Scalar, canonical_text, document_id, make_document
from index.embedder import Embedder, Matrix
from index.errors import IndexOutdated, StoreError, UnknownCollection, UnknownDocument
from index.filters import Filters
from index.passages import PassageSettings
from index.retriever import Hit, RetrievalSettings
from index.vectors import Vectors

SMALL = PassageSettings(max_tokens=8)
SHARED = "The same paragraph stands in all of them, word for word."


def open_collection(
    directory: Path,
    embedder: Embedder | None = None,
    *,
    passages: PassageSettings = SMALL,
    retrieval: RetrievalSettings | None = None,
    read_only: bool = False,
    find_embedder: FindEmbedder = lambda _: None,
) -> Collection:
    return Collection(
        directory,
        embedder or WordEmbedder(),
        passage_settings=passages,
        retrieval_settings=retrieval or RetrievalSettings(),
        read_only=read_only,
        find_embedder=find_embedder,
    )


def places(retrieval: Retrieval) -> list[tuple[str, int, float]]:
    return [(hit.found.source, hit.found.passage.start, hit.score) for hit in retrieval.hits]


def assert_holds(collection: Collection, texts: dict[str, str], questions: Sequence[str]) -> None:
    """Check that a collection holds exactly `texts`, by source, and finds nothing else."""
    assert collection.faults() == []
    records = {record.source: record for record in collection.documents(limit=1000)}
    assert {source: collection.text(record.id) for source, record in records.items()} == texts
    assert collection.counts() == (len(texts), sum(record.passages for record in records.values()))
    for question in questions:
        for hit in collection.retrieve(question, top_k=20).hits:
            passage, text = hit.found.passage, texts[hit.found.source]
            assert text[passage.start : passage.end] == passage.text
            assert hit.found.content_sha256 == records[hit.found.source].content_sha256
            for sentence in passage.sentences:
                assert passage.start <= sentence.start < sentence.end <= passage.end
                assert text[sentence.start : sentence.end].strip()


SOURCES = st.sampled_from(["a.txt", "b.md", "c d.txt", "語.txt"])
TEXTS = st.sampled_from([SHARED, f"{SHARED}\n\n{SHARED}", f"# Part\n\n{SHARED}\n\nIt ends here, at last."]) | raw_texts
CHANGES = st.lists(st.tuples(SOURCES, st.none() | TEXTS), min_size=1, max_size=8)


@settings(max_examples=30)
@given(changes=CHANGES)
def test_after_any_history_everything_agrees_and_nothing_old_is_found(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, str | None]]
) -> None:
    """Every version of a document ends with a word of its own, so that a trace of an old one would be found."""
    directory = tmp_path_factory.mktemp("history")
    texts: dict[str, str] = {}
    gone: list[str] = []
    with closing(open_collection(directory)) as collection:
        for number, (source, text) in enumerate(changes):
            if text is None and source not in texts:
                with pytest.raises(UnknownDocument):
                    collection.delete(document_id(source))
                continue
            if source in texts:
                gone.append(texts.pop(source).split()[-1])
            if text is None:
                collection.delete(document_id(source))
            else:
                texts[source] = canonical_text(f"{text}\n\nmark{number}")
                receipt = collection.put(make_document(texts[source], source=source, title=source))
                assert receipt.changed
        questions = [SHARED, "?!", *gone[-2:], *(text.split()[-1] for text in texts.values())]
        assert_holds(collection, texts, questions)
        for mark in gone:
            hits = collection.retrieve(mark, top_k=20).hits
            assert all(mark not in hit.found.passage.text.split() for hit in hits)
        for source, text in texts.items():
            best = collection.retrieve(text.split()[-1], top_k=1).hits[0].found
            assert (best.source, text.split()[-1] in best.passage.text) == (source, True)
        found = [places(collection.retrieve(question, top_k=20)) for question in questions]
        fingerprint = collection.fingerprint()
    for read_only in (False, True):
        with closing(open_collection(directory, read_only=read_only)) as collection:
            assert_holds(collection, texts, questions)
            assert [places(collection.retrieve(question, top_k=20)) for question in questions] == found
            assert collection.fingerprint() == fingerprint


@settings(max_examples=20)
@given(st.lists(TEXTS, min_size=2, max_size=7), st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_order_of_arrival_changes_neither_fingerprint_nor_hits(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], random: Random, pool: int
) -> None:
    documents = [make_document(text, source=f"{number}.txt") for number, text in enumerate(texts)]
    shuffled = documents.copy()
    random.shuffle(shuffled)
    retrieval = RetrievalSettings(pool=pool)
    folder = tmp_path_factory.mktemp("order")
    with (
        closing(open_collection(folder / "1", retrieval=retrieval)) as one,
        closing(open_collection(folder / "2", retrieval=retrieval)) as two,
    ):
        for document in documents:
            one.put(document)
        # The other one has a past: what was replaced and deleted leaves no trace in what is found.
        two.put(make_document("Something else entirely, to be forgotten.", source="0.txt"))
        two.put(make_document(SHARED, source="gone.txt"))
        for document in shuffled:
            two.put(document)
        two.delete(document_id("gone.txt"))
        assert one.fingerprint() == two.fingerprint()
        for question in (SHARED, "Who spoke at the end?", "?!", texts[0][:200]):
            first, second = (each.retrieve(question, top_k=20) for each in (one, two))
            assert places(first) == places(second)
            assert first.fingerprint == second.fingerprint


def test_identical_documents_in_great_number_are_found_in_the_same_order_whatever_came_first(tmp_path: Path) -> None:
    documents = [make_document(SHARED, source=f"{number:03}.txt") for number in range(120)]
    expected = [(f"{number:03}.txt", 0) for number in range(5)]
    for name, order in (("up", documents), ("down", documents[::-1])):
        with closing(open_collection(tmp_path / name, passages=PassageSettings())) as collection:
            for document in order:
                collection.put(document)
            hits = collection.retrieve("the same paragraph", top_k=5).hits
            assert [(hit.found.source, hit.found.passage.start) for hit in hits] == expected


def test_a_new_document_is_created_a_replacement_changes_it_and_the_same_again_is_left_alone(tmp_path: Path) -> None:
    with closing(open_collection(tmp_path)) as collection:
        first = collection.put(make_document("Old words stand here.", source="a"))
        assert (first.created, first.changed, first.record.generation) == (True, True, 1)
        same = collection.put(make_document("Old words\r\nstand here.".replace("\r\n", " "), source="a"))
        assert (same.created, same.changed) == (False, False)
        assert same.record == first.record
        second = collection.put(make_document("New words stand here.", source="a"))
        assert (second.created, second.changed, second.record.generation) == (False, True, 2)
        assert (second.record.id, second.record.created_at) == (first.record.id, first.record.created_at)
        assert collection.document(second.record.id) == second.record


@pytest.mark.parametrize(
    ("title", "metadata"),
    [("Other", {"n": 1}), ("Title", {"n": 2}), ("Title", {}), ("Title", {"n": True}), ("Title", {"n": 1.0})],
)
def test_another_title_or_other_metadata_is_a_change(tmp_path: Path, title: str, metadata: dict[str, Scalar]) -> None:
    with closing(open_collection(tmp_path)) as collection:
        collection.put(make_document("Text.", source="a", title="Title", metadata={"n": 1}))
        before = collection.fingerprint()
        assert not collection.put(make_document("Text.", source="a", title="Title", metadata={"n": 1})).changed
        assert collection.put(make_document("Text.", source="a", title=title, metadata=metadata)).changed
        record = collection.document(document_id("a"))
        assert (record.title, repr(record.metadata)) == (title, repr(metadata))
        assert collection.fingerprint() != before


@pytest.mark.parametrize(("tags", "date"), [((), None), (("a", "b"), None), (("a",), "2024-02-29")])
def test_other_tags_or_another_date_are_a_change(tmp_path: Path, tags: tuple[str, ...], date: str | None) -> None:
    with closing(open_collection(tmp_path)) as collection:
        collection.put(make_document("Text.", source="a", tags=["a", "a"], date="2024-02-28"))
        before = collection.fingerprint()
        assert not collection.put(make_document("Text.", source="a", tags=["a"], date="2024-02-28")).changed
        assert collection.put(make_document("Text.", source="a", tags=tags, date=date)).changed
        record = collection.document(document_id("a"))
        assert (record.tags, record.date) == (tags, date)
        assert collection.fingerprint() != before


def test_several_documents_are_put_in_one_transaction(tmp_path: Path) -> None:
    together: list[tuple[bool, bool]] = []

    def along(change: Change, receipts: Sequence[Receipt]) -> None:
        together.extend((receipt.created, receipt.changed) for receipt in receipts)
        change.set_meta("along", str(change.generation))

    with closing(open_collection(tmp_path)) as collection:
        for source in "ab":
            collection.put(make_document(SHARED, source=source))
        documents = [make_document(f"Text {source}. {SHARED}", source=source) for source in "cab"]
        documents.append(make_document(SHARED, source="d"))
        collection.put(documents[1])
        receipts = collection.put_all(documents, along=along)
        assert [receipt.record.source for receipt in receipts] == list("cabd")
        assert [(receipt.created, receipt.changed) for receipt in receipts] == together
        assert together == [(True, True), (False, False), (False, True), (True, True)]
        with collection._store.reading() as snapshot:
            assert snapshot.meta("along") == str(snapshot.generation) == "6"
        together.clear()
        assert [receipt.changed for receipt in collection.put_all(documents, along=along)] == [False] * 4
        assert together == []
        assert collection.put_all([]) == []
        with pytest.raises(ValueError, match="same source"):
            collection.put_all([documents[0], documents[0]])
        assert_holds(collection, {each.source: each.text for each in documents}, [SHARED])


def test_what_is_put_along_and_fails_takes_the_documents_with_it(tmp_path: Path) -> None:
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with closing(open_collection(tmp_path)) as collection:
        with pytest.raises(StoreError, match="disk I/O error"):
            collection.put_all([make_document(SHARED, source="a"), make_document(SHARED, source="b")], along=fail)
        assert collection.counts() == (0, 0)
        assert collection.faults() == []


def test_a_document_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    with closing(open_collection(tmp_path)) as collection:
        for ask in (collection.document, collection.text, collection.delete):
            with pytest.raises(UnknownDocument, match="doc-nowhere"):
                ask("doc-nowhere")
        assert collection.counts() == (0, 0)
        assert collection.retrieve("anything", top_k=5).hits == []


def test_documents_come_in_pages(tmp_path: Path) -> None:
    with closing(open_collection(tmp_path)) as collection:
        for source in "edcba":
            collection.put(make_document("Text.", source=source))
        first = collection.documents(limit=3)
        rest = collection.documents(after=first[-1].number, limit=3)
        assert "".join(record.source for record in first + rest) == "edcba"


def test_filters_limit_both_searches(tmp_path: Path) -> None:
    with closing(open_collection(tmp_path)) as collection:
        for source in "abc":
            collection.put(make_document(SHARED, source=source))
        for filters, expected in (
            (Filters(source=("b", "c")), {"b", "c"}),
            (Filters(document_id=(document_id("a"),)), {"a"}),
            (Filters(document_id=(document_id("a"),), source=("b",)), set()),
            (Filters(source=()), set()),
        ):
            for question in (SHARED, "?!"):  # by words and vectors; by vectors alone
                hits = collection.retrieve(question, top_k=20, filters=filters).hits
                assert {hit.found.source for hit in hits} == expected


def test_title_and_section_help_to_find_a_passage(tmp_path: Path) -> None:
    with closing(open_collection(tmp_path)) as collection:
        text = "# Helicopters\n\nThey arrived at once.\n\n# Boats\n\nThey arrived at once."
        collection.put(make_document(text, source="a.md", title="Mongolia"))
        collection.put(make_document(text.replace("Helicopters", "Trains"), source="b.md", title="France"))
        best = collection.retrieve("helicopters in Mongolia", top_k=1).hits[0].found
        assert (best.source, best.passage.section) == ("a.md", "Helicopters")
        assert "Mongolia" not in best.passage.text


def test_progress_is_told_in_passages(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with closing(open_collection(tmp_path)) as collection:
        receipt = collection.put(
            make_document(f"{SHARED}\n\n" * 100, source="a"), progress=lambda *each: told.append(each)
        )
        count = receipt.record.passages
    assert count > 128
    assert told[0] == (64, count)
    assert told[-1] == (count, count)


def test_a_megabyte_is_indexed_whole(tmp_path: Path) -> None:
    text = canonical_text("\n\n".join(f"Paragraph {number}. {SHARED} {'語' * 900}" for number in range(1000)))
    assert len(text) > 950_000
    with closing(open_collection(tmp_path, passages=PassageSettings())) as collection:
        receipt = collection.put(make_document(text, source="big.txt"))
        assert collection.text(receipt.record.id) == text
        hits = collection.retrieve("Paragraph 777", top_k=20).hits
        assert any("Paragraph 777." in hit.found.passage.text for hit in hits)
        assert all(text[hit.found.passage.start : hit.found.passage.end] == hit.found.passage.text for hit in hits)
        assert collection.faults() == []


def state(collection: Collection) -> tuple[object, ...]:
    """Everything that a change could change."""
    return (
        collection.fingerprint(),
        collection.counts(),
        collection.documents(limit=100),
        [collection.text(record.id) for record in collection.documents(limit=100)],
        collection._vectors.ids(),
        places(collection.retrieve(SHARED, top_k=20)),
        collection.faults(),
    )


def _put_new(collection: Collection) -> None:
    collection.put(make_document("Never to be seen.", source="new"))


def _replace(collection: Collection) -> None:
    collection.put(make_document("Never to be seen.", source="a"))


def _delete(collection: Collection) -> None:
    collection.delete(document_id("a"))


@pytest.mark.parametrize("change", [_put_new, _replace, _delete])
def test_a_commit_that_fails_leaves_store_and_vectors_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Collection], None]
) -> None:
    def fail(_: Change) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with closing(open_collection(tmp_path)) as collection:
        for source in "ab":
            collection.put(make_document(SHARED, source=source))
        before = state(collection)
        with monkeypatch.context() as patched:
            patched.setattr(Change, "commit", fail)
            with pytest.raises(StoreError, match="disk I/O error"):
                change(collection)
        assert state(collection) == before
        change(collection)
        assert state(collection) != before
        assert collection.faults() == []


def test_a_full_disk_leaves_store_and_vectors_as_they_were(tmp_path: Path) -> None:
    with closing(open_collection(tmp_path)) as collection:
        collection.put(make_document(SHARED, source="a"))
        before = state(collection)
        writer = collection._store._writer
        assert writer is not None
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        writer.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreError, match="full"):
            collection.put(make_document(f"{SHARED}\n\n" * 50, source="big"))
        assert state(collection) == before
        writer.execute("PRAGMA max_page_count = 1000000")
        collection.put(make_document(f"{SHARED}\n\n" * 50, source="big"))
        assert collection.faults() == []


def test_an_embedder_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    embedder = _FailingEmbedder()
    with closing(open_collection(tmp_path, embedder)) as collection:
        collection.put(make_document(SHARED, source="a"))
        before = state(collection)
        embedder.failing = True
        with pytest.raises(RuntimeError, match="out of memory"):
            collection.put(make_document("New words.", source="a"))
        embedder.failing = False
        assert state(collection) == before


@pytest.mark.parametrize("method", ["add", "remove"])
def test_vectors_that_do_not_follow_a_commit_are_filled_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    with closing(open_collection(tmp_path)) as collection:
        collection.put(make_document("Old words.", source="a"))
        with monkeypatch.context() as patched:
            patched.setattr(Vectors, method, fail)
            assert collection.put(make_document("New words.", source="a")).changed
        assert collection.faults() == []
        assert [hit.found.passage.text for hit in collection.retrieve("?", top_k=9).hits] == ["New words."]


def test_questions_see_one_generation_while_documents_change(tmp_path: Path) -> None:
    """The same fingerprint always comes with the same hits, and a hit is a text that was there."""
    failures: list[object] = []
    by_fingerprint: dict[str, list[tuple[str, int, float]]] = {}
    done = threading.Event()

    with closing(open_collection(tmp_path)) as collection:
        collection.put(make_document(f"{SHARED} Version 0.", source="a"))

        def ask() -> None:
            while not done.is_set():
                retrieval = collection.retrieve("Which version is the same?", top_k=20)
                found = places(retrieval)
                if not found or by_fingerprint.setdefault(retrieval.fingerprint, found) != found:
                    failures.append((retrieval.fingerprint, found))

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for number in range(1, 500):
                if number > 30 and len(by_fingerprint) > 3:
                    break
                collection.put(make_document(f"{SHARED} Version {number}.", source="a"))
                collection.put(make_document(f"Version {number}. {SHARED}", source=f"b{number % 3}"))
                if number % 5 == 0:
                    collection.delete(document_id(f"b{number % 3}"))
        finally:
            done.set()
            for thread in threads:
                thread.join()
        assert failures == []
        assert len(by_fingerprint) > 3
        assert collection.faults() == []


def test_a_change_while_a_question_is_embedded_is_seen_and_no_vector_is_filled_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Overtaken(WordEmbedder):
        changed = False

        def embed_question(self, question: str) -> Matrix:
            if not self.changed:
                self.changed = True
                collection.put(make_document("New words.", source="b"))
            return super().embed_question(question)

    with closing(open_collection(tmp_path, Overtaken())) as collection:
        collection.put(make_document("Old words.", source="a"))
        monkeypatch.setattr(Collection, "_load_vectors", None)
        retrieval = collection.retrieve("New words?", top_k=9)
        assert [hit.found.passage.text for hit in retrieval.hits] == ["New words.", "Old words."]
        assert retrieval.fingerprint == collection.fingerprint()
        collection.put(make_document("Newer words.", source="c"))
        assert collection.faults() == []


def test_threads_that_write_at_the_same_time_take_turns(tmp_path: Path) -> None:
    with closing(open_collection(tmp_path)) as collection:

        def write(writer: int) -> None:
            for number in range(10):
                collection.put(make_document(f"{SHARED} {writer} {number}", source=f"{writer}-{number % 4}"))

        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        texts = {f"{writer}-{number % 4}": f"{SHARED} {writer} {number}" for writer in range(3) for number in range(10)}
        assert_holds(collection, texts, [SHARED])


def test_a_collection_opened_to_read_only_follows_another_writer(tmp_path: Path) -> None:
    with closing(open_collection(tmp_path)) as writer:
        writer.put(make_document("Old words.", source="a"))
        with closing(open_collection(tmp_path, read_only=True)) as reader:
            with pytest.raises(StoreError, match="read only"):
                reader.put(make_document("Mine.", source="b"))
            writer.put(make_document("New words.", source="a"))
            writer.put(make_document("More of them.", source="b"))
            assert reader.faults() == []
            assert places(reader.retrieve("?", top_k=9)) == places(writer.retrieve("?", top_k=9))
            assert len(reader.retrieve("?", top_k=9).hits) == 2
            assert reader.fingerprint() == writer.fingerprint()


def test_reading_only_needs_a_collection_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(UnknownCollection):
        open_collection(tmp_path / "missing", read_only=True)


class _FailingEmbedder(WordEmbedder):
    failing = False

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        if self.failing:
            raise RuntimeError("out of memory")
        return super().embed_passages(texts)


class _ShorterEmbedder(WordEmbedder):
    """Half as many dimensions."""

    dimension = WordEmbedder.dimension // 2

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        rows = super().embed_passages(texts)[:, : self.dimension]
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


CHANGED: list[tuple[Embedder, PassageSettings]] = [
    (WordEmbedder(), PassageSettings(max_tokens=5)),
    (WordEmbedder(), PassageSettings(max_tokens=8, overlap_tokens=2)),
    (WordEmbedder("others@test"), SMALL),
    (_ShorterEmbedder(), SMALL),
]


def documents() -> list[Document]:
    return [
        make_document(f"{SHARED}\n\nNumber {number} ends here.", source=f"{number}.txt", metadata={"n": number})
        for number in range(3)
    ]


def test_an_empty_collection_takes_any_settings(tmp_path: Path) -> None:
    open_collection(tmp_path).close()
    with pytest.raises(IndexOutdated):
        open_collection(tmp_path, WordEmbedder("others@test"), read_only=True)
    with closing(open_collection(tmp_path, WordEmbedder("others@test"))) as collection:
        collection.put(make_document(SHARED, source="a"))
    with pytest.raises(IndexOutdated):
        open_collection(tmp_path, read_only=True)


def test_an_empty_collection_that_cannot_be_written_is_no_outdated_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Change) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Change, "commit", fail)
    with pytest.raises(StoreError, match="disk is full") as caught:
        open_collection(tmp_path)
    assert not isinstance(caught.value, IndexOutdated)


def test_how_lists_are_fused_counts_in_the_fingerprint_and_needs_no_new_index(tmp_path: Path) -> None:
    with closing(open_collection(tmp_path)) as collection:
        collection.put(make_document(SHARED, source="a"))
        fingerprint = collection.fingerprint()
    with closing(open_collection(tmp_path, retrieval=RetrievalSettings(pool=7))) as collection:
        assert collection.fingerprint() != fingerprint


def test_the_fingerprint_follows_the_documents_there_and_back(tmp_path: Path) -> None:
    with closing(open_collection(tmp_path)) as collection:
        seen = [collection.fingerprint()]
        collection.put(make_document(SHARED, source="a"))
        seen.append(collection.fingerprint())
        collection.put(make_document(SHARED, source="b"))
        seen.append(collection.fingerprint())
        assert len(set(seen)) == 3
        assert collection.retrieve("x", top_k=1).fingerprint == seen[2]
        collection.delete(document_id("b"))
        assert collection.fingerprint() == seen[1]
        collection.delete(document_id("a"))
        assert collection.fingerprint() == seen[0]


BAR = "Share on Facebook\nShare on Twitter\n3 comments\nRelated articles"


def sources(hits: Sequence[Hit]) -> list[str]:
    return [hit.found.source for hit in hits]


def test_furniture_comes_behind_content_and_is_found_where_nothing_else_matches(tmp_path: Path) -> None:
    with closing(open_collection(tmp_path, passages=PassageSettings(max_tokens=40))) as collection:
        story = "The mayor shared her view of the related bridge in twelve comments to the paper."
        collection.put(make_document(f"{story}\n\n{BAR}", source="story.txt", title="Bridge"))
        for number in range(60):
            collection.put(make_document(f"It rained.\n\n{BAR}", source=f"{number:02}.txt", title="Weather"))
        found = collection.retrieve("Share comments on related articles", top_k=20).hits
        assert found[0].found.source == "story.txt"
        is_furniture = [hit.found.passage.is_furniture for hit in found]
        assert is_furniture == sorted(is_furniture)
        # Nothing but furniture has the word.
        (first, *_) = collection.retrieve("facebook", top_k=5).hits
        assert (first.found.passage.is_furniture, first.is_behind) == (True, False)
        # A document is found whole where it is all that there is to find.
        alone = collection.retrieve("bridge", top_k=5, filters=Filters(source=("story.txt",))).hits
        assert [(hit.rank, hit.found.passage.is_furniture) for hit in alone] == [(1, False), (2, True)]


def test_copies_do_not_keep_others_out_of_the_pool(tmp_path: Path) -> None:
    clause = "The tenant keeps the trucks in order and pays for what he breaks."
    with closing(open_collection(tmp_path, passages=PassageSettings(max_tokens=40))) as collection:
        for number in range(120):
            collection.put(make_document(clause, source=f"{number:03}.txt", title="Lease"))
        collection.put(make_document("Trucks of tenants are kept in order by nobody.", source="x.txt", title="Report"))
        hits = collection.retrieve("Who keeps the trucks of the tenant in order?", top_k=4).hits
        assert sources(hits)[:2] == ["000.txt", "x.txt"]
        assert [hit.is_behind for hit in hits] == [False, False, True, True]
        only = Filters(source=("077.txt", "078.txt"))
        assert sources(collection.retrieve("trucks", top_k=4, filters=only).hits) == ["077.txt", "078.txt"]


def test_what_is_no_token_of_its_own_and_stands_nowhere_is_misspelt(tmp_path: Path) -> None:
    class Pieces(WordEmbedder):
        def count_tokens(self, texts: Sequence[str]) -> list[int]:
            return [2 if text == "trcuk" else 1 for text in texts]

        def embed_question(self, question: str) -> Matrix:
            return super().embed_question("nothing of it")

    with closing(open_collection(tmp_path, Pieces())) as collection:
        collection.put(make_document("The truck is red.", source="truck"))
        collection.put(make_document("A pack of wolves.", source="pack"))
        # What only the vectors find scores at most a half.
        for question, found_by_words in (("the trcuk", ["truck"]), ("back", [])):
            hits = collection.retrieve(question, top_k=9).hits
            assert [hit.found.source for hit in hits if hit.score > 0.5] == found_by_words


def test_quoted_phrases_are_required_in_both_searches(tmp_path: Path) -> None:
    texts = {
        "a.txt": "Fire trucks came down the road.",
        "b.txt": "The fire truck came down the road. Trucks on fire.",
        "c.txt": "Nothing came down the road.",
    }
    with closing(open_collection(tmp_path, passages=PassageSettings(max_tokens=40))) as collection:
        for source, text in texts.items():
            collection.put(make_document(text, source=source, title="Fire trucks" if source == "c.txt" else "Road"))
        found = collection.retrieve('What of "fire trucks" came down the road?', top_k=9)
        assert sorted(sources(found.hits)) == ["a.txt", "c.txt"]
        assert found.nearest == []
        both = collection.retrieve('Which "fire trucks" were "down the road"?', top_k=9)
        assert sorted(sources(both.hits)) == ["a.txt", "c.txt"]
        nothing = collection.retrieve('What of "blue trucks" came?', top_k=9)
        assert nothing.hits == []
        assert sorted(sources(nothing.nearest)) == ["a.txt", "b.txt", "c.txt"]
        # It must stand in a document that passes the filters.
        other = collection.retrieve('"fire trucks"', top_k=9, filters=Filters(source=("b.txt",)))
        assert (other.hits, sources(other.nearest)) == ([], ["b.txt"])

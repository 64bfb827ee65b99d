"""The store: one SQLite file that is the truth, opened only if it is ours, changed whole or not at all."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from word_embedder import DIMENSION, WordEmbedder

from index import schema
from index.change import Change
from index.checksums import checksum, sound_rows
from index.documents import Document, Scalar, make_document
from index.errors import StoreDamaged, StoreError, StoreTooNew, UnknownCollection
from index.filters import Filters
from index.passages import PassageSettings, split_passages
from index.store import STORE_FILE, Store

EMBEDDER = WordEmbedder()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "collection")) as opened:
        yield opened


def document(source: str, text: str, *, title: str = "Title", **metadata: Scalar) -> Document:
    return make_document(text, source=source, title=title, metadata=metadata)


def write(change: Change, each: Document, *, max_tokens: int = 10) -> None:
    passages = split_passages(
        each.text, markdown=False, count_tokens=EMBEDDER.count_tokens, settings=PassageSettings(max_tokens)
    )
    vectors = EMBEDDER.embed_passages([passage.text for passage in passages])
    change.put(each, passages, [each.title] * len(passages), vectors)


def put(store: Store, *documents: Document, max_tokens: int = 10) -> None:
    for each in documents:
        with store.writing() as change:
            write(change, each, max_tokens=max_tokens)
            change.commit()


def matching(store: Store, query: str, filters: Filters | None = None, limit: int = 10) -> list[str]:
    with store.reading() as snapshot:
        found = snapshot.match(query, limit=limit, heading_weight=0.5, filters=filters or Filters())
        passages = snapshot.passages([passage_id for passage_id, _ in found])
        return [passages[passage_id].source for passage_id, _ in found]


def is_noticed(directory: Path) -> bool:
    """Whether opening a damaged store and reading all of it tells of the damage."""
    try:
        with closing(Store(directory)) as store, store.reading() as snapshot:
            return bool(snapshot.faults())
    except StoreDamaged:
        return True


TWO_PASSAGES = "Red trucks drove all of the way up there. Blue boats sailed all of the way down here."


def test_what_was_put_is_read_back_as_it_was(store: Store) -> None:
    original = document(
        "a\u0301 😀.txt",
        TWO_PASSAGES.replace("boats", "\U0001f6a4"),
        title="Übersicht",
        year=2025,
        draft=True,
        share=0.5,
        by="語",
    )
    put(store, original)
    with store.reading() as snapshot:
        record = snapshot.document(original.id)
        assert record is not None
        assert record == snapshot.document_from(original.source)
        assert (record.id, record.source, record.title) == (original.id, original.source, "Übersicht")
        assert record.metadata == {"year": 2025, "draft": True, "share": 0.5, "by": "語"}
        assert (record.content_sha256, record.characters) == (original.content_sha256, len(original.text))
        assert (record.generation, record.passages) == (1, 2)
        assert snapshot.text(original.id) == original.text
        assert snapshot.counts() == (1, 2)
        ids = snapshot.passage_ids(Filters())
        stored = snapshot.passages(ids)
        expected = split_passages(
            original.text, markdown=False, count_tokens=EMBEDDER.count_tokens, settings=PassageSettings(10)
        )
        assert [stored[each].passage for each in ids] == expected
        assert {each.content_sha256 for each in stored.values()} == {original.content_sha256}
        ((vector_ids, vectors),) = snapshot.vectors(DIMENSION)
        assert vector_ids == ids
        assert np.array_equal(vectors, EMBEDDER.embed_passages([each.text for each in expected]))
        assert snapshot.faults() == []


def test_what_is_not_there_is_none(store: Store) -> None:
    with store.reading() as snapshot:
        assert snapshot.document("doc-x") is None
        assert snapshot.document_from("x") is None
        assert snapshot.text("doc-x") is None
        assert snapshot.meta("x") is None
        assert snapshot.passages([1, 2]) == {}
        assert snapshot.counts() == (0, 0)
        assert list(snapshot.vectors(DIMENSION)) == []
        assert snapshot.generation == 0


def test_a_replacement_keeps_number_and_birth_and_leaves_nothing_of_the_old(store: Store) -> None:
    put(store, document("a", TWO_PASSAGES), document("b", "Something else entirely stands here."))
    with store.reading() as snapshot:
        before = snapshot.document_from("a")
        old_ids = snapshot.passage_ids(Filters(source=("a",)))
    put(store, document("a", "Green trains."))
    with store.reading() as snapshot:
        after = snapshot.document_from("a")
        new_ids = snapshot.passage_ids(Filters(source=("a",)))
        assert snapshot.faults() == []
    assert before is not None
    assert after is not None
    assert (after.number, after.id, after.created_at) == (before.number, before.id, before.created_at)
    assert (after.generation, after.passages) == (3, 1)
    assert not set(old_ids) & set(new_ids)
    assert matching(store, '"trucks" OR "boats"') == []
    assert matching(store, '"trains"') == ["a"]


def test_ids_of_deleted_passages_never_come_back(store: Store) -> None:
    put(store, document("a", TWO_PASSAGES))
    with store.reading() as snapshot:
        old_ids = snapshot.passage_ids(Filters())
    with store.writing() as change:
        change.delete(document("a", TWO_PASSAGES).id)
        change.commit()
    put(store, document("b", TWO_PASSAGES))
    with store.reading() as snapshot:
        assert min(snapshot.passage_ids(Filters())) > max(old_ids)


def test_deleting_leaves_no_trace_in_passages_vectors_and_full_text(store: Store) -> None:
    put(store, document("a", TWO_PASSAGES), document("b", TWO_PASSAGES))
    with store.writing() as change:
        change.delete(document("a", "x").id)
        change.commit()
    with store.reading() as snapshot:
        assert snapshot.counts() == (1, 2)
        assert snapshot.faults() == []
        assert sum(len(ids) for ids, _ in snapshot.vectors(DIMENSION)) == 2
        assert snapshot.generation == 3
    assert matching(store, '"trucks"') == ["b"]


def test_a_change_without_a_commit_leaves_nothing(store: Store) -> None:
    put(store, document("a", TWO_PASSAGES))
    with store.writing() as change:
        write(change, document("b", "Never seen again."))
        change.delete(document("a", "x").id)
    with store.reading() as snapshot:
        assert [record.source for record in snapshot.documents()] == ["a"]
        assert snapshot.generation == 1
        assert snapshot.faults() == []


def test_a_change_that_fails_half_way_leaves_nothing_and_the_next_one_works(store: Store) -> None:
    def fail() -> None:
        with store.writing() as change:
            write(change, document("a", TWO_PASSAGES))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail()
    assert matching(store, '"trucks"') == []
    put(store, document("a", TWO_PASSAGES))
    assert matching(store, '"trucks"') == ["a"]


def test_rows_that_do_not_belong_together_are_refused(store: Store) -> None:
    each = document("a", TWO_PASSAGES)
    passages = split_passages(
        each.text, markdown=False, count_tokens=EMBEDDER.count_tokens, settings=PassageSettings(10)
    )
    vectors = EMBEDDER.embed_passages(["x", "y"])
    with pytest.raises(ValueError, match="zip"), store.writing() as change:
        change.put(each, passages, ["one heading only"], vectors)
    with store.reading() as snapshot:
        assert snapshot.counts() == (0, 0)


FILTERED = [
    (Filters(), ["a", "b", "c"]),
    (Filters(source=("a", "c", "nowhere")), ["a", "c"]),
    (Filters(source=()), []),
    (Filters(document_id=()), []),
    (Filters(document_id=(document("b", "x").id,)), ["b"]),
    (Filters(document_id=(document("b", "x").id,), source=("a",)), []),
    (Filters(document_id=(document("b", "x").id,), source=("a", "b")), ["b"]),
    (Filters(source=("a' OR TRUE --", '"a"', "%")), []),
]


@pytest.mark.parametrize(("filters", "sources"), FILTERED)
def test_filters_limit_ids_and_full_text_alike(store: Store, filters: Filters, sources: list[str]) -> None:
    put(store, *(document(source, "Red trucks drove there.") for source in "abc"))
    assert sorted(matching(store, '"trucks"', filters)) == sources
    with store.reading() as snapshot:
        stored = snapshot.passages(snapshot.passage_ids(filters)).values()
    assert sorted(each.source for each in stored) == sources


def test_only_filters_that_limit_count_as_filters() -> None:
    assert not Filters()
    assert Filters(source=())
    assert Filters(document_id=())


def test_sources_of_any_characters_can_be_filtered(store: Store) -> None:
    sources = ('quo"te', "back\\slash", "ünï 😀", "語", "a b", "x" * 1000)
    put(store, *(document(source, "Red trucks drove there.") for source in sources))
    for source in sources:
        assert matching(store, '"trucks"', Filters(source=(source,))) == [source]


def test_documents_are_paged_in_the_order_in_which_they_first_came(store: Store) -> None:
    sources = [f"{number * 7 % 10}.txt" for number in range(10)]
    put(store, *(document(source, "Text.") for source in sources))
    put(store, document(sources[2], "Replaced."))
    pages: list[list[str]] = []
    after = 0
    while True:
        with store.reading() as snapshot:
            page = snapshot.documents(after=after, limit=4)
        if not page:
            break
        pages.append([record.source for record in page])
        after = page[-1].number
    assert pages == [sources[:4], sources[4:8], sources[8:]]


def test_paging_neither_skips_nor_repeats_when_documents_come_and_go(store: Store) -> None:
    put(store, *(document(f"{number}", "Text.") for number in range(6)))
    with store.reading() as snapshot:
        page = snapshot.documents(limit=3)
    with store.writing() as change:
        change.delete(page[1].id)
        change.commit()
    put(store, document("new", "Text."))
    with store.reading() as snapshot:
        rest = snapshot.documents(after=page[-1].number, limit=10)
    assert [record.source for record in rest] == ["3", "4", "5", "new"]


def test_full_text_search_returns_all_that_tie_with_the_last(store: Store) -> None:
    put(store, *(document(f"{number:02}", "Red trucks drove there.") for number in range(20)))
    put(store, document("best", "Trucks, trucks and trucks."))
    found = matching(store, '"trucks"', limit=5)
    assert found[0] == "best"
    assert len(found) == 21
    assert matching(store, '"trucks"', limit=1) == ["best"]


def test_a_word_in_the_heading_counts_with_its_weight(store: Store) -> None:
    put(store, document("in text", "Red trucks drove there.", title="Boats"))
    put(store, document("in heading", "Red boats sailed there.", title="Trucks"))
    put(store, *(document(f"{number}", "Nothing of it here now.", title="None") for number in range(5)))
    with store.reading() as snapshot:
        ids = {each.source: key for key, each in snapshot.passages(snapshot.passage_ids(Filters())).items()}
        light = dict(snapshot.match('"trucks"', limit=9, heading_weight=0.5, filters=Filters()))
        heavy = dict(snapshot.match('"trucks"', limit=9, heading_weight=3.0, filters=Filters()))
    assert light[ids["in text"]] > light[ids["in heading"]] > 0
    assert heavy[ids["in heading"]] > heavy[ids["in text"]] > 0


def test_another_query_syntax_is_an_error_of_the_store(store: Store) -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        matching(store, 'NEAR("a"')


def test_a_snapshot_sees_one_generation_from_its_first_read_on(store: Store) -> None:
    put(store, document("a", "Old text."))
    with store.reading() as snapshot:
        assert snapshot.pin() == 1
        put(store, document("a", "New text."), document("b", "More."))
        assert snapshot.generation == 1
        assert snapshot.text(document("a", "x").id) == "Old text."
        assert snapshot.counts() == (1, 1)
        assert snapshot.faults() == []
    with store.reading() as snapshot:
        assert (snapshot.generation, snapshot.counts()) == (3, (2, 2))


def test_readers_see_whole_generations_while_a_writer_commits(store: Store) -> None:
    """Every generation holds the documents 0 to n with the same word in each: no reader ever sees two words."""
    width = 4
    failures: list[str] = []
    seen: set[int] = set()
    done = threading.Event()
    started = threading.Barrier(3)

    def read() -> None:
        started.wait()
        while not done.is_set():
            with store.reading() as snapshot:
                generation = snapshot.generation
                texts = {snapshot.text(record.id) for record in snapshot.documents()}
                _, passages = snapshot.counts()
                found = snapshot.match('"round"', limit=99, heading_weight=0.5, filters=Filters())
                if len(texts) > 1 or passages not in (0, width) or len(found) != passages:
                    failures.append(f"generation {generation}: {texts}, {passages} passages, {len(found)} found")
                seen.add(generation)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        started.wait()
        for number in range(500):
            if number >= 30 and len(seen) > 2:
                break
            with store.writing() as change:
                for source in range(width):
                    write(change, document(f"{source}", f"Round {number}."))
                change.commit()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert len(seen) > 2
    assert all(generation % width == 0 for generation in seen)


def test_two_threads_cannot_write_at_the_same_time_by_accident(store: Store) -> None:
    with store.writing():
        with pytest.raises(StoreError, match="cannot be used"), store.writing():
            raise AssertionError("a second change began inside the first one")
        with store.reading() as snapshot:
            assert snapshot.generation == 0


def test_a_store_lives_on_after_it_was_closed(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        put(store, document("a", TWO_PASSAGES))
    with closing(Store(tmp_path)) as store, store.reading() as snapshot:
        assert snapshot.text(document("a", "x").id) == TWO_PASSAGES
        assert snapshot.generation == 1


def test_what_is_committed_is_synced_in_a_write_ahead_log(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        assert store._writer is not None
        assert store._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert store._writer.execute("PRAGMA synchronous").fetchone() == (2,)
        assert store._writer.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_store_opened_to_read_only_writes_nothing(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        put(store, document("a", TWO_PASSAGES))
    with closing(Store(tmp_path, read_only=True)) as store:
        assert matching(store, '"trucks"') == ["a"]
        with pytest.raises(StoreError, match="read only"), store.writing():
            pass
        with store.reading() as snapshot, pytest.raises(sqlite3.OperationalError, match="readonly"):
            snapshot._connection.execute("DELETE FROM documents")


def test_reading_only_does_not_make_a_store(tmp_path: Path) -> None:
    with pytest.raises(UnknownCollection, match="no collection"):
        Store(tmp_path / "missing", read_only=True)
    assert not (tmp_path / "missing").exists()


def test_a_store_whose_making_was_cut_short_is_made_when_it_is_next_opened_to_write(tmp_path: Path) -> None:
    (tmp_path / STORE_FILE).touch()
    with pytest.raises(StoreDamaged, match="never finished"):
        Store(tmp_path, read_only=True)
    with closing(Store(tmp_path)) as store:
        put(store, document("a", TWO_PASSAGES))


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("pragmas", ["", "PRAGMA user_version = 1;", "PRAGMA application_id = 5;"])
def test_the_database_of_another_program_is_refused_and_left_as_it_is(
    tmp_path: Path, pragmas: str, read_only: bool
) -> None:
    path = tmp_path / STORE_FILE
    with closing(sqlite3.connect(path)) as other:
        other.executescript(f"CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1); {pragmas}")
    before = path.read_bytes()
    with pytest.raises(StoreDamaged, match="something else"):
        Store(tmp_path, read_only=read_only)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [STORE_FILE]


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("garbage", [b"xy", b"This is no database. " * 500, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(
    tmp_path: Path, garbage: bytes, read_only: bool
) -> None:
    path = tmp_path / STORE_FILE
    path.write_bytes(garbage)
    with pytest.raises(StoreDamaged, match=r"backup|something else"):
        Store(tmp_path, read_only=read_only)
    assert path.read_bytes() == garbage


@pytest.mark.parametrize("read_only", [False, True])
def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path, read_only: bool) -> None:
    with closing(Store(tmp_path)) as store:
        put(store, document("a", TWO_PASSAGES))
    path = tmp_path / STORE_FILE
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match=f"version {schema.VERSION + 1}"):
        Store(tmp_path, read_only=read_only)
    assert path.read_bytes() == before


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.99])
def test_a_truncated_store_is_noticed(tmp_path: Path, share: float) -> None:
    with closing(Store(tmp_path)) as store:
        put(store, *(document(f"{number}", TWO_PASSAGES * 20) for number in range(5)))
    path = tmp_path / STORE_FILE
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert is_noticed(tmp_path)


def test_a_page_that_was_overwritten_is_noticed(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        put(store, *(document(f"{number}", TWO_PASSAGES * 20) for number in range(5)))
    path = tmp_path / STORE_FILE
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 4096 // 2 * 4096
    whole[middle : middle + 4096] = b"\xa5" * 4096
    path.write_bytes(whole)
    assert is_noticed(tmp_path)


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("UPDATE documents SET text = replace(text, '. ', '.\n')", "the text of 'a' is not what was stored"),
        ("DELETE FROM vectors WHERE passage = 1", "1 passages without a vector"),
        ("UPDATE passages SET text = 'x' WHERE id = 1", "1 passages that do not stand where they say"),
        ("UPDATE passages SET section = 'x' WHERE id = 1", "1 passages that are not what was stored"),
        ("UPDATE documents SET checksum = 5", "1 documents that are not what was stored"),
        ("UPDATE vectors SET vector = x'00' WHERE passage = 1", "1 vectors that are not what was stored"),
        ("UPDATE passages SET start = start + 1 WHERE id = 2", "1 passages that do not stand where they say"),
        ("DELETE FROM passages WHERE id = 2", "1 documents whose passages are not all there"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM documents", "passages row 1 refers to nothing"),
        ("INSERT INTO full_text (full_text) VALUES ('delete-all')", "2 passages without full text"),
        ("INSERT INTO full_text (rowid, heading, text) VALUES (77, 'a', 'b')", "1 full texts without a passage"),
    ],
)
def test_faults_are_told_in_words(tmp_path: Path, statement: str, complaint: str) -> None:
    with closing(Store(tmp_path)) as store:
        put(store, document("a", TWO_PASSAGES))
    with closing(sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA foreign_keys = ON; {statement}")
    with closing(Store(tmp_path)) as store, store.reading() as snapshot:
        assert complaint in snapshot.faults()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE vectors SET vector = substr(vector, 1, 8) WHERE passage = 1",
        "UPDATE vectors SET vector = zeroblob(length(vector)) WHERE passage = 1",
        "UPDATE vectors SET vector = (SELECT vector FROM vectors WHERE passage = 2) WHERE passage = 1",
        "UPDATE vectors SET checksum = checksum + 1 WHERE passage = 1",
        "DELETE FROM vectors WHERE passage = 1",
    ],
)
def test_a_vector_that_is_not_what_was_stored_is_never_read(store: Store, damage: str) -> None:
    put(store, document("a", TWO_PASSAGES))
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute(damage)
    with store.reading() as snapshot:
        assert [ids for ids, _ in snapshot.vectors(DIMENSION)] == [[2]]
        assert snapshot.all_passage_ids() == [1, 2]
        assert snapshot.embedded_texts([1]) == {1: "Title\nRed trucks drove all of the way up there."}
        assert len(snapshot.faults()) == 1


@pytest.mark.parametrize("row", [[np.nan] * 4, [np.inf, 0, 0, 0], [3e38] * 4, [0.5, 0.5, 0.5, 0.6], [0] * 4])
def test_a_vector_that_has_not_length_1_is_never_read_whatever_its_checksum_says(row: list[float]) -> None:
    good = np.array([0.5, 0.5, 0.5, 0.5], "<f4").tobytes()
    bad = np.array(row, "<f4").tobytes()
    ids, vectors = sound_rows([(1, good, checksum(1, good)), (2, bad, checksum(2, bad))], 4)
    assert ids == [1]
    assert vectors.tolist() == [[0.5] * 4]


def test_checksums_tell_where_one_value_ends() -> None:
    assert (
        len({checksum("ab", "c"), checksum("a", "bc"), checksum("abc"), checksum("abc", None), checksum("abc", "")})
        == 5
    )
    assert checksum("é", 1, b"\xff", None) == checksum("é", 1, b"\xff", None)


def test_a_folder_that_cannot_be_made_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be made"):
        Store(tmp_path / "file" / "collection")


def test_a_path_that_is_no_file_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / STORE_FILE).mkdir()
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path)


def test_document_hashes_do_not_depend_on_the_order_of_arrival(tmp_path: Path) -> None:
    documents = [document("b", "One.", n=1), document("a", "Two."), document("c", "One.")]
    with closing(Store(tmp_path / "1")) as first, closing(Store(tmp_path / "2")) as second:
        put(first, *documents)
        put(second, *reversed(documents))
        with first.reading() as one, second.reading() as two:
            assert one.document_hashes() == two.document_hashes()
            assert [each[0] for each in one.document_hashes()] == ["a", "b", "c"]

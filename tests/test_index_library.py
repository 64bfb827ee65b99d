"""The library: the collections of a data directory, and the lock that keeps a second writer out."""

import threading
from pathlib import Path

import pytest
from word_embedder import WordEmbedder

from index.collection import Collection
from index.documents import make_document
from index.errors import (
    IndexOutdated,
    InvalidCollectionName,
    StoreDamaged,
    StoreError,
    StoreLocked,
    UnknownCollection,
    UnknownDocument,
)
from index.library import Library, collection_names, write_lock
from index.passages import PassageSettings
from index.store import STORE_FILE

TEXT = "One sentence of some words stands here, and it is cut where it must be."


def fill(data_dir: Path, words: WordEmbedder, *names: str) -> None:
    with Library(data_dir, words) as library:
        for name in names:
            library.create(name).put(make_document(TEXT, source=f"{name}.txt"))


def test_a_directory_that_is_not_there_holds_no_collections(tmp_path: Path, words: WordEmbedder) -> None:
    with Library(tmp_path / "missing", words) as library:
        assert library.names() == []
    assert not (tmp_path / "missing").exists()


def test_collections_are_found_again_with_their_documents(tmp_path: Path, words: WordEmbedder) -> None:
    fill(tmp_path, words, "zebra", "default", "a-1_b")
    with Library(tmp_path, words) as library:
        assert library.names() == ["a-1_b", "default", "zebra"] == collection_names(tmp_path)
        for name in library.names():
            assert [record.source for record in library.collection(name).documents(limit=9)] == [f"{name}.txt"]


def test_a_collection_is_made_once(tmp_path: Path, words: WordEmbedder) -> None:
    with Library(tmp_path, words) as library:
        assert library.create("default") is library.create("default") is library.collection("default")
        assert library.names() == ["default"]


def test_a_collection_is_made_once_by_many_threads(tmp_path: Path, words: WordEmbedder) -> None:
    made: list[Collection] = []
    with Library(tmp_path, words) as library:
        threads = [threading.Thread(target=lambda: made.append(library.create("default"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(made) == 8
    assert len({id(each) for each in made}) == 1


def test_collections_do_not_see_each_other(tmp_path: Path, words: WordEmbedder) -> None:
    with Library(tmp_path, words) as library:
        one, two = library.create("one"), library.create("two")
        receipt = one.put(make_document(TEXT, source="a"))
        assert two.counts() == (0, 0)
        assert two.retrieve(TEXT, top_k=5).hits == []
        before = one.retrieve("sentence", top_k=5)
        two.put(make_document("Sentence, sentence and sentence.", source="a"))
        assert one.retrieve("sentence", top_k=5) == before
        two.delete(receipt.record.id)
        assert one.text(receipt.record.id) == TEXT


@pytest.mark.parametrize(
    "name", ["", "A", "-a", "_a", "a b", "a/b", "..", ".a", "a.b", "ä", "a\n", "a" * 65, "a\0", "con/../x"]
)
def test_names_that_directories_or_urls_do_not_take_are_refused(tmp_path: Path, words: WordEmbedder, name: str) -> None:
    with Library(tmp_path / "data", words) as library, pytest.raises(InvalidCollectionName, match="lower-case"):
        library.create(name)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", ["a", "0", "a-b_c", "a" * 64])
def test_names_of_the_allowed_form_are_taken(tmp_path: Path, words: WordEmbedder, name: str) -> None:
    with Library(tmp_path, words) as library:
        assert library.create(name).name == name
    assert collection_names(tmp_path) == [name]


def test_folders_that_are_no_collections_are_passed_over(tmp_path: Path, words: WordEmbedder) -> None:
    (tmp_path / ".models").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "Not a name").mkdir()
    (tmp_path / "Not a name" / STORE_FILE).write_text("garbage")
    with Library(tmp_path, words) as library:
        assert library.names() == []


def test_an_unknown_collection_is_named(tmp_path: Path, words: WordEmbedder) -> None:
    with Library(tmp_path, words) as library, pytest.raises(UnknownCollection, match="'nowhere'"):
        library.collection("nowhere")


def test_a_library_opened_to_read_only_makes_nothing(tmp_path: Path, words: WordEmbedder) -> None:
    fill(tmp_path, words, "default")
    with Library(tmp_path, words, read_only=True) as library:
        assert len(library.collection("default").retrieve(TEXT, top_k=5).hits) == 1
        with pytest.raises(UnknownCollection):
            library.create("other")
        with pytest.raises(StoreError, match="read only"):
            library.collection("default").put(make_document("More.", source="b"))
    assert collection_names(tmp_path) == ["default"]


def test_a_damaged_collection_is_told_when_the_library_is_opened(tmp_path: Path, words: WordEmbedder) -> None:
    fill(tmp_path, words, "good", "bad")
    (tmp_path / "bad" / STORE_FILE).write_bytes(b"garbage " * 1000)
    with pytest.raises(StoreDamaged, match="bad"):
        Library(tmp_path, words)


def test_all_collections_are_built_anew_together(tmp_path: Path, words: WordEmbedder) -> None:
    fill(tmp_path, words, "one", "two")
    small = PassageSettings(max_tokens=5)
    with pytest.raises(IndexOutdated, match="'one'"):
        Library(tmp_path, words, passage_settings=small, read_only=True)
    with Library(tmp_path, words, passage_settings=small) as library:
        assert [library.collection(name).is_current for name in ("one", "two")] == [False, False]
    told: list[tuple[int, int]] = []
    with Library(tmp_path, words, passage_settings=small, reindex=lambda *each: told.append(each)) as library:
        assert [library.collection(name).counts() for name in ("one", "two")] == [(1, 4), (1, 4)]
    assert set(told) == {(1, 1)}
    with Library(tmp_path, words, passage_settings=small) as library:
        assert library.collection("two").faults() == []


def test_a_deleted_collection_is_gone_with_its_directory(tmp_path: Path, words: WordEmbedder) -> None:
    fill(tmp_path, words, "one", "two")
    with Library(tmp_path, words) as library:
        gone = library.collection("one")
        library.delete("one")
        assert library.names() == ["two"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["two"]
        for use in (
            lambda: library.collection("one"),
            lambda: library.delete("one"),
            gone.counts,
            lambda: gone.retrieve(TEXT, top_k=1),
            lambda: gone.put(make_document("More.", source="b")),
            lambda: gone.jobs.create("batch"),
        ):
            with pytest.raises(UnknownCollection, match="'one'"):
                use()
        assert library.create("one").counts() == (0, 0)
        assert library.collection("two").counts() == (1, 1)
    with Library(tmp_path, words) as library:
        assert library.names() == ["one", "two"]


def test_a_deletion_that_was_cut_short_is_finished_off_at_the_next_start(
    tmp_path: Path, words: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, words, "one", "two")
    with Library(tmp_path, words) as library:
        with monkeypatch.context() as patched:
            patched.setattr("index.library._remove", lambda path: (path / STORE_FILE).unlink())
            library.delete("one")
        assert len(list(tmp_path.glob(".deleted-one-*"))) == 1
    assert collection_names(tmp_path) == ["two"]
    with Library(tmp_path, words, read_only=True) as library:
        assert library.names() == ["two"]
    with Library(tmp_path, words) as library:
        assert library.names() == ["two"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["two"]


def test_a_collection_whose_directory_cannot_be_moved_is_still_there(
    tmp_path: Path, words: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    fill(tmp_path, words, "one")
    with Library(tmp_path, words) as library:
        with monkeypatch.context() as patched:
            patched.setattr(Path, "rename", fail)
            with pytest.raises(StoreError, match="cannot be deleted: Permission denied"):
                library.delete("one")
        assert library.collection("one").counts() == (1, 1)
        library.delete("one")
        assert library.names() == []


def test_questions_over_a_collection_that_is_deleted_are_answered_or_told_so(
    tmp_path: Path, words: WordEmbedder
) -> None:
    """Again and again, with another text each time: no question ever sees the text of another life of the name."""
    failures: list[object] = []
    answered = 0
    done = threading.Event()

    with Library(tmp_path, words) as library:
        library.create("one")

        def ask() -> None:
            nonlocal answered
            while not done.is_set():
                try:
                    collection = library.collection("one")
                    life = {hit.found.passage.text for hit in collection.retrieve("life", top_k=9).hits}
                    life |= {collection.text(record.id) for record in collection.documents(limit=9)}
                    answered += 1
                    if len(life) > 1:
                        failures.append(life)
                except (UnknownCollection, UnknownDocument):
                    pass
                except Exception as error:  # noqa: BLE001 (whatever it is, the test tells of it)
                    failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for number in range(300):
                if number > 20 and answered > 50:
                    break
                library.delete("one")
                library.create("one").put(make_document(f"This is life {number}.", source="a"))
        finally:
            done.set()
            for thread in threads:
                thread.join()
        assert failures == []
        assert answered > 50
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one"]


def test_a_library_opened_to_read_only_deletes_nothing(tmp_path: Path, words: WordEmbedder) -> None:
    fill(tmp_path, words, "one")
    with Library(tmp_path, words, read_only=True) as library, pytest.raises(StoreError, match="read only"):
        library.delete("one")
    assert collection_names(tmp_path) == ["one"]


def test_a_second_writer_is_refused_until_the_first_one_is_done(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with write_lock(data_dir):
        for _ in range(2):
            with pytest.raises(StoreLocked, match="Another process"), write_lock(data_dir):
                raise AssertionError("two writers at the same time")
    with write_lock(data_dir):
        pass


def test_the_lock_is_freed_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), write_lock(tmp_path):
        raise ZeroDivisionError
    with write_lock(tmp_path):
        pass


@pytest.mark.parametrize("error", [PermissionError(13, "port"), TimeoutError("slow"), FileNotFoundError(2, "x")])
def test_what_fails_under_the_lock_is_not_blamed_on_the_lock(tmp_path: Path, error: OSError) -> None:
    with pytest.raises(OSError) as caught, write_lock(tmp_path):  # noqa: PT011 (the very error is compared below)
        raise error
    assert caught.value is error


def test_different_directories_can_be_written_at_the_same_time(tmp_path: Path) -> None:
    with write_lock(tmp_path / "one"), write_lock(tmp_path / "two"):
        assert (tmp_path / "two").is_dir()


def test_a_data_directory_that_cannot_be_made_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(StoreError, match="cannot be written"), write_lock(path):
            raise AssertionError("there is no such directory")

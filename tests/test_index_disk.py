"""Disks that are full, cannot be written to, or damage what is on them: noticed and told, and reading goes on."""

import logging
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from word_embedder import WordEmbedder

from index.acknowledged import ACKNOWLEDGED_FILE, Acknowledged
from index.backup import back_up
from index.change import Change
from index.collection import Collection
from index.documents import document_id, make_document
from index.errors import BackupError, StoreDamaged, StoreError, StoreFull, StoreReadOnly
from index.library import write_lock
from index.passages import PassageSettings
from index.retriever import RetrievalSettings
from index.store import STORE_FILE, Store

FLIPS = int(os.environ.get("TORTURE_FLIPS", "60"))
LOG_FILE = f"{STORE_FILE}-wal"
NOBODY = 65534
SENTENCE = "The lighthouse of Kullen was lit in 1561, and its keeper wrote of {}. "

logger = logging.getLogger(__name__)


def opened(directory: Path, *, read_only: bool = False) -> Collection:
    return Collection(
        directory,
        WordEmbedder(),
        passage_settings=PassageSettings(max_tokens=24),
        retrieval_settings=RetrievalSettings(),
        read_only=read_only,
    )


def contents(collection: Collection) -> dict[str, str]:
    return {record.source: collection.text(record.id) for record in collection.documents(limit=1000)}


def assert_holds(collection: Collection, texts: dict[str, str]) -> None:
    assert contents(collection) == texts
    assert collection.faults() == []
    for source, text in texts.items():
        hit = collection.retrieve(text.split()[-1].rstrip("."), top_k=1).hits[0]
        assert hit.found.source == source


def text_of(name: str, sentences: int = 30) -> str:
    return "".join(SENTENCE.format(f"{name}{number}") for number in range(sentences)) + f"It ends with {name}end."


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a small file system here")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def as_nobody(directory: Path) -> Iterator[None]:
    """Give a folder to a user without rights, take the right to write in it away, and be that user."""
    if os.geteuid() != 0:
        files = list(directory.iterdir())
    else:
        files = list(directory.iterdir())
        for each in (directory, *files):
            os.chown(each, NOBODY, NOBODY)
    for each in files:
        each.chmod(0o444)
    directory.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        for folder in directory.parents:
            if not folder.stat().st_mode & 0o005:
                folder.chmod(folder.stat().st_mode | 0o055)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(0)
        directory.chmod(0o755)
        for each in files:
            if each.exists():
                each.chmod(0o644)


def fill_up(disk: Path) -> Path:
    """Leave no room on a disk; return the file that takes it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return ballast


def test_a_full_disk_is_told_and_forgotten_when_there_is_room(small_disk: Path) -> None:
    with closing(opened(small_disk / "one")) as collection:
        texts = {"a.txt": text_of("a"), "b.txt": text_of("b")}
        for source, text in texts.items():
            collection.put(make_document(text, source=source))
        fingerprint = collection.fingerprint()
        for _ in range(3):
            ballast = fill_up(small_disk)
            for document in (
                make_document(text_of("c", 200), source="c.txt"),
                make_document(text_of("new", 200), source="a.txt"),
            ):
                with pytest.raises(StoreFull, match=r"no room left.*nothing was changed"):
                    collection.put(document)
                assert_holds(collection, texts)
                assert collection.fingerprint() == fingerprint
            with closing(opened(small_disk / "one", read_only=True)) as reader:
                assert_holds(reader, texts)
            ballast.unlink()
            # Without a restart; the log was emptied meanwhile or was not.
            collection.put(make_document("More.", source="more.txt"))
            collection.delete(document_id("more.txt"))
            collection.compact()
        texts["c.txt"] = text_of("c")
        collection.put(make_document(texts["c.txt"], source="c.txt"))
        assert_holds(collection, texts)
    with closing(opened(small_disk / "one")) as collection:
        assert_holds(collection, texts)


def test_documents_that_come_until_the_disk_is_full_are_there_whole_or_not_at_all(small_disk: Path) -> None:
    texts: dict[str, str] = {}
    with closing(opened(small_disk / "one")) as collection:
        for number in range(1000):
            text = text_of(f"n{number}")
            try:
                collection.put(make_document(text, source=f"{number}.txt"))
            except StoreFull:
                break
            texts[f"{number}.txt"] = text
        assert 5 < len(texts) < 1000
        assert_holds(collection, texts)
        # Deleting needs little room, and makes some.
        for source in list(texts)[:3]:
            try:
                collection.delete(document_id(source))
            except StoreFull:
                continue
            del texts[source]
        assert_holds(collection, texts)
    with closing(opened(small_disk / "one")) as collection:
        assert_holds(collection, texts)


def test_a_store_cannot_be_made_nor_a_backup_written_on_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    with closing(opened(tmp_path / "data" / "one")) as collection:
        collection.put(make_document(text_of("a"), source="a.txt"))
    fill_up(small_disk)
    with pytest.raises(StoreFull):
        opened(small_disk / "two")
    with pytest.raises((BackupError, StoreFull), match=r"backup|no room"):
        back_up(tmp_path / "data", small_disk / "backup")
    assert not (small_disk / "backup").exists()
    assert [each.name for each in small_disk.iterdir() if each.name.startswith(".citespan")] == []


@pytest.mark.skipif(sys.platform != "linux", reason="users and rights are those of Linux")
def test_a_store_at_rest_in_a_folder_that_cannot_be_written_to_is_read(tmp_path: Path) -> None:
    texts = {"a.txt": text_of("a")}
    with closing(opened(tmp_path / "data" / "one")) as collection:
        collection.put(make_document(texts["a.txt"], source="a.txt"))
    with as_nobody(tmp_path / "data" / "one"):
        with closing(opened(tmp_path / "data" / "one", read_only=True)) as collection:
            assert_holds(collection, texts)
        with pytest.raises(StoreReadOnly, match="cannot be written to"):
            opened(tmp_path / "data" / "one")
        with pytest.raises(StoreReadOnly, match="cannot be written"), write_lock(tmp_path / "data" / "one"):
            raise AssertionError("a lock in a folder that cannot be written to")


@pytest.mark.skipif(sys.platform != "linux", reason="users and rights are those of Linux")
def test_a_store_that_becomes_read_only_is_told_and_read_and_written_again_without_a_restart(tmp_path: Path) -> None:
    directory = tmp_path / "data" / "one"
    texts = {"a.txt": text_of("a")}
    with closing(opened(directory)) as collection:
        collection.put(make_document(texts["a.txt"], source="a.txt"))
        store = collection._store
        writer = store._writer
        assert writer is not None
        # As a file system that was mounted anew without the right to write; open files cannot lose it otherwise.
        writer.execute("PRAGMA query_only = ON")
        for change in (
            lambda: collection.put(make_document(text_of("b"), source="b.txt")),
            lambda: collection.delete(document_id("a.txt")),
        ):
            with pytest.raises(StoreReadOnly, match="nothing was changed"):
                change()
            assert_holds(collection, texts)
        writer.execute("PRAGMA query_only = OFF")
        texts["b.txt"] = text_of("b")
        collection.put(make_document(texts["b.txt"], source="b.txt"))
        assert_holds(collection, texts)


def test_a_disk_that_fails_is_told_and_tried_again_with_files_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Change) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
        raise error

    with closing(opened(tmp_path)) as collection:
        collection.put(make_document(text_of("a"), source="a.txt"))
        writer = collection._store._writer
        with monkeypatch.context() as patched:
            patched.setattr(Change, "commit", fail)
            with pytest.raises(StoreError, match="does not read or write as it should"):
                collection.put(make_document(text_of("b"), source="b.txt"))
        assert_holds(collection, {"a.txt": text_of("a")})
        collection.put(make_document(text_of("b"), source="b.txt"))
        assert collection._store._writer is not writer
        assert_holds(collection, {"a.txt": text_of("a"), "b.txt": text_of("b")})


class Crashed:
    """A store that was left by a killed process: its file, its log with the last changes, and what was acknowledged."""

    def __init__(self, directory: Path, scratch: Path) -> None:
        self.texts = {"a.txt": text_of("a"), "b.txt": text_of("b"), "c.txt": text_of("c")}
        with closing(opened(scratch)) as collection:
            collection.put(make_document("To be deleted.", source="x.txt"))
            for source in ("a.txt", "b.txt"):
                collection.put(make_document(self.texts[source], source=source, title=source))
            collection.compact()
            collection.put(make_document(self.texts["c.txt"], source="c.txt", title="c.txt"))
            collection.delete(document_id("x.txt"))
            shutil.copytree(scratch, directory)
        self.directory = directory
        self.files = {each.name: each.read_bytes() for each in directory.iterdir()}

    def put_back(self, **changed: bytes | None) -> None:
        shutil.rmtree(self.directory)
        self.directory.mkdir()
        for name, content in (self.files | changed).items():
            if content is not None:
                (self.directory / name).write_bytes(content)


@pytest.fixture
def crashed(tmp_path: Path) -> Crashed:
    found = Crashed(tmp_path / "crashed", tmp_path / "scratch")
    assert set(found.files) == {STORE_FILE, LOG_FILE, f"{STORE_FILE}-shm", ACKNOWLEDGED_FILE}
    assert len(found.files[LOG_FILE]) > 20_000
    return found


def use(crashed: Crashed) -> str:
    """Open a store and do all that one does with it. Return "refused", "told" or "whole"; anything wrong raises."""
    try:
        collection = opened(crashed.directory)
    except StoreError:
        return "refused"
    told = False
    with closing(collection):
        for source, text in crashed.texts.items():
            try:
                assert collection.text(document_id(source)) == text
                record = collection.document(document_id(source))
                assert (record.source, record.characters) == (source, len(text))
            except StoreDamaged:
                told = True
            for question in (f"{source[0]}end", f"What did the keeper write of {source[0]}5?"):
                try:
                    hits = collection.retrieve(question, top_k=5).hits
                except StoreDamaged:
                    told = True
                    continue
                for hit in hits:
                    passage = hit.found.passage
                    assert crashed.texts[hit.found.source][passage.start : passage.end] == passage.text
                    assert (hit.found.document_title, hit.found.document_id) == (
                        hit.found.source,
                        document_id(hit.found.source),
                    )
        try:
            found = contents(collection)
            faults = collection.faults()
        except StoreDamaged:
            told = True
        else:
            assert faults or found == crashed.texts
            told = told or bool(faults)
    return "told" if told else "whole"


def test_a_store_that_was_left_by_a_crash_is_whole(crashed: Crashed) -> None:
    assert use(crashed) == "whole"
    with closing(opened(crashed.directory)) as collection:
        assert_holds(collection, crashed.texts)


@pytest.mark.parametrize("name", [STORE_FILE, LOG_FILE, f"{STORE_FILE}-shm", ACKNOWLEDGED_FILE])
def test_flipped_bytes_are_noticed_or_mended_and_nothing_wrong_is_ever_shown(crashed: Crashed, name: str) -> None:
    chance = random.Random(name)
    whole = crashed.files[name]
    outcomes = []
    for _ in range(FLIPS if name in (STORE_FILE, LOG_FILE) else FLIPS // 5):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 1, 1, 8))):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        crashed.put_back(**{name: bytes(content)})
        outcomes.append(use(crashed))
    logger.info("%s: %s", name, {each: outcomes.count(each) for each in sorted(set(outcomes))})
    if name in (STORE_FILE, LOG_FILE):
        assert {"refused", "told"} & set(outcomes)
    else:
        assert set(outcomes) == {"whole"}  # they can be lost, and nothing is


@pytest.mark.parametrize("name", [STORE_FILE, LOG_FILE, f"{STORE_FILE}-shm", ACKNOWLEDGED_FILE])
def test_files_that_were_cut_or_lost_are_noticed_or_not_needed(crashed: Crashed, name: str) -> None:
    chance = random.Random(name)
    whole = crashed.files[name]
    lengths = [0, 1, 100, len(whole) - 1, *(chance.randrange(len(whole)) for _ in range(FLIPS // 10))]
    for length in [*lengths, None]:
        crashed.put_back(**{name: None if length is None else whole[:length]})
        outcome = use(crashed)
        if name in (STORE_FILE, LOG_FILE):
            # The log begins with what the file lacks, or holds all of it.
            assert outcome in ("refused", "told", "whole")
        else:
            assert outcome == "whole"
    if name == LOG_FILE:
        crashed.put_back(**{name: None})
        with pytest.raises(
            StoreDamaged, match=r"ends with change 3, and changes up to 5 were acknowledged.*doctor --repair"
        ):
            opened(crashed.directory)
        with closing(opened(crashed.directory, read_only=True)) as collection:  # reading goes on, and says so
            assert contents(collection) == {
                "x.txt": "To be deleted.",
                "a.txt": crashed.texts["a.txt"],
                "b.txt": crashed.texts["b.txt"],
            }
            assert "were acknowledged" in collection.faults()[0]
        with closing(Store(crashed.directory, accept_loss=True)) as store:
            assert "were acknowledged" in str(store.loss)
        with closing(opened(crashed.directory)) as collection:
            assert collection.faults() == []


def test_full_text_that_is_damaged_is_made_anew_by_the_question_that_finds_out(tmp_path: Path) -> None:
    texts = {"a.txt": text_of("a"), "b.txt": text_of("b")}
    with closing(opened(tmp_path)) as collection:
        for source, text in texts.items():
            collection.put(make_document(text, source=source))
        expected = collection.retrieve("bend", top_k=3)
        for damage in (
            "UPDATE full_text_data SET block = x'ffffffffffff' WHERE id > 10",
            "INSERT INTO full_text (rowid, heading, text) VALUES (777, 'bend', 'bend')",
        ):
            with closing(sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None)) as other:
                other.execute(damage)
            with closing(opened(tmp_path, read_only=True)) as reader:
                try:
                    reader.retrieve("bend", top_k=3)
                except StoreDamaged:
                    pass
                else:
                    raise AssertionError(f"not noticed: {damage}")
            assert collection.retrieve("bend", top_k=3) == expected
            assert_holds(collection, texts)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE full_text_data SET block = zeroblob(length(block))",
        "INSERT INTO full_text (full_text) VALUES ('delete-all')",
    ],
)
def test_full_text_that_is_wrong_without_being_broken_is_found_by_the_doctor(tmp_path: Path, damage: str) -> None:
    with closing(opened(tmp_path)) as collection:
        collection.put(make_document(text_of("a"), source="a.txt"))
        with closing(sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None)) as other:
            other.execute(damage)
        assert "the full text is not that of the passages" in collection.faults()
    with closing(opened(tmp_path, read_only=True)) as reader:
        assert "the full text is not that of the passages" in reader.faults()


def test_what_was_acknowledged_is_that_of_this_store_only(tmp_path: Path) -> None:
    mine, other = Acknowledged(tmp_path, "a" * 32), Acknowledged(tmp_path, "b" * 32)
    assert mine.read() == ("", 0)
    mine.write(10**15)
    assert mine.read() == other.read() == ("a" * 32, 10**15)
    (tmp_path / ACKNOWLEDGED_FILE).write_bytes(b"x" * 1000)
    assert mine.read() == ("", 0)
    mine.close()
    mine.write(7)
    mine.write(8)
    assert mine.read() == ("a" * 32, 8)
    mine.close()
    (tmp_path / ACKNOWLEDGED_FILE).unlink()
    (tmp_path / ACKNOWLEDGED_FILE).mkdir()
    mine.write(9)  # falls behind, and harms nothing
    assert mine.read() == ("", 0)


def test_another_store_may_take_the_place_of_one_but_not_an_empty_one(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "one")) as collection:
        for number in range(3):
            collection.put(make_document(f"Number {number}.", source=f"{number}.txt"))
    with closing(opened(tmp_path / "two")) as collection:
        collection.put(make_document("Another.", source="a.txt"))
    shutil.copy(tmp_path / "two" / STORE_FILE, tmp_path / "one" / STORE_FILE)
    with closing(opened(tmp_path / "one")) as collection:
        assert contents(collection) == {"a.txt": "Another."}
        collection.put(make_document("One more.", source="b.txt"))
    (tmp_path / "one" / STORE_FILE).unlink()
    for _ in range(2):
        with pytest.raises(StoreDamaged, match="ends with change 0, and changes up to 2"):
            opened(tmp_path / "one")

"""Backups: whole, made beside a writer, and put back as they were or not at all."""

import json
import random
import threading
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from word_embedder import WordEmbedder

from index import backup
from index.backup import back_up, restore
from index.collection import Collection
from index.documents import document_id, make_document
from index.errors import BackupError, StoreDamaged, UnknownCollection
from index.library import Library, collection_names
from index.passages import PassageSettings
from index.retriever import RetrievalSettings
from index.store import STORE_FILE

QUESTIONS = ("What does the mill grind?", "Who sailed the blue boats?", "?!")
TEXTS = {
    "one": {"mill.md": "# The mill\n\nThe mill grinds rye.", "boats.txt": "Ada sailed the blue boats. 🚀 Bo did not."},
    "two": {"other.txt": "Nothing of it stands here, word for word."},
    "none": {},
}


def fill(data_dir: Path) -> None:
    with Library(data_dir, WordEmbedder()) as library:
        for name, texts in TEXTS.items():
            collection = library.create(name)
            for source, text in texts.items():
                collection.put(make_document("To be replaced.", source=source))
                collection.put(make_document(text, source=source, metadata={"n": 1}))


def state(data_dir: Path) -> dict[str, object]:
    """Return everything that a question could tell apart, by collection."""
    found: dict[str, object] = {}
    with Library(data_dir, WordEmbedder(), read_only=True) as library:
        for name in library.names():
            collection = library.collection(name)
            assert collection.faults() == []
            records = collection.documents(limit=99)
            texts = {record.source: collection.text(record.id) for record in records}
            found[name] = records, texts, [collection.retrieve(each, top_k=9) for each in QUESTIONS]
    return found


def test_what_is_restored_is_what_was_backed_up(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    file = tmp_path / "monday.citespan"
    made = back_up(tmp_path / "data", file)
    assert [(each.collection, each.documents) for each in made] == [("none", 0), ("one", 2), ("two", 1)]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data", "monday.citespan"]
    assert restore(tmp_path / "restored", file) == made
    assert state(tmp_path / "restored") == state(tmp_path / "data")
    assert sorted(each.name for each in (tmp_path / "restored").iterdir()) == ["none", "one", "two"]
    with Library(tmp_path / "restored", WordEmbedder()) as library:  # and it lives on
        collection = library.collection("two")
        collection.put(make_document("More.", source="more.txt"))
        assert collection.faults() == []


def test_some_collections_can_be_chosen(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    back_up(tmp_path / "data", tmp_path / "all")
    back_up(tmp_path / "data", tmp_path / "some", collections=["two", "one"])
    restore(tmp_path / "restored", tmp_path / "all", collections=["two"])
    assert collection_names(tmp_path / "restored") == ["two"]
    restore(tmp_path / "restored", tmp_path / "some", collections=["one"])
    assert collection_names(tmp_path / "restored") == ["one", "two"]
    with pytest.raises(UnknownCollection, match="'three'"):
        back_up(tmp_path / "data", tmp_path / "more", collections=["three"])
    with pytest.raises(BackupError, match="no collection 'none'; it has one, two"):
        restore(tmp_path / "restored", tmp_path / "some", collections=["none"])


def test_a_backup_beside_a_writer_is_one_generation(tmp_path: Path) -> None:
    """Every generation holds the same word in all of its documents: no backup ever holds two."""
    generations: set[int] = set()
    failures: list[BaseException] = []
    done = threading.Event()
    with Library(tmp_path / "data", WordEmbedder()) as library:
        collection = library.create("one")
        collection.put(make_document("Round 0.", source="a.txt"))
        collection.put(make_document("Round 0.", source="b.txt"))

        def write() -> None:
            number = 0
            try:
                while not done.is_set():
                    number += 1
                    for source in ("a.txt", "b.txt"):
                        collection.put(make_document(f"Round {number}. " * 50, source=source))
            except BaseException as error:
                failures.append(error)
                raise

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(200):
                (entry,) = back_up(tmp_path / "data", tmp_path / f"{number}.zip")
                generations.add(entry.generation)
                restore(tmp_path / f"restored{number}", tmp_path / f"{number}.zip")
                with Library(tmp_path / f"restored{number}", WordEmbedder(), read_only=True) as restored:
                    texts = [restored.collection("one").text(document_id(each)) for each in ("a.txt", "b.txt")]
                rounds = [int(text.split()[1].rstrip(".")) for text in texts]
                assert rounds[0] - rounds[1] in (0, 1)
                # A put that changes something is one generation: the first two, and then two a round.
                assert entry.generation == 2 + sum(rounds)
                if number >= 4 and len(generations) > 2:
                    break
        finally:
            done.set()
            writer.join()
        assert failures == []
        assert len(generations) > 2


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    file = tmp_path / "backup"
    back_up(tmp_path / "data", file)
    before, content = state(tmp_path / "data"), file.read_bytes()
    with pytest.raises(BackupError, match="is there already"):
        back_up(tmp_path / "data", file)
    with pytest.raises(BackupError, match=r"'one' is in .* already and is not overwritten"):
        restore(tmp_path / "data", file)
    assert state(tmp_path / "data") == before
    assert file.read_bytes() == content


def test_a_collection_without_documents_gives_way(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    back_up(tmp_path / "data", tmp_path / "backup")
    with Library(tmp_path / "new", WordEmbedder()) as library:  # as a first start makes it
        library.create("one")
    restore(tmp_path / "new", tmp_path / "backup")
    assert state(tmp_path / "new") == state(tmp_path / "data")


def test_a_folder_that_cannot_be_read_does_not_give_way(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    back_up(tmp_path / "data", tmp_path / "backup")
    (tmp_path / "new" / "one").mkdir(parents=True)
    (tmp_path / "new" / "one" / "theirs.txt").touch()
    with pytest.raises(BackupError, match="not overwritten"):
        restore(tmp_path / "new", tmp_path / "backup")
    assert (tmp_path / "new" / "one" / "theirs.txt").exists()


def test_where_nothing_is_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no collection"):
        back_up(tmp_path, tmp_path / "backup")
    with pytest.raises(BackupError, match="There is no file"):
        restore(tmp_path, tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_store_is_not_backed_up(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    path = tmp_path / "data" / "one" / STORE_FILE
    content = path.read_bytes()
    assert content.count(b"grinds rye") > 1
    path.write_bytes(content.replace(b"grinds rye", b"grinds oat"))
    with pytest.raises(StoreDamaged, match="doctor --repair"):
        back_up(tmp_path / "data", tmp_path / "backup")
    assert [each.name for each in tmp_path.iterdir()] == ["data"]


def test_a_backup_that_was_flipped_or_cut_is_noticed_before_anything_is_touched(tmp_path: Path) -> None:
    """Bytes that mean nothing, such as a time, may change; then everything comes back all the same."""
    fill(tmp_path / "data")
    back_up(tmp_path / "data", tmp_path / "backup", collections=["one", "two"])
    whole = (tmp_path / "backup").read_bytes()
    expected = {name: found for name, found in state(tmp_path / "data").items() if name != "none"}
    chance = random.Random(1)
    noticed = 0
    # The archive's own tables stand at the end, and are small.
    places = [chance.randrange(len(whole)) for _ in range(40)] + [chance.randrange(1, 900) * -1 for _ in range(60)]
    damaged = [_flipped(whole, place, 1 << chance.randrange(8)) for place in places]
    damaged += [whole[: chance.randrange(len(whole))] for _ in range(20)] + [b"", b"text", whole * 2]
    for number, content in enumerate(damaged):
        file, target = tmp_path / "damaged", tmp_path / f"restored{number}"
        file.write_bytes(content)
        try:
            restore(target, file)
        except BackupError:
            noticed += 1
            assert not target.exists() or list(target.iterdir()) == []
        else:
            assert state(target) == expected
    assert noticed > 70


def _flipped(content: bytes, place: int, bit: int) -> bytes:
    changed = bytearray(content)
    changed[place] ^= bit
    return bytes(changed)


def test_a_backup_of_another_format_or_with_a_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    back_up(tmp_path / "data", tmp_path / "backup", collections=["one"])
    with zipfile.ZipFile(tmp_path / "backup") as archive:
        manifest = json.loads(archive.read(backup.MANIFEST))
        content = archive.read(f"one/{STORE_FILE}")
    for change, message in (({"format": 2}, "has the format 2"), ({"name": "../one"}, "no proper names")):
        entry = manifest["collections"][0] | {"collection": change.get("name", "one")}
        with zipfile.ZipFile(tmp_path / "changed", "w") as archive:
            described = {"format": change.get("format", 1), "created_at": "", "collections": [entry]}
            archive.writestr(backup.MANIFEST, json.dumps(described))
            archive.writestr(f"{entry['collection']}/{STORE_FILE}", content)
        with pytest.raises(BackupError, match=message):
            restore(tmp_path / "restored", tmp_path / "changed")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["backup", "changed", "data"]


def test_collections_of_other_settings_are_backed_up_alike(tmp_path: Path) -> None:
    """Neither needs the embedder: what is in the file is taken as it is."""
    directory = tmp_path / "data" / "one"
    settings = {"passage_settings": PassageSettings(max_tokens=5), "retrieval_settings": RetrievalSettings()}
    with closing(Collection(directory, WordEmbedder("others@test"), **settings)) as collection:  # type: ignore[arg-type]
        collection.put(make_document("The mill grinds rye, and oats on Sundays.", source="mill.txt"))
        fingerprint = collection.fingerprint()
    back_up(tmp_path / "data", tmp_path / "backup")
    restore(tmp_path / "new", tmp_path / "backup")
    with closing(Collection(tmp_path / "new" / "one", WordEmbedder("others@test"), **settings)) as collection:  # type: ignore[arg-type]
        assert collection.fingerprint() == fingerprint

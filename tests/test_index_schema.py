"""The schema: a store of every version that there ever was opens, is brought up to date, and says what it said."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from make_store import METADATA, PASSAGES, TEXTS, store_file
from word_embedder import WordEmbedder

from index import schema
from index.collection import Collection
from index.documents import document_id, make_document
from index.errors import StoreError
from index.retriever import RetrievalSettings
from index.store import STORE_FILE

OLDER = range(1, schema.VERSION)


def opened(directory: Path, *, read_only: bool = False) -> Collection:
    return Collection(
        directory,
        WordEmbedder(),
        passage_settings=PASSAGES,
        retrieval_settings=RetrievalSettings(),
        read_only=read_only,
    )


def assert_says_what_it_said(collection: Collection) -> None:
    records = {record.source: record for record in collection.documents(limit=9)}
    assert {source: collection.text(record.id) for source, record in records.items()} == TEXTS
    assert {source: record.metadata for source, record in records.items() if record.metadata} == METADATA
    assert collection.faults() == []
    for question, source in (("When did the harbour freeze?", "語.txt"), ("Who ground rye?", "notes/mill.md")):
        hit = collection.retrieve(question, top_k=1).hits[0]
        assert hit.found.source == source
        passage = hit.found.passage
        assert TEXTS[source][passage.start : passage.end] == passage.text
    assert "forgotten" not in str(collection.retrieve("Who is gone and forgotten?", top_k=20).hits)


def test_a_store_of_every_older_version_is_kept() -> None:
    assert [version for version in OLDER if not store_file(version).exists()] == []


@pytest.mark.parametrize("version", OLDER)
def test_a_store_of_an_older_version_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    shutil.copy(store_file(version), tmp_path / STORE_FILE)
    with pytest.raises(StoreError, match=f"schema version {version}.*citespan build"):
        opened(tmp_path, read_only=True)
    with closing(opened(tmp_path)) as collection:
        assert_says_what_it_said(collection)
        # The rules that cut passages are others now; the old index serves until the new one is built.
        assert not collection.is_current
        assert collection.reindex()
        assert_says_what_it_said(collection)
        fingerprint = collection.fingerprint()
        collection.put(make_document("One more came.", source="more.txt"))
        collection.delete(document_id("more.txt"))
        assert collection.fingerprint() == fingerprint
    with closing(opened(tmp_path, read_only=True)) as collection:
        assert_says_what_it_said(collection)
    # What comes after must find it as if it had been made today.
    with (
        closing(opened(tmp_path / "fresh")),
        closing(sqlite3.connect(tmp_path / STORE_FILE)) as upgraded,
        closing(sqlite3.connect(tmp_path / "fresh" / STORE_FILE)) as fresh,
    ):
        assert _described(upgraded) == _described(fresh)


def _described(connection: sqlite3.Connection) -> object:
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    columns = {table: sorted(connection.execute(f"PRAGMA table_info('{table}')").fetchall()) for table in tables}
    others = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE type != 'table'").fetchall()
    pragmas = [connection.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "auto_vacuum")]
    return columns, sorted(others, key=str), pragmas


@pytest.mark.parametrize("version", OLDER)
def test_an_upgrade_that_fails_half_way_leaves_the_store_as_it_was(
    tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(store_file(version), tmp_path / STORE_FILE)
    rows = iter(range(2))
    with monkeypatch.context() as patched:
        patched.setattr(schema, "checksum", lambda *_: next(rows))
        with pytest.raises(StoreError):
            opened(tmp_path)
    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as connection:
        # One transaction a version: it is of the last one that it came to, whole.
        assert connection.execute("PRAGMA user_version").fetchone()[0] in range(version, schema.VERSION)
        of_rows = str(connection.execute("SELECT sql FROM sqlite_schema").fetchall())
        assert ("checksum" in of_rows) == (version >= 3)
        assert ("structure" in of_rows) == (version >= 4)
        assert "furniture" not in of_rows
    with closing(opened(tmp_path)) as collection:
        assert_says_what_it_said(collection)

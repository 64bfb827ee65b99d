"""The store: documents, passages, vectors and full text of one collection in one SQLite file. It is the truth.

A commit of SQLite is the only commit point: a document is in all of it or in none, and what is in memory (FAISS) is
filled from here. Readers see one generation from beginning to end, whatever is written meanwhile.
"""

import json
import queue
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from index import schema, upkeep
from index.acknowledged import Acknowledged
from index.checksums import sound_rows
from index.disk import DATABASE_ERRORS, damaged, is_failing, store_error
from index.documents import Document, content_sha256
from index.embedder import Matrix
from index.errors import FullTextDamaged, StoreDamaged, StoreError, UnknownCollection
from index.filters import NO_FILTERS, Filters
from index.jobs import JobTable
from index.passages import Passage, embedded_text
from index.records import (
    RECORD_COLUMNS,
    DocumentRecord,
    StoredPassage,
    document_record,
    packed_sentences,
    stored_passage,
)
from index.staging import Staging

STORE_FILE = "store.sqlite"

# Scores are rounded before they are compared: equal ones must stay equal whatever their sums were added up from.
_BM25_DIGITS = 6

# Whether the row `d` of a document is as it was written.
_IS_SOUND = f"d.checksum = {schema.checksum_of(schema.DOCUMENT_VALUES, 'd')}"


class Snapshot:
    """Reads of one generation. Made by `Store.reading`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def pin(self) -> int:
        """Fix the generation that all reads of this snapshot see, and return it. The first read does so, too."""
        return self.generation

    @property
    def generation(self) -> int:
        """The number of the last committed change that this snapshot sees."""
        try:
            return int(self.meta("generation") or 0)
        except ValueError as error:
            raise self._damaged("its generation is no number") from error

    @property
    def jobs(self) -> JobTable:
        """The jobs, as this snapshot sees them."""
        return JobTable(self._connection)

    @property
    def staging(self) -> Staging:
        """The index that is built beside this one, as this snapshot sees it."""
        return Staging(self._connection)

    def meta(self, key: str) -> str | None:
        """Return what the store says of itself under `key`."""
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def document(self, document_id: str) -> DocumentRecord | None:
        """Return the document with this id."""
        return self._document("id", document_id)

    def document_from(self, source: str) -> DocumentRecord | None:
        """Return the document from this source."""
        return self._document("source", source)

    def documents(self, *, after: int = 0, limit: int = -1, filters: Filters = NO_FILTERS) -> list[DocumentRecord]:
        """Return the documents that pass `filters` in the order in which they first came, above the number `after`.

        Raises:
            StoreDamaged: one is not what was stored.
        """
        condition, values = filters.condition()
        rows = self._connection.execute(
            f"SELECT {_IS_SOUND}, {RECORD_COLUMNS} FROM documents AS d WHERE number > ? AND {condition}"
            " ORDER BY number LIMIT ?",
            (after, *values, limit),
        )
        return [self._record(row) for row in rows]

    def text(self, document_id: str) -> str | None:
        """Return the canonical text of a document.

        Raises:
            StoreDamaged: it is not the text that was stored.
        """
        row = self._connection.execute(
            "SELECT text, content_sha256, source FROM documents WHERE id = ?", (document_id,)
        ).fetchone()
        if row is None:
            return None
        text, sha256, source = row
        if not _is_text(text, sha256):
            raise self._damaged(f"the text of {source!r} is not what was stored")
        return str(text)

    def passages(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        """Return the passages that have these ids, by id.

        Raises:
            StoreDamaged: one of them, or what is said of its document, is not what was stored.
        """
        rows = self._connection.execute(
            f"SELECT p.checksum = {schema.checksum_of(schema.PASSAGE_VALUES, 'p')} AND {_IS_SOUND},"
            ' p.id, p.ordinal, p.start, p."end", p.text, p.section, p.sentences,'
            " d.id, d.title, d.source, d.content_sha256"
            " FROM passages AS p JOIN documents AS d ON d.number = p.document"
            " WHERE p.id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        ).fetchall()
        if astray := [row[1] for row in rows if not row[0]]:
            raise self._damaged(f"{len(astray)} passages are not what was stored")
        return {row[1]: stored_passage(row[2:]) for row in rows}

    def places(self, ids: Sequence[int]) -> dict[int, tuple[str, int]]:
        """Return source and start of the passages that have these ids, by id.

        Raises:
            FullTextDamaged: one is not there; vectors are of the snapshot's generation, so it was the full text's.
        """
        rows = self._connection.execute(
            "SELECT p.id, d.source, p.start FROM passages AS p JOIN documents AS d ON d.number = p.document"
            " WHERE p.id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        found = {row[0]: (row[1], row[2]) for row in rows}
        if not found.keys() >= set(ids):
            raise FullTextDamaged(str(self._damaged("its full text finds passages that are not there")))
        return found

    def passage_ids(self, filters: Filters) -> list[int]:
        """Return the ids of all passages of the documents that pass `filters`."""
        condition, values = filters.condition()
        rows = self._connection.execute(
            f"SELECT id FROM passages WHERE document IN (SELECT d.number FROM documents AS d WHERE {condition})", values
        )
        return [row[0] for row in rows]

    def match(self, query: str, *, limit: int, heading_weight: float, filters: Filters) -> list[tuple[int, float]]:
        """Return the `limit` best (passage id, BM25 score), best first, of the passages that match an FTS5 query.

        All that score the same as the last of them come with it: which of them would have been left out depends on the
        order in which they were written. The statistics are those of the whole collection; `heading_weight` is the
        weight of a word in the heading against one in the text (Robertson & Zaragoza 2009, with FTS5's k1 = 1.2 and
        b = 0.75).

        Raises:
            FullTextDamaged: the full text cannot be searched.
        """
        condition, values = filters.condition()
        # The plus keeps SQLite from searching the full text once for every passage that passes the filters.
        among = (
            "AND +rowid IN (SELECT id FROM passages WHERE document IN"
            f" (SELECT d.number FROM documents AS d WHERE {condition}))"
            if filters
            else ""
        )
        found: list[tuple[int, float]] = []
        try:
            rows = self._connection.execute(
                "SELECT rowid, round(-bm25(full_text, ?, 1.0), ?) AS score FROM full_text"
                f" WHERE full_text MATCH ? {among} ORDER BY score DESC",
                (heading_weight, _BM25_DIGITS, query, *(values if filters else ())),
            )
            for passage_id, score in rows:
                if len(found) >= limit and score < found[limit - 1][1]:
                    break
                found.append((passage_id, score))
        except DATABASE_ERRORS as error:
            meaning = store_error(self._path, error)
            raise FullTextDamaged(str(meaning)) if isinstance(meaning, StoreDamaged) else meaning from error
        return found

    def vectors(self, dimension: int) -> Iterator[tuple[list[int], Matrix]]:
        """Yield all vectors that are as they were stored, some thousand at a time: ids and shape (ids, dimension)."""
        cursor = self._connection.execute("SELECT passage, vector, checksum FROM vectors ORDER BY passage")
        while rows := cursor.fetchmany(4096):
            yield sound_rows(rows, dimension)

    def all_passage_ids(self) -> list[int]:
        """Return the ids of all passages, in ascending order."""
        return sorted(row[0] for row in self._connection.execute("SELECT id FROM passages"))

    def embedded_texts(self, ids: Sequence[int]) -> dict[int, str]:
        """Return what was embedded of those of these passages that are as they were stored, by id."""
        rows = self._connection.execute(
            "SELECT id, heading, text FROM passages AS p WHERE id IN (SELECT value FROM json_each(?))"
            f" AND checksum = {schema.checksum_of(schema.PASSAGE_VALUES, 'p')}",
            (json.dumps(list(ids)),),
        )
        return {row[0]: embedded_text(row[1], row[2]) for row in rows}

    def full_text_is_whole(self) -> bool:
        """Whether the full text has as many entries as there are passages; that they are the right ones is not read."""
        try:
            row = self._connection.execute(
                "SELECT (SELECT count(*) FROM full_text_docsize) = (SELECT count(*) FROM passages)"
            ).fetchone()
        except DATABASE_ERRORS as error:
            if isinstance(store_error(self._path, error), StoreDamaged):
                return False
            raise
        return bool(row[0])

    def unsound(self) -> list[tuple[str, str]]:
        """Return id and source of the documents that are not as they were stored; this reads all of them."""
        rows = self._connection.execute("SELECT id, source FROM documents ORDER BY number").fetchall()
        return [(row[0], row[1]) for row in rows if not self.is_sound(row[0])]

    def holds(self, document_id: str) -> bool:
        """Whether there is a document with this id, sound or not."""
        return self._connection.execute("SELECT 1 FROM documents WHERE id = ?", (document_id,)).fetchone() is not None

    def is_sound(self, document_id: str) -> bool:
        """Whether a document that is there is as it was stored: what it says of itself, its text, and its passages."""
        try:
            record, text = self.document(document_id), self.text(document_id)
            rows = self._connection.execute(
                'SELECT start, "end", text FROM passages AS p WHERE document = ?'
                f" AND checksum = {schema.checksum_of(schema.PASSAGE_VALUES, 'p')}",
                (record.number if record else 0,),
            ).fetchall()
        except StoreDamaged:
            return False
        except DATABASE_ERRORS as error:
            if isinstance(store_error(self._path, error), StoreDamaged):
                return False
            raise
        if record is None or text is None:
            return False
        return len(rows) == record.passages and all(text[start:end] == passage for start, end, passage in rows)

    def document_hashes(self) -> list[tuple[str | None, ...]]:
        """Return (source, content_sha256, title, metadata, tags, date) of every document, sorted by source."""
        rows = self._connection.execute(
            "SELECT source, content_sha256, title, metadata, tags, date FROM documents ORDER BY source"
        )
        return rows.fetchall()

    def counts(self) -> tuple[int, int]:
        """Return the number of documents and of passages."""
        row = self._connection.execute("SELECT count(*), coalesce(sum(passages), 0) FROM documents").fetchone()
        try:
            return int(row[0]), int(row[1])
        except ValueError as error:
            raise self._damaged("a number of passages is no number") from error

    def faults(self) -> list[str]:
        """Check everything that the store promises and return what is wrong, in words; this reads all of it."""
        found = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        found += [
            f"{row[0]} row {row[1]} refers to nothing" for row in self._connection.execute("PRAGMA foreign_key_check")
        ]
        for complaint, query in _PROMISES.items():
            if count := self._connection.execute(query).fetchone()[0]:
                found.append(f"{count} {complaint}")
        astray = 0
        for number, source, text, sha256 in self._connection.execute(
            "SELECT number, source, text, content_sha256 FROM documents ORDER BY number"
        ):
            if not _is_text(text, sha256):
                found.append(f"the text of {source!r} is not what was stored")
                continue
            # Sliced here: SQLite would walk the text from its beginning for every passage.
            rows = self._connection.execute('SELECT start, "end", text FROM passages WHERE document = ?', (number,))
            astray += sum(text[start:end] != passage for start, end, passage in rows)
        if astray:
            found.append(f"{astray} passages that do not stand where they say")
        return found

    def _document(self, column: str, value: str) -> DocumentRecord | None:
        row = self._connection.execute(
            f"SELECT {_IS_SOUND}, {RECORD_COLUMNS} FROM documents AS d WHERE {column} = ?", (value,)
        ).fetchone()
        return None if row is None else self._record(row)

    def _record(self, row: tuple[Any, ...]) -> DocumentRecord:
        if not row[0]:
            raise self._damaged(f"what it says of document number {row[1]} is not what was stored")
        return document_record(row[1:])

    def _damaged(self, what: str) -> StoreDamaged:
        return damaged(self._path, what)


class Change(Snapshot):
    """One transaction that writes. Made by `Store.writing`; nothing of it counts before `commit`."""

    def __init__(self, connection: sqlite3.Connection, path: Path, acknowledged: Acknowledged) -> None:
        super().__init__(connection, path)
        self._acknowledged = acknowledged

    def put(self, document: Document, passages: Sequence[Passage], headings: Sequence[str], vectors: Matrix) -> None:
        """Write a document with everything that belongs to it, in place of the one from the same source.

        `headings` and `vectors` have one row a passage; a heading is what full-text search reads besides the text.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        generation = self._advance()
        number = self._connection.execute(
            "INSERT INTO documents (id, source, title, text, content_sha256, metadata, tags, date, generation,"
            " passages, characters, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (source) DO UPDATE SET title = excluded.title, text = excluded.text,"
            " content_sha256 = excluded.content_sha256, metadata = excluded.metadata, tags = excluded.tags,"
            " date = excluded.date, generation = excluded.generation, passages = excluded.passages,"
            " characters = excluded.characters, updated_at = excluded.updated_at RETURNING number",
            (
                document.id,
                document.source,
                document.title,
                document.text,
                document.content_sha256,
                json.dumps(dict(document.metadata), ensure_ascii=False, sort_keys=True),
                json.dumps(document.tags, ensure_ascii=False),
                document.date,
                generation,
                len(passages),
                len(document.text),
                now,
                now,
            ),
        ).fetchone()[0]
        self._connection.execute("DELETE FROM passages WHERE document = ?", (number,))
        for passage, heading, vector in zip(passages, headings, vectors, strict=True):
            row = self._connection.execute(
                'INSERT INTO passages (document, ordinal, start, "end", section, heading, text, sentences)'
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number,
                    passage.ordinal,
                    passage.start,
                    passage.end,
                    passage.section,
                    heading,
                    passage.text,
                    packed_sentences(passage),
                ),
            ).lastrowid
            self._connection.execute(
                "INSERT INTO vectors (passage, vector) VALUES (?, ?)", (row, vector.astype("<f4").tobytes())
            )

    def delete(self, document_id: str) -> None:
        """Delete a document and everything that belongs to it."""
        self._advance()
        self._connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))

    def passage_ids_of(self, document_id: str) -> list[int]:
        """Return the ids of a document's passages in their order."""
        rows = self._connection.execute(
            "SELECT p.id FROM passages AS p JOIN documents AS d ON d.number = p.document WHERE d.id = ?"
            " ORDER BY p.ordinal",
            (document_id,),
        )
        return [row[0] for row in rows]

    def put_vectors(self, ids: Sequence[int], vectors: Matrix) -> None:
        """Write the vectors of passages that are there, in place of those that were; `vectors` has one row an id."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO vectors (passage, vector) VALUES (?, ?)",
            ((each, vector.astype("<f4").tobytes()) for each, vector in zip(ids, vectors, strict=True)),
        )

    def rebuild_full_text(self) -> None:
        """Make the full text anew from the passages."""
        # Where its version is damaged, it does not even let itself be made anew.
        self._connection.execute("INSERT OR REPLACE INTO full_text_config (k, v) VALUES ('version', 4)")
        self._connection.execute("INSERT INTO full_text (full_text) VALUES ('rebuild')")

    def rebuild_indexes(self) -> None:
        """Make the indexes of the tables anew from their rows."""
        self._connection.execute("REINDEX")

    def take_staged(self) -> None:
        """Let the staged index take the place of the one that is there; every document must be staged."""
        self._advance()
        self.staging.take_over()

    def set_meta(self, key: str, value: str) -> None:
        """Let the store say `value` of itself under `key`."""
        self._connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    def commit(self) -> None:
        """Make the change durable and visible."""
        generation = self.generation
        self._connection.execute("COMMIT")
        self._acknowledged.write(generation)

    def _advance(self) -> int:
        generation = self.generation + 1
        self.set_meta("generation", str(generation))
        return generation


class Store:
    """One store file: a connection that writes, and as many that read as are needed at once.

    Thread-safe for reading; its owner sees to it that one thread writes at a time.
    """

    def __init__(self, directory: Path, *, read_only: bool = False, accept_loss: bool = False) -> None:
        """Open the store in `directory`, making it where there is none and `read_only` is not set.

        A store in which something is missing that was acknowledged is opened to write only with `accept_loss`;
        `loss` says what, in words.

        Raises:
            UnknownCollection: `read_only`, and there is no store.
            StoreError: the file cannot be opened, is damaged, or too new.
        """
        self.path = directory / STORE_FILE
        if read_only and not self.path.exists():
            raise UnknownCollection(f"There is no collection in {directory}; build one with `citespan build DIR`.")
        self.read_only = read_only
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._writer: sqlite3.Connection | None = None
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise StoreError(f"The folder {directory} cannot be made: {error.strerror}.") from error
        except OSError as error:
            raise store_error(directory, error) from error
        connection = schema.connect(self.path, read_only=read_only)
        try:
            if read_only:
                schema.check_version(connection, self.path)
            else:
                schema.migrate(connection, self.path)
            self._acknowledged = Acknowledged(directory, Snapshot(connection, self.path).meta("store_id") or "")
            self.loss: str | None = self._loss(connection)
            if self.loss and not read_only:
                if not accept_loss:
                    raise damaged(self.path, self.loss)
                self._acknowledged.write(Snapshot(connection, self.path).generation)
        except DATABASE_ERRORS as error:
            connection.close()
            raise store_error(self.path, error) from error
        except StoreError:
            connection.close()
            raise
        if read_only:
            self._readers.put(connection)
        else:
            self._writer = connection

    def close(self) -> None:
        """Close all connections."""
        while not self._readers.empty():
            self._readers.get_nowait().close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._acknowledged.close()

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """Read one generation.

        Raises:
            StoreError: the file cannot be read.
        """
        try:
            connection = self._readers.get_nowait()
        except queue.Empty:
            connection = schema.connect(self.path, read_only=True)
        try:
            connection.execute("BEGIN")
            yield Snapshot(connection, self.path)
            connection.rollback()
        except DATABASE_ERRORS as error:
            connection.close()  # whatever is wrong with it, the next reader gets a new one
            raise store_error(self.path, error) from error
        except BaseException:
            connection.rollback()
            self._readers.put(connection)
            raise
        self._readers.put(connection)

    @contextmanager
    def writing(self) -> Iterator[Change]:
        """Make one change: what is written counts from `Change.commit` on, and not at all without it.

        Raises:
            StoreError: the store was opened to read only, or the disk does not take the change; the next change finds
                the disk as it is then.
        """
        connection = self._writing_connection()
        failed = False
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield Change(connection, self.path, self._acknowledged)
        except DATABASE_ERRORS as error:
            failed = is_failing(error)
            raise store_error(self.path, error) from error
        finally:
            self._end(connection, failed=failed)

    def tend(self) -> None:
        """Keep the log and the file small, between two changes; what fails is tried again after the next change."""
        if self._writer is not None:
            upkeep.tend(self._writer, self.path)

    def compact(self) -> None:
        """Give back the room of all that was deleted, and empty the log.

        Raises:
            StoreError: the store was opened to read only, or the disk does not take it; then it is as it was.
        """
        try:
            upkeep.compact(self._writing_connection())
        except DATABASE_ERRORS as error:
            raise store_error(self.path, error) from error

    def full_text_fault(self) -> str | None:
        """Compare the full text with the passages, word for word, and return what is wrong, or None.

        Changes of other processes wait meanwhile. Where the store cannot be written to, nothing is compared.
        """
        try:
            with closing(schema.connect(self.path, read_only=False)) as connection:
                connection.execute("INSERT INTO full_text (full_text, rank) VALUES ('integrity-check', 1)")
        except StoreError:
            return None
        except DATABASE_ERRORS as error:
            if "fts5" in str(error) or isinstance(store_error(self.path, error), StoreDamaged):
                return "the full text is not that of the passages"
        return None

    def _loss(self, connection: sqlite3.Connection) -> str | None:
        store_id, acknowledged = self._acknowledged.read()  # first: it never goes ahead of the store
        generation = Snapshot(connection, self.path).generation
        # It is of another store where one was put in its place by hand; but nobody puts one that never held anything.
        is_meant = store_id == self._acknowledged.store_id or generation == 0
        if not is_meant or generation >= acknowledged:
            return None
        return (
            f"it ends with change {generation}, and changes up to {acknowledged} were acknowledged. It was cut "
            f"short, or its log {self.path.name}-wal is missing or damaged, or an older file was put in its place"
        )

    def _writing_connection(self) -> sqlite3.Connection:
        if self.read_only:
            raise StoreError(f"The store {self.path} was opened to read only.")
        if self._writer is None:
            self._writer = schema.connect(self.path, read_only=False)
        return self._writer

    def _end(self, connection: sqlite3.Connection, *, failed: bool) -> None:
        """Undo what was not committed. A connection that failed, or cannot even do that, is given up for a new one."""
        try:
            if connection.in_transaction:
                connection.rollback()
        except sqlite3.Error:
            failed = True
        if failed:
            connection.close()
            self._writer = None


def _is_text(value: object, sha256: object) -> bool:
    """Whether a value is the text that has this hash; where the disk was damaged, it may be anything."""
    return isinstance(value, str) and content_sha256(value) == sha256


# Complaint, and the query that counts the rows that give cause for it.
_PROMISES = {
    "documents that are not what was stored": "SELECT count(*) FROM documents AS d WHERE checksum !="
    f" {schema.checksum_of(schema.DOCUMENT_VALUES, 'd')}",
    "passages that are not what was stored": "SELECT count(*) FROM passages AS p WHERE checksum !="
    f" {schema.checksum_of(schema.PASSAGE_VALUES, 'p')}",
    "vectors that are not what was stored": "SELECT count(*) FROM vectors AS v WHERE checksum !="
    f" {schema.checksum_of(schema.VECTOR_VALUES, 'v')}",
    "documents whose passages are not all there": "SELECT count(*) FROM documents AS d WHERE d.passages !="
    " (SELECT count(*) FROM passages AS p WHERE p.document = d.number)",
    "passages without a vector": "SELECT count(*) FROM passages WHERE id NOT IN (SELECT passage FROM vectors)",
    "passages without full text": "SELECT count(*) FROM passages WHERE id NOT IN (SELECT id FROM full_text_docsize)",
    "full texts without a passage": "SELECT count(*) FROM full_text_docsize WHERE id NOT IN (SELECT id FROM passages)",
}

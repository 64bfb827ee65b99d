"""The store: documents, passages, vectors and full text of one collection in one SQLite file. It is the truth.

A commit of SQLite is the only commit point: a document is in all of it or in none, and what is in memory (FAISS) is
filled from here. Readers see one generation from beginning to end, whatever is written meanwhile.
"""

import json
import queue
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from index import schema
from index.documents import Document, content_sha256
from index.embedder import Matrix
from index.errors import StoreDamaged, StoreError, UnknownCollection
from index.filters import NO_FILTERS, Filters
from index.jobs import JobTable
from index.passages import Passage
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


class Snapshot:
    """Reads of one generation. Made by `Store.reading`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def pin(self) -> int:
        """Fix the generation that all reads of this snapshot see, and return it. The first read does so, too."""
        return self.generation

    @property
    def generation(self) -> int:
        """The number of the last committed change that this snapshot sees."""
        return int(self.meta("generation") or 0)

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
        """Return the documents that pass `filters` in the order in which they first came, above the number `after`."""
        condition, values = filters.condition()
        rows = self._connection.execute(
            f"SELECT {RECORD_COLUMNS} FROM documents AS d WHERE number > ? AND {condition} ORDER BY number LIMIT ?",
            (after, *values, limit),
        )
        return [document_record(row) for row in rows]

    def text(self, document_id: str) -> str | None:
        """Return the canonical text of a document."""
        row = self._connection.execute("SELECT text FROM documents WHERE id = ?", (document_id,)).fetchone()
        return None if row is None else str(row[0])

    def passages(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        """Return the passages that have these ids, by id."""
        rows = self._connection.execute(
            'SELECT p.id, p.ordinal, p.start, p."end", p.text, p.section, p.sentences,'
            " d.id, d.title, d.source, d.content_sha256"
            " FROM passages AS p JOIN documents AS d ON d.number = p.document"
            " WHERE p.id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {row[0]: stored_passage(row[1:]) for row in rows}

    def places(self, ids: Sequence[int]) -> dict[int, tuple[str, int]]:
        """Return source and start of the passages that have these ids, by id."""
        rows = self._connection.execute(
            "SELECT p.id, d.source, p.start FROM passages AS p JOIN documents AS d ON d.number = p.document"
            " WHERE p.id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    def passage_ids(self, filters: Filters) -> list[int]:
        """Return the ids of all passages of the documents that pass `filters`."""
        condition, values = filters.condition()
        rows = self._connection.execute(
            f"SELECT p.id FROM passages AS p JOIN documents AS d ON d.number = p.document WHERE {condition}", values
        )
        return [row[0] for row in rows]

    def match(self, query: str, *, limit: int, heading_weight: float, filters: Filters) -> list[tuple[int, float]]:
        """Return the `limit` best (passage id, BM25 score), best first, of the passages that match an FTS5 query.

        All that score the same as the last of them come with it: which of them would have been left out depends on the
        order in which they were written. The statistics are those of the whole collection; `heading_weight` is the
        weight of a word in the heading against one in the text (Robertson & Zaragoza 2009, with FTS5's k1 = 1.2 and
        b = 0.75).
        """
        condition, values = filters.condition()
        # The plus keeps SQLite from searching the full text once for every passage that passes the filters.
        among = (
            "AND +rowid IN (SELECT p.id FROM passages AS p JOIN documents AS d ON d.number = p.document"
            f" WHERE {condition})"
            if filters
            else ""
        )
        rows = self._connection.execute(
            f"SELECT rowid, round(-bm25(full_text, ?, 1.0), ?) AS score FROM full_text WHERE full_text MATCH ? {among}"
            " ORDER BY score DESC",
            (heading_weight, _BM25_DIGITS, query, *(values if filters else ())),
        )
        found: list[tuple[int, float]] = []
        for passage_id, score in rows:
            if len(found) >= limit and score < found[limit - 1][1]:
                break
            found.append((passage_id, score))
        return found

    def vectors(self, dimension: int) -> Iterator[tuple[list[int], Matrix]]:
        """Yield all vectors, some thousand at a time: passage ids and a matrix of shape (ids, dimension).

        Raises:
            StoreDamaged: a vector has another length.
        """
        cursor = self._connection.execute("SELECT passage, vector FROM vectors ORDER BY passage")
        while rows := cursor.fetchmany(4096):
            if any(len(row[1]) != 4 * dimension for row in rows):
                raise StoreDamaged(f"The store holds a vector that has not {dimension} numbers; build it anew.")
            data = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f4").astype(np.float32)
            yield [row[0] for row in rows], data.reshape(len(rows), dimension)

    def document_hashes(self) -> list[tuple[str | None, ...]]:
        """Return (source, content_sha256, title, metadata, tags, date) of every document, sorted by source."""
        rows = self._connection.execute(
            "SELECT source, content_sha256, title, metadata, tags, date FROM documents ORDER BY source"
        )
        return rows.fetchall()

    def counts(self) -> tuple[int, int]:
        """Return the number of documents and of passages."""
        row = self._connection.execute("SELECT count(*), coalesce(sum(passages), 0) FROM documents").fetchone()
        return int(row[0]), int(row[1])

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
            if content_sha256(text) != sha256:
                found.append(f"the text of {source!r} is not what was stored")
            # Sliced here: SQLite would walk the text from its beginning for every passage.
            rows = self._connection.execute('SELECT start, "end", text FROM passages WHERE document = ?', (number,))
            astray += sum(text[start:end] != passage for start, end, passage in rows)
        if astray:
            found.append(f"{astray} passages that do not stand where they say")
        return found

    def _document(self, column: str, value: str) -> DocumentRecord | None:
        row = self._connection.execute(
            f"SELECT {RECORD_COLUMNS} FROM documents WHERE {column} = ?", (value,)
        ).fetchone()
        return None if row is None else document_record(row)


class Change(Snapshot):
    """One transaction that writes. Made by `Store.writing`; nothing of it counts before `commit`."""

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

    def take_staged(self) -> None:
        """Let the staged index take the place of the one that is there; every document must be staged."""
        self._advance()
        self.staging.take_over()

    def set_meta(self, key: str, value: str) -> None:
        """Let the store say `value` of itself under `key`."""
        self._connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    def commit(self) -> None:
        """Make the change durable and visible."""
        self._connection.execute("COMMIT")

    def _advance(self) -> int:
        generation = self.generation + 1
        self.set_meta("generation", str(generation))
        return generation


class Store:
    """One store file: a connection that writes, and as many that read as are needed at once.

    Thread-safe for reading; its owner sees to it that one thread writes at a time.
    """

    def __init__(self, directory: Path, *, read_only: bool = False) -> None:
        """Open the store in `directory`, making it where there is none and `read_only` is not set.

        Raises:
            UnknownCollection: `read_only`, and there is no store.
            StoreError: the file cannot be opened, is damaged, or too new.
        """
        self.path = directory / STORE_FILE
        if read_only and not self.path.exists():
            raise UnknownCollection(f"There is no collection in {directory}; build one with `citespan build DIR`.")
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"The folder {directory} cannot be made: {error.strerror}.") from error
        connection = schema.connect(self.path, read_only=read_only)
        try:
            if read_only:
                schema.check_version(connection, self.path)
            else:
                schema.migrate(connection, self.path)
        except (sqlite3.Error, StoreError) as error:
            connection.close()
            raise (_store_error(self.path, error) if isinstance(error, sqlite3.Error) else error) from error
        self._writer: sqlite3.Connection | None = None
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
            yield Snapshot(connection)
            connection.rollback()
        except sqlite3.Error as error:
            connection.close()  # whatever is wrong with it, the next reader gets a new one
            raise _store_error(self.path, error) from error
        except BaseException:
            connection.rollback()
            self._readers.put(connection)
            raise
        self._readers.put(connection)

    @contextmanager
    def writing(self) -> Iterator[Change]:
        """Make one change: what is written counts from `Change.commit` on, and not at all without it.

        Raises:
            StoreError: the store was opened to read only, or the disk does not take the change.
        """
        if self._writer is None:
            raise StoreError(f"The store {self.path} was opened to read only.")
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            yield Change(self._writer)
        except sqlite3.Error as error:
            raise _store_error(self.path, error) from error
        finally:
            if self._writer.in_transaction:
                self._writer.rollback()


_PROMISES = {
    "documents whose passages are not all there": "SELECT count(*) FROM documents AS d WHERE d.passages !="
    " (SELECT count(*) FROM passages AS p WHERE p.document = d.number)",
    "passages without a vector": "SELECT count(*) FROM passages WHERE id NOT IN (SELECT passage FROM vectors)",
    "passages without full text": "SELECT count(*) FROM passages WHERE id NOT IN (SELECT id FROM full_text_docsize)",
    "full texts without a passage": "SELECT count(*) FROM full_text_docsize WHERE id NOT IN (SELECT id FROM passages)",
}


def _store_error(path: Path, error: sqlite3.Error) -> StoreError:
    """Say what became of the store: SQLite calls trouble with its surroundings operational, and the rest is damage."""
    if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError):
        return StoreError(f"The store {path} cannot be used: {error}.")
    return StoreDamaged(f"The store {path} is damaged: {error}. Restore it from a backup or build it anew.")

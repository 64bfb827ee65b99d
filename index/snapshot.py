"""A snapshot: what is read of one generation of a store, checked before it is shown."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from index import schema
from index.checksums import sound_rows
from index.disk import DATABASE_ERRORS, damaged, store_error
from index.documents import Document, content_sha256
from index.embedder import Matrix
from index.errors import FullTextDamaged, StoreDamaged
from index.filters import NO_FILTERS, Filters
from index.jobs import JobTable
from index.passages import embedded_text
from index.records import RECORD_COLUMNS, DocumentRecord, Place, StoredPassage, document_record, stored_passage
from index.staging import Staging
from index.structure import Structure
from index.words import holds_phrase, phrase_query

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

    def structure(self, document_id: str) -> Structure | None:
        """Return the structure of a document, None where it has none or is not there.

        Raises:
            StoreDamaged: it is not what was stored.
        """
        row = self._connection.execute(
            f"SELECT {_IS_SOUND}, d.source, d.structure FROM documents AS d WHERE id = ?", (document_id,)
        ).fetchone()
        if row is None:
            return None
        is_sound, source, structure = row
        if not is_sound:
            raise self._damaged(f"what it says of {source!r} is not what was stored")
        return None if structure is None else Structure.from_json(structure)

    def whole_document(self, document_id: str) -> Document:
        """Return a document that is there, as it was put in.

        Raises:
            StoreDamaged: it is not what was stored.
        """
        record, text = self.document(document_id), self.text(document_id)
        if record is None or text is None:
            raise AssertionError("a document of the same snapshot is there")
        return Document(
            record.id,
            record.source,
            record.title,
            text,
            record.content_sha256,
            record.metadata,
            record.tags,
            record.date,
            self.structure(document_id),
        )

    def passages(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        """Return the passages that have these ids, by id.

        Raises:
            StoreDamaged: one of them, or what is said of its document, is not what was stored.
        """
        rows = self._connection.execute(
            f"SELECT p.checksum = {schema.checksum_of(schema.PASSAGE_VALUES, 'p')} AND {_IS_SOUND},"
            ' p.id, p.ordinal, p.start, p."end", p.text, p.section, p.sentences, p.furniture,'
            " d.id, d.title, d.source, d.content_sha256, d.structure"
            " FROM passages AS p JOIN documents AS d ON d.number = p.document"
            " WHERE p.id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        ).fetchall()
        if astray := [row[1] for row in rows if not row[0]]:
            raise self._damaged(f"{len(astray)} passages are not what was stored")
        # Several passages of one document are the rule.
        structures = {text: Structure.from_json(text) for text in {row[-1] for row in rows} if text is not None}
        return {row[1]: stored_passage(row[2:-1], structures.get(row[-1])) for row in rows}

    def places(self, ids: Sequence[int]) -> dict[int, Place]:
        """Return the places of the passages that have these ids, by id.

        Raises:
            FullTextDamaged: one is not there; vectors are of the snapshot's generation, so it was the full text's.
        """
        rows = self._connection.execute(
            "SELECT p.id, d.source, p.start, p.wording FROM passages AS p JOIN documents AS d ON d.number = p.document"
            " WHERE p.id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        found = {row[0]: Place(row[1], row[2], row[3] or row[0]) for row in rows}
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

    def furniture(self) -> list[int]:
        """Return the ids of all passages that are page furniture."""
        return [row[0] for row in self._connection.execute("SELECT id FROM passages WHERE furniture")]

    def holding(self, phrases: Sequence[str]) -> set[int]:
        """Return the ids of the passages that hold every one of some phrases, in heading or text.

        Raises:
            FullTextDamaged: the full text cannot be searched.
        """
        found: list[set[int]] = []
        for phrase in phrases:
            rows = self._searched(
                "SELECT rowid, heading, text FROM full_text WHERE full_text MATCH ?", (phrase_query(phrase),)
            )
            # The words of the index have lost their endings, and whoever quotes means them.
            found.append({row[0] for row in rows if holds_phrase(row[1], phrase) or holds_phrase(row[2], phrase)})
        return set.intersection(*found)

    def word_counts(self, words: Sequence[str]) -> dict[str, int]:
        """Return in how many passages each of some words stands, in whatever ending; not those that stand in none.

        Raises:
            FullTextDamaged: the full text cannot be searched.
        """
        rows = self._searched(
            "SELECT value, (SELECT count(*) FROM full_text WHERE full_text MATCH '\"' || value || '\"') AS number"
            " FROM json_each(?) WHERE number",
            (json.dumps(list(words)),),
        )
        return dict(rows)

    def match(
        self,
        query: str,
        *,
        limit: int,
        heading_weight: float,
        filters: Filters = NO_FILTERS,
        among: Collection[int] | None = None,
        furniture: bool | None = None,
    ) -> list[tuple[int, float]]:
        """Return the best (passage id, BM25 score), best first, of the passages that match an FTS5 query.

        There are as many as have `limit` different wordings. They are limited to documents that pass `filters`, to the
        passages `among`, and, where `furniture` is not None, to those that are page furniture or are not.

        All that score the same as the last of them come with it: which of them would have been left out depends on the
        order in which they were written. The statistics are those of the whole collection; `heading_weight` is the
        weight of a word in the heading against one in the text (Robertson & Zaragoza 2009, with FTS5's k1 = 1.2 and
        b = 0.75).

        Raises:
            FullTextDamaged: the full text cannot be searched.
        """
        limits, values = _limits(filters, among, furniture)
        found: list[tuple[int, float]] = []
        wordings: set[int] = set()
        enough = 0.0  # the score of the last of them
        rows = self._searched(
            "SELECT rowid, round(-bm25(full_text, ?, 1.0), ?) AS score FROM full_text"
            f" WHERE full_text MATCH ? {limits} ORDER BY score DESC",
            (heading_weight, _BM25_DIGITS, query, *values),
        )
        while some := list(islice(rows, limit)):
            # Where there are enough, only the ties of the last one are still looked for.
            wording = self._wordings([passage_id for passage_id, _ in some]) if len(wordings) < limit else {}
            for passage_id, score in some:
                if len(wordings) >= limit and score < enough:
                    return found
                found.append((passage_id, score))
                if len(wordings) < limit:
                    wordings.add(wording.get(passage_id, passage_id))
                    enough = score
        return found

    def matches_any(
        self,
        query: str,
        *,
        filters: Filters = NO_FILTERS,
        among: Collection[int] | None = None,
        furniture: bool | None = None,
    ) -> bool:
        """Whether any passage matches an FTS5 query, of those that `match` would be limited to.

        Raises:
            FullTextDamaged: the full text cannot be searched.
        """
        limits, values = _limits(filters, among, furniture)
        rows = self._searched(f"SELECT 1 FROM full_text WHERE full_text MATCH ? {limits} LIMIT 1", (query, *values))
        return next(rows, None) is not None

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
        """Return what a reader sees of every document, sorted by source.

        Each is (source, content_sha256, title, metadata, tags, date, structure_sha256).
        """
        rows = self._connection.execute(
            "SELECT source, content_sha256, title, metadata, tags, date, structure_sha256 FROM documents"
            " ORDER BY source"
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

    def _wordings(self, ids: Sequence[int]) -> dict[int, int]:
        """Return the wordings of those of these passages that are there, by id."""
        rows = self._connection.execute(
            "SELECT id, coalesce(nullif(wording, 0), id) FROM passages WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return dict(rows.fetchall())

    def _searched(self, query: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query to the full text.

        Raises:
            FullTextDamaged: the full text cannot be searched.
        """
        try:
            yield from self._connection.execute(query, values)
        except DATABASE_ERRORS as error:
            meaning = store_error(self._path, error)
            raise FullTextDamaged(str(meaning)) if isinstance(meaning, StoreDamaged) else meaning from error

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


def _limits(filters: Filters, among: Collection[int] | None, furniture: bool | None) -> tuple[str, list[str]]:
    """Return the conditions that a search by words is limited by, and their values."""
    # The plus keeps SQLite from searching the full text once for every passage that passes.
    limits = ""
    values: list[str] = []
    if filters:
        condition, of_filters = filters.condition()
        limits += (
            " AND +rowid IN (SELECT id FROM passages WHERE document IN"
            f" (SELECT d.number FROM documents AS d WHERE {condition}))"
        )
        values += of_filters
    if among is not None:
        limits += " AND +rowid IN (SELECT value FROM json_each(?))"
        values.append(json.dumps(sorted(among)))
    if furniture is not None:
        limits += f" AND +rowid {'' if furniture else 'NOT'} IN (SELECT id FROM passages WHERE furniture)"
    return limits, values


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

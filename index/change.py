"""A change: one transaction that writes to a store."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from index.acknowledged import Acknowledged
from index.documents import Document
from index.embedder import Matrix
from index.passages import Passage
from index.records import PASSAGE_COLUMNS, passage_values
from index.snapshot import Snapshot


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
        structure = document.structure
        number = self._connection.execute(
            "INSERT INTO documents (id, source, title, text, content_sha256, metadata, tags, date, generation,"
            " passages, characters, created_at, updated_at, structure, structure_sha256, pages)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (source) DO UPDATE SET title = excluded.title, text = excluded.text,"
            " content_sha256 = excluded.content_sha256, metadata = excluded.metadata, tags = excluded.tags,"
            " date = excluded.date, generation = excluded.generation, passages = excluded.passages,"
            " characters = excluded.characters, updated_at = excluded.updated_at, structure = excluded.structure,"
            " structure_sha256 = excluded.structure_sha256, pages = excluded.pages RETURNING number",
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
                None if structure is None else structure.to_json(),
                None if structure is None else structure.sha256,
                None if structure is None else len(structure.pages) or None,
            ),
        ).fetchone()[0]
        self._connection.execute("DELETE FROM passages WHERE document = ?", (number,))
        for passage, heading, vector in zip(passages, headings, vectors, strict=True):
            row = self._connection.execute(
                f"INSERT INTO passages (document, {PASSAGE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, *passage_values(passage, heading)),
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

"""Staging: the index that is built beside the one that serves, document by document, in the same store.

What is staged is durable, so that building goes on where it was cut short. Documents may change meanwhile: a staged one
counts only as long as it is of the generation that it was staged from.
"""

import sqlite3
from dataclasses import dataclass

from index.indexer import Rows
from index.records import PASSAGE_COLUMNS, passage_values

_CURRENT = "EXISTS (SELECT 1 FROM staged AS s WHERE s.document = d.number AND s.generation = d.generation)"


@dataclass(frozen=True, slots=True)
class Unstaged:
    """A document that is still to be staged, and the generation to be staged."""

    number: int
    id: str
    generation: int


class Staging:
    """What one transaction sees and changes of it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Work in the transaction of `connection`."""
        self._connection = connection

    def counts(self) -> tuple[int, int]:
        """Return how many documents are staged, and how many there are."""
        row = self._connection.execute(f"SELECT coalesce(sum({_CURRENT}), 0), count(*) FROM documents AS d").fetchone()
        return int(row[0]), int(row[1])

    def unstaged(self, *, after: int, limit: int) -> list[Unstaged]:
        """Return documents that are not staged as they are now, in the order of their numbers, above `after`."""
        rows = self._connection.execute(
            f"SELECT number, id, generation FROM documents AS d WHERE number > ? AND NOT {_CURRENT}"
            " ORDER BY number LIMIT ?",
            (after, limit),
        )
        return [Unstaged(*row) for row in rows]

    def put(self, document: Unstaged, rows: Rows) -> None:
        """Stage a document, unless it has changed meanwhile or is gone."""
        row = self._connection.execute(
            "SELECT generation FROM documents WHERE number = ?", (document.number,)
        ).fetchone()
        if row is None or row[0] != document.generation:
            return
        self._connection.execute("DELETE FROM staged WHERE document = ?", (document.number,))
        self._connection.execute("INSERT INTO staged VALUES (?, ?)", (document.number, document.generation))
        self._connection.executemany(
            f"INSERT INTO staged_passages (document, {PASSAGE_COLUMNS}, vector)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (document.number, *passage_values(passage, heading), vector.astype("<f4").tobytes())
                for passage, heading, vector in zip(rows.passages, rows.headings, rows.vectors, strict=True)
            ),
        )

    def take_over(self) -> None:
        """Put what is staged in the place of the passages, their full text and their vectors. All must be staged."""
        for statement in (
            "DELETE FROM passages",
            f"INSERT INTO passages (document, {PASSAGE_COLUMNS})"
            f" SELECT document, {PASSAGE_COLUMNS} FROM staged_passages ORDER BY document, ordinal",
            "INSERT INTO vectors (passage, vector) SELECT p.id, s.vector FROM passages AS p"
            " JOIN staged_passages AS s ON s.document = p.document AND s.ordinal = p.ordinal",
            "UPDATE documents SET passages = (SELECT count(*) FROM passages AS p WHERE p.document = documents.number)",
        ):
            self._connection.execute(statement)
        self.clear()

    def clear(self) -> None:
        """Forget what is staged."""
        self._connection.execute("DELETE FROM staged")

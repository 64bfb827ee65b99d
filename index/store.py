"""The store: documents, passages, vectors and full text of one collection in one SQLite file. It is the truth.

A commit of SQLite is the only commit point: a document is in all of it or in none, and what is in memory (FAISS) is
filled from here. Readers see one generation from beginning to end, whatever is written meanwhile.
"""

import queue
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from index import schema, upkeep
from index.acknowledged import Acknowledged
from index.change import Change
from index.disk import DATABASE_ERRORS, damaged, is_failing, store_error
from index.errors import StoreDamaged, StoreError, UnknownCollection
from index.snapshot import Snapshot

STORE_FILE = "store.sqlite"


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

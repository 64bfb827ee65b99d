"""Upkeep: the log and the file of a store stay small, in steps that nobody waits for.

A commit only appends to the log. Between two changes the log is copied into the file, and the pages of what was deleted
are given back to the disk, a few at a time.
"""

import logging
import sqlite3
from pathlib import Path

from index.disk import DATABASE_ERRORS

# In bytes. A log that is longer is copied into the file; when it begins anew, SQLite cuts it to this length.
LOG_LIMIT = 4 << 20
# In pages: what may lie free in the file, besides a share of it, and what is given back in one step.
_FREE_PAGES = 128
_FREE_SHARE = 0.25
_STEP_PAGES = 512

logger = logging.getLogger(__name__)


def tend(connection: sqlite3.Connection, path: Path) -> None:
    """Make one step of what is due, outside any transaction. What fails leaves everything as it is, until next time."""
    try:
        _copy_log(connection, path)
        _give_back(connection)
    except (*DATABASE_ERRORS, OSError) as error:
        logger.warning("The upkeep of %s has to wait: %s.", path, error)


def compact(connection: sqlite3.Connection) -> None:
    """Give back all that is free, what the full text keeps of deleted passages, too, and empty the log.

    Raises:
        sqlite3.Error: the disk does not take it.
    """
    connection.execute("INSERT INTO full_text (full_text) VALUES ('optimize')")
    connection.executescript("PRAGMA incremental_vacuum")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _copy_log(connection: sqlite3.Connection, path: Path) -> None:
    try:
        size = path.with_name(f"{path.name}-wal").stat().st_size
    except FileNotFoundError:
        return
    if size > LOG_LIMIT:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()  # waits for nobody; what is read stays


def _give_back(connection: sqlite3.Connection) -> None:
    free = connection.execute("PRAGMA freelist_count").fetchone()[0]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    if free > _FREE_PAGES + _FREE_SHARE * pages:
        # As a script: of a single statement that gives no rows Python makes one step, which is one page.
        connection.executescript(f"PRAGMA incremental_vacuum({_STEP_PAGES})")

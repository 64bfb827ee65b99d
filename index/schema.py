"""The schema of a collection's store, and how a store file is opened.

Every version of the schema that was ever released stays readable: `MIGRATIONS[n]` turns version n into n + 1.
"""

import sqlite3
from pathlib import Path

from index.errors import StoreDamaged, StoreError, StoreTooNew

APPLICATION_ID = 0x43495445  # "CITE": tells our files from any other SQLite database

# Rows are never numbered twice (AUTOINCREMENT): a passage id that something still holds after its passage is gone can
# never come to mean another passage. Passages are immutable; replacing a document deletes and inserts them. The
# triggers keep the full text equal to the passages, whichever statement deletes them.
_VERSION_1 = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    metadata TEXT NOT NULL,
    generation INTEGER NOT NULL,
    passages INTEGER NOT NULL,
    characters INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents (number) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    section TEXT,
    heading TEXT NOT NULL,
    text TEXT NOT NULL,
    sentences BLOB NOT NULL,
    UNIQUE (document, ordinal)
) STRICT;

CREATE TABLE vectors (
    passage INTEGER PRIMARY KEY REFERENCES passages (id) ON DELETE CASCADE,
    vector BLOB NOT NULL
) STRICT;

CREATE VIRTUAL TABLE full_text USING fts5 (
    heading, text, content = 'passages', content_rowid = 'id', tokenize = 'porter unicode61 remove_diacritics 2'
);

CREATE TRIGGER passage_inserted AFTER INSERT ON passages BEGIN
    INSERT INTO full_text (rowid, heading, text) VALUES (new.id, new.heading, new.text);
END;

CREATE TRIGGER passage_deleted AFTER DELETE ON passages BEGIN
    INSERT INTO full_text (full_text, rowid, heading, text) VALUES ('delete', old.id, old.heading, old.text);
END;

INSERT INTO meta (key, value) VALUES ('generation', '0');
"""

# A document's tags, as a JSON list, and its date. Jobs: long pieces of work and what became of them. And the index that
# is built beside the one that serves, document by document: `staged` says of which generation.
_VERSION_2 = """
ALTER TABLE documents ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE documents ADD COLUMN date TEXT;

CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    total INTEGER,
    done INTEGER NOT NULL DEFAULT 0,
    added INTEGER NOT NULL DEFAULT 0,
    replaced INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE job_failures (
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
    line INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (job, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE staged (
    document INTEGER PRIMARY KEY REFERENCES documents (number) ON DELETE CASCADE,
    generation INTEGER NOT NULL
) STRICT;

CREATE TABLE staged_passages (
    document INTEGER NOT NULL REFERENCES staged (document) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    section TEXT,
    heading TEXT NOT NULL,
    text TEXT NOT NULL,
    sentences BLOB NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (document, ordinal)
) STRICT;
"""

MIGRATIONS = (_VERSION_1, _VERSION_2)
VERSION = len(MIGRATIONS)


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open a connection to a store file; this writes nothing to it.

    `synchronous=FULL`, so that what was committed survives a power cut.

    Raises:
        StoreError: the file cannot be opened.
        StoreDamaged: the file is no SQLite database.
    """
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA query_only = ON" if read_only else "PRAGMA synchronous = FULL")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.DatabaseError as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.OperationalError):
            raise StoreError(f"The store {path} cannot be opened: {error}.") from error
        raise StoreDamaged(
            f"{path} is not a healthy store: {error}. Restore it from a backup or build it anew."
        ) from error
    return connection


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Create the schema in an empty file, or bring an older one up to date; one transaction a version.

    The file is set to WAL, so that readers never wait for the writer, once it is known to be ours.

    Raises:
        StoreTooNew: a newer version of Citespan wrote the file.
        StoreDamaged: the file is some other database.
    """
    check_version(connection, path, oldest=0)
    connection.execute("PRAGMA journal_mode = WAL")
    while (version := int(connection.execute("PRAGMA user_version").fetchone()[0])) < VERSION:
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[version]}"
            f" PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version + 1}; COMMIT;"
        )


def check_version(connection: sqlite3.Connection, path: Path, *, oldest: int = VERSION) -> None:
    """Check that a file is a store of a version from `oldest` to the present one.

    Raises:
        StoreTooNew: a newer version of Citespan wrote the file.
        StoreError: an older one did, and it is not brought up to date yet.
        StoreDamaged: the file is some other database, or no schema was ever written to it.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if version > VERSION:
        raise StoreTooNew(f"{path} has schema version {version}; this Citespan knows {VERSION}. Install a newer one.")
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    ours = application == APPLICATION_ID if version else application == 0 and empty
    if ours and 0 < version < oldest:
        raise StoreError(
            f"{path} has schema version {version}, and this Citespan reads {VERSION}. Whatever opens it to write "
            "brings it up to date: start the service, or run `citespan build`, once."
        )
    if version < oldest or not ours:
        raise StoreDamaged(f"{path} is a database of something else, or was never finished; move it away.")

"""The schema of a collection's store, and how a store file is opened.

Every version of the schema that was ever released stays readable: `MIGRATIONS[n]` turns version n into n + 1.
"""

import logging
import sqlite3
from pathlib import Path

from index.checksums import CHECKSUM_FUNCTION, checksum
from index.disk import DATABASE_ERRORS, is_writable, store_error
from index.errors import StoreDamaged, StoreError, StoreFull, StoreReadOnly, StoreTooNew
from index.upkeep import LOG_LIMIT

logger = logging.getLogger(__name__)

APPLICATION_ID = 0x43495445  # "CITE": tells our files from any other SQLite database

# The values that a row's checksum is of, in this order; a text has its SHA-256. The triggers below are made of them:
# whoever changes them makes the triggers and the checksums anew in a migration.
DOCUMENT_VALUES = (
    "id, source, title, content_sha256, metadata, tags, date, generation, passages, characters, created_at, updated_at,"
    " structure, structure_sha256, pages"
)
_DOCUMENT_VALUES_3 = (
    "id, source, title, content_sha256, metadata, tags, date, generation, passages, characters, created_at, updated_at"
)
PASSAGE_VALUES = 'id, document, ordinal, start, "end", section, heading, text, sentences, furniture, wording'
# What they were up to version 4, in whose migrations they stand.
_PASSAGE_VALUES_3 = 'id, document, ordinal, start, "end", section, heading, text, sentences'
VECTOR_VALUES = "passage, vector"


def checksum_of(values: str, table: str) -> str:
    """Return the SQL of the checksum of a row's `values` in `table`."""
    return f"{CHECKSUM_FUNCTION}({', '.join(f'{table}.{each.strip()}' for each in values.split(','))})"


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

# What a row says is checked when it is read. Triggers write the checksums, whichever statement writes the row. And the
# store has a name of its own, so that a file beside it can be told from that of another store. What filters ask of a
# document stands in an index: the row has the text in the middle, which would be read along.
_VERSION_3 = f"""
ALTER TABLE documents ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE passages ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vectors ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER document_inserted AFTER INSERT ON documents BEGIN
    UPDATE documents SET checksum = {checksum_of(_DOCUMENT_VALUES_3, "new")} WHERE number = new.number;
END;

CREATE TRIGGER document_updated AFTER UPDATE OF {_DOCUMENT_VALUES_3} ON documents BEGIN
    UPDATE documents SET checksum = {checksum_of(_DOCUMENT_VALUES_3, "new")} WHERE number = new.number;
END;

CREATE TRIGGER passage_checked AFTER INSERT ON passages BEGIN
    UPDATE passages SET checksum = {checksum_of(_PASSAGE_VALUES_3, "new")} WHERE id = new.id;
END;

CREATE TRIGGER vector_inserted AFTER INSERT ON vectors BEGIN
    UPDATE vectors SET checksum = {checksum_of(VECTOR_VALUES, "new")} WHERE passage = new.passage;
END;

UPDATE documents SET checksum = {checksum_of(_DOCUMENT_VALUES_3, "documents")};
UPDATE passages SET checksum = {checksum_of(_PASSAGE_VALUES_3, "passages")};
UPDATE vectors SET checksum = {checksum_of(VECTOR_VALUES, "vectors")};

INSERT INTO meta (key, value) VALUES ('store_id', lower(hex(randomblob(16))));

CREATE INDEX document_filters ON documents (title, tags, date, created_at, updated_at);
"""

# What a converted file says of its text (`index/structure.py`), a hash of it, and how many pages it has. A row's
# checksum is of them, too.
_VERSION_4 = f"""
ALTER TABLE documents ADD COLUMN structure TEXT;
ALTER TABLE documents ADD COLUMN structure_sha256 TEXT;
ALTER TABLE documents ADD COLUMN pages INTEGER;

DROP TRIGGER document_inserted;
DROP TRIGGER document_updated;

CREATE TRIGGER document_inserted AFTER INSERT ON documents BEGIN
    UPDATE documents SET checksum = {checksum_of(DOCUMENT_VALUES, "new")} WHERE number = new.number;
END;

CREATE TRIGGER document_updated AFTER UPDATE OF {DOCUMENT_VALUES} ON documents BEGIN
    UPDATE documents SET checksum = {checksum_of(DOCUMENT_VALUES, "new")} WHERE number = new.number;
END;

UPDATE documents SET checksum = {checksum_of(DOCUMENT_VALUES, "documents")}
    WHERE checksum = {checksum_of(_DOCUMENT_VALUES_3, "documents")};
"""

# Which passages are page furniture, and a number that those with the same wording share. Older rows know of neither
# until they are indexed anew; what is staged is of older rules, and is staged again.
_VERSION_5 = f"""
DELETE FROM staged;
ALTER TABLE passages ADD COLUMN furniture INTEGER NOT NULL DEFAULT 0;
ALTER TABLE passages ADD COLUMN wording INTEGER NOT NULL DEFAULT 0;
ALTER TABLE staged_passages ADD COLUMN furniture INTEGER NOT NULL DEFAULT 0;
ALTER TABLE staged_passages ADD COLUMN wording INTEGER NOT NULL DEFAULT 0;

DROP TRIGGER passage_checked;
CREATE TRIGGER passage_checked AFTER INSERT ON passages BEGIN
    UPDATE passages SET checksum = {checksum_of(PASSAGE_VALUES, "new")} WHERE id = new.id;
END;
UPDATE passages SET checksum = {checksum_of(PASSAGE_VALUES, "passages")}
    WHERE checksum = {checksum_of(_PASSAGE_VALUES_3, "passages")};

CREATE INDEX furniture ON passages (id) WHERE furniture;
"""

MIGRATIONS = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5)
VERSION = len(MIGRATIONS)


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open a connection to a store file; this writes nothing to it.

    `synchronous=FULL`, so that what was committed survives a power cut. Checkpoints are made by `index/upkeep.py`, not
    by whichever commit comes to it.

    Raises:
        StoreError: the file cannot be opened.
        StoreDamaged: the file is no SQLite database.
    """
    failure: sqlite3.Error | UnicodeDecodeError
    try:
        return _connect(str(path), read_only=read_only)
    except DATABASE_ERRORS as error:
        failure = error
    if read_only and _is_at_rest(path):
        try:
            return _connect(f"{path.absolute().as_uri()}?immutable=1", read_only=True, uri=True)
        except DATABASE_ERRORS as error:
            failure = error
    if not isinstance(failure, sqlite3.OperationalError):
        raise StoreDamaged(
            f"{path} is not a healthy store: {failure}. Restore it from a backup or build it anew."
        ) from failure
    meaning = store_error(path, failure)
    if isinstance(meaning, StoreFull | StoreReadOnly):
        raise meaning from failure
    hint = "" if is_writable(path.parent) else f"; {path.parent} cannot be written to"
    raise StoreError(f"The store {path} cannot be opened: {failure}{hint}.") from failure


def _connect(name: str, *, read_only: bool, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(name, isolation_level=None, check_same_thread=False, uri=uri)
    try:
        connection.create_function(CHECKSUM_FUNCTION, -1, checksum, deterministic=True)
        connection.execute("PRAGMA trusted_schema = ON")  # our own triggers call our own function
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_LIMIT}")
        connection.execute("PRAGMA query_only = ON" if read_only else "PRAGMA synchronous = FULL")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _is_at_rest(path: Path) -> bool:
    """Whether nobody has the store open and nobody can: its folder cannot be written to, and there is no log in it."""
    log = path.with_name(f"{path.name}-wal")
    return path.is_file() and not is_writable(path.parent) and not log.exists()


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Create the schema in an empty file, or bring an older one up to date; one transaction a version.

    The file is set to WAL, so that readers never wait for the writer, once it is known to be ours.

    Raises:
        StoreTooNew: a newer version of Citespan wrote the file.
        StoreDamaged: the file is some other database.
    """
    check_version(connection, path, oldest=0)
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts for a new file only
    connection.execute("PRAGMA journal_mode = WAL")
    while (version := int(connection.execute("PRAGMA user_version").fetchone()[0])) < VERSION:
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[version]}"
            f" PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version + 1}; COMMIT;"
        )
    if connection.execute("PRAGMA auto_vacuum").fetchone() == (0,):
        _let_it_shrink(connection, path)


def _let_it_shrink(connection: sqlite3.Connection, path: Path) -> None:
    """Write a file of the first version anew, once, so that it can give back the room of what was deleted."""
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("VACUUM")
    except sqlite3.OperationalError as error:
        logger.warning("%s does not shrink when documents are deleted: %s.", path, error)


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

"""Disks: what an error of SQLite or of the system says of the disk, in words that say what to do."""

import errno
import os
import shutil
import sqlite3
from pathlib import Path

from index.errors import StoreDamaged, StoreError, StoreFull, StoreReadOnly

_FULL = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
# What Python says of a text that it cannot make a string of; the message goes on with the text.
_NO_UTF8 = "Could not decode"
# Statements that are never wrong are found wrong by SQLite where the schema or the full text is not what we wrote;
# unless it says this.
_OUR_FAULT = ("fts5: syntax error", "cannot start a transaction")
# What using a database raises. Where SQLite's own message quotes damaged bytes, Python cannot make a string of it.
DATABASE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
# The low byte of an extended code of SQLite is its kind.
_KIND = 0xFF
# Where less than this is free, in bytes, a write that failed for whatever reason failed for want of room.
_NO_ROOM = 1 << 20


def store_error(path: Path, error: sqlite3.Error | UnicodeDecodeError | OSError) -> StoreError:
    """Return what an error that befell the store at `path` means: no room, not writable, damaged, or out of use."""
    if isinstance(error, UnicodeDecodeError):
        return damaged(path, "a name in it is no text")
    return _of_the_system(path, error) if isinstance(error, OSError) else _of_sqlite(path, error)


def _of_the_system(path: Path, error: OSError) -> StoreError:
    if error.errno in _FULL:
        return _full(path)
    if error.errno in _READ_ONLY:
        return _read_only(path)
    return StoreError(f"{path} cannot be used: {error.strerror or error}.")


def _of_sqlite(path: Path, error: sqlite3.Error) -> StoreError:
    kind = getattr(error, "sqlite_errorcode", 0) & _KIND  # there is none where Python itself raised it
    message = str(error)
    is_no_text = message.startswith(_NO_UTF8)
    is_astray = kind == sqlite3.SQLITE_ERROR and not message.startswith(_OUR_FAULT)
    if kind in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or is_no_text or is_astray:
        return damaged(path, "a text is not what was stored" if is_no_text else message)
    if kind == sqlite3.SQLITE_FULL or (kind == sqlite3.SQLITE_IOERR and _has_no_room(path)):
        return _full(path)
    if kind == sqlite3.SQLITE_IOERR:
        return StoreError(f"The disk under {path} does not read or write as it should ({error}); see to the disk.")
    if kind == sqlite3.SQLITE_READONLY:
        return _read_only(path)
    if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError):
        return StoreError(f"The store {path} cannot be used: {error}.")
    return damaged(path, str(error))


def is_failing(error: sqlite3.Error | UnicodeDecodeError) -> bool:
    """Whether reading or writing itself failed: then it is tried with files that are opened anew."""
    return getattr(error, "sqlite_errorcode", 0) & _KIND == sqlite3.SQLITE_IOERR


def damaged(path: Path, what: str) -> StoreDamaged:
    """Return the error of a store in which something is not as it was written."""
    return StoreDamaged(
        f"The store {path} is damaged: {what}. Stop the service and run `citespan doctor --repair`; what it cannot "
        "repair comes back with `citespan restore` from a backup."
    )


def is_writable(folder: Path) -> bool:
    """Whether the system lets this process write in a folder."""
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def sync_folder(path: Path) -> None:
    """Make names in a folder durable, as far as the system can."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def _full(path: Path) -> StoreFull:
    return StoreFull(
        f"There is no room left on the disk of {path.parent}; nothing was changed, and questions are still answered. "
        "Free some space, and send the change again."
    )


def _read_only(path: Path) -> StoreReadOnly:
    return StoreReadOnly(
        f"{path.parent} cannot be written to; nothing was changed, and questions are still answered. "
        "Make the folder and its files writable for the user that Citespan runs as, and send the change again."
    )


def _has_no_room(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _NO_ROOM
    except OSError:
        return False

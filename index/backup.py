"""Backups: the stores of a data directory in one file, made while a service runs, and put back where there are none.

The file is a ZIP archive that holds `manifest.json` and `<collection>/store.sqlite` for each collection. Every store is
copied in one transaction and checked before the backup counts, and again before it is put back.
"""

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from index import schema
from index.disk import DATABASE_ERRORS, store_error, sync_folder
from index.errors import BackupError, StoreDamaged, StoreError, StoreFull, UnknownCollection
from index.library import COLLECTION_NAME, collection_names
from index.store import STORE_FILE, Store

FORMAT = 1
MANIFEST = "manifest.json"

_CHUNK = 1 << 20
_SCRATCH_PREFIX = ".citespan-"


@dataclass(frozen=True, slots=True)
class Entry:
    """A collection in a backup. `bytes` and `sha256` are those of its store's file."""

    collection: str
    bytes: int
    sha256: str
    schema: int
    generation: int
    documents: int
    passages: int


def back_up(data_dir: Path, file: Path, *, collections: Sequence[str] = ()) -> list[Entry]:
    """Write the `collections` of a data directory, all of them by default, to `file`: whole or not at all.

    Reading needs no lock: a service may run meanwhile. Each collection is as it was at one moment.

    Raises:
        UnknownCollection: there is none of a name.
        StoreDamaged: a store is not healthy; a backup of it would be none.
        BackupError: the file is there already, cannot be written, or there is nothing to put into it.
    """
    present = collection_names(data_dir)
    names = sorted(set(collections)) or present
    if unknown := [name for name in names if name not in present]:
        raise UnknownCollection(f"There is no collection {unknown[0]!r} in {data_dir}.")
    if not names:
        raise BackupError(f"There is no collection in {data_dir}; nothing was written.")
    if file.exists():
        raise BackupError(f"{file} is there already; choose another name, or delete it.")
    with _scratch(file.parent) as scratch, _disk_errors(file):
        entries = []
        unfinished = scratch / "backup.zip"
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
            for name in names:
                copy = scratch / name / STORE_FILE
                copy.parent.mkdir()
                entries.append(_copy(data_dir / name / STORE_FILE, copy, name))
                archive.write(copy, f"{name}/{STORE_FILE}")
                shutil.rmtree(copy.parent)
            archive.writestr(MANIFEST, json.dumps(_manifest(entries), indent=2) + "\n")
        _sync(unfinished)
        unfinished.rename(file)
        sync_folder(file.parent)
    return entries


def restore(data_dir: Path, file: Path, *, collections: Sequence[str] = ()) -> list[Entry]:
    """Put the `collections` of a backup, all of them by default, into a data directory whose write lock is held.

    Everything is checked before anything is put in its place. A collection that is there already is never overwritten,
    unless it has no documents.

    Raises:
        BackupError: the file is no sound backup, or has not these collections, or one of them is there already.
        StoreTooNew: a newer version of Citespan wrote it.
        StoreError: the data directory cannot be written.
    """
    with _damage(file), zipfile.ZipFile(file) as archive:
        entries = _entries(archive, file)
    names = sorted(set(collections)) or list(entries)
    if unknown := [name for name in names if name not in entries]:
        raise BackupError(f"{file} has no collection {unknown[0]!r}; it has {', '.join(entries)}.")
    if standing := [name for name in names if _holds_documents(data_dir / name)]:
        raise BackupError(
            f"The collection {standing[0]!r} is in {data_dir} already and is not overwritten: move its folder away, or "
            "restore into another CITESPAN_DATA_DIR."
        )
    with _scratch(data_dir) as scratch:
        with _damage(file), zipfile.ZipFile(file) as archive:
            for name in names:
                _extract(archive, entries[name], scratch / name / STORE_FILE, file)
        for name in names:
            _check(scratch / name, file)
        for name in names:
            place = data_dir / name
            try:
                if place.exists():
                    place.rename(scratch / f"{name}.empty")
                (scratch / name).rename(place)
            except OSError as error:
                raise store_error(place, error) from error
        sync_folder(data_dir)
    return [entries[name] for name in names]


def _copy(source: Path, copy: Path, name: str) -> Entry:
    """Copy a store in one transaction, check the copy, and return what it holds."""
    with closing(schema.connect(source, read_only=True)) as connection:
        schema.check_version(connection, source)
        connection.execute("PRAGMA query_only = OFF")  # it counts for the copy, too
        try:
            connection.execute("VACUUM INTO ?", (str(copy),))
        except DATABASE_ERRORS as error:
            meaning = store_error(source, error)
            raise store_error(copy, error) if isinstance(meaning, StoreFull) else meaning from error
    with closing(Store(copy.parent, read_only=True)) as store, store.reading() as snapshot:
        if faults := [*filter(None, [store.full_text_fault()]), *snapshot.faults()]:
            raise StoreDamaged(
                f"The store {source} is damaged: {'; '.join(faults)}. No backup was made of it; stop the service and "
                "run `citespan doctor --repair`."
            )
        documents, passages = snapshot.counts()
        generation = snapshot.generation
    with copy.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    return Entry(name, copy.stat().st_size, sha256, schema.VERSION, generation, documents, passages)


def _manifest(entries: Sequence[Entry]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "collections": [asdict(each) for each in entries],
    }


def _entries(archive: zipfile.ZipFile, file: Path) -> dict[str, Entry]:
    manifest = json.loads(archive.read(MANIFEST))
    if manifest["format"] != FORMAT:
        raise BackupError(f"{file} has the format {manifest['format']}; this Citespan reads {FORMAT}.")
    entries = {each["collection"]: Entry(**each) for each in manifest["collections"]}
    if not entries or not all(COLLECTION_NAME.fullmatch(name) for name in entries):
        raise BackupError(f"{file} is no backup: its collections have no proper names.")
    return entries


def _extract(archive: zipfile.ZipFile, entry: Entry, target: Path, file: Path) -> None:
    """Write a store from an archive to `target`, and check that it is the one that was put in."""
    digest, size = hashlib.sha256(), 0
    try:
        target.parent.mkdir()
        with archive.open(f"{entry.collection}/{STORE_FILE}") as packed, target.open("wb") as content:
            while chunk := packed.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                content.write(chunk)
    except OSError as error:
        raise store_error(target, error) from error
    if (size, digest.hexdigest()) != (entry.bytes, entry.sha256):
        raise BackupError(f"{file} is damaged: the collection {entry.collection!r} is not what was put in.")


def _check(directory: Path, file: Path) -> None:
    """Open a restored store as a service would, and check all of it."""
    try:
        with closing(Store(directory)) as store, store.reading() as snapshot:
            faults = snapshot.faults()
    except StoreDamaged as error:
        raise BackupError(f"{file} holds a store that is damaged: {error}") from error
    if faults:
        raise BackupError(f"{file} holds a store that is damaged: {'; '.join(faults)}.")
    _sync(directory / STORE_FILE)
    sync_folder(directory)


def _holds_documents(directory: Path) -> bool:
    """Whether anything would be lost if a collection's folder were replaced."""
    if not directory.exists():
        return False
    try:
        with closing(Store(directory, read_only=True)) as store, store.reading() as snapshot:
            return snapshot.counts()[0] > 0
    except (StoreError, UnknownCollection):
        return True  # who knows


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Make a folder on the same disk, so that what is finished in it can be moved to its place at once."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH_PREFIX, dir=folder))
    except OSError as error:
        raise BackupError(f"{folder} cannot be written to: {error.strerror}.") from error
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _disk_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupError(f"The backup {file} cannot be written: {error.strerror or error}.") from error


@contextmanager
def _damage(file: Path) -> Iterator[None]:
    """Tell whatever goes wrong in reading a damaged archive in the same words."""
    try:
        yield
    except (BackupError, StoreError):
        raise
    except FileNotFoundError as error:
        raise BackupError(f"There is no file {file}.") from error
    except Exception as error:
        raise BackupError(f"{file} is no backup of Citespan, or a damaged one ({error}); take another one.") from error


def _sync(path: Path) -> None:
    with path.open("rb") as content:
        os.fsync(content.fileno())

"""The library: all collections of one data directory, and the lock that keeps a second writer out."""

import logging
import re
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from index.collection import Collection, FindEmbedder
from index.disk import store_error, sync_folder
from index.embedder import Embedder
from index.errors import InvalidCollectionName, StoreError, StoreFull, StoreLocked, UnknownCollection
from index.indexer import Progress
from index.passages import PassageSettings
from index.retriever import RetrievalSettings
from index.store import STORE_FILE

DEFAULT_COLLECTION = "default"
COLLECTION_NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
COLLECTION_NAME = re.compile(COLLECTION_NAME_PATTERN)

_LOCK_FILE = ".write.lock"
# What a collection's directory is called while it is being deleted: no name of a collection begins so.
_DELETED = ".deleted-"

logger = logging.getLogger(__name__)


@contextmanager
def write_lock(data_dir: Path) -> Iterator[None]:
    """Hold the write lock of a data directory. The system frees it when the process ends, however it ends.

    Raises:
        StoreLocked: another process holds it.
        StoreError: the directory cannot be made or written.
    """
    lock = FileLock(data_dir / _LOCK_FILE, timeout=0, thread_local=False)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise StoreLocked(
            f"Another process is writing to {data_dir} (a running `citespan serve` or `citespan build`). "
            "Stop it, change documents over its HTTP API, or choose another CITESPAN_DATA_DIR."
        ) from error
    except OSError as error:
        meaning = store_error(data_dir / _LOCK_FILE, error)
        if isinstance(meaning, StoreFull):
            raise meaning from error
        kind = type(meaning)
        raise kind(f"The data directory {data_dir} cannot be written: {error.strerror}.") from error
    try:
        yield
    finally:
        lock.release()


def collection_names(data_dir: Path) -> list[str]:
    """Return the names of the collections in a data directory, sorted."""
    return sorted(
        path.parent.name
        for path in data_dir.glob(f"*/{STORE_FILE}")
        if re.fullmatch(COLLECTION_NAME_PATTERN, path.parent.name)
    )


class Library:
    """The collections of a data directory, each opened once. Whoever opens it to write holds `write_lock`."""

    def __init__(
        self,
        data_dir: Path,
        embedder: Embedder,
        *,
        passage_settings: PassageSettings | None = None,
        retrieval_settings: RetrievalSettings | None = None,
        read_only: bool = False,
        reindex: Progress | None = None,
        find_embedder: FindEmbedder = lambda _: None,
    ) -> None:
        """Open every collection that is there, and finish off deletions that were cut short.

        A collection that was indexed otherwise is indexed anew at once with `reindex`, which is told how many of how
        many documents are done; otherwise its old index serves, with the embedder that `find_embedder` finds for it.

        Raises:
            IndexOutdated: `read_only`, and a collection was indexed otherwise.
            StoreError: a store cannot be used.
        """
        self.data_dir = data_dir
        self.embedder = embedder
        self._passage_settings = passage_settings or PassageSettings()
        self._retrieval_settings = retrieval_settings or RetrievalSettings()
        self._read_only = read_only
        self._find_embedder = find_embedder
        self._opening = threading.Lock()
        self._collections: dict[str, Collection] = {}  # never changed, but replaced: readers hold no lock
        try:
            if not read_only:
                for path in sorted(data_dir.glob(f"{_DELETED}*")):
                    _remove(path)
            for name in collection_names(data_dir):
                collection = self._open(name)
                if reindex is not None:
                    collection.reindex(progress=reindex)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Library":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all collections."""
        for collection in self._collections.values():
            collection.close()

    def names(self) -> list[str]:
        """Return the names of the collections, sorted."""
        return sorted(self._collections)

    def collection(self, name: str) -> Collection:
        """Return a collection.

        Raises:
            UnknownCollection: there is none of this name.
        """
        try:
            return self._collections[name]
        except KeyError:
            raise UnknownCollection(f"There is no collection {name!r}; create it first.") from None

    def create(self, name: str) -> Collection:
        """Return a collection, made empty where there is none yet.

        Raises:
            InvalidCollectionName: the name is not lower-case letters, digits, "-" and "_", 64 characters at most.
            StoreError: its directory cannot be made.
        """
        if not re.fullmatch(COLLECTION_NAME_PATTERN, name):
            raise InvalidCollectionName(
                f"{name!r} cannot name a collection: use lower-case letters, digits, '-' and '_', 64 at most, "
                "and begin with a letter or digit."
            )
        with self._opening:
            return self._collections.get(name) or self._open(name)

    def delete(self, name: str) -> None:
        """Delete a collection for good. When this returns, the deletion is durable and its directory is gone.

        Questions that have begun come to their end before; whoever comes later is told that there is no such
        collection. The directory is renamed first: whatever is cut short, the collection is there whole or not at all.

        Raises:
            UnknownCollection: there is none of this name.
            StoreError: the directory cannot be changed; then the collection is still there.
        """
        if self._read_only:
            raise StoreError(f"The data directory {self.data_dir} was opened to read only.")
        with self._opening:
            collection = self.collection(name)
            self._collections = {key: value for key, value in self._collections.items() if key != name}
            collection.close(UnknownCollection(f"The collection {name!r} was deleted."))
            doomed = self.data_dir / f"{_DELETED}{name}-{uuid.uuid4().hex}"
            try:
                (self.data_dir / name).rename(doomed)
            except OSError as error:
                self._open(name)
                kind = type(store_error(self.data_dir / name, error))
                raise kind(f"The collection {name!r} cannot be deleted: {error.strerror}.") from error
            sync_folder(self.data_dir)
            _remove(doomed)

    def _open(self, name: str) -> Collection:
        collection = Collection(
            self.data_dir / name,
            self.embedder,
            passage_settings=self._passage_settings,
            retrieval_settings=self._retrieval_settings,
            read_only=self._read_only,
            find_embedder=self._find_embedder,
        )
        self._collections = {**self._collections, name: collection}
        return collection


def _remove(path: Path) -> None:
    """Remove a directory and all in it, as far as that can be done; the next start tries again."""
    try:
        shutil.rmtree(path)
    except OSError as error:
        logger.warning("%s cannot be removed yet: %s.", path, error.strerror)

"""The library: all collections of one data directory, and the lock that keeps a second writer out."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from index.collection import Collection, Progress
from index.disk import store_error
from index.embedder import Embedder
from index.errors import InvalidCollectionName, StoreFull, StoreLocked, UnknownCollection
from index.passages import PassageSettings
from index.retriever import RetrievalSettings
from index.store import STORE_FILE

DEFAULT_COLLECTION = "default"
COLLECTION_NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
COLLECTION_NAME = re.compile(COLLECTION_NAME_PATTERN)

_LOCK_FILE = ".write.lock"


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
    ) -> None:
        """Open every collection that is there.

        Raises:
            IndexOutdated: a collection was indexed otherwise, and `reindex` is not given.
            StoreError: a store cannot be used.
        """
        self.data_dir = data_dir
        self.embedder = embedder
        self._passage_settings = passage_settings or PassageSettings()
        self._retrieval_settings = retrieval_settings or RetrievalSettings()
        self._read_only = read_only
        self._opening = threading.Lock()
        self._collections: dict[str, Collection] = {}
        try:
            for name in collection_names(data_dir):
                self._open(name, reindex)
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
            raise UnknownCollection(f"There is no collection {name!r}.") from None

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
            return self._collections.get(name) or self._open(name, None)

    def _open(self, name: str, reindex: Progress | None) -> Collection:
        collection = Collection(
            self.data_dir / name,
            self.embedder,
            passage_settings=self._passage_settings,
            retrieval_settings=self._retrieval_settings,
            read_only=self._read_only,
            reindex=reindex,
        )
        self._collections[name] = collection
        return collection

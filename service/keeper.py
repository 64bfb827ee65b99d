"""Keepers: what keeps documents for a command, be it the data directory here or a running service."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from index.collection import Collection as OpenCollection
from index.documents import Document
from index.filters import NO_FILTERS, Filters
from index.indexer import Progress
from index.library import Library
from service.schemas import Collection
from service.schemas import Document as Held

_PAGE = 200


@dataclass(slots=True)
class Outcome:
    """What became of documents. `failures` are (source, why)."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Count what became of others, too."""
        self.added += other.added
        self.replaced += other.replaced
        self.unchanged += other.unchanged
        self.failures += other.failures


class Keeper(Protocol):
    """Keeps documents in collections. What it has done is durable."""

    def documents(self, collection: str, filters: Filters = NO_FILTERS) -> Iterator[Held]:
        """Yield the documents that pass `filters`, in the order in which they first came."""
        ...

    def put(self, collection: str, documents: Sequence[Document]) -> Outcome:
        """Add or replace documents from different sources; those that have not changed are left alone."""
        ...

    def delete(self, collection: str, document_id: str) -> None:
        """Delete a document."""
        ...

    def collections(self) -> list[Collection]:
        """Return the collections, by name."""
        ...

    def create(self, name: str) -> bool:
        """Create a collection, and return whether it is new."""
        ...

    def delete_collection(self, name: str) -> None:
        """Delete a collection with all its documents."""
        ...

    def reindex(self, name: str, progress: Progress) -> None:
        """Build a collection's index anew where the settings ask for another one."""
        ...


class LocalKeeper:
    """The data directory of the settings."""

    def __init__(self, library: Library) -> None:
        """Keep documents in the collections of `library`."""
        self._library = library

    def documents(self, collection: str, filters: Filters = NO_FILTERS) -> Iterator[Held]:
        """Yield the documents that pass `filters`, in the order in which they first came.

        Raises:
            UnknownCollection: there is none of this name.
        """
        opened = self._library.collection(collection)
        after = 0
        while records := opened.documents(after=after, limit=_PAGE, filters=filters):
            yield from map(Held.of, records)
            after = records[-1].number

    def put(self, collection: str, documents: Sequence[Document]) -> Outcome:
        """Add or replace documents from different sources; the collection is made where it is missing."""
        receipts = self._library.create(collection).put_all(documents)
        added = sum(receipt.created for receipt in receipts)
        changed = sum(receipt.changed for receipt in receipts)
        return Outcome(added, changed - added, len(receipts) - changed)

    def delete(self, collection: str, document_id: str) -> None:
        """Delete a document.

        Raises:
            UnknownCollection: there is none of this name.
            UnknownDocument: there is none with this id.
        """
        self._library.collection(collection).delete(document_id)

    def collections(self) -> list[Collection]:
        """Return the collections, by name."""
        return [Collection.of(self._library.collection(name)) for name in self._library.names()]

    def create(self, name: str) -> bool:
        """Create a collection, and return whether it is new.

        Raises:
            InvalidCollectionName: this can be no name of one.
        """
        is_new = name not in self._library.names()
        self._library.create(name)
        return is_new

    def delete_collection(self, name: str) -> None:
        """Delete a collection with all its documents.

        Raises:
            UnknownCollection: there is none of this name.
        """
        self._library.delete(name)

    def reindex(self, name: str, progress: Progress) -> None:
        """Build a collection's index anew where the settings ask for another one.

        Raises:
            UnknownCollection: there is none of this name.
        """
        opened: OpenCollection = self._library.collection(name)
        opened.reindex(progress=progress)

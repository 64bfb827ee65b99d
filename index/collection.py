"""A collection: a directory with one store, and its vectors in memory. Documents go in, hits come out."""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from index.change import Change
from index.documents import Document
from index.door import Door
from index.embedder import Embedder, Matrix
from index.errors import (
    CitespanError,
    FullTextDamaged,
    IndexOutdated,
    NotReady,
    StoreDamaged,
    StoreError,
    UnknownDocument,
)
from index.filters import NO_FILTERS, Filters
from index.indexer import Indexer, IndexIdentity, Progress
from index.jobs import JobBook, JobTable
from index.passages import PassageSettings
from index.records import DocumentRecord
from index.retriever import Hit, RetrievalSettings
from index.search import Search
from index.snapshot import Snapshot
from index.staging import Unstaged
from index.store import Store
from index.vectors import Vectors

# Returns the embedder of an identity, or None where it is not here any more.
FindEmbedder = Callable[[str], Embedder | None]

# What the store says of itself: how its index was built, and how the one was that is built beside it.
_INDEX, _STAGED_INDEX = "index", "staged_index"

# So many documents, or characters of them, are staged at once.
_STAGED_AT_ONCE = 32
_STAGED_CHARACTERS = 65_536
# So many vectors that were damaged are computed anew at once.
_EMBEDDED_AT_ONCE = 64

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a document that was put into a collection. It is durable when this exists."""

    record: DocumentRecord
    created: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The hits for a question, best first, and the fingerprint of the collection that they come from.

    Where no passage has the phrases that the question quotes, there is no hit; `nearest` holds what comes nearest then.
    """

    hits: list[Hit]
    fingerprint: str
    nearest: list[Hit] = field(default_factory=list)


# What else is to be written in the transaction that writes documents.
Along = Callable[[Change, Sequence[Receipt]], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Index:
    """How the index that serves was built. `indexer` is None where its embedder is not here: then words alone count."""

    identity: IndexIdentity
    indexer: Indexer | None


class Collection:
    """A named set of documents that is searched together. Thread-safe; one process may write."""

    def __init__(
        self,
        directory: Path,
        embedder: Embedder,
        *,
        passage_settings: PassageSettings,
        retrieval_settings: RetrievalSettings,
        read_only: bool = False,
        find_embedder: FindEmbedder = lambda _: None,
    ) -> None:
        """Open the collection in `directory`, making it where there is none and `read_only` is not set.

        An index that was built otherwise than is asked for now serves until `reindex` has built another one; its
        embedder is the one that `find_embedder` finds, and without one only words are searched.

        Raises:
            IndexOutdated: `read_only`, and the index was built otherwise.
            UnknownCollection: `read_only`, and there is none.
            StoreError: the store cannot be used.
        """
        self.name = directory.name
        self._wanted = Indexer(embedder, passage_settings)
        self._find_embedder = find_embedder
        self._retrieval_settings = retrieval_settings
        self._read_only = read_only
        self._store = Store(directory, read_only=read_only)
        self._door = Door()
        self._writing = threading.Lock()  # one change at a time
        self._committing = threading.Lock()  # held while store and vectors go from one generation to the next
        self._fingerprint: tuple[int, str] | None = None
        self._rebuilt = 0  # how many times the full text was made anew
        self.jobs = JobBook(self._reading_jobs, self._changing_jobs)
        try:
            if not read_only:
                self._settle()
                self.jobs.interrupt()
            with self._reading() as snapshot:
                self._index = self._index_of(snapshot)
                self._vectors, self._loaded, lacking = self._load_vectors(snapshot, self._index)
                is_whole = snapshot.full_text_is_whole()  # where it is not, and that must be, a question finds out
            if lacking and not read_only:
                self._mend(lacking)
            if not is_whole and not read_only:
                self._rebuild_full_text(self._rebuilt)
        except BaseException:
            self._store.close()
            raise

    @property
    def is_current(self) -> bool:
        """Whether the index that serves was built as is asked for now."""
        return self._index.identity == self._wanted.identity

    @property
    def lacks_embedder(self) -> bool:
        """Whether the embedder of the index that serves is not here, so that only words are searched."""
        return self._index.indexer is None

    def close(self, reason: CitespanError | None = None) -> None:
        """Close the store when nobody reads or writes it any more; whoever comes later gets `reason`."""
        self._door.shut(reason or NotReady(f"The collection {self.name!r} is being closed."))
        self._store.close()

    def put(self, document: Document, *, progress: Progress | None = None) -> Receipt:
        """Add a document, or replace the one from the same source; one that has not changed is left alone.

        When this returns, the document is durable and will be found. `progress` is told how many of how many passages
        are embedded.

        Raises:
            IndexOutdated: the index is to be built anew, and its embedder is not here.
            StoreError: the store does not take it; then nothing has changed.
        """
        return self.put_all([document], progress=progress)[0]

    def put_all(
        self, documents: Sequence[Document], *, progress: Progress | None = None, along: Along | None = None
    ) -> list[Receipt]:
        """Put documents from different sources in one transaction, and return their receipts in the same order.

        `along` is called in that transaction, before it is committed; not at all where nothing has changed.

        Raises:
            IndexOutdated: the index is to be built anew, and its embedder is not here.
            StoreError: the store does not take them; then nothing has changed.
        """
        if len({document.source for document in documents}) != len(documents):
            raise ValueError("two of the documents have the same source")
        with self._reading() as snapshot:
            unsound = {each.id for each in documents if snapshot.holds(each.id) and not snapshot.is_sound(each.id)}
            known = {each.source: snapshot.document(each.id) for each in documents if each.id not in unsound}
        receipts = {
            document.source: Receipt(record, created=False, changed=False)
            for document in documents
            if (record := known.get(document.source)) is not None and _is_unchanged(record, document)
        }
        changed = [document for document in documents if document.source not in receipts]
        while changed:
            index = self._index
            rows = self._indexer_of(index).index(changed, progress=progress)  # slow: before anything is locked
            with self._changing() as change:
                if index is not self._index:
                    continue  # another index has taken its place meanwhile
                created = [not change.holds(document.id) for document in changed]
                removed = [each for document in changed for each in change.passage_ids_of(document.id)]
                for document, made in zip(changed, rows, strict=True):
                    change.put(document, made.passages, made.headings, made.vectors)
                if unsound:
                    change.rebuild_full_text()  # what of it belonged to the passages that are gone cannot be known
                added = [each for document in changed for each in change.passage_ids_of(document.id)]
                for document, is_new in zip(changed, created, strict=True):
                    receipts[document.source] = Receipt(_found(change, document), created=is_new, changed=True)
                in_order = [receipts[document.source] for document in documents]
                if along is not None:
                    along(change, in_order)
                self._commit(change, removed, added, np.concatenate([made.vectors for made in rows]))
                return in_order
        return [receipts[document.source] for document in documents]

    def delete(self, document_id: str) -> None:
        """Delete a document. When this returns, the deletion is durable.

        Raises:
            UnknownDocument: there is none with this id.
            StoreError: the store does not take the change; then nothing has changed.
        """
        with self._changing() as change:
            if not change.holds(document_id):
                raise self._unknown(document_id)
            is_sound = change.is_sound(document_id)
            removed = change.passage_ids_of(document_id)
            change.delete(document_id)
            if not is_sound:
                change.rebuild_full_text()
            self._commit(change, removed, [], np.empty((0, self._vectors.dimension), np.float32))

    def retrieve(self, question: str, *, top_k: int, filters: Filters | None = None) -> Retrieval:
        """Find the `top_k` passages nearest to a question, all of one generation.

        What the question has in double quotation marks must stand in a passage, or above it. Copies of what is found,
        and page furniture unless no other passage has a word of the question, come behind everything else.
        Full text that turns out to be damaged is made anew from the passages, if this process may write.

        Raises:
            StoreDamaged: something that was found is not what was stored.
        """
        rebuilt = self._rebuilt
        try:
            return self._retrieve(question, top_k, filters or NO_FILTERS)
        except FullTextDamaged:
            if self._read_only:
                raise
            self._rebuild_full_text(rebuilt)
            return self._retrieve(question, top_k, filters or NO_FILTERS)

    def _retrieve(self, question: str, top_k: int, filters: Filters) -> Retrieval:
        while True:
            index = self._index
            query = None if index.indexer is None else index.indexer.embedder.embed_question(question)
            with self._reading() as snapshot:
                with self._committing:
                    self._follow(snapshot)
                    if index is not self._index:
                        continue  # the question was embedded for an index that is gone
                    embedder = (index.indexer or self._wanted).embedder
                    settings = self._retrieval_settings
                    search = Search(snapshot, question, filters, settings, embedder.count_tokens)
                    near = search.near(self._vectors, query, top_k=top_k)
                hits = search.hits(near, top_k=top_k)
                fingerprint = self._fingerprint_of(snapshot, index)
                return Retrieval([], fingerprint, hits) if search.lacks_phrases else Retrieval(hits, fingerprint)

    def reindex(self, *, progress: Progress | None = None, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Build the index that is asked for beside the one that serves, and let it take its place in one transaction.

        What was built before goes on from there. Documents may change meanwhile. `progress` is told how many of how
        many documents are done. Return whether the index is current now; it is not where `stopped` told to stop.

        Raises:
            StoreError: the store does not take it; the index that serves goes on.
        """
        if self.is_current:
            return True
        wanted = self._wanted.identity.to_json()
        with self._changing() as change:
            if change.meta(_STAGED_INDEX) != wanted:
                change.staging.clear()
                change.set_meta(_STAGED_INDEX, wanted)
                change.commit()
        report = progress or (lambda *_: None)
        after = 0
        while not stopped():
            number, documents = self._next_to_stage(after)
            if documents:
                self._stage(documents)
            elif after == 0 and self._take_staged():
                report(*self._staged())
                return True
            # From the beginning again: documents may have changed behind.
            after = number
            report(*self._staged())
        return False

    def document(self, document_id: str) -> DocumentRecord:
        """Return what is known of a document.

        Raises:
            UnknownDocument: there is none with this id.
        """
        with self._reading() as snapshot:
            record = snapshot.document(document_id)
        if record is None:
            raise self._unknown(document_id)
        return record

    def text(self, document_id: str) -> str:
        """Return the canonical text of a document.

        Raises:
            UnknownDocument: there is none with this id.
        """
        with self._reading() as snapshot:
            text = snapshot.text(document_id)
        if text is None:
            raise self._unknown(document_id)
        return text

    def documents(self, *, after: int = 0, limit: int, filters: Filters = NO_FILTERS) -> list[DocumentRecord]:
        """Return up to `limit` documents that pass `filters`, as they first came, above the number `after`."""
        with self._reading() as snapshot:
            return snapshot.documents(after=after, limit=limit, filters=filters)

    def counts(self) -> tuple[int, int]:
        """Return the number of documents and of passages."""
        with self._reading() as snapshot:
            return snapshot.counts()

    def generation(self) -> int:
        """Return the number of the last change."""
        with self._reading() as snapshot:
            return snapshot.generation

    def fingerprint(self) -> str:
        """Return a hash of all that decides what is retrieved: documents, embedder and its engine, settings."""
        with self._reading() as snapshot:
            with self._committing:
                self._follow(snapshot)
                index = self._index
            return self._fingerprint_of(snapshot, index)

    def faults(self) -> list[str]:
        """Check the store and the vectors against each other and return what is wrong, in words; reads everything."""
        with self._reading() as snapshot:
            with self._committing:
                self._follow(snapshot)
                in_memory = self._vectors.ids()
            stored = [each for ids, _ in snapshot.vectors(self._vectors.dimension) for each in ids]
            found = [*filter(None, (self._store.loss, self._store.full_text_fault())), *snapshot.faults()]
        return found if in_memory == stored else [*found, "the vectors in memory are not those of the store"]

    def repair(self) -> tuple[list[str], list[str]]:
        """Index those documents anew whose passages are damaged, from their texts.

        Return the sources of those, and of those whose text or description is damaged: they must be sent again.

        Raises:
            StoreError: the store does not take it, or is too damaged to be read.
        """
        indexed: list[str] = []
        lost: list[str] = []
        with self._store.reading() as snapshot:
            unsound = snapshot.unsound()
        for document_id, source in unsound:
            try:
                with self._store.reading() as snapshot:
                    document = snapshot.whole_document(document_id)
            except StoreDamaged:
                lost.append(source)
                continue
            self.put(document)
            indexed.append(source)
        return indexed, lost

    def compact(self) -> None:
        """Give back the room of all that was deleted; questions go on.

        Raises:
            StoreError: the store does not take it; then it is as it was.
        """
        with self._writing, self._door.inside():
            self._store.compact()

    def _unknown(self, document_id: str) -> UnknownDocument:
        return UnknownDocument(f"There is no document {document_id!r} in the collection {self.name!r}.")

    def _settle(self) -> None:
        """Write down how an empty index will be built, and drop what was staged for an index that nobody wants."""
        wanted = self._wanted.identity.to_json()
        with self._store.reading() as snapshot:
            known, staged = snapshot.meta(_INDEX), snapshot.meta(_STAGED_INDEX)
            is_empty = not snapshot.counts()[0]
        if (is_empty or known == wanted) and (known != wanted or staged not in (None, wanted)):
            with self._store.writing() as change:
                change.set_meta(_INDEX, wanted)
                change.set_meta(_STAGED_INDEX, wanted)
                change.staging.clear()
                change.commit()

    def _index_of(self, snapshot: Snapshot) -> _Index:
        """Return the index of a store.

        Raises:
            IndexOutdated: it was not built as is asked for, and this process only reads.
        """
        known = snapshot.meta(_INDEX)
        if known in (None, self._wanted.identity.to_json()):
            return _Index(self._wanted.identity, self._wanted)
        if self._read_only:
            raise IndexOutdated(
                f"The collection {self.name!r} was indexed with other settings or another embedder; "
                "run `citespan reindex`, or ask the service that serves it."
            )
        identity = IndexIdentity.from_json(str(known))
        embedder = self._wanted.embedder
        if identity.embedder != embedder.identity:
            found = self._find_embedder(identity.embedder)
            return _Index(identity, None if found is None else Indexer(found, identity.passages))
        return _Index(identity, Indexer(embedder, identity.passages))

    def _indexer_of(self, index: _Index) -> Indexer:
        if index.indexer is None:
            raise IndexOutdated(
                f"The collection {self.name!r} is being indexed anew, and the embedder of its old index, "
                f"{index.identity.embedder}, is not here any more. It takes documents again when that is done."
            )
        return index.indexer

    def _next_to_stage(self, after: int) -> tuple[int, list[tuple[Unstaged, Document]]]:
        """Return some documents that are still to be staged, and the number up to which they were looked for."""
        found: list[tuple[Unstaged, Document]] = []
        with self._reading() as snapshot:
            characters = 0
            for each in snapshot.staging.unstaged(after=after, limit=_STAGED_AT_ONCE):
                document = snapshot.whole_document(each.id)
                if found and characters + len(document.text) > _STAGED_CHARACTERS:
                    break
                characters += len(document.text)
                found.append((each, document))
        return (found[-1][0].number if found else 0), found

    def _stage(self, documents: Sequence[tuple[Unstaged, Document]]) -> None:
        made = self._wanted.index([document for _, document in documents])
        with self._changing() as change:
            for (unstaged, _), rows in zip(documents, made, strict=True):
                change.staging.put(unstaged, rows)
            change.commit()

    def _staged(self) -> tuple[int, int]:
        with self._reading() as snapshot:
            return snapshot.counts()[:1] * 2 if self.is_current else snapshot.staging.counts()

    def _take_staged(self) -> bool:
        """Let the staged index serve if nothing is missing in it, and return whether it does."""
        index = _Index(self._wanted.identity, self._wanted)
        with self._changing() as change:
            if change.staging.unstaged(after=0, limit=1):
                return False
            change.take_staged()
            change.set_meta(_INDEX, index.identity.to_json())
            vectors, generation, _ = self._load_vectors(change, index)
            with self._committing:
                change.commit()
                self._index, self._vectors, self._loaded = index, vectors, generation
        return True

    @contextmanager
    def _reading(self) -> Iterator[Snapshot]:
        with self._door.inside(), self._store.reading() as snapshot:
            yield snapshot

    @contextmanager
    def _changing(self) -> Iterator[Change]:
        with self._writing, self._door.inside():
            with self._store.writing() as change:
                yield change
            self._store.tend()

    def _rebuild_full_text(self, rebuilt: int) -> None:
        """Make the full text anew, unless another thread has done so since the count of it was `rebuilt`."""
        with self._writing:
            if self._rebuilt != rebuilt:
                return
            logger.error("The full text of %r is damaged; it is made anew from the passages.", self.name)
            with self._store.writing() as change:
                change.rebuild_full_text()
                change.commit()
            self._rebuilt += 1

    @contextmanager
    def _reading_jobs(self) -> Iterator[JobTable]:
        with self._reading() as snapshot:
            yield snapshot.jobs

    @contextmanager
    def _changing_jobs(self) -> Iterator[JobTable]:
        with self._changing() as change:
            yield change.jobs
            change.commit()

    def _commit(self, change: Change, removed: list[int], added: list[int], vectors: Matrix) -> None:
        """Commit, and bring the vectors along; questions wait for the moment that this takes."""
        with self._committing:
            generation = change.generation
            change.commit()
            try:
                self._vectors.remove(removed)
                self._vectors.add(added, vectors)
                self._loaded = generation
            except Exception:
                # The store is the truth: the next who asks fills the memory from it anew.
                logger.exception("The vectors in memory did not follow a change of %r.", self.name)

    def _follow(self, snapshot: Snapshot) -> None:
        """Pin a snapshot, and fill the vectors anew where they are of another generation than it.

        They are after another process has written to a collection that was opened here to read only.

        Raises:
            IndexOutdated: the other process has built the index otherwise.
        """
        if snapshot.pin() != self._loaded:
            identity = snapshot.meta(_INDEX)
            if identity != self._index.identity.to_json():
                self._index = self._index_of(snapshot)
            self._vectors, self._loaded, _ = self._load_vectors(snapshot, self._index)

    def _load_vectors(self, snapshot: Snapshot, index: _Index) -> tuple[Vectors, int, list[int]]:
        """Fill the memory from a snapshot. Return the vectors, their generation, and which are not in the store.

        Those that are missing or damaged are computed anew from their passages. Passages that are damaged, too, have
        none; where this process writes, it indexes their documents anew.

        Raises:
            StoreDamaged: there are such passages, and this process only reads.
        """
        generation = snapshot.pin()
        vectors = Vectors(index.identity.dimension)
        for ids, matrix in snapshot.vectors(index.identity.dimension):
            vectors.add(ids, matrix)
        if len(vectors) == snapshot.counts()[1] or index.indexer is None:
            return vectors, generation, []
        lacking = sorted(set(snapshot.all_passage_ids()) - set(vectors.ids()))
        logger.error("%d vectors of %r are damaged; they are computed anew.", len(lacking), self.name)
        for start in range(0, len(lacking), _EMBEDDED_AT_ONCE):
            part = lacking[start : start + _EMBEDDED_AT_ONCE]
            texts = snapshot.embedded_texts(part)
            if len(texts) < len(part) and self._read_only:
                snapshot.passages(part)  # says what is wrong
            vectors.add(list(texts), index.indexer.embedder.embed_passages(list(texts.values())))
        return vectors, generation, lacking

    def _mend(self, lacking: list[int]) -> None:
        """Write the vectors that had to be computed anew, and index those documents anew where that was impossible.

        Where the disk does not take it, memory holds what it can.
        """
        computed = sorted(set(lacking) & set(self._vectors.ids()))
        try:
            with self._store.writing() as change:
                change.put_vectors(computed, self._vectors.rows(computed))
                change.commit()
            if len(computed) < len(lacking):
                indexed, lost = self.repair()
                logger.error("In %r, %r were indexed anew from their texts; lost are %r.", self.name, indexed, lost)
        except StoreError as error:
            logger.warning("What is damaged in %r is not mended: %s", self.name, error)

    def _fingerprint_of(self, snapshot: Snapshot, index: _Index) -> str:
        generation = snapshot.generation
        known = self._fingerprint  # read once: another thread may put another generation's in its place
        if known is None or known[0] != generation:
            parts = [
                snapshot.document_hashes(),
                index.identity.to_json(),
                None if index.indexer is None else index.indexer.embedder.engine,
                asdict(self._retrieval_settings),
            ]
            known = self._fingerprint = generation, hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        return known[1]


def _is_unchanged(known: DocumentRecord, document: Document) -> bool:
    structure_sha256 = None if document.structure is None else document.structure.sha256
    if (known.content_sha256, known.structure_sha256, known.title, known.tags, known.date) != (
        document.content_sha256,
        structure_sha256,
        document.title,
        document.tags,
        document.date,
    ):
        return False
    # As JSON: to Python, True and 1 and 1.0 are equal.
    return json.dumps(known.metadata, sort_keys=True) == json.dumps(dict(document.metadata), sort_keys=True)


def _found(change: Change, document: Document) -> DocumentRecord:
    record = change.document(document.id)
    if record is None:
        raise AssertionError("a document that was just written is there")
    return record

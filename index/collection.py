"""A collection: a directory with one store, and its vectors in memory. Documents go in, hits come out."""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from index.documents import Document
from index.embedder import Embedder, Matrix
from index.errors import FullTextDamaged, IndexOutdated, StoreDamaged, StoreError, UnknownDocument
from index.passages import RULES_VERSION, Passage, PassageSettings, embedded_text, heading_above, split_passages
from index.records import DocumentRecord, Filters
from index.retriever import Hit, RetrievalSettings, retrieve
from index.store import Change, Snapshot, Store
from index.vectors import Vectors

Progress = Callable[[int, int], None]

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
    """The hits for a question, best first, and the fingerprint of the collection that they come from."""

    hits: list[Hit]
    fingerprint: str


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
        reindex: Progress | None = None,
    ) -> None:
        """Open the collection in `directory`, making it where there is none and `read_only` is not set.

        With `reindex`, an index that was built otherwise than is asked for now is built anew from the stored texts, in
        one transaction; the function is told of the progress in documents.

        Raises:
            IndexOutdated: the index was built otherwise, and `reindex` is not given.
            UnknownCollection: `read_only`, and there is none.
            StoreError: the store cannot be used.
        """
        self.name = directory.name
        self._embedder = embedder
        self._passage_settings = passage_settings
        self._retrieval_settings = retrieval_settings
        self._store = Store(directory, read_only=read_only)
        self._writing = threading.Lock()  # one change at a time
        self._committing = threading.Lock()  # held while store and vectors go from one generation to the next
        self._fingerprint: tuple[int, str] | None = None
        self._rebuilt = 0  # how many times the full text was made anew
        try:
            if not self._is_current(read_only=read_only):
                if reindex is None:
                    raise IndexOutdated(
                        f"The collection {self.name!r} was indexed with other settings or another embedder; "
                        "run `citespan build` to index it anew."
                    )
                self._reindex(reindex)
            with self._store.reading() as snapshot:
                self._vectors, self._loaded, lacking = self._load_vectors(snapshot, leave_out=not read_only)
                is_whole = snapshot.full_text_is_whole()  # where it is not, and that must be, a question finds out
            if lacking and not read_only:
                self._mend(lacking)
            if not is_whole and not read_only:
                self._rebuild_full_text(self._rebuilt)
        except BaseException:
            self._store.close()
            raise

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def put(self, document: Document, *, progress: Progress | None = None) -> Receipt:
        """Add a document, or replace the one from the same source; one that has not changed is left alone.

        When this returns, the document is durable and will be found. `progress` is told how many of how many passages
        are embedded.

        Raises:
            StoreError: the store does not take it; then nothing has changed.
        """
        with self._store.reading() as snapshot:
            is_sound = not snapshot.holds(document.id) or snapshot.is_sound(document.id)
            known = snapshot.document(document.id) if is_sound else None
        if known is not None and _is_unchanged(known, document):
            return Receipt(known, created=False, changed=False)
        passages, headings, vectors = self._index(document, progress)  # the slow part, before anything is locked
        with self._changing() as change:
            created = not change.holds(document.id)
            removed = change.passage_ids_of(document.id)
            change.put(document, passages, headings, vectors)
            if not is_sound:
                change.rebuild_full_text()  # what of it belonged to the passages that are gone cannot be known
            added = change.passage_ids_of(document.id)
            record = change.document(document.id)
            self._commit(change, removed, added, vectors)
        if record is None:
            raise AssertionError("a document that was just written is there")
        return Receipt(record, created=created, changed=True)

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
            self._commit(change, removed, [], np.empty((0, self._embedder.dimension), np.float32))

    def retrieve(self, question: str, *, top_k: int, filters: Filters | None = None) -> Retrieval:
        """Find the `top_k` passages nearest to a question, all of one generation.

        Full text that turns out to be damaged is made anew from the passages, if this process may write.

        Raises:
            StoreDamaged: something that was found is not what was stored.
        """
        filters = filters or Filters()
        query = self._embedder.embed_question(question)
        rebuilt = self._rebuilt
        try:
            return self._retrieve(question, query, top_k, filters)
        except FullTextDamaged:
            if self._store.read_only:
                raise
            self._rebuild_full_text(rebuilt)
            return self._retrieve(question, query, top_k, filters)

    def _retrieve(self, question: str, query: Matrix, top_k: int, filters: Filters) -> Retrieval:
        settings = self._retrieval_settings
        with self._store.reading() as snapshot:
            with self._committing:
                self._follow(snapshot)
                among = snapshot.passage_ids(filters) if filters else None
                dense = self._vectors.search(query, settings.pool, among=among)
            hits = retrieve(snapshot, question, dense, top_k=top_k, filters=filters, settings=settings)
            return Retrieval(hits, self._fingerprint_of(snapshot))

    def document(self, document_id: str) -> DocumentRecord:
        """Return what is known of a document.

        Raises:
            UnknownDocument: there is none with this id.
        """
        with self._store.reading() as snapshot:
            record = snapshot.document(document_id)
        if record is None:
            raise self._unknown(document_id)
        return record

    def text(self, document_id: str) -> str:
        """Return the canonical text of a document.

        Raises:
            UnknownDocument: there is none with this id.
        """
        with self._store.reading() as snapshot:
            text = snapshot.text(document_id)
        if text is None:
            raise self._unknown(document_id)
        return text

    def documents(self, *, after: int = 0, limit: int) -> list[DocumentRecord]:
        """Return up to `limit` documents in the order in which they first came, above the number `after`."""
        with self._store.reading() as snapshot:
            return snapshot.documents(after=after, limit=limit)

    def counts(self) -> tuple[int, int]:
        """Return the number of documents and of passages."""
        with self._store.reading() as snapshot:
            return snapshot.counts()

    def fingerprint(self) -> str:
        """Return a hash of all that decides what is retrieved: documents, embedder and its engine, settings."""
        with self._store.reading() as snapshot:
            return self._fingerprint_of(snapshot)

    def faults(self) -> list[str]:
        """Check the store and the vectors against each other and return what is wrong, in words; reads everything."""
        with self._store.reading() as snapshot:
            with self._committing:
                self._follow(snapshot)
                in_memory = self._vectors.ids()
            stored = [each for ids, _ in snapshot.vectors(self._embedder.dimension) for each in ids]
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
                document = _stored_document(self.document(document_id), self.text(document_id))
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
        with self._writing:
            self._store.compact()

    def _unknown(self, document_id: str) -> UnknownDocument:
        return UnknownDocument(f"There is no document {document_id!r} in the collection {self.name!r}.")

    def _is_current(self, *, read_only: bool) -> bool:
        """Whether the index was built as is asked for now; an empty one is, after it was told so."""
        wanted = self._index_identity()
        with self._store.reading() as snapshot:
            if snapshot.meta("index") == wanted:
                return True
            if read_only or snapshot.counts()[0]:
                return False
        with self._store.writing() as change:
            change.set_meta("index", wanted)
            change.commit()
        return True

    def _index_identity(self) -> str:
        return json.dumps(
            {
                "embedder": self._embedder.identity,
                "dimension": self._embedder.dimension,
                "passages": asdict(self._passage_settings),
                "rules": RULES_VERSION,
            },
            sort_keys=True,
        )

    def _index(self, document: Document, progress: Progress | None) -> tuple[list[Passage], list[str], Matrix]:
        passages = split_passages(
            document.text,
            markdown=document.is_markdown,
            count_tokens=self._embedder.count_tokens,
            settings=self._passage_settings,
        )
        headings = [heading_above(document.title, passage.section) for passage in passages]
        texts = [embedded_text(heading, passage.text) for heading, passage in zip(headings, passages, strict=True)]
        vectors = np.empty((len(texts), self._embedder.dimension), np.float32)
        for start in range(0, len(texts), _EMBEDDED_AT_ONCE):
            part = texts[start : start + _EMBEDDED_AT_ONCE]
            vectors[start : start + len(part)] = self._embedder.embed_passages(part)
            if progress is not None:
                progress(start + len(part), len(texts))
        return passages, headings, vectors

    @contextmanager
    def _changing(self) -> Iterator[Change]:
        with self._writing:
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
        """
        if snapshot.pin() != self._loaded:
            self._vectors, self._loaded, _ = self._load_vectors(snapshot, leave_out=False)

    def _load_vectors(self, snapshot: Snapshot, *, leave_out: bool) -> tuple[Vectors, int, list[int]]:
        """Fill the memory from a snapshot. Return the vectors, their generation, and which are not in the store.

        Those that are missing or damaged are computed anew from their passages. Passages that are damaged, too, have
        none; it must be said whether they may be left out.

        Raises:
            StoreDamaged: there are such passages, and they may not.
        """
        generation = snapshot.pin()
        vectors = Vectors(self._embedder.dimension)
        for ids, matrix in snapshot.vectors(self._embedder.dimension):
            vectors.add(ids, matrix)
        if len(vectors) == snapshot.counts()[1]:
            return vectors, generation, []
        lacking = sorted(set(snapshot.all_passage_ids()) - set(vectors.ids()))
        logger.error("%d vectors of %r are damaged; they are computed anew.", len(lacking), self.name)
        for start in range(0, len(lacking), _EMBEDDED_AT_ONCE):
            part = lacking[start : start + _EMBEDDED_AT_ONCE]
            texts = snapshot.embedded_texts(part)
            if len(texts) < len(part) and not leave_out:
                snapshot.passages(part)  # says what is wrong
            vectors.add(list(texts), self._embedder.embed_passages(list(texts.values())))
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

    def _reindex(self, progress: Progress) -> None:
        with self._changing() as change:
            records = change.documents()
            for done, record in enumerate(records):
                progress(done, len(records))
                document = _stored_document(record, change.text(record.id) or "")
                change.put(document, *self._index(document, None))
            change.set_meta("index", self._index_identity())
            change.commit()
            progress(len(records), len(records))

    def _fingerprint_of(self, snapshot: Snapshot) -> str:
        generation = snapshot.generation
        known = self._fingerprint  # read once: another thread may put another generation's in its place
        if known is None or known[0] != generation:
            parts = [
                snapshot.document_hashes(),
                self._index_identity(),
                self._embedder.engine,
                asdict(self._retrieval_settings),
            ]
            known = self._fingerprint = generation, hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        return known[1]


def _stored_document(record: DocumentRecord, text: str) -> Document:
    return Document(record.id, record.source, record.title, text, record.content_sha256, record.metadata)


def _is_unchanged(known: DocumentRecord, document: Document) -> bool:
    if (known.content_sha256, known.title) != (document.content_sha256, document.title):
        return False
    # As JSON: to Python, True and 1 and 1.0 are equal.
    return json.dumps(known.metadata, sort_keys=True) == json.dumps(dict(document.metadata), sort_keys=True)

"""An engine in this process: documents indexed afresh, and what answers from them."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from eval.cases import Case
from eval.engines import RANKING_DEPTH, collection_of
from eval.replies import Reply, reply_of
from index.documents import Document
from index.embedder import load_embedder
from index.errors import (
    InvalidQuestion,
    QuestionFailed,
    UnresolvableCitation,
)
from index.library import Library
from service import VERSION
from service.answering import Answerer
from service.engine import load_reader
from service.question import checked_question
from service.schemas import AskResponse
from service.settings import Settings

Progress = Callable[[int, int], None]


class LocalEngine:
    """Answers from the collections of a library, which must not change meanwhile."""

    def __init__(self, library: Library, answerer: Answerer, *, settings: Mapping[str, str] | None = None) -> None:
        """Ask the default collection where a case names none. `settings` are described with the engine."""
        self._library = library
        self._answerer = answerer
        self._settings = dict(settings or {})
        self._ids: dict[str, dict[str, str]] = {}
        self._hashes: dict[str, dict[str, str]] = {}
        for name in library.names():
            records = library.collection(name).documents(limit=-1)
            self._ids[name] = {each.source: each.id for each in records}
            self._hashes[name] = {each.source: each.content_sha256 for each in records}

    def ask(self, case: Case) -> Reply:
        """Return what is answered; it goes the way that a response over HTTP goes, so that both are the same."""
        collection = self._library.collection(self.collection(case))
        try:
            response = self._answerer.ask(
                collection, checked_question(case.question), history=case.history, top_k=RANKING_DEPTH
            )
        except (InvalidQuestion, UnresolvableCitation) as error:
            raise QuestionFailed(str(error)) from error
        return reply_of(AskResponse.of(response).model_dump())

    def documents(self, case: Case) -> Mapping[str, str]:
        """Return the hashes of the documents of the case's collection, by source."""
        return self._hashes[self.collection(case)]

    def text(self, case: Case, source: str) -> str | None:
        """Return the canonical text of a document, None where there is none."""
        name = self.collection(case)
        document_id = self._ids[name].get(source)
        return None if document_id is None else self._library.collection(name).text(document_id)

    def collection(self, case: Case) -> str:
        """Return the collection that the case names, or the default one.

        Raises:
            EngineUnavailable: there are no documents for it.
        """
        return collection_of(case, self._ids)

    def description(self) -> dict[str, str]:
        """Return version, models and settings."""
        return {
            "engine": "in process",
            "citespan": VERSION,
            "reader": self._answerer.reader.identity,
            "min confidence": f"{self._answerer.min_confidence:g}",
            **self._settings,
            "embedder": f"{self._library.embedder.identity} {self._library.embedder.engine}",
        }


@contextmanager
def open_local(
    settings: Settings, documents: Mapping[str, Sequence[Document]], *, progress: Progress = lambda *_: None
) -> Iterator[LocalEngine]:
    """Index the documents of every collection in a place of their own, and answer from them until the context ends.

    `progress` is told how many of how many documents are indexed.

    Raises:
        CitespanError: the models cannot be loaded, or the documents cannot be stored.
    """
    total, done = sum(len(each) for each in documents.values()), 0
    embedder = load_embedder(
        settings.embedder, cache=settings.model_cache_dir, engine=settings.embedder_engine, threads=settings.threads
    )
    with tempfile.TemporaryDirectory(prefix="citespan-eval-") as scratch, Library(Path(scratch), embedder) as library:
        for name, members in documents.items():
            collection = library.create(name)
            for document in members:
                collection.put(document)
                done += 1
                progress(done, total)
        answerer = Answerer(
            load_reader(settings), read_depth=settings.read_depth, min_confidence=settings.min_confidence
        )
        yield LocalEngine(library, answerer, settings={"read depth": str(settings.read_depth)})

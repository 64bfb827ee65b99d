"""The engine: everything that is loaded once and lives as long as the service does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from index.embedder import Embedder, find_embedder, load_embedder
from index.indexer import Progress
from index.library import DEFAULT_COLLECTION, Library, write_lock
from service.answering import Answerer
from service.pace import Pace, PacedEmbedder
from service.reader.artifact import DEFAULT_READER, MODEL_FILE, load_artifact
from service.reader.runtime import load_runtime
from service.reader.span_reader import SpanReader
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Engine:
    """The collections, and what answers from them."""

    library: Library
    answerer: Answerer


@contextmanager
def open_engine(
    settings: Settings,
    *,
    read_only: bool = False,
    reindex: Progress | None = None,
    embedder: Embedder | None = None,
    pace: Pace | None = None,
) -> Iterator[Engine]:
    """Load the models and open the collections; hold the write lock unless `read_only`.

    Documents are embedded at `pace`. `embedder` takes the place of the one that the settings name. The default
    collection is made where it is missing.

    Raises:
        ModelError: a model cannot be loaded.
        StoreError: a store cannot be used, or another process writes.
    """
    with ThreadPoolExecutor(1) as beside:
        # The reader takes as long to load as all the rest; the work of both is done outside the interpreter.
        answerer = beside.submit(_answerer, settings)
        with open_library(settings, read_only=read_only, reindex=reindex, embedder=embedder, pace=pace) as library:
            yield Engine(library, answerer.result())


@contextmanager
def open_library(
    settings: Settings,
    *,
    read_only: bool = False,
    reindex: Progress | None = None,
    embedder: Embedder | None = None,
    pace: Pace | None = None,
) -> Iterator[Library]:
    """Open the collections without a reader, as `open_engine` does."""
    if read_only:
        with _library(settings, embedder, None, read_only=True) as library:
            yield library
        return
    with write_lock(settings.data_dir), _library(settings, embedder, pace, reindex=reindex) as library:
        library.create(DEFAULT_COLLECTION)
        yield library


def load_reader(settings: Settings) -> SpanReader:
    """Load the reader that the settings name.

    Raises:
        ModelError: it is damaged, or nothing here can compute it.
    """
    artifact = load_artifact(settings.reader or DEFAULT_READER)
    runtime = load_runtime(
        artifact.path / MODEL_FILE,
        runtime=settings.reader_runtime,
        threads=settings.threads,
        cache=settings.model_cache_dir,
    )
    return SpanReader(artifact, runtime)


def _library(
    settings: Settings,
    embedder: Embedder | None,
    pace: Pace | None,
    *,
    read_only: bool = False,
    reindex: Progress | None = None,
) -> Library:
    embedder = embedder or load_embedder(
        settings.embedder, cache=settings.model_cache_dir, engine=settings.embedder_engine, threads=settings.threads
    )
    if pace is not None:
        embedder = PacedEmbedder(embedder, pace)

    def former(identity: str) -> Embedder | None:
        found = find_embedder(identity, cache=settings.model_cache_dir, threads=settings.threads)
        return found if found is None or pace is None else PacedEmbedder(found, pace)

    return Library(settings.data_dir, embedder, read_only=read_only, reindex=reindex, find_embedder=former)


def _answerer(settings: Settings) -> Answerer:
    return Answerer(
        load_reader(settings),
        read_depth=settings.read_depth,
        min_confidence=settings.min_confidence,
        base_url=settings.base_url,
    )

"""Paragraphs as a collection: every paragraph a document, and what our own retriever finds for many questions.

What is indexed and found is kept in a folder, so that a benchmark or a training that is run again begins at once.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from eval.squad import Paragraph
from index.documents import make_document
from index.embedder import Embedder, load_embedder
from index.filters import Filters
from index.library import DEFAULT_COLLECTION, Library, write_lock
from index.retriever import Hit

Progress = Callable[[int, int], None]

_AT_ONCE = 50
_opened: dict[str, Library] = {}


def source_of(number: int) -> str:
    """Return the source of the document that paragraph `number` is."""
    return f"paragraph-{number:06}.txt"


def paragraph_of(hit: Hit) -> int:
    """Return the number of the paragraph that a hit comes from."""
    return int(hit.found.source.removeprefix("paragraph-").removesuffix(".txt"))


def index_paragraphs(
    paragraphs: Sequence[Paragraph], folder: Path, embedder: Embedder, progress: Progress = lambda *_: None
) -> Path:
    """Index every paragraph as a document of its own, below `folder`, and return the data directory.

    A folder in which the same paragraphs are indexed already is used as it is.
    """
    content = json.dumps([(each.title, each.text) for each in paragraphs])
    data_dir = folder / f"paragraphs-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    with write_lock(data_dir), Library(data_dir, embedder, reindex=progress) as library:
        collection = library.create(DEFAULT_COLLECTION)
        if collection.counts()[0] == len(paragraphs):
            return data_dir
        for number, paragraph in enumerate(paragraphs):
            document = make_document(paragraph.text, source=source_of(number), title=paragraph.title)
            if document.text != paragraph.text:
                raise ValueError(f"paragraph {paragraph.source} is no canonical text; its offsets would not hold")
            collection.put(document)
            progress(number + 1, len(paragraphs))
    return data_dir


def retrieve_all(
    data_dir: Path,
    questions: Sequence[str],
    *,
    depth: int,
    model: str,
    model_cache: Path,
    processes: int = 2,
    without: Sequence[Collection[int]] | None = None,
    progress: Progress = lambda *_: None,
) -> Iterable[list[Hit]]:
    """Yield the `depth` best hits of every question, in order, found by several processes.

    With `without`, the search is for every question as if these paragraphs were not in the collection.
    """
    asked = list(zip(questions, without or [()] * len(questions), strict=True))
    batches = [asked[start : start + _AT_ONCE] for start in range(0, len(asked), _AT_ONCE)]
    done = 0
    # A fork of a process that has threads may wait for ever for a lock that one of them held.
    context, opened = get_context("spawn"), (data_dir, model, model_cache)
    with ProcessPoolExecutor(max(1, min(processes, len(batches))), context, initializer=_open, initargs=opened) as pool:
        for found in pool.map(_retrieve, batches, [depth] * len(batches)):
            yield from found
            done += len(found)
            progress(done, len(questions))


def _open(data_dir: Path, model: str, model_cache: Path) -> None:
    embedder = load_embedder(model, cache=model_cache, threads=1)
    _opened["library"] = Library(data_dir, embedder, read_only=True)


def _retrieve(asked: Sequence[tuple[str, Collection[int]]], depth: int) -> list[list[Hit]]:
    library = _opened["library"]
    collection = library.collection(DEFAULT_COLLECTION)
    number = collection.counts()[0]
    return [
        collection.retrieve(question, top_k=depth, filters=_all_but(number, without)).hits
        for question, without in asked
    ]


def _all_but(number: int, without: Collection[int]) -> Filters:
    if not without:
        return Filters()
    return Filters(source=tuple(source_of(each) for each in range(number) if each not in without))

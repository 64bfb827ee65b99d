"""Ingestion: how fast documents come in, what questions feel of it, and how soon a service is ready again.

`python -m eval.bench.ingestion DATA` puts every paragraph of the data sets in as a document: one half in this process,
the other over HTTP into a service that is asked meanwhile. Speed is a ratio against the bare embedding of the same
texts in the same run, in turns, so that both see the same machine; latency is one against the same service at rest,
before and after.
"""

import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any

import click
import httpx2
import numpy as np

from eval.bench.data import folder_argument, load_measured, publish
from eval.bench.load import server
from eval.squad import Paragraph, Question
from index.documents import Document, make_document
from index.embedder import Embedder, load_embedder
from index.library import DEFAULT_COLLECTION, Library, write_lock
from index.passages import PassageSettings, embedded_text, heading_above, split_passages
from service.engine import open_engine
from service.pace import Pace, PacedEmbedder
from service.settings import Settings

_IN_TURN = 32
_CITATIONS = 100


@click.command()
@folder_argument
@click.option("--documents", default=0, help="Only so many documents; 0: all of them.")
@click.option("--asked", default=120, show_default=True, help="Questions in each phase that is timed.")
def main(data: Path, documents: int, asked: int) -> None:
    """Measure ingestion on the data sets in DATA."""
    corpus, questions = load_measured(data)
    order = np.random.default_rng(0).permutation(len(corpus.paragraphs))
    chosen = [corpus.paragraphs[each] for each in order][: documents or None]
    # Half of them are there when the service is asked at rest; the other half comes in while it is asked.
    first, second = chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        cache = Settings.from_environment().model_cache_dir
        if cache.is_dir():
            shutil.copytree(cache, data_dir / ".models")
        result: dict[str, Any] = {"documents": len(chosen)}
        result |= _speed(data_dir, first)
        result |= _latency(data_dir, second, [each.text for each in questions], asked)
        result |= _citations(data_dir, questions)
    publish("ingestion", result)


def _speed(data_dir: Path, paragraphs: Sequence[Paragraph]) -> dict[str, Any]:
    """Put documents and embed their passages bare, in turns, one document a transaction and then many."""
    embedder = load_embedder(cache=data_dir / ".models")
    spent = {"bare": 0.0, "one": 0.0, "many": 0.0}
    count = {"bare": 0, "one": 0, "many": 0}
    with write_lock(data_dir), Library(data_dir, PacedEmbedder(embedder, Pace())) as library:
        collection = library.create(DEFAULT_COLLECTION)
        for start in range(0, len(paragraphs), _IN_TURN):
            part = [make_document(each.text, source=each.source) for each in paragraphs[start : start + _IN_TURN]]
            texts = [text for document in part for text in _embedded(document, embedder)]
            way = "many" if start // _IN_TURN % 2 else "one"
            begin = time.perf_counter()
            embedder.embed_passages(texts)
            middle = time.perf_counter()
            if way == "many":
                collection.put_all(part)
            else:
                for document in part:
                    collection.put(document)
            end = time.perf_counter()
            spent["bare"] += middle - begin
            spent[way] += end - middle
            count["bare"] += len(texts)
            count[way] += len(texts)
    rates = {name: count[name] / spent[name] for name in spent if spent[name]}
    return {
        "passages_per_s_embedded_bare": round(rates["bare"], 1),
        "passages_per_s_one_by_one": round(rates["one"], 1),
        "passages_per_s_in_batches": round(rates.get("many", 0.0), 1),
        "speed_ratio_one_by_one": round(rates["one"] / rates["bare"], 2),
        "speed_ratio_in_batches": round(rates.get("many", 0.0) / rates["bare"], 2),
    }


def _embedded(document: Document, embedder: Embedder) -> list[str]:
    """Return what is embedded of a document."""
    passages = split_passages(
        document.text, markdown=document.is_markdown, count_tokens=embedder.count_tokens, settings=PassageSettings()
    )
    return [embedded_text(heading_above(document.title, each.section), each.text) for each in passages]


def _latency(data_dir: Path, paragraphs: Sequence[Paragraph], questions: Sequence[str], asked: int) -> dict[str, Any]:
    """Ask one question after the other: at rest, while documents come in, and at rest again."""
    begin = time.perf_counter()
    with server(data_dir) as (base_url, _), httpx2.Client(base_url=base_url, timeout=600) as client:
        ready = time.perf_counter() - begin
        _ask(client, questions[:20])
        before = _ask(client, questions[:asked])
        done, sent = threading.Event(), [0]

        def send() -> None:
            with httpx2.Client(base_url=base_url, timeout=600) as sender:
                for paragraph in paragraphs:
                    if done.is_set():
                        return
                    response = sender.post("/v1/documents", json={"text": paragraph.text, "source": paragraph.source})
                    response.raise_for_status()
                    sent[0] += 1

        sender = threading.Thread(target=send)
        sender.start()
        during: list[float] = []
        while sender.is_alive() and len(during) < 10 * asked:
            during += _ask(client, questions[:asked])
        done.set()
        sender.join()
        after = _ask(client, questions[:asked])
    p99 = {name: quantiles(each, n=100)[98] for name, each in (("rest", before + after), ("during", during))}
    p50 = {name: quantiles(each, n=100)[49] for name, each in (("rest", before + after), ("during", during))}
    return {
        "ready_again_s": round(ready, 2),
        "came_in_while_asked": sent[0],
        "asked_while_they_came_in": len(during),
        "p50_ms_at_rest": round(p50["rest"], 1),
        "p50_ms_during": round(p50["during"], 1),
        "p50_ratio": round(p50["during"] / p50["rest"], 2),
        "p99_ms_at_rest": round(p99["rest"], 1),
        "p99_ms_during": round(p99["during"], 1),
        "p99_ratio": round(p99["during"] / p99["rest"], 2),
    }


def _ask(client: httpx2.Client, questions: Sequence[str]) -> list[float]:
    """Ask, and return how many milliseconds each answer took."""
    taken = []
    for question in questions:
        begin = time.perf_counter()
        client.post("/v1/ask", json={"question": question}).raise_for_status()
        taken.append((time.perf_counter() - begin) * 1e3)
    return taken


def _citations(data_dir: Path, questions: Sequence[Question]) -> dict[str, Any]:
    """Open everything again, as after a restart, and check citations against the texts that they are of."""
    exact = checked = 0
    settings = Settings.from_environment(data_dir=data_dir)
    embedder = load_embedder(cache=data_dir / ".models")
    begin = time.perf_counter()
    with open_engine(settings, embedder=embedder, read_only=True) as engine:
        loaded = time.perf_counter() - begin
        collection = engine.library.collection(DEFAULT_COLLECTION)
        for question in questions:
            response = engine.answerer.ask(collection, question.text, min_confidence=0.0)
            for citation in response.answer.citations[:1] if response.answer else ():
                text = collection.text(citation.document_id)
                exact += text[citation.cited.start : citation.cited.end] == citation.cited.text
                checked += 1
            if checked >= _CITATIONS:
                break
        faults = collection.faults()
        counts = collection.counts()
    return {
        "loaded_again_s": round(loaded, 2),
        "documents_stored": counts[0],
        "passages_stored": counts[1],
        "citations_checked": checked,
        "citations_exact": exact,
        "faults": faults,
    }


if __name__ == "__main__":
    main()

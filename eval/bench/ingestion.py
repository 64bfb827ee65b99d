"""`python -m eval.bench.ingestion DATA`: paragraphs come in over HTTP, against the bare speed of the embedder.

Every paragraph of the data sets is a document. They are sent to a real server as one batch; the embedder alone computes
the same texts, half of them before and half of them after, in the same run. Then citations are checked against the
texts that the server returns, and the server is started again.
"""

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import httpx2
from rich.progress import Progress

from eval.bench.data import ALL_FILES, folder_argument, publish, sample
from eval.bench.load import server
from eval.paragraphs import source_of
from eval.squad import load_squad
from index.documents import make_document
from index.embedder import load_embedder
from index.indexer import Indexer
from index.passages import PassageSettings, embedded_text, heading_above
from service.console import err
from service.limits import BATCH_PATH
from service.settings import Settings

_CITATIONS = 100
_EMBEDDED_AT_ONCE = 64


@click.command()
@folder_argument
@click.option("--paragraphs", type=int, help="Only the first so many of them.")
def main(data: Path, paragraphs: int | None) -> None:
    """Measure how fast the paragraphs of the data come in, and whether what is cited stands there."""
    try:
        corpus = load_squad(*(data / name for name in ALL_FILES))
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from None
    documents = [
        {"source": source_of(number), "title": each.title, "text": each.text}
        for number, each in enumerate(corpus.paragraphs[:paragraphs])
    ]
    settings = Settings.from_environment()
    embedder = load_embedder(settings.embedder, cache=settings.model_cache_dir, threads=settings.threads)
    texts = [
        embedded_text(heading_above(document.title, passage.section), passage.text)
        for document in (make_document(each["text"], source=each["source"], title=each["title"]) for each in documents)
        for passage in Indexer(embedder, PassageSettings()).cut(document)
    ]
    half = len(texts) // 2
    with tempfile.TemporaryDirectory() as folder:
        with (
            server(Path(folder)) as (url, _),
            httpx2.Client(base_url=url, timeout=600) as client,
            Progress(console=err) as progress,
        ):
            before = _seconds_to_embed(embedder.embed_passages, texts[:half], progress)
            seconds = _seconds_to_ingest(client, documents, progress)
            bare = before + _seconds_to_embed(embedder.embed_passages, texts[half:], progress)
            questions = [each for each in corpus.questions if each.paragraph < len(documents)]
            exact, checked = _check_citations(client, [each.text for each in sample(questions, 4 * _CITATIONS)])
        begin = time.perf_counter()
        with server(Path(folder)):
            ready = time.perf_counter() - begin
    publish(
        "bench-ingestion",
        {
            "documents": len(documents),
            "passages": len(texts),
            "bare embedding, passages a second": round(len(texts) / bare, 1),
            "ingestion, passages a second": round(len(texts) / seconds, 1),
            "ratio": round(bare / seconds, 3),
            "citations checked": checked,
            "citations exact": exact,
            "seconds from start to ready": round(ready, 2),
        },
    )


def _seconds_to_embed(embed: Any, texts: Sequence[str], progress: Progress) -> float:
    begin = time.perf_counter()
    starts = range(0, len(texts), _EMBEDDED_AT_ONCE)
    for start in progress.track(starts, description="Embedding half of the passages"):
        embed(texts[start : start + _EMBEDDED_AT_ONCE])
    return time.perf_counter() - begin


def _seconds_to_ingest(client: httpx2.Client, documents: Sequence[dict[str, str]], progress: Progress) -> float:
    """Return the time from the first byte that is sent to the moment that all documents are durable and found."""
    body = "".join(f"{json.dumps(each)}\n" for each in documents).encode()
    begin = time.perf_counter()
    headers = {"Content-Type": "application/jsonl", "Prefer": "respond-async"}
    response = client.post(BATCH_PATH, content=body, headers=headers)
    response.raise_for_status()
    task = progress.add_task("Sending them", total=len(documents))
    while (job := client.get(response.headers["location"]).json())["state"] in ("waiting", "running"):
        progress.update(task, completed=job["added"])
        time.sleep(0.2)
    if job["added"] != len(documents):
        raise click.ClickException(f"not every paragraph was taken: {job}")
    return time.perf_counter() - begin


def _check_citations(client: httpx2.Client, questions: Sequence[str]) -> tuple[int, int]:
    """Return how many of the first citations of answers stand where they say, and how many were checked."""
    exact = checked = 0
    for question in questions:
        answer = client.post("/v1/ask", json={"question": question, "min_confidence": 0}).json()["answer"]
        if answer is None:
            continue
        for citation in answer["citations"]:
            text = client.get(f"/v1/documents/{citation['document_id']}/text").text
            cited = text[citation["start_char_index"] : citation["end_char_index"]]
            checked += 1
            exact += cited == citation["cited_text"]
            if checked == _CITATIONS:
                return exact, checked
    return exact, checked


if __name__ == "__main__":
    main()

"""`python -m eval.bench.interference DATA`: what questions feel of documents that come in.

One client asks one question after the other: of a service at rest, while another client sends paragraphs, each a
document of its own, and at rest again. What is told are ratios of the same run.
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
from eval.paragraphs import source_of
from eval.squad import Paragraph
from service.limits import DOCUMENTS_PATH
from service.settings import Settings


@click.command()
@folder_argument
@click.option("--present", default=2000, show_default=True, help="Paragraphs that are there from the beginning.")
@click.option("--asked", default=120, show_default=True, help="Questions in each phase.")
@click.option(
    "--rounds", default=10, show_default=True, help="How many times as many questions while paragraphs come in."
)
def main(data: Path, present: int, asked: int, rounds: int) -> None:
    """Measure latency at rest and during ingestion."""
    corpus, questions = load_measured(data)
    order = np.random.default_rng(0).permutation(len(corpus.paragraphs))
    chosen = [(source_of(int(each)), corpus.paragraphs[each]) for each in order]
    with tempfile.TemporaryDirectory() as folder:
        cache = Settings.from_environment().model_cache_dir
        if cache.is_dir():
            shutil.copytree(cache, Path(folder) / ".models")
        result = _latency(
            Path(folder), chosen[:present], chosen[present:], [each.text for each in questions[: asked * rounds]], asked
        )
    publish("interference", result)


def _latency(
    data_dir: Path,
    present: Sequence[tuple[str, Paragraph]],
    coming: Sequence[tuple[str, Paragraph]],
    questions: Sequence[str],
    asked: int,
) -> dict[str, Any]:
    with server(data_dir) as (base_url, _), httpx2.Client(base_url=base_url, timeout=600) as client:
        _send(base_url, present, threading.Event())
        _ask(client, questions[:20])  # the first ones warm up
        before = _ask(client, questions[:asked])
        done = threading.Event()
        sent: list[int] = []
        sender = threading.Thread(target=lambda: sent.append(_send(base_url, coming, done)))
        sender.start()
        during = []
        for start in range(0, len(questions), asked):
            if sender.is_alive():
                during += _ask(client, questions[start : start + asked])
        done.set()
        sender.join()
        after = _ask(client, questions[:asked])
    rest, busy = quantiles(before + after, n=100), quantiles(during, n=100)
    return {
        "present": len(present),
        "came_in": sent[0],
        "asked_meanwhile": len(during),
        "p50_ms_at_rest": round(rest[49], 1),
        "p50_ms_during": round(busy[49], 1),
        "p50_ratio": round(busy[49] / rest[49], 2),
        "p99_ms_at_rest": round(rest[98], 1),
        "p99_ms_during": round(busy[98], 1),
        "p99_ratio": round(busy[98] / rest[98], 2),
    }


def _send(base_url: str, paragraphs: Sequence[tuple[str, Paragraph]], done: threading.Event) -> int:
    """Send paragraphs one after the other until `done`, and return how many were taken."""
    with httpx2.Client(base_url=base_url, timeout=600) as client:
        for number, (source, each) in enumerate(paragraphs):
            if done.is_set():
                return number
            body = {"text": each.text, "source": source, "title": each.title}
            client.post(DOCUMENTS_PATH, json=body).raise_for_status()
    return len(paragraphs)


def _ask(client: httpx2.Client, questions: Sequence[str]) -> list[float]:
    """Ask, and return how many milliseconds each answer took."""
    taken = []
    for question in questions:
        begin = time.perf_counter()
        client.post("/v1/ask", json={"question": question}).raise_for_status()
        taken.append((time.perf_counter() - begin) * 1e3)
    return taken


if __name__ == "__main__":
    main()

"""Latency of an answer, in this process, against the embedding of the question alone."""

import time
from collections.abc import Callable, Sequence
from statistics import median, quantiles
from typing import Any

from index.library import DEFAULT_COLLECTION
from service.engine import Engine


def measure_latency(engine: Engine, questions: Sequence[str], *, rounds: int = 3) -> dict[str, Any]:
    """Ask every question `rounds` times, in turn with its baseline, and return medians in milliseconds and ratios."""
    collection = engine.library.collection(DEFAULT_COLLECTION)
    embed, answer, search = [], [], []
    for question in list(questions[:3]) + list(questions) * rounds:
        embed.append(_milliseconds(engine.library.embedder.embed_question, question))
        search.append(_milliseconds(lambda q: collection.retrieve(q, top_k=5), question))
        answer.append(_milliseconds(lambda q: engine.answerer.ask(collection, q), question))
    embed, search, answer = embed[3:], search[3:], answer[3:]  # the first ones warm up
    return {
        "questions": len(questions),
        "rounds": rounds,
        "embed_question_ms": round(median(embed), 2),
        "search_ms": round(median(search), 2),
        "ask_ms": round(median(answer), 2),
        "ask_p95_ms": round(quantiles(answer, n=20)[-1], 2),
        "search_to_embed": round(median(search) / median(embed), 2),
        "ask_to_embed": round(median(answer) / median(embed), 2),
    }


def _milliseconds(work: Callable[[str], object], question: str) -> float:
    begin = time.perf_counter()
    work(question)
    return (time.perf_counter() - begin) * 1e3

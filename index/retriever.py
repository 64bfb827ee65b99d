"""Retrieval: dense and full-text search over one snapshot, fused by rank into hits."""

from collections.abc import Sequence
from dataclasses import dataclass

from index.filters import Filters
from index.records import StoredPassage
from index.snapshot import Snapshot
from index.words import full_text_query

# Sums that differ only in how floating point came to them are equal.
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question. `rank` counts from 1; `score` is at most 1, for a passage first in both lists."""

    rank: int
    score: float
    found: StoredPassage


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How the two searches are fused.

    Each gives its `pool` best passages; a passage scores the sum of `weight / (constant + rank)` over the lists that it
    is in: reciprocal rank fusion (Cormack, Clarke & Buettcher 2009).
    """

    pool: int = 50
    constant: float = 60.0
    dense_weight: float = 1.0
    full_text_weight: float = 1.0
    heading_weight: float = 0.5


def retrieve(
    snapshot: Snapshot,
    question: str,
    dense: Sequence[tuple[int, float]],
    *,
    top_k: int,
    filters: Filters,
    settings: RetrievalSettings,
) -> list[Hit]:
    """Return the `top_k` best hits, best first.

    `dense` is what the vector search found for the question: (passage id, rounded cosine) of the same generation.
    """
    query = full_text_query(question)
    matches = (
        snapshot.match(query, limit=settings.pool, heading_weight=settings.heading_weight, filters=filters)
        if query
        else []
    )
    places = snapshot.places([each for each, _ in (*dense, *matches)])
    scores: dict[int, float] = {}
    for ranking, weight in ((dense, settings.dense_weight), (matches, settings.full_text_weight)):
        for rank, passage_id in enumerate(_ranked(ranking, places)[: settings.pool], start=1):
            scores[passage_id] = scores.get(passage_id, 0.0) + weight / (settings.constant + rank)
    best = (settings.dense_weight + settings.full_text_weight) / (settings.constant + 1)
    order = _ranked([(each, round(score, _DIGITS)) for each, score in scores.items()], places)[:top_k]
    found = snapshot.passages(order)
    return [Hit(rank, scores[each] / best, found[each]) for rank, each in enumerate(order, start=1)]


def _ranked(scored: Sequence[tuple[int, float]], places: dict[int, tuple[str, int]]) -> list[int]:
    """Return the ids by descending score. Ties fall by place in the documents: ids depend on the order of arrival."""
    return [each for each, _ in sorted(scored, key=lambda item: (-item[1], places[item[0]]))]

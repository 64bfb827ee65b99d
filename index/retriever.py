"""Retrieval: dense and full-text search over one snapshot, fused by rank into hits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from index.filters import Filters
from index.records import Place, StoredPassage
from index.snapshot import Snapshot

# Sums that differ only in how floating point came to them are equal.
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question. `rank` counts from 1; `score` is at most 1, for a passage first in both lists.

    `is_behind`: it comes behind those that say something of their own, for it is a copy of one or page furniture.
    """

    rank: int
    score: float
    found: StoredPassage
    is_behind: bool = False


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How the two searches are fused.

    Each gives its `pool` best passages; a passage scores the sum of `weight / (constant + rank)` over the lists that it
    is in: reciprocal rank fusion (Cormack, Clarke & Buettcher 2009).
    """

    pool: int = 50
    constant: float = 10.0
    dense_weight: float = 1.0
    full_text_weight: float = 1.0
    heading_weight: float = 0.5


def retrieve(
    snapshot: Snapshot,
    query: str | None,
    dense: Sequence[tuple[int, float]],
    *,
    top_k: int,
    filters: Filters,
    settings: RetrievalSettings,
    among: Collection[int] | None = None,
    furniture: bool | None = None,
) -> list[Hit]:
    """Return the `top_k` best hits, best first; copies of what is found come behind everything else.

    `query` is for the full text, None where the question has no word at all. `dense` is what the vector search found
    for the question: (passage id, rounded cosine) of the same generation. `filters`, `among` and `furniture` limit the
    search by words as they have limited that one; see `Snapshot.match`.
    """
    matches = (
        snapshot.match(
            query,
            limit=settings.pool,
            heading_weight=settings.heading_weight,
            filters=filters,
            among=among,
            furniture=furniture,
        )
        if query
        else []
    )
    places = snapshot.places([each for each, _ in (*dense, *matches)])
    scores, worths = _fused(dense, matches, places, settings)
    best = (settings.dense_weight + settings.full_text_weight) / (settings.constant + 1)
    firsts: dict[int, int] = {}
    ranked = _ranked([(each, round(score, _DIGITS)) for each, score in scores.items()], places)
    copies = [each for each in ranked if firsts.setdefault(places[each].wording, each) != each]
    order = _ranked([(each, round(worths[wording], _DIGITS)) for wording, each in firsts.items()], places)
    order = [*order, *copies][:top_k]
    found = snapshot.passages(order)
    behind = set(copies)
    return [
        Hit(rank, worths[places[each].wording] / best, found[each], is_behind=each in behind or furniture is True)
        for rank, each in enumerate(order, start=1)
    ]


def _fused(
    dense: Sequence[tuple[int, float]],
    matches: Sequence[tuple[int, float]],
    places: dict[int, Place],
    settings: RetrievalSettings,
) -> tuple[dict[int, float], dict[int, float]]:
    """Return the score of every passage by itself, and that of every wording, which is once in a list."""
    scores: dict[int, float] = {}
    worths: dict[int, float] = {}
    for ranking, weight in ((dense, settings.dense_weight), (matches, settings.full_text_weight)):
        wordings: dict[int, int] = {}
        for rank, passage_id in enumerate(_ranked(ranking, places), start=1):
            wording = places[passage_id].wording
            of_wording = wordings.setdefault(wording, len(wordings) + 1)
            if of_wording > settings.pool:
                break
            scores[passage_id] = scores.get(passage_id, 0.0) + weight / (settings.constant + rank)
        for wording, rank in wordings.items():
            if rank <= settings.pool:
                worths[wording] = worths.get(wording, 0.0) + weight / (settings.constant + rank)
    return scores, worths


def _ranked(scored: Sequence[tuple[int, float]], places: dict[int, Place]) -> list[int]:
    """Return the ids by descending score. Ties fall by place in the documents: ids depend on the order of arrival."""
    return [each for each, _ in sorted(scored, key=lambda item: (-item[1], places[item[0]]))]

"""A search: what one question finds in one snapshot, by vectors and by words, content before page furniture."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial

from index.embedder import Matrix
from index.filters import Filters
from index.retriever import Hit, RetrievalSettings, retrieve
from index.snapshot import Snapshot
from index.vectors import Vectors
from index.words import TokenCounter, full_text_query, meant_words, quoted_phrases


@dataclass(frozen=True, slots=True)
class Near:
    """What the vectors find, as (passage id, rounded cosine): the content, and the page furniture that comes behind."""

    content: list[tuple[int, float]]
    furniture: list[tuple[int, float]]


class Search:
    """A question put to a snapshot.

    What the question has in double quotation marks must stand in a passage, or above it; `lacks_phrases` says that it
    stands in none, and what comes nearest is found then. Page furniture comes behind content, unless no other passage
    has a word of the question.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        question: str,
        filters: Filters,
        settings: RetrievalSettings,
        count_tokens: TokenCounter,
    ) -> None:
        """Find out which passages may be found at all; `count_tokens` tells words from misspelt ones.

        Raises:
            FullTextDamaged: the full text cannot be searched.
        """
        self._snapshot, self._question, self._filters, self._settings = snapshot, question, filters, settings
        self._count_tokens = count_tokens
        passing = set(snapshot.passage_ids(filters)) if filters else None
        phrases = quoted_phrases(question)
        holding = _both(snapshot.holding(phrases), passing) if phrases else None
        self.lacks_phrases = holding is not None and not holding
        self._among = None if self.lacks_phrases else holding
        self._allowed = passing if self._among is None else self._among
        self._furniture = self._behind_content()

    def near(self, vectors: Vectors, query: Matrix | None, *, top_k: int) -> Near:
        """Search vectors of the snapshot's generation for `query`, of shape (1, dimension), if there is one."""
        if query is None:
            return Near([], [])
        content = self._nearest(vectors, query, among=self._allowed, besides=self._furniture)
        if not self._furniture or len(content) >= top_k:
            return Near(content, [])
        return Near(content, self._nearest(vectors, query, among=_both(self._furniture, self._allowed)))

    def hits(self, near: Near, *, top_k: int) -> list[Hit]:
        """Return the `top_k` best hits, best first, of what the vectors and the words find.

        Raises:
            StoreDamaged: something that was found is not what was stored.
        """
        meant = meant_words(self._question, self._snapshot.word_counts, self._count_tokens)
        find = partial(
            retrieve,
            self._snapshot,
            full_text_query(self._question, meant),
            filters=self._filters,
            settings=self._settings,
            among=self._among,
        )
        hits = find(near.content, top_k=top_k, furniture=False if self._furniture else None)
        if self._furniture and len(hits) < top_k:
            found = find(near.furniture, top_k=top_k - len(hits), furniture=True)
            hits += [replace(hit, rank=len(hits) + hit.rank) for hit in found]
        return hits

    def _behind_content(self) -> set[int]:
        """Return the page furniture that comes behind content: all of it, or none where words are found only there."""
        furniture = set(self._snapshot.furniture())
        query = full_text_query(self._question)
        if not furniture or query is None:
            return furniture
        found = partial(self._snapshot.matches_any, query, filters=self._filters, among=self._among)
        return furniture if found(furniture=False) or not found(furniture=True) else set()

    def _nearest(
        self,
        vectors: Vectors,
        query: Matrix,
        *,
        among: set[int] | None,
        besides: AbstractSet[int] = frozenset(),
    ) -> list[tuple[int, float]]:
        """Search the vectors for as many wordings as the pool has; so that copies of one passage do not fill it."""
        pool = size = self._settings.pool
        while True:
            found = vectors.search(query, size, among=among, besides=besides)
            places = self._snapshot.places([each for each, _ in found])
            if len(found) < size or len({place.wording for place in places.values()}) >= pool:
                return found
            size *= 4


def _both(first: set[int], second: set[int] | None) -> set[int]:
    return first if second is None else first & second

"""Vectors: the FAISS index in memory. It is always filled from the store, which is the truth."""

from collections.abc import Collection, Sequence

import faiss
import numpy as np
from numpy.typing import NDArray

from index.embedder import Matrix


class Vectors:
    """Exact inner-product search over unit vectors, by passage id. Not thread-safe: its owner holds a lock."""

    def __init__(self, dimension: int) -> None:
        """Make an empty index for vectors of length `dimension`."""
        self.dimension = dimension
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def ids(self) -> list[int]:
        """Return the ids of all passages that are in the index, in ascending order."""
        return sorted(int(each) for each in faiss.vector_to_array(self._index.id_map))

    def add(self, ids: Sequence[int], vectors: Matrix) -> None:
        """Add vectors of shape (len(ids), dimension)."""
        if len(ids):
            self._index.add_with_ids(np.ascontiguousarray(vectors), np.asarray(ids, dtype=np.int64))

    def remove(self, ids: Sequence[int]) -> None:
        """Remove vectors; ids that are not there are passed over."""
        if len(ids):
            self._index.remove_ids(_selector(ids))

    def search(self, query: Matrix, k: int, *, among: Collection[int] | None = None) -> list[tuple[int, float]]:
        """Return up to `k` (passage id, cosine), best first, of all passages or only of those `among`.

        `query` has shape (1, dimension).
        """
        k = min(k, len(self) if among is None else len(among))
        if k == 0 or len(self) == 0:
            return []
        parameters = None if among is None else faiss.SearchParameters(sel=_selector(list(among)))
        scores, ids = self._index.search(query, k, params=parameters)
        return [(int(each), float(score)) for each, score in zip(ids[0], scores[0], strict=True) if each >= 0]


def _selector(ids: Sequence[int]) -> "faiss.IDSelectorBatch":
    batch: NDArray[np.int64] = np.asarray(ids, dtype=np.int64)
    return faiss.IDSelectorBatch(batch)

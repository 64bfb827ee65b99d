"""Vectors: the FAISS index in memory. It is always filled from the store, which is the truth."""

from collections.abc import Collection, Sequence

import faiss
import numpy as np
from numpy.typing import NDArray

from index.embedder import Matrix

# Cosines are rounded before they are compared: the same text may differ in the last digits from one batch to another,
# and equal scores must stay equal, or the same documents would not always give the same answer.
_DIGITS = 4


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

    def rows(self, ids: Sequence[int]) -> Matrix:
        """Return the vectors of passages that are in the index, of shape (len(ids), dimension)."""
        rows = [self._index.reconstruct(each) for each in ids]
        return np.array(rows, dtype=np.float32).reshape(len(rows), self.dimension)

    def add(self, ids: Sequence[int], vectors: Matrix) -> None:
        """Add vectors of shape (len(ids), dimension)."""
        if len(ids):
            self._index.add_with_ids(np.ascontiguousarray(vectors), np.asarray(ids, dtype=np.int64))

    def remove(self, ids: Sequence[int]) -> None:
        """Remove vectors; ids that are not there are passed over."""
        if len(ids):
            self._index.remove_ids(_selector(ids))

    def search(
        self, query: Matrix, k: int, *, among: Collection[int] | None = None, besides: Collection[int] = ()
    ) -> list[tuple[int, float]]:
        """Return the `k` best (passage id, rounded cosine), best first, of all passages or only of those `among`.

        Those in `besides` are left out; all of these must be in the index.

        All that score the same as the last of them come with it: which of them FAISS would have left out depends on
        the order in which they were added. `query` has shape (1, dimension).
        """
        if among is not None and besides:
            among, besides = set(among).difference(besides), ()
        total = len(self) - len(besides) if among is None else min(len(self), len(among))
        k = min(k, total)
        if k == 0:
            return []
        selector: faiss.IDSelector | None = None if among is None else _selector(list(among))
        if besides:
            left_out = _selector(list(besides))  # FAISS keeps no hold of it
            selector = faiss.IDSelectorNot(left_out)
        parameters = None if selector is None else faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        faiss.omp_set_num_threads(
            1
        )  # of this thread: one row is searched by one, others would only wait for each other
        size = k
        while True:
            size = min(2 * size, total)
            cosines, ids = self._index.search(query, size, params=parameters)
            found = [
                (int(each), round(float(cosine), _DIGITS))
                for each, cosine in zip(ids[0], cosines[0], strict=True)
                if each >= 0
            ]
            last = found[:k][-1][1] if found else 0.0
            if len(found) < size or size == total or found[-1][1] < last:
                return [each for each in found if each[1] >= last]


def _selector(ids: Sequence[int]) -> "faiss.IDSelectorBatch":
    batch: NDArray[np.int64] = np.asarray(ids, dtype=np.int64)
    return faiss.IDSelectorBatch(batch)

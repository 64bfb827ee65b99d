"""Pace: documents are embedded a few passages at a time, and questions go first.

Embedding takes all cores for as long as it is let. Between two small batches it waits until no question is being
answered, but not for ever: documents come in, however many questions are asked. While nobody asks, batches are larger.
"""

import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from index.embedder import Embedder, Matrix

# So many passages are embedded at once while questions are asked: a question that comes waits for all of them.
_AT_ONCE = 2
# And so many where none was asked for a while: each takes less time, and who asks first waits a little longer.
_AT_ONCE_ALONE = 8
_ALONE_AFTER_S = 10.0
# Seconds that a batch waits for questions at most.
_LONGEST_WAIT_S = 1.0


class Pace:
    """Knows how many questions are being answered. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._questions = 0
        self._last = -math.inf

    @contextmanager
    def question(self) -> Iterator[None]:
        """Answer a question."""
        with self._changed:
            self._questions += 1
        try:
            yield
        finally:
            with self._changed:
                self._questions -= 1
                self._last = time.monotonic()
                self._changed.notify_all()

    def give_way(self) -> int:
        """Wait until no question is being answered, but not for ever, and return how many passages may be next."""
        with self._changed:
            self._changed.wait_for(lambda: self._questions == 0, timeout=_LONGEST_WAIT_S)
            alone = self._questions == 0 and time.monotonic() - self._last > _ALONE_AFTER_S
        return _AT_ONCE_ALONE if alone else _AT_ONCE


class PacedEmbedder:
    """An `Embedder` that embeds passages at a pace, one small batch at a time, whoever asks; questions go straight."""

    def __init__(self, embedder: Embedder, pace: Pace) -> None:
        self._embedder = embedder
        self._pace = pace
        self._turn = threading.Lock()

    @property
    def identity(self) -> str:
        """Model and weights."""
        return self._embedder.identity

    @property
    def engine(self) -> str:
        """What computes the vectors, with its version."""
        return self._embedder.engine

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._embedder.dimension

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Return a float32 matrix of shape (len(texts), dimension) with rows of length 1."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        order = sorted(range(len(texts)), key=lambda each: len(texts[each]))  # what is alike is padded little
        start = 0
        while start < len(order):
            with self._turn:
                batch = order[start : start + self._pace.give_way()]
                start += len(batch)
                vectors[batch] = self._embedder.embed_passages([texts[each] for each in batch])
        return vectors

    def embed_question(self, question: str) -> Matrix:
        """Return a float32 matrix of shape (1, dimension) with a row of length 1."""
        return self._embedder.embed_question(question)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens of the model each text has, special tokens left out."""
        return self._embedder.count_tokens(texts)

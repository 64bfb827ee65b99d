"""An embedder for tests: exact, instant, and without any model. Texts that share words have near vectors."""

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from index.embedder import Matrix

DIMENSION = 64


@lru_cache(10_000)
def _vector(word: str) -> NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(word.encode(errors="replace")).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(DIMENSION)


class WordEmbedder:
    """Embeds a text as the normalised sum of one pseudo-random vector a word."""

    identity = "words@test"
    engine = "test"
    dimension = DIMENSION

    def __init__(self, identity: str = identity) -> None:
        self.identity = identity

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        rows = [self._embed(text) for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(rows), DIMENSION)

    def embed_question(self, question: str) -> Matrix:
        return self.embed_passages([question])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]

    def _embed(self, text: str) -> Matrix:
        total = np.zeros(DIMENSION)
        for word in re.findall(r"\w+", text.lower()) or [text]:
            total += _vector(word)
        length = np.linalg.norm(total)
        return np.asarray(total / length if length else np.eye(1, DIMENSION)[0], dtype=np.float32)

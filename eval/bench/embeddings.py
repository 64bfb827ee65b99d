"""An embedder with a memory on the disk: what a benchmark embeds under many settings, it embeds once."""

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from index.embedder import Embedder, Matrix

_AT_ONCE = 64


class KeptEmbedder:
    """Computes with another embedder what it has not computed before. Not thread-safe."""

    def __init__(self, inner: Embedder, path: Path) -> None:
        """Keep the vectors in a SQLite file at `path`; what is in it survives an interruption."""
        self._inner = inner
        self.identity, self.engine, self.dimension = inner.identity, inner.engine, inner.dimension
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=60)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS embeddings (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID"
        )

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Return a float32 matrix of shape (len(texts), dimension) with rows of length 1."""
        lacking = [text for text in dict.fromkeys(texts) if self._kept("passage", text) is None]
        for start in range(0, len(lacking), _AT_ONCE):
            part = lacking[start : start + _AT_ONCE]
            self._keep("passage", part, self._inner.embed_passages(part))
        rows = [self._kept("passage", text) for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(rows), self.dimension)

    def embed_question(self, question: str) -> Matrix:
        """Return a float32 matrix of shape (1, dimension) with a row of length 1."""
        if (kept := self._kept("question", question)) is None:
            kept = self._inner.embed_question(question)
            self._keep("question", [question], kept)
        return np.array(kept, dtype=np.float32).reshape(1, self.dimension)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens of the model each text has, special tokens left out."""
        return self._inner.count_tokens(texts)

    def _key(self, kind: str, text: str) -> bytes:
        return hashlib.sha256(f"{self.identity}\0{kind}\0{text}".encode()).digest()

    def _kept(self, kind: str, text: str) -> Matrix | None:
        row = self._connection.execute(
            "SELECT vector FROM embeddings WHERE key = ?", (self._key(kind, text),)
        ).fetchone()
        return None if row is None else np.frombuffer(row[0], dtype="<f4")

    def _keep(self, kind: str, texts: Sequence[str], vectors: Matrix) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO embeddings VALUES (?, ?)",
            [
                (self._key(kind, text), vector.astype("<f4").tobytes())
                for text, vector in zip(texts, vectors, strict=True)
            ],
        )

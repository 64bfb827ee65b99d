"""Checksums: a row that was flipped on the disk is told from one that was written."""

import zlib
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from index.embedder import Matrix

Value: TypeAlias = str | bytes | int | None

# What the triggers of the schema call it.
CHECKSUM_FUNCTION = "checksum_of"

# Vectors have length 1; single precision keeps six digits of it.
_LONGEST_ERROR = 1e-3


def checksum(*values: Value) -> int:
    """Return the CRC-32 of a row's values; each counts with its length, so that nothing moves from one to the next."""
    total = 0
    for value in values:
        if isinstance(value, bytes):
            data = value
        else:
            data = b"\0" if value is None else str(value).encode(errors="surrogatepass")
        total = zlib.crc32(data, zlib.crc32(b"%d:" % len(data), total))
    return total


def sound_rows(rows: Sequence[tuple[int, bytes, int]], dimension: int) -> tuple[list[int], Matrix]:
    """Return ids and vectors, shape (ids, dimension), of those (id, vector, checksum) that are as they were written.

    Nothing else may come near FAISS: it would read past the end of a vector that is too short.
    """
    length = 4 * dimension
    kept = [row for row in rows if _is_whole(row[1], length) and checksum(row[0], row[1]) == row[2]]
    matrix = np.frombuffer(b"".join(row[1] for row in kept), dtype="<f4").astype(np.float32)
    matrix = matrix.reshape(len(kept), dimension)
    with np.errstate(all="ignore"):  # of infinities and the like; they are what is looked for
        good = np.abs(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64) - 1) < _LONGEST_ERROR
    if good.all():
        return [row[0] for row in kept], matrix
    return [row[0] for row, is_good in zip(kept, good, strict=True) if is_good], matrix[good]


def _is_whole(vector: object, length: int) -> bool:
    """Whether a value is bytes of some length; where the disk was damaged, it may be anything."""
    return isinstance(vector, bytes) and len(vector) == length

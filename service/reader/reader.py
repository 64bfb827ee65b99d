"""The Reader protocol: what every reader takes and gives, whether it scores sentences or exact spans."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from index.retriever import Hit

Memory: TypeAlias = dict[tuple[str, str, int], Any]
"""What was read: by the question, the document and where the passage begins. Readers alone know the values."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a passage that may answer.

    `hit` is the number of the passage among those that were read, from 0; `start` and `end` are offsets into the
    canonical text of its document. `score` is the log-odds that it answers, comparable between passages.
    """

    hit: int
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found: spans by descending score, without overlaps inside a document.

    `relevance` holds the log-odds that a passage answers at all, for each that was read, in their order; passages after
    those were not read.
    """

    spans: tuple[Span, ...]
    relevance: tuple[float, ...]

    def confidence(self, span: Span) -> float:
        """Return the probability (0 to 1) that `span` answers, by the reader's calibration."""
        return probability(span.score)


def probability(log_odds: float) -> float:
    """Return the probability (0 to 1) that has these log-odds, which may be infinite."""
    return 1.0 / (1.0 + math.exp(min(700.0, -log_odds)))


class Reader(Protocol):
    """Reads passages for a question. Implementations are thread-safe and deterministic."""

    @property
    def identity(self) -> str:
        """Name, version and everything else that decides what is read; part of the fingerprint."""
        ...

    @property
    def min_confidence(self) -> float:
        """The confidence below which it is better to abstain, chosen on development questions."""
        ...

    def read(
        self,
        question: str,
        hits: Sequence[Hit],
        *,
        min_confidence: float,
        told: str = "",
        memory: Memory | None = None,
    ) -> Reading:
        """Return the spans of these passages that may answer the question, but for those that only repeat `told`.

        `min_confidence` is what an answer needs to be given; a reader may stop early only at a confidence above it.
        What is in `memory` need not be read again; what is read may be put there.
        """
        ...

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Return how many tokens of the reader's these texts have together, special tokens left out."""
        ...

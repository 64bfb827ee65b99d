"""Decoding: from the marks of the tokens of one passage to its best spans."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from numpy.typing import NDArray

from service.reader.runtime import Marks

Scores = NDArray[np.float32]

MAX_ANSWER_TOKENS = 40
_NEAR_F1 = 0.5
_NO_SENTENCE = -1
# BLAS wakes threads for products of more than 2**18 multiplications; those then keep the cores busy while the network
# of the next passages is to be computed.
_MULTIPLICATIONS = 2**17
_ROWS = 32


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """The tokens `first` to `last`, both in it, counted from the first token of the passage.

    `score` is the log-odds, against silence, that the answer is this span or one that is nearly the same: with half of
    their tokens in common, as F1 counts them. "42" and "42 fire trucks" speak for each other, not against.
    """

    first: int
    last: int
    score: float


def span_scores(marks: Marks, sentence_of: Sequence[int], *, longest: int = MAX_ANSWER_TOKENS) -> Scores:
    """Return the log-odds of every span of up to `longest` tokens against silence, of shape (tokens, longest span).

    Row i, column k is of the span from token i to token i + k; -inf where there is none: no answer goes from one
    sentence into another. `marks`, of shape (tokens, 2 + 2n), hold what the network says of each token: the log-odds
    that the answer begins there, those that it ends there, and its vectors of n numbers as a beginning and as an end,
    whose products say how well both go together. `sentence_of` is the sentence of each token; it never decreases.
    """
    if not len(marks):
        return np.empty((0, 0), np.float32)
    sentences = np.asarray(sentence_of)
    width = min(longest, _longest_run(sentences))
    # Every row sees the tokens from its own on as a window into one array, filled up behind the last token.
    behind = width - 1
    ends = sliding_window_view(np.pad(marks[:, 1], (0, behind)), width)
    same = sliding_window_view(np.pad(sentences, (0, behind), constant_values=_NO_SENTENCE), width)
    scores: Scores = marks[:, :1] + ends + _pairs(marks[:, 2:], width)
    scores[same != sentences[:, None]] = -np.inf
    return scores


def best_spans(scores: Scores, limit: int) -> list[TokenSpan]:
    """Return up to `limit` spans, the likeliest first, none of which overlaps a likelier one."""
    left = scores.copy()
    tokens, width = left.shape
    found: list[TokenSpan] = []
    while tokens and len(found) < limit:
        first, length = divmod(int(left.argmax()), width)
        last = first + length
        if left[first, length] == -np.inf:
            break
        found.append(TokenSpan(first, last, total_score(_near(scores, first, last))))
        # What overlaps it begins in it, or before it and goes on into it.
        left[first : last + 1] = -np.inf
        for row in range(max(0, first - width + 1), first):
            left[row, first - row :] = -np.inf
    return found


def best_sentences(scores: Scores, sentence_of: Sequence[int], limit: int) -> list[TokenSpan]:
    """Return up to `limit` whole sentences by descending score: the log-odds that any span in them answers."""
    sentences = np.asarray(sentence_of)
    found = []
    for each in np.unique(sentences):
        tokens = np.flatnonzero(sentences == each)
        found.append(TokenSpan(int(tokens[0]), int(tokens[-1]), total_score(scores[tokens])))
    return sorted(found, key=lambda span: (-span.score, span.first))[:limit]


def total_score(scores: Scores) -> float:
    """Return the log-odds that any of the spans answers, all taken together, against silence."""
    peak = scores.max(initial=-np.inf)
    if peak == -np.inf:
        return -np.inf
    return float(peak + np.log(np.exp(scores - peak).sum()))


def _longest_run(sentences: NDArray[np.int64]) -> int:
    """Return the number of tokens of the longest sentence."""
    begins = np.flatnonzero(np.diff(sentences, prepend=_NO_SENTENCE, append=_NO_SENTENCE))
    return int(np.diff(begins).max())


def _pairs(vectors: Marks, width: int) -> Scores:
    """Return the products of every token's vector as a beginning with those of it and the next ones as endings.

    `vectors`, of shape (tokens, 2n), hold both; the products are of shape (tokens, width), 0 behind the last token.
    """
    beginnings, endings = np.split(vectors, 2, axis=1)
    endings = np.pad(endings, ((0, width - 1), (0, 0)))
    pairs = np.empty((len(vectors), width), np.float32)
    # In pieces: hardly more is computed than is used, and the products stay small.
    rows = max(1, min(_ROWS, _MULTIPLICATIONS // max(1, beginnings.shape[1] * width)))
    for begin in range(0, len(vectors), rows):
        piece = beginnings[begin : begin + rows]
        products = piece @ endings[begin : begin + len(piece) + width - 1].T
        down, right = products.strides
        pairs[begin : begin + len(piece)] = as_strided(products, (len(piece), width), (down + right, right))
    return pairs


def _near(scores: Scores, first: int, last: int) -> Scores:
    """Return the scores of the spans whose tokens have an F1 of at least `_NEAR_F1` with the span `first` to `last`."""
    # Whatever is so near is at most `longest` tokens long: all of this span in it, F1 = 2 n / (n + longest).
    tokens = last - first + 1
    longest = int(tokens * (2 / _NEAR_F1 - 1))
    begin = max(0, first - longest + 1)
    around = scores[begin : last + 1, :longest]
    starts = np.arange(begin, last + 1)[:, None]
    lengths = np.arange(1, around.shape[1] + 1)[None, :]
    common = np.minimum(starts + lengths - 1, last) - np.maximum(starts, first) + 1
    return around[2 * common >= _NEAR_F1 * (lengths + tokens)]

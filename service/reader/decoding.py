"""Decoding: from the marks of the tokens of one passage to its best spans."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.reader.runtime import Marks

Scores = NDArray[np.float32]

MAX_ANSWER_TOKENS = 40
_NEAR_F1 = 0.5


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """The tokens `first` to `last`, both in it, counted from the first token of the passage.

    `score` is the log-odds, against silence, that the answer is this span or one that is nearly the same: with half of
    their tokens in common, as F1 counts them. "42" and "42 fire trucks" speak for each other, not against.
    """

    first: int
    last: int
    score: float


def span_scores(marks: Marks, sentence_of: Sequence[int]) -> Scores:
    """Return the log-odds of every span against silence, of shape (tokens, longest span).

    Row i, column k is of the span from token i to token i + k; -inf where there is none: no answer goes from one
    sentence into another. `marks`, of shape (tokens, 2 + 2n), hold what the network says of each token: the log-odds
    that the answer begins there, those that it ends there, and its vectors of n numbers as a beginning and as an end,
    whose products say how well both go together. `sentence_of` is the sentence of each token.
    """
    tokens = len(marks)
    width = min(MAX_ANSWER_TOKENS, tokens)
    starts = np.arange(tokens)[:, None]
    ends = starts + np.arange(width)[None, :]
    inside = ends < tokens
    ends = np.minimum(ends, max(0, tokens - 1))
    sentences = np.asarray(sentence_of)
    inside &= sentences[starts] == sentences[ends]
    beginnings, endings = np.split(marks[:, 2:], 2, axis=1)
    pairs = beginnings @ endings.T
    return np.where(inside, marks[:, 0][starts] + marks[:, 1][ends] + pairs[starts, ends], np.float32(-np.inf))


def best_spans(scores: Scores, limit: int) -> list[TokenSpan]:
    """Return up to `limit` spans, the likeliest first, none of which overlaps a likelier one."""
    left = scores.copy()
    tokens, width = left.shape
    starts = np.arange(tokens)[:, None]
    ends = starts + np.arange(width)[None, :]
    found: list[TokenSpan] = []
    while tokens and len(found) < limit:
        first, length = divmod(int(left.argmax()), width)
        if left[first, length] == -np.inf:
            break
        near = _overlap_f1(starts, ends, first, first + length) >= _NEAR_F1
        found.append(TokenSpan(first, first + length, total_score(scores[near])))
        left[(starts <= first + length) & (ends >= first)] = -np.inf
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


def _overlap_f1(starts: NDArray[np.int64], ends: NDArray[np.int64], first: int, last: int) -> NDArray[np.float64]:
    """Return the F1 of the tokens of every span (`starts` to `ends`, both in it) with those of one."""
    common = np.minimum(ends, last) - np.maximum(starts, first) + 1
    overlap: NDArray[np.float64] = 2 * np.maximum(common, 0) / (ends - starts + last - first + 2)
    return overlap

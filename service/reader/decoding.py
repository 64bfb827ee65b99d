"""Decoding: from the logits of the tokens of one passage to its best spans."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]

MAX_ANSWER_TOKENS = 40
# What every token after the first costs. First and last token are found apart, so that the first of one answer and the
# last of another may go together: a long span has to be more likely than a short one.
TOKEN_COST = 0.05


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """The tokens `first` to `last`, both in it, counted from the first token of the passage; `score` is log-odds."""

    first: int
    last: int
    score: float


def best_spans(logits: Logits, sentence_of: Sequence[int], limit: int) -> list[TokenSpan]:
    """Return up to `limit` spans by descending score, none of which overlaps a better one.

    `logits`, of shape (tokens, 2), hold the log-odds that the answer begins, and that it ends, at each token of the
    passage; a span scores their sum, less `TOKEN_COST` for every token after the first. `sentence_of` is the sentence
    of each token: no answer goes from one into another.
    """
    tokens = len(logits)
    if not tokens:
        return []
    width = min(MAX_ANSWER_TOKENS, tokens)
    starts = np.arange(tokens)[:, None]
    ends = starts + np.arange(width)[None, :]
    inside = ends < tokens
    ends = np.minimum(ends, tokens - 1)
    sentences = np.asarray(sentence_of)
    inside &= sentences[starts] == sentences[ends]
    scores = np.where(inside, logits[:, 0][starts] + logits[:, 1][ends] - TOKEN_COST * (ends - starts), -np.inf)
    found: list[TokenSpan] = []
    while len(found) < limit:
        first, length = divmod(int(scores.argmax()), width)
        score = float(scores[first, length])
        if score == -np.inf:
            break
        found.append(TokenSpan(first, first + length, score))
        scores[(starts <= first + length) & (ends >= first)] = -np.inf
    return found


def best_sentences(logits: Logits, sentence_of: Sequence[int], limit: int) -> list[TokenSpan]:
    """Return up to `limit` whole sentences by descending score: the log-odds that any of their tokens answers."""
    sentences = np.asarray(sentence_of)
    found = []
    for each in np.unique(sentences):
        tokens = np.flatnonzero(sentences == each)
        found.append(TokenSpan(int(tokens[0]), int(tokens[-1]), passage_score(logits[tokens])))
    return sorted(found, key=lambda span: (-span.score, span.first))[:limit]


def passage_score(logits: Logits) -> float:
    """Return the log-odds that the passage answers at all, all its tokens taken together, against silence."""
    peak = logits.max(axis=0)
    total = peak + np.log(np.exp(logits - peak).sum(axis=0))
    return float(total.sum())

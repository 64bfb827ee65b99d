"""Decoding: the best spans of one passage, against looking at every span."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.reader.decoding import MAX_ANSWER_TOKENS, TOKEN_COST, best_sentences, best_spans, passage_score

_LOGITS = st.integers(1, 60).flatmap(
    lambda tokens: st.lists(
        st.tuples(st.integers(-40, 40), st.integers(-40, 40)), min_size=tokens, max_size=tokens
    ).map(lambda rows: np.array(rows, dtype=np.float32) / 4)
)


def _sentences(data: st.DataObject, tokens: int) -> list[int]:
    """Draw the sentence of each of some tokens."""
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, tokens - 1)), max_size=4)))
    return list(np.searchsorted(cuts, range(tokens), side="right").tolist())


@given(_LOGITS, st.integers(1, 5), st.data())
def test_finds_what_looking_everywhere_finds(logits: np.ndarray, limit: int, data: st.DataObject) -> None:
    sentence_of = _sentences(data, len(logits))
    tokens = len(logits)
    every = {
        (first, last): float(logits[first, 0] + logits[last, 1]) - TOKEN_COST * (last - first)
        for first in range(tokens)
        for last in range(first, min(tokens, first + MAX_ANSWER_TOKENS))
        if sentence_of[first] == sentence_of[last]
    }
    found = best_spans(logits, sentence_of, limit)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    for each in found:
        # The best of those that overlap none found before.
        assert each.score == pytest.approx(max(every.values()))
        every = {
            (first, last): score for (first, last), score in every.items() if last < each.first or first > each.last
        }
    assert len(found) == limit or not every


@given(_LOGITS, st.integers(1, 5), st.data())
def test_sentences_come_whole_and_best_first(logits: np.ndarray, limit: int, data: st.DataObject) -> None:
    sentence_of = _sentences(data, len(logits))
    scores = {
        each: passage_score(np.array([row for row, own in zip(logits, sentence_of, strict=True) if own == each]))
        for each in set(sentence_of)
    }
    found = best_sentences(logits, sentence_of, limit)
    assert [each.score for each in found] == pytest.approx(sorted(scores.values(), reverse=True)[:limit])
    for each in found:
        assert set(sentence_of[each.first : each.last + 1]) == {sentence_of[each.first]}
        assert sentence_of.count(sentence_of[each.first]) == each.last - each.first + 1


def test_nothing_is_found_in_nothing() -> None:
    assert best_spans(np.empty((0, 2), np.float32), [], 3) == []
    assert best_sentences(np.empty((0, 2), np.float32), [], 3) == []


def test_passage_scores_add_up_over_its_tokens() -> None:
    logits = np.array([[0.0, 1.0], [0.0, 1.0]], dtype=np.float32)
    assert passage_score(logits) == pytest.approx(2 * np.log(2) + 1)
    assert passage_score(logits + 500) == pytest.approx(2 * np.log(2) + 1001)

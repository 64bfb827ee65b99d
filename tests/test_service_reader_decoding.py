"""Decoding: the best spans of one passage, against looking at every span."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.reader.decoding import MAX_ANSWER_TOKENS, best_sentences, best_spans, span_scores, total_score


@st.composite
def _passages(draw: st.DrawFn) -> tuple[np.ndarray, list[int]]:
    """Draw the marks of some tokens, and the sentence of each."""
    tokens = draw(st.integers(1, 60))
    size = draw(st.integers(0, 3))
    numbers = st.lists(st.integers(-40, 40), min_size=2 + 2 * size, max_size=2 + 2 * size)
    rows = draw(st.lists(numbers, min_size=tokens, max_size=tokens))
    cuts = sorted(draw(st.sets(st.integers(1, max(1, tokens - 1)), max_size=4)))
    return np.array(rows, dtype=np.float32) / 8, list(np.searchsorted(cuts, range(tokens), side="right").tolist())


def _every_span(marks: np.ndarray, sentence_of: list[int]) -> dict[tuple[int, int], float]:
    size = (marks.shape[1] - 2) // 2
    return {
        (first, last): float(marks[first, 0] + marks[last, 1] + marks[first, 2 : 2 + size] @ marks[last, 2 + size :])
        for first in range(len(marks))
        for last in range(first, min(len(marks), first + MAX_ANSWER_TOKENS))
        if sentence_of[first] == sentence_of[last]
    }


@given(_passages(), st.integers(1, 5))
def test_finds_what_looking_everywhere_finds(passage: tuple[np.ndarray, list[int]], limit: int) -> None:
    every = whole = _every_span(*passage)
    found = best_spans(span_scores(*passage), limit)
    for each in found:
        # The best of those that overlap none found before.
        assert every[each.first, each.last] == pytest.approx(max(every.values()), rel=1e-5, abs=1e-5)
        tokens = range(each.first, each.last + 1)
        near = [
            score
            for (first, last), score in whole.items()
            if 2 * len({*tokens} & {*range(first, last + 1)}) >= 0.5 * (len(tokens) + last + 1 - first)
        ]
        assert each.score == pytest.approx(np.logaddexp.reduce(near), rel=1e-4, abs=1e-4)
        every = {
            (first, last): score for (first, last), score in every.items() if last < each.first or first > each.last
        }
    assert len(found) == limit or not every


@given(_passages(), st.integers(1, 5))
def test_sentences_come_whole_and_best_first(passage: tuple[np.ndarray, list[int]], limit: int) -> None:
    marks, sentence_of = passage
    every = _every_span(marks, sentence_of)
    totals = {
        sentence: float(
            np.logaddexp.reduce([score for (first, _), score in every.items() if sentence_of[first] == sentence])
        )
        for sentence in set(sentence_of)
    }
    scores = span_scores(marks, sentence_of)
    found = best_sentences(scores, sentence_of, limit)
    assert [each.score for each in found] == pytest.approx(sorted(totals.values(), reverse=True)[:limit], rel=1e-4)
    for each in found:
        assert set(sentence_of[each.first : each.last + 1]) == {sentence_of[each.first]}
        assert sentence_of.count(sentence_of[each.first]) == each.last - each.first + 1
    assert total_score(scores) == pytest.approx(np.logaddexp.reduce(list(totals.values())), rel=1e-4)


def test_nothing_is_found_in_nothing() -> None:
    scores = span_scores(np.empty((0, 2), np.float32), [])
    assert best_spans(scores, 3) == []
    assert best_sentences(scores, [], 3) == []
    assert total_score(scores) == -np.inf


def test_total_scores_do_not_overflow() -> None:
    scores = np.array([[500.0, 500.0], [500.0, -np.inf]], dtype=np.float32)
    assert total_score(scores) == pytest.approx(500 + np.log(3))


def test_what_goes_together_is_found_though_its_ends_are_not_the_best() -> None:
    marks = np.zeros((4, 4), np.float32)
    marks[:, 0] = [3, 0, 2, 0]
    marks[:, 1] = [0, 2, 0, 3]
    # The first of one answer and the last of another would be the likeliest ends.
    assert best_spans(span_scores(marks, [0, 0, 0, 0]), 1)[0].last == 3
    marks[:, 2] = [1, 0, -1, 0]
    marks[:, 3] = [0, 4, 0, -4]
    spans = best_spans(span_scores(marks, [0, 0, 0, 0]), 2)
    assert [(each.first, each.last) for each in spans] == [(0, 1), (2, 3)]

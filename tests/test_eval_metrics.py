"""Metrics against values worked out by hand, and their bounds."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import ndcg_score, roc_auc_score

from eval import metrics


@pytest.mark.parametrize(
    ("text", "expected"),
    [("The  Cat's, hat!", "cats hat"), ("an A the", ""), ("Theatre", "theatre"), ("US$1 million.", "us1 million")],
)
def test_normalize_follows_squad(text: str, expected: str) -> None:
    assert metrics.normalize(text) == expected


@pytest.mark.parametrize(
    ("prediction", "answers", "exact", "f1"),
    [
        ("42", ["42 fire trucks", "42"], 1.0, 1.0),
        ("the 42 trucks", ["42 fire trucks"], 0.0, 0.8),
        ("three helicopters", ["42 fire trucks"], 0.0, 0.0),
        ("", [], 1.0, 1.0),
        ("anything", [], 0.0, 0.0),
        ("", ["42"], 0.0, 0.0),
        ("a b b", ["b b c"], 0.0, 0.8),
    ],
)
def test_exact_match_and_f1(prediction: str, answers: list[str], exact: float, f1: float) -> None:
    assert metrics.exact_match(prediction, answers) == exact
    assert metrics.f1(prediction, answers) == pytest.approx(f1)


@given(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=3))
def test_f1_is_bounded_and_at_least_exact_match(prediction: str, answers: list[str]) -> None:
    value = metrics.f1(prediction, answers)
    assert 0 <= metrics.exact_match(prediction, answers) <= value <= 1


def test_citation_validity_is_the_share_that_holds() -> None:
    texts = {"a.txt": "🚀 one two"}
    good = ("a.txt", 2, 5, "one")
    assert metrics.citation_validity([good], texts) == 1
    assert metrics.citation_validity([], texts) == 1
    for bad in (("a.txt", 3, 6, "one"), ("b.txt", 2, 5, "one"), ("a.txt", 2, 2, "")):
        assert metrics.citation_validity([good, bad], texts) == 0.5


def test_detection_by_hand() -> None:
    found = metrics.detection([True, True, False, False, True], [True, False, True, False, True])
    assert [found.precision, found.recall, found.f1] == pytest.approx([2 / 3] * 3)
    assert found.support == 3
    assert metrics.detection([False, False], [True, False]) == metrics.Detection(0, 0, 0, 1)
    with pytest.raises(ValueError, match="zip"):
        metrics.detection([True], [])


def test_ranking_metrics_by_hand() -> None:
    ranks = [1, 2, None, 6]
    assert metrics.recall_at(ranks, 1) == 0.25
    assert metrics.recall_at(ranks, 5) == 0.5
    assert metrics.mean_reciprocal_rank(ranks) == pytest.approx((1 + 1 / 2 + 1 / 6) / 4)
    assert metrics.recall_at([], 5) == metrics.mean_reciprocal_rank([]) == 0


def test_overlap_and_cover_need_the_same_document() -> None:
    assert metrics.overlaps(("a", 0, 5), ("a", 4, 6))
    assert not metrics.overlaps(("a", 0, 5), ("a", 5, 6))
    assert not metrics.overlaps(("a", 0, 5), ("b", 0, 5))
    assert metrics.covers(("a", 0, 5), ("a", 0, 5))
    assert not metrics.covers(("a", 1, 5), ("a", 0, 5))


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=15),
    st.lists(st.integers(0, 6), min_size=1, max_size=15),
)
def test_auroc_is_the_share_of_pairs_in_order(positive: list[int], negative: list[int]) -> None:
    pairs = [(p > n) + 0.5 * (p == n) for p in positive for n in negative]
    assert metrics.auroc(positive, negative) == pytest.approx(sum(pairs) / len(pairs))


def test_auroc_of_one_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        metrics.auroc([1.0], [])


@pytest.mark.parametrize(
    ("confidences", "right", "precision", "coverage"),
    [
        ([0.9, 0.8, 0.7, 0.6], [True, True, False, True], 0.75, 1.0),
        ([0.9, 0.8, 0.7, 0.6], [True, True, False, True], 0.9, 0.5),
        ([0.9, 0.8, 0.7, 0.6], [False, True, True, True], 0.9, 0.0),
        ([0.5, 0.5, 0.5, 0.5], [True, True, False, False], 0.9, 0.0),  # all together or none
        ([], [], 0.9, 0.0),
    ],
)
def test_coverage_at_a_precision(
    confidences: list[float], right: list[bool], precision: float, coverage: float
) -> None:
    assert metrics.coverage_at(confidences, right, precision) == pytest.approx(coverage)


def test_calibration_error_by_hand() -> None:
    # Two bins: confidence .2 where none is right, .9 where half is.
    assert metrics.expected_calibration_error(
        [0.2, 0.2, 0.9, 0.9], [False, False, True, False], bins=2
    ) == pytest.approx(0.3)
    assert metrics.expected_calibration_error([0.5] * 10, [True, False] * 5, bins=1) == pytest.approx(0)
    assert metrics.expected_calibration_error([], []) == 0


def test_bootstrap_interval_holds_the_mean_and_narrows() -> None:
    few, many = [0.0, 1.0] * 10, [0.0, 1.0] * 1000
    low, high = metrics.bootstrap(few)
    narrow_low, narrow_high = metrics.bootstrap(many)
    assert low < narrow_low < 0.5 < narrow_high < high
    assert metrics.bootstrap(few) == (low, high)
    assert metrics.bootstrap([1.0, 1.0]) == (1.0, 1.0)
    with pytest.raises(ValueError, match="nothing"):
        metrics.bootstrap([])


def test_citation_correctness_and_span_overlap_by_hand() -> None:
    gold = [("a", 0, 10), ("b", 5, 10)]
    assert metrics.citation_correctness([("a", 9, 12), ("b", 0, 5)], gold) == 0.5
    assert metrics.citation_correctness([], gold) == metrics.span_overlap([], gold) == 0
    assert metrics.span_overlap([("a", 5, 15)], gold) == pytest.approx(5 / 15)
    assert metrics.span_overlap([("a", 0, 10), ("b", 0, 5)], gold) == pytest.approx(0.5)
    assert metrics.span_overlap([("a", 0, 10)], []) == 0


places = st.builds(
    lambda source, start, length: (source, start, start + length),
    st.sampled_from("ab"),
    st.integers(0, 9),
    st.integers(1, 9),
)


@given(st.lists(places, min_size=1, max_size=4), st.lists(places, min_size=1, max_size=4))
def test_span_overlap_is_the_jaccard_index_of_characters(cited: list[metrics.Place], gold: list[metrics.Place]) -> None:
    def characters(place: metrics.Place) -> set[tuple[str, int]]:
        return {(place[0], each) for each in range(place[1], place[2])}

    best = [
        max(len(characters(one) & characters(other)) / len(characters(one) | characters(other)) for other in gold)
        for one in cited
    ]
    value = metrics.span_overlap(cited, gold)
    assert value == pytest.approx(sum(best) / len(best))
    assert value <= metrics.citation_correctness(cited, gold) <= 1
    assert metrics.span_overlap(gold, gold) == pytest.approx(1)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=25), st.integers(1, 12))
def test_ndcg_is_that_of_scikit_learn(gains: list[int], k: int) -> None:
    scores = [[float(len(gains) - rank) for rank in range(len(gains))]]
    assert metrics.ndcg_at(gains, gains, k) == pytest.approx(ndcg_score([gains], scores, k=k))


def test_ndcg_counts_what_was_missed() -> None:
    assert metrics.ndcg_at([1], [1], 10) == 1
    assert metrics.ndcg_at([0, 1], [0, 1, 1], 10) == pytest.approx((1 / np.log2(3)) / (1 + 1 / np.log2(3)))
    assert metrics.ndcg_at([], [1], 10) == metrics.ndcg_at([0], [0], 10) == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_auroc_is_that_of_scikit_learn(scored: list[tuple[int, bool]]) -> None:
    positive = [float(score) for score, kind in scored if kind]
    negative = [float(score) for score, kind in scored if not kind]
    if positive and negative:
        expected = roc_auc_score([kind for _, kind in scored], [score for score, _ in scored])
        assert metrics.auroc(positive, negative) == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30))
def test_risk_coverage_is_what_a_threshold_leaves(scored: list[tuple[int, bool]]) -> None:
    confidences, right = [score / 5 for score, _ in scored], [kind for _, kind in scored]
    curve = metrics.risk_coverage(confidences, right)
    expected = []
    for threshold in sorted(set(confidences), reverse=True):
        answered = [kind for confidence, kind in zip(confidences, right, strict=True) if confidence >= threshold]
        expected.append((len(answered) / len(scored), answered.count(False) / len(answered)))
    assert curve == [pytest.approx(point) for point in expected]
    assert curve[-1][0] == 1
    for precision in (0.5, 0.8, 0.9, 1.0):
        allowed = [coverage for coverage, risk in expected if risk <= 1 - precision + 1e-9]
        assert metrics.coverage_at(confidences, right, precision) == pytest.approx(max(allowed, default=0))


def test_coverage_at_a_precision_that_floating_point_misses() -> None:
    assert metrics.coverage_at([1 - number / 100 for number in range(10)], [True] * 9 + [False], 0.9) == 1


def test_percentiles_by_hand() -> None:
    assert metrics.percentiles([5.0]) == [5, 5, 5]
    assert metrics.percentiles([float(each) for each in range(101)]) == [50, 95, 99]
    assert metrics.percentiles([]) == [0, 0, 0]
    assert metrics.percentiles([1.0, 2.0], [0.5]) == [1.5]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_mcnemar_is_the_binomial_test_of_scipy(pairs: list[tuple[bool, bool]]) -> None:
    first, second = [each for each, _ in pairs], [each for _, each in pairs]
    gained, lost = pairs.count((False, True)), pairs.count((True, False))
    value = metrics.mcnemar(first, second)
    expected = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert value == pytest.approx(expected)
    assert value == metrics.mcnemar(second, first)


def test_mcnemar_needs_pairs() -> None:
    assert metrics.mcnemar([True] * 2000, [False] * 2000) < 1e-9
    with pytest.raises(ValueError, match="zip"):
        metrics.mcnemar([True], [])


def test_paired_difference_sees_what_two_intervals_do_not() -> None:
    draw = random.Random(7)
    first = [draw.random() for _ in range(200)]
    second = [each + 0.02 + draw.gauss(0, 0.02) for each in first]
    value, low, high = metrics.paired_difference(first, second)
    assert 0 < low < value < high < 0.04
    assert metrics.bootstrap(second)[0] < metrics.bootstrap(first)[1]
    assert metrics.paired_difference(first, first) == (0, 0, 0)
    with pytest.raises(ValueError, match="zip"):
        metrics.paired_difference([1.0], [])

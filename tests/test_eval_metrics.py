"""Metrics against values worked out by hand, and their bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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

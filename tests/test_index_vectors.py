"""Vectors: exact search by passage id, whatever was added and removed before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.embedder import Matrix
from index.vectors import Vectors

DIMENSION = 4


def unit_rows(count: int, *, seed: int = 0) -> Matrix:
    rows = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def filled(ids: list[int], rows: Matrix) -> Vectors:
    vectors = Vectors(DIMENSION)
    vectors.add(ids, rows)
    return vectors


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 12)), max_size=30), st.integers(1, 15), st.data())
def test_search_is_exact_after_any_adding_and_removing(
    steps: list[tuple[bool, int]], k: int, data: st.DataObject
) -> None:
    vectors = Vectors(DIMENSION)
    model: dict[int, Matrix] = {}
    for number, (adding, passage_id) in enumerate(steps):
        if adding and passage_id not in model:
            model[passage_id] = unit_rows(1, seed=number)[0]
            vectors.add([passage_id], model[passage_id][None])
        else:
            model.pop(passage_id, None)
            vectors.remove([passage_id])
    assert vectors.ids() == sorted(model)
    assert len(vectors) == len(model)

    query = unit_rows(1, seed=999)
    among = data.draw(st.none() | st.lists(st.integers(1, 14), unique=True))
    allowed = [each for each in model if among is None or each in among]
    exact = sorted(((float(model[each] @ query[0]), each) for each in allowed), reverse=True)[:k]
    found = vectors.search(query, k, among=among)
    assert [each for each, _ in found] == [each for _, each in exact]
    assert [cosine for _, cosine in found] == pytest.approx([cosine for cosine, _ in exact], abs=1e-4)


def test_an_empty_index_finds_nothing() -> None:
    assert Vectors(DIMENSION).search(unit_rows(1), 5) == []
    assert Vectors(DIMENSION).search(unit_rows(1), 5, among=[1]) == []
    assert Vectors(DIMENSION).ids() == []


def test_a_search_among_none_finds_nothing() -> None:
    assert filled([7], unit_rows(1)).search(unit_rows(1), 5, among=[]) == []


def test_nothing_to_add_or_remove_changes_nothing() -> None:
    vectors = filled([3, 9], unit_rows(2))
    vectors.add([], np.empty((0, DIMENSION), np.float32))
    vectors.remove([])
    vectors.remove([4, 5])
    assert vectors.ids() == [3, 9]


def test_all_that_score_the_same_as_the_last_come_with_it() -> None:
    rows = np.tile(unit_rows(1), (200, 1))
    rows[150] = -rows[150]
    ids = list(range(1000, 1200))
    found = filled(ids, rows).search(rows[:1], 5)
    assert sorted(each for each, _ in found) == [each for each in ids if each != 1150]
    assert {cosine for _, cosine in found} == {1.0}


def test_the_order_of_adding_decides_nothing() -> None:
    rows = np.concatenate([np.tile(unit_rows(1), (40, 1)), unit_rows(40, seed=2)])
    order = np.random.default_rng(1).permutation(80)
    straight = filled(list(range(80)), rows).search(rows[:1], 10)
    shuffled = filled([int(each) for each in order], rows[order]).search(rows[:1], 10)
    assert sorted(straight) == sorted(shuffled)


def test_cosines_that_differ_by_rounding_are_equal() -> None:
    rows = np.tile(np.array([[0.6, 0.8, 0.0, 0.0]], np.float32), (2, 1))
    rows[1] += np.float32(1e-7)
    (_, first), (_, second) = filled([1, 2], rows).search(np.array([[1.0, 0.0, 0.0, 0.0]], np.float32), 2)
    assert first == second == 0.6

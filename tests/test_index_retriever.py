"""Retrieval: two rankings fused by rank, ties decided by the documents alone."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from word_embedder import DIMENSION

from index.documents import make_document
from index.filters import Filters
from index.passages import Passage, Sentence
from index.retriever import Hit, RetrievalSettings, retrieve
from index.store import Store
from index.words import full_text_query, meant_words


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path)) as opened:
        yield opened


def put(store: Store, source: str, *texts: str) -> None:
    """Write a document with one passage a text."""
    whole = "\n".join(texts)
    passages = []
    start = 0
    for ordinal, text in enumerate(texts):
        end = start + len(text)
        passages.append(Passage(ordinal, start, end, text, None, (Sentence(start, end),)))
        start = end + 1
    with store.writing() as change:
        vectors = np.zeros((len(passages), DIMENSION), np.float32)
        change.put(make_document(whole, source=source, title="T"), passages, ["T"] * len(passages), vectors)
        change.commit()


def found(
    store: Store,
    question: str,
    dense: list[tuple[str, float]],
    *,
    top_k: int = 10,
    filters: Filters | None = None,
    settings: RetrievalSettings | None = None,
) -> list[Hit]:
    """Retrieve, with the dense ranking given as (source, cosine) of documents of one passage."""
    with store.reading() as snapshot:
        ids = {each.source: key for key, each in snapshot.passages(snapshot.passage_ids(Filters())).items()}
        meant = meant_words(question, snapshot.word_counts, lambda words: [2] * len(words))
        return retrieve(
            snapshot,
            full_text_query(question, meant),
            [(ids[source], cosine) for source, cosine in dense],
            top_k=top_k,
            filters=filters or Filters(),
            settings=settings or RetrievalSettings(),
        )


def sources(hits: list[Hit]) -> list[str]:
    return [hit.found.source for hit in hits]


def test_a_passage_first_in_both_lists_scores_one(store: Store) -> None:
    put(store, "a", "Red trucks drove.")
    put(store, "b", "Blue boats sailed.")
    hits = found(store, "trucks", [("a", 0.9), ("b", 0.1)])
    assert sources(hits) == ["a", "b"]
    assert [hit.rank for hit in hits] == [1, 2]
    assert hits[0].score == pytest.approx(1.0)
    assert hits[1].score == pytest.approx((1 / 12) / (2 / 11))


def test_lists_are_fused_by_reciprocal_rank(store: Store) -> None:
    put(store, "a", "Trucks.")
    put(store, "b", "Trucks and more of other things.")
    put(store, "c", "Boats.")
    settings = RetrievalSettings(constant=20, dense_weight=3.0, full_text_weight=1.0)
    hits = found(store, "trucks", [("c", 0.9), ("b", 0.5), ("a", 0.1)], settings=settings)
    expected = {"a": 3 / 23 + 1 / 21, "b": 3 / 22 + 1 / 22, "c": 3 / 21}
    order = sorted(expected, key=lambda each: -expected[each])
    assert sources(hits) == order
    assert [hit.score for hit in hits] == pytest.approx([expected[each] / (4 / 21) for each in order])


def test_a_passage_in_one_list_alone_is_found(store: Store) -> None:
    put(store, "words", "Red trucks drove.")
    put(store, "meaning", "Lorries of a colour.")
    assert sorted(sources(found(store, "trucks", [("meaning", 0.9)]))) == ["meaning", "words"]


def test_ties_fall_by_source_and_place_whatever_came_first(store: Store) -> None:
    put(store, "z", "Same words.", "Same words.")
    put(store, "a", "Same words.")
    put(store, "m", "Same words.")
    hits = found(store, "same", [("m", 0.5), ("a", 0.5)])
    places = [(hit.found.source, hit.found.passage.start) for hit in hits]
    assert places == [("a", 0), ("m", 0), ("z", 0), ("z", 12)]


def test_each_list_is_cut_to_its_pool_after_ties_were_decided(store: Store) -> None:
    for source in "edcba":
        put(store, source, f"Same words {source}.")
    settings = RetrievalSettings(pool=2)
    assert sources(found(store, "same", [], settings=settings)) == ["a", "b"]
    assert sources(found(store, "?", [(each, 0.5) for each in "edcba"], settings=settings)) == ["a", "b"]


def test_no_more_than_top_k_hits_come_back(store: Store) -> None:
    for source in "abc":
        put(store, source, "Same words.")
    assert sources(found(store, "same", [], top_k=2)) == ["a", "b"]
    assert sources(found(store, "same", [], top_k=9)) == ["a", "b", "c"]


def test_a_question_without_words_is_left_to_the_vectors(store: Store) -> None:
    put(store, "a", "Red trucks.")
    put(store, "b", "Blue boats.")
    assert sources(found(store, "?! \U0001f600", [("b", 0.2), ("a", 0.1)])) == ["b", "a"]


def test_filters_limit_the_full_text_search(store: Store) -> None:
    put(store, "a", "Red trucks.")
    put(store, "b", "Red trucks.")
    assert sources(found(store, "trucks", [], filters=Filters(source=("b",)))) == ["b"]
    assert found(store, "trucks", [], filters=Filters(source=())) == []


def test_a_hit_carries_what_a_citation_needs(store: Store) -> None:
    put(store, "a", "Red trucks.", "Blue boats.")
    (hit,) = found(store, "boats", [])
    document = make_document("Red trucks.\nBlue boats.", source="a", title="T")
    assert (hit.found.document_id, hit.found.document_title, hit.found.source) == (document.id, "T", "a")
    assert hit.found.content_sha256 == document.content_sha256
    passage = hit.found.passage
    assert document.text[passage.start : passage.end] == passage.text == "Blue boats."
    assert passage.sentences == (Sentence(12, 23),)


def test_copies_come_behind_everything_else_the_best_of_them_excepted(store: Store) -> None:
    clause = "The tenant keeps the trucks in order."
    for source in "abcdef":
        put(store, source, clause)
    put(store, "x", "Trucks were sold by the tenant, and this text goes on for a while about other things.")
    hits = found(store, "tenant trucks", [("a", 0.9), ("d", 0.8), ("x", 0.1)], settings=RetrievalSettings(pool=2))
    assert sources(hits)[:2] == ["a", "x"]
    assert sorted(sources(hits)) == ["a", "b", "c", "d", "e", "f", "x"]
    assert [hit.is_behind for hit in hits] == [False, False, *[True] * 5]


@pytest.mark.parametrize("other", ["The tenant paid 43 euros.", "The tenant paid $42.", "The owner paid 42 euros."])
def test_what_differs_in_a_number_a_sign_or_a_name_is_no_copy(store: Store, other: str) -> None:
    put(store, "a", "The tenant paid 42 euros.")
    put(store, "b", other)
    put(store, "c", "the  tenant\npaid 42 EUROS.")
    hits = {hit.found.source: hit.is_behind for hit in found(store, "Who paid euros?", [("a", 0.9), ("b", 0.8)])}
    assert hits == {"a": False, "b": False, "c": True}


def test_a_word_that_stands_nowhere_means_those_that_are_a_letter_away(store: Store) -> None:
    put(store, "a", "Mongolia decided on a donation of blankets.")
    put(store, "b", "Nothing of the kind happened here.")
    for typed in ("mongolya donatoin", "monglia", "mmongolia", "onations", "blankest"):
        assert sources(found(store, typed, [])) == ["a"]
    assert found(store, "mungolya", []) == []  # two letters are too many


def test_a_word_that_is_known_means_itself(store: Store) -> None:
    put(store, "a", "The form was signed.")
    put(store, "b", "The farm was sold.")
    assert sources(found(store, "farm", [])) == ["b"]

"""The sentence reader: what it prefers, and that it gives the same reading every time."""

from itertools import pairwise
from pathlib import Path

import pytest
from word_embedder import WordEmbedder

from index.documents import make_document
from index.library import Library
from index.retriever import Hit
from service.reader.sentence_reader import FEATURES, MAX_CANDIDATES, Coefficients, SentenceReader

TEXT = (
    "The mill burned down in 1907. It was rebuilt by Anna Berg two years later. "
    "The new mill has 12 wheels. The wheels were made in Ghent. Nobody was hurt."
)


@pytest.fixture
def hits(tmp_path: Path, words: WordEmbedder) -> list[Hit]:
    return _hits(tmp_path / "mill", words, TEXT, "mill")


def _hits(directory: Path, words: WordEmbedder, text: str, question: str) -> list[Hit]:
    with Library(directory, words) as library:
        collection = library.create("default")
        collection.put(make_document(text, source="text.txt", title="The mill"))
        return collection.retrieve(question, top_k=5).hits


@pytest.fixture
def reader(words: WordEmbedder) -> SentenceReader:
    return SentenceReader(words)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many wheels does the new mill have?", "The new mill has 12 wheels."),
        ("When did the mill burn down?", "The mill burned down in 1907."),
        ("Who rebuilt it?", "It was rebuilt by Anna Berg two years later."),
        ("Where were the wheels made?", "The wheels were made in Ghent."),
    ],
)
def test_best_sentence_answers(reader: SentenceReader, hits: list[Hit], question: str, expected: str) -> None:
    best = reader.read(question, hits).spans[0]
    assert TEXT[best.start : best.end] == expected


def test_spans_are_sorted_and_do_not_overlap(reader: SentenceReader, hits: list[Hit]) -> None:
    spans = reader.read("How many wheels has the mill?", hits + hits).spans
    assert [span.score for span in spans] == sorted((span.score for span in spans), reverse=True)
    places = sorted((span.start, span.end) for span in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(places))


def test_confidence_falls_when_the_documents_say_nothing_of_it(reader: SentenceReader, hits: list[Hit]) -> None:
    asked = reader.read("How many wheels does the new mill have?", hits)
    foreign = reader.read("Which planet has the largest moon?", hits)
    assert foreign.confidence(foreign.spans[0]) < reader.min_confidence < asked.confidence(asked.spans[0])


def test_nothing_retrieved_gives_no_span(reader: SentenceReader) -> None:
    assert reader.read("Who?", []).spans == ()


def test_reading_is_repeatable_and_bounded(tmp_path: Path, words: WordEmbedder, reader: SentenceReader) -> None:
    many = _hits(tmp_path / "many", words, " ".join(f"Fact number {n} is here." for n in range(60)), "fact")
    first = reader.read("Which fact is number 7?", many)
    assert reader.read("Which fact is number 7?", many) == first
    assert len(first.spans) == MAX_CANDIDATES


def test_identity_tells_the_coefficients(words: WordEmbedder) -> None:
    other = Coefficients(dict.fromkeys(FEATURES, 1.0), 0.0, 0.5)
    assert SentenceReader(words, other).identity != SentenceReader(words).identity
    assert SentenceReader(words).identity == SentenceReader(words).identity

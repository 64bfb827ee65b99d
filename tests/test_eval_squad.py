"""Data sets in the format of SQuAD, paragraphs as a collection, and reading in bulk."""

from pathlib import Path

import pytest
from conftest import MODEL_CACHE
from scripted import scripted_reader
from tiny_data import tiny_data

from eval.bench.data import load_measured, sample, with_interval
from eval.paragraphs import index_paragraphs, paragraph_of, retrieve_all
from eval.reading import answering, read_again, read_all
from eval.squad import Corpus, Question, load_squad
from index.embedder import Embedder
from index.model_folder import DEFAULT_MODEL
from index.retriever import Hit


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def corpus(data: Path) -> Corpus:
    return load_squad(data / "new_wiki.json", data / "reddit.json")


@pytest.fixture(scope="module")
def data_dir(corpus: Corpus, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    data_dir = index_paragraphs(corpus.paragraphs, folder, embedder)
    assert index_paragraphs(corpus.paragraphs, folder, embedder) == data_dir
    return data_dir


@pytest.fixture(scope="module")
def found(corpus: Corpus, data_dir: Path) -> list[list[Hit]]:
    texts = [each.text for each in corpus.questions]
    return list(retrieve_all(data_dir, texts, depth=3, model=DEFAULT_MODEL, model_cache=MODEL_CACHE))


def test_offsets_and_weights(corpus: Corpus) -> None:
    for question in corpus.questions:
        text = corpus.paragraphs[question.paragraph].text
        assert {text[gold.start : gold.end] for gold in question.answers} == set(question.accepted)
        assert sum(gold.weight for gold in question.answers) == pytest.approx(1)
    assert corpus.paragraphs[0].title == "New Town"


def test_questions_measured_are_those_of_new_wiki_among_all_paragraphs(data: Path) -> None:
    whole, measured = load_measured(data)
    assert len(measured) == 8
    assert {whole.paragraphs[each.paragraph].title for each in measured} == {"New Town", "Old Town"}
    assert len(whole.paragraphs) > len({each.paragraph for each in measured})


def test_hits_come_in_the_order_of_the_questions(corpus: Corpus, found: list[list[Hit]]) -> None:
    assert len(found) == len(corpus.questions)
    for question, hits in zip(corpus.questions, found, strict=True):
        place = next(each for each in hits if paragraph_of(each) == question.paragraph).found
        assert place.passage.text in corpus.paragraphs[question.paragraph].text


def test_what_is_read_is_judged_against_all_accepted_answers(corpus: Corpus, found: list[list[Hit]]) -> None:
    reader = scripted_reader({"Ada Lovelace": 9.0, "wrote": 1.0})
    for reading in read_all(reader, corpus.questions, found, depth=3):
        judged = reading.judged(reader)
        assert judged.f1 == float("Ada Lovelace" in reading.question.accepted) or judged.text != "Ada Lovelace"
        assert len(reading.at(1).hits) == len(reading.at(1).read) == 1
        assert not reading.is_first(reader) or reading.is_found()


def test_the_answer_is_taken_away_whole(corpus: Corpus, data_dir: Path, found: list[list[Hit]]) -> None:
    def holds(question: Question, hit: Hit) -> bool:
        paragraph = corpus.paragraphs[paragraph_of(hit)]
        same = paragraph.title == corpus.paragraphs[question.paragraph].title
        return same and any(answer in paragraph.text for answer in question.accepted)

    reader = scripted_reader({"Ada Lovelace": 9.0, "wrote": 1.0})
    texts = [each.text for each in corpus.questions]
    without = [answering(corpus, each) for each in corpus.questions]
    left = retrieve_all(data_dir, texts, depth=3, model=DEFAULT_MODEL, model_cache=MODEL_CACHE, without=without)
    for reading, hits in zip(read_all(reader, corpus.questions, found, depth=3), left, strict=True):
        again = read_again(reader, reading, hits)
        assert not any(holds(reading.question, hit) for hit in hits)
        assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
        assert len(hits) == min(3, len(corpus.paragraphs) - len(answering(corpus, reading.question)))
        assert list(again.read) == reader.read_passages(reading.question.text, hits)


def test_samples_are_drawn_the_same_every_time(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    few = sample(corpus.questions, 3)
    assert few == sample(corpus.questions, 3)
    assert len(few) == 3
    monkeypatch.setenv("FULL", "1")
    assert sample(corpus.questions, 3) == list(corpus.questions)


def test_intervals_hold_their_value() -> None:
    figure = with_interval([0.0, 1.0, 1.0, 1.0])
    assert figure["low"] <= figure["value"] == 0.75 <= figure["high"]

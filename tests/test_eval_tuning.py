"""The bench of settings: forms of questions, long documents, what is kept of embeddings, and one run of all of it."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tiny_data import tiny_data
from word_embedder import WordEmbedder

from eval.bench import long, tuning
from eval.bench.embeddings import KeptEmbedder
from eval.bench.forms import keywords, misspelt
from eval.bench.long_documents import long_documents
from eval.squad import load_squad
from index.embedder import Matrix


@given(st.text(max_size=60), st.integers(0, 9))
def test_typing_errors_are_the_same_every_time(text: str, seed: int) -> None:
    assert misspelt(text, seed) == misspelt(text, seed)


def test_typing_errors_are_in_longer_words_alone() -> None:
    question = "How many trucks did the 2019 loan secure?"
    wrong = {misspelt(question, seed) for seed in range(20)}
    assert len(wrong) > 10
    for each in wrong:
        words = each.split()
        assert [words[place] for place in (0, 1, 3, 4, 5, 6)] == ["How", "many", "did", "the", "2019", "loan"]
    assert misspelt("Who is it?", 0) == "Who is it?"


def test_keywords_are_the_words_that_tell() -> None:
    assert keywords("How many trucks did the 2019 loan secure?") == "trucks 2019 loan secure"


def test_long_documents_hold_every_paragraph_asked_about_where_they_say(tmp_path: Path) -> None:
    corpus = load_squad(tiny_data(tmp_path) / "new_wiki.json")
    made = long_documents(corpus, corpus.questions, 3)
    assert made == long_documents(corpus, corpus.questions, 3)
    assert len(made) <= 3
    places = {number: each for each in made for number in each.starts}
    assert places.keys() >= {question.paragraph for question in corpus.questions}
    for number, document in places.items():
        assert document.text.startswith(corpus.paragraphs[number].text, document.starts[number])


def test_what_was_embedded_is_not_embedded_again(tmp_path: Path) -> None:
    asked: list[str] = []

    class Counting(WordEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> Matrix:
            asked.extend(texts)
            return super().embed_passages(texts)

    first = KeptEmbedder(Counting(), tmp_path / "kept.sqlite")
    expected = WordEmbedder().embed_passages(["one", "two", "one"])
    assert np.array_equal(first.embed_passages(["one", "two", "one"]), expected)
    again = KeptEmbedder(Counting(), tmp_path / "kept.sqlite")
    assert np.array_equal(again.embed_passages(["two", "one"]), expected[[1, 0]])
    assert asked == ["one", "two"]
    assert np.array_equal(again.embed_question("one"), again.embed_question("one"))
    assert asked == ["one", "two", "one"]  # questions may be embedded otherwise than passages


def test_settings_are_compared_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setattr(tuning, "load_embedder", lambda *_, **__: WordEmbedder())
    monkeypatch.setattr(tuning, "LONG_DOCUMENTS", 3)
    for module in (tuning, __import__("eval.bench.data", fromlist=["OUTPUT"])):
        monkeypatch.setattr(module, "OUTPUT", tmp_path / "out")
    result = CliRunner().invoke(tuning.main, [str(tiny_data(data)), "--questions", "4", "--only", "120 to 200 tokens"])
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "out" / "bench-tuning.json").read_text())
    found = {name: figure["value"] for name, figure in figures.items() if name.startswith("long documents")}
    assert found.keys() == {
        f"long documents | 120 to 200 tokens, 0 repeated | as asked | {each}"
        for each in ("recall@1", "recall@5", "MRR", "right document first")
    }
    assert found["long documents | 120 to 200 tokens, 0 repeated | as asked | recall@5"] > 0.5


def test_long_documents_are_asked_beside_their_paragraphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setattr(long, "load_embedder", lambda *_, **__: WordEmbedder())
    monkeypatch.setattr(long, "LONG_DOCUMENTS", 3)
    for module in (long, tuning, __import__("eval.bench.data", fromlist=["OUTPUT"])):
        monkeypatch.setattr(module, "OUTPUT", tmp_path / "out")
    options = ["--questions", "4", "--depth", "1", "--depth", "10", "--size", "100", "20", "60"]
    result = CliRunner().invoke(long.main, [str(tiny_data(data)), *options])
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "out" / "bench-long.json").read_text())
    for arrangement in ("paragraphs", "paragraphs, titled alike", "long documents"):
        labels = [f"{arrangement}, 60 to 100 tokens, 20 repeated, {depth} read" for depth in (1, 10)]
        first, later = ({k: figures[f"{label} | {k}"]["value"] for k in long.FIGURES} for label in labels)
        assert later["right place cited"] <= later["right document cited"] <= 1
        assert later["F1, silence 0"] <= later["F1, forced"]
        assert first["right place cited"] <= later["right place cited"] > 0


def test_missing_data_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "load_embedder", lambda *_, **__: WordEmbedder())
    monkeypatch.setattr(tuning, "OUTPUT", tmp_path / "out")
    result = CliRunner().invoke(tuning.main, [str(tmp_path)])
    assert result.exit_code == 1
    assert "are public" in result.output

"""The benchmarks of reader and retrieval, on data of a few sentences: they run, and print what they saw."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import MODEL_CACHE
from scripted import scripted_reader
from tiny_data import tiny_data

from eval.bench import reader as bench_reader
from eval.bench import retrieval as bench_retrieval
from eval.squad import load_squad
from index.embedder import Embedder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return tiny_data(folder)


def test_gold_paragraph_scores_what_is_read(data: Path, embedder: Embedder) -> None:
    corpus = load_squad(data / "new_wiki.json")
    answers = {answer: 9.0 for question in corpus.questions for answer in question.accepted if not answer.isdigit()}
    names = [each for each in corpus.questions if each.text.startswith("Who")]
    perfect = bench_reader.gold_paragraph(scripted_reader(answers), embedder, corpus, names)
    assert perfect["exact match"]["value"] == perfect["F1"]["value"] == 1
    wrong = bench_reader.gold_paragraph(scripted_reader({"Nobody": 9.0}), embedder, corpus, names)
    assert wrong["exact match"]["value"] == wrong["F1"]["value"] == 0


def test_retrieval_bench_from_end_to_end(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITESPAN_MODEL_CACHE", str(MODEL_CACHE))
    for module in (bench_retrieval, __import__("eval.bench.data", fromlist=["OUTPUT"])):
        monkeypatch.setattr(module, "OUTPUT", tmp_path / "out")
    result = CliRunner().invoke(bench_retrieval.main, [str(data), "--questions", "6", "--abstention", "8"])
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "out" / "bench-retrieval.json").read_text())
    assert figures["questions"] == 6
    assert figures["abstention questions"] == 8
    assert 0 <= figures["calibration error"] <= 1
    assert figures["recall@20 as retrieved"]["value"] == 1  # there are no more paragraphs than that
    assert figures["F1, 5 read, forced"]["value"] > 0


@pytest.mark.parametrize("bench", [bench_reader.main, bench_retrieval.main])
def test_missing_data_is_told_in_one_line(bench: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITESPAN_MODEL_CACHE", str(MODEL_CACHE))
    result = CliRunner().invoke(bench, [str(tmp_path)])  # type: ignore[arg-type]
    assert result.exit_code == 1
    assert "are public" in result.output

"""Runs: the figures of the service on the seeds, with the real models."""

import pytest
from click.testing import CliRunner
from conftest import MODEL_CACHE, SEEDS

from eval.cases import SEEDS_SET, Case, GoldSpan, read_cases, standing_alone
from eval.cli import main
from eval.run import Record, Run, figures, run_cases
from index.library import Library
from service.answering import Answerer
from service.engine import load_reader
from service.reader.span_reader import SpanReader
from service.settings import Settings

READ_DEPTH = Settings().read_depth


@pytest.fixture(scope="module")
def reader() -> SpanReader:
    return load_reader(Settings())


@pytest.fixture(scope="module")
def run(seeds_library: Library, reader: SpanReader) -> Run:
    answerer = Answerer(reader, read_depth=READ_DEPTH)
    return run_cases(standing_alone(read_cases(SEEDS_SET)), answerer, seeds_library.collection("default"))


def test_every_citation_holds(run: Run) -> None:
    assert any(record.cited for record in run.records)
    assert run.figures().citation_validity == 1


def test_retrieval_brings_up_the_gold_spans(run: Run) -> None:
    assert run.figures().recall_at_5 >= 0.95


def test_most_dev_questions_get_a_supported_answer(run: Run) -> None:
    dev = figures([record for record in run.records if record.case.split == "dev"], run.texts)
    assert dev.supported >= 0.5


def test_questions_about_nothing_in_the_documents_are_declined(seeds_library: Library, reader: SpanReader) -> None:
    answerer = Answerer(reader, read_depth=READ_DEPTH)
    collection = seeds_library.collection("default")
    foreign = [
        "Who painted the ceiling of the Sistine Chapel?",
        "What is the boiling point of mercury?",
        "How many strings does a cello have?",
        "When was the first transatlantic telegraph cable laid?",
        "Which enzyme breaks down lactose?",
    ]
    declined = [answerer.ask(collection, question).answer is None for question in foreign]
    assert sum(declined) >= 4


def test_same_fingerprint_gives_the_same_answers(run: Run, seeds_library: Library, reader: SpanReader) -> None:
    answerer = Answerer(reader, read_depth=READ_DEPTH)
    cases = [record.case for record in run.records][::8]
    again = run_cases(cases, answerer, seeds_library.collection("default"))
    assert again.fingerprint == run.fingerprint
    assert [record.answer for record in again.records] == [record.answer for record in run.records][::8]


def _record(answerable: bool, answer: str, *, supported: bool = False, rank: int | None = None) -> Record:
    spans = (GoldSpan("a.txt", 0, 2),) if answerable else ()
    case = Case("x", "Which?", ("42",) if answerable else (), spans, answerable, (), "dev")
    return Record(case, answer, 0.9 if answer else 0.0, (), rank, supported, 1.0)


def test_figures_by_hand() -> None:
    records = [
        _record(True, "42", supported=True, rank=1),
        _record(True, "7", rank=2),
        _record(True, ""),
        _record(False, ""),
        _record(False, "42"),
    ]
    found = figures(records, {})
    assert found.right == pytest.approx(2 / 5)
    assert found.supported == pytest.approx(1 / 3)
    assert found.exact_match == found.f1 == pytest.approx(2 / 5)
    assert found.answerable.precision == pytest.approx(2 / 3)
    assert found.unanswerable.recall == pytest.approx(1 / 2)
    assert found.recall_at_1 == pytest.approx(1 / 3)


def test_command_prints_the_table(monkeypatch: pytest.MonkeyPatch, seeds_library: Library) -> None:
    monkeypatch.setenv("CITESPAN_MODEL_CACHE", str(MODEL_CACHE))
    result = CliRunner().invoke(
        main, ["run", str(SEEDS_SET), "--documents", str(SEEDS), "--split", "dev", "--failures"]
    )
    assert result.exit_code == 0, result.output
    assert "citation validity" in result.output
    assert "1.000" in result.output
    assert "expected" in result.output


def test_command_tells_a_bad_set_in_one_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    result = CliRunner().invoke(
        main, ["run", str(tmp_path_factory.mktemp("x") / "none.jsonl"), "--documents", str(SEEDS)]
    )
    assert result.exit_code == 2
    assert "cannot be read" in result.output

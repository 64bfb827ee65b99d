"""The pytest plugin, in a pytest of its own, against a service that listens on a port."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from conftest import ROOT
from listening import SECRET, listening

from eval.baseline import baseline_of, write_baseline
from eval.cases import Case, GoldSpan
from eval.http_engine import HttpEngine
from eval.run import run_cases
from eval.verdicts import Verdict
from service.conversation import Turn

REQUIRED = ("answers", "spans", "answerable", "tags")
TEXT = "Ada Lovelace wrote the first program in 1843. It computed Bernoulli numbers."


def _case(identifier: str, question: str, *answers: str) -> Case:
    spans = tuple(GoldSpan("ada.txt", TEXT.index(each), TEXT.index(each) + len(each)) for each in answers[:1])
    return Case(identifier, question, answers, spans, bool(answers), (), "dev")


RIGHT = _case("year", "When was the first program written?", "1843", "in 1843")
SILENT = _case("foreign", "Who painted the ceiling of the Sistine Chapel?")
WRONG = _case("wrong", "Who wrote the first program?", "Bernoulli")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that knows the text."""
    with listening(tmp_path_factory.mktemp("data"), {"ada.txt": TEXT}) as address:
        yield address


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of somebody else's, with a test and a set of its own."""
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    write_set(tmp_path, RIGHT, SILENT)
    return tmp_path


def write_set(folder: Path, *cases: Case) -> None:
    given = [{name: value for name, value in asdict(case).items() if value or name in REQUIRED} for case in cases]
    (folder / "answers.jsonl").write_text("\n".join(map(json.dumps, given)))


def run(folder: Path, *arguments: str, plugin: bool = True, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "PYTEST"))}
    environment |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "200"} | variables
    plugins = ["-p", "eval.pytest_plugin"] if plugin else []
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugins, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def ask(folder: Path, url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run(folder, "--citespan-set", "answers.jsonl", "--citespan-url", url, *arguments, CITESPAN_API_KEY=SECRET)


def test_right_answers_pass_one_test_a_question(folder: Path, url: str) -> None:
    result = ask(folder, url, "-v")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "answers.jsonl::year: When was the first program written? PASSED" in result.stdout
    assert "2 passed" in result.stdout  # and not the project's own test


def test_paths_that_are_named_are_run_too(folder: Path, url: str) -> None:
    assert "3 passed" in ask(folder, url, "test_own.py").stdout
    assert "1 passed, 1 deselected" in ask(folder, url, "-k", "foreign").stdout
    assert "1 passed" in ask(folder, url, "answers.jsonl::year: When was the first program written?").stdout


def test_follow_ups_are_asked(folder: Path, url: str) -> None:
    write_set(folder, RIGHT, replace(SILENT, history=(Turn("user", "Who wrote the first program?"),)))
    assert "2 passed" in ask(folder, url).stdout


def test_failure_shows_question_answers_sentence_and_place(folder: Path, url: str) -> None:
    write_set(folder, WRONG)
    result = ask(folder, url)
    assert result.returncode == 1
    shown = [line.strip() for line in result.stdout.splitlines()]
    begin = shown.index("wrong")
    assert shown[begin : begin + 6] == [
        "wrong",
        "Who wrote the first program?",
        "expected: Bernoulli",
        "It computed [Bernoulli] numbers.  ada.txt [58:67]",
        "now: Ada Lovelace (wrong)",
        "[Ada Lovelace] wrote the first program in 1843.  ada.txt [0:12]",
    ]
    assert "Traceback" not in result.stdout
    assert "pytest_questions.py" not in result.stdout


def test_what_was_wrong_in_the_baseline_is_expected_to_fail(folder: Path, url: str) -> None:
    write_set(folder, RIGHT, WRONG)
    with HttpEngine(url, key=SECRET) as engine:
        run_before = run_cases("answers.jsonl", [RIGHT, WRONG], engine)
    assert [record.verdict for record in run_before.records] == [Verdict.RIGHT, Verdict.WRONG]
    write_baseline(baseline_of(run_before), folder / "baseline.json")
    result = ask(folder, url, "--citespan-baseline", "baseline.json", "-rx")
    assert result.returncode == 0, result.stdout
    assert "1 passed, 1 xfailed" in result.stdout
    assert "wrong; wrong in the baseline, too" in result.stdout
    write_set(folder, _case("year", RIGHT.question, "Bernoulli"))
    regressed = ask(folder, url, "--citespan-baseline", "baseline.json")
    assert regressed.returncode == 1
    assert "before: 1843 (right)" in regressed.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--citespan-url", "http://127.0.0.1:1"], "start the service"),
        ([], "--citespan-set needs the service to ask"),
        (["--citespan-url", "{url}", "--citespan-key", "another"], "give one with --key or CITESPAN_API_KEY"),
        (["--citespan-url", "{url}", "--citespan-collection", "none"], "There is no collection 'none'"),
        (["--citespan-url", "{url}", "--citespan-baseline", "none.json"], "There is no file none.json"),
        (["--citespan-url", "{url}", "--citespan-set", "none.jsonl"], "none.jsonl cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_a_usage_error(arguments: list[str], complaint: str, folder: Path, url: str) -> None:
    given = [each.format(url=url) for each in arguments]
    result = run(folder, "--citespan-set", "answers.jsonl", *given, CITESPAN_API_KEY=SECRET)
    assert result.returncode == 4
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr + result.stdout


def test_a_service_that_stops_meanwhile_ends_the_run(folder: Path, url: str) -> None:
    # The set is collected from a service that answers; the second question names a collection that it lacks.
    lines = (folder / "answers.jsonl").read_text().splitlines()
    lines[1] = json.dumps(json.loads(lines[1]) | {"collection": "diaries"})
    (folder / "answers.jsonl").write_text("\n".join(lines))
    result = ask(folder, url)
    assert result.returncode == 4
    assert "There is no collection 'diaries'" in result.stdout
    assert "failed" not in result.stdout


_LOADED = """
import sys
def test_loaded():
    heavy = {"torch", "faiss", "fastapi", "numpy", "httpx2", "pydantic", "openvino", "onnxruntime", "service", "index"}
    assert not heavy & set(sys.modules)
    assert "eval.pytest_plugin" in sys.modules
"""

_LOADED_IN_USE = """
import sys
def test_loaded():
    assert not {"torch", "faiss", "fastapi", "openvino", "onnxruntime", "sentence_transformers"} & set(sys.modules)
    assert "httpx2" in sys.modules
"""


def test_being_installed_costs_nothing(folder: Path) -> None:
    (folder / "test_own.py").write_text(_LOADED)
    result = run(folder, "test_own.py")
    assert result.returncode == 0, result.stdout


def test_being_used_loads_no_model_library(folder: Path, url: str) -> None:
    (folder / "test_own.py").write_text(_LOADED_IN_USE)
    result = ask(folder, url, "test_own.py")
    assert result.returncode == 0, result.stdout
    assert "3 passed" in result.stdout

"""Runs: records, verdicts and figures; on the seeds with the real models, and with an engine that is scripted."""

import json
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest
from click.testing import CliRunner
from conftest import MODEL_CACHE, SEEDS
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from scripted_engine import CASES, FERRY, DeadEngine, ScriptedEngine, case_about, moved

from eval.cases import SEEDS_SET, Case, GoldSpan, Relevant, read_cases
from eval.cli import main
from eval.figures import figures
from eval.local_engine import LocalEngine
from eval.ranking import Gains, gains_of
from eval.replies import Cited, Excerpt, Proposal, Reply, Retrieved, reply_of
from eval.run import Run, run_cases
from eval.run_file import FORMAT, read_run, write_run
from eval.tables import print_failures, print_figures
from eval.verdicts import Verdict, is_cited
from index.errors import EngineUnavailable, InvalidReply, InvalidRun
from service.conversation import Turn


@pytest.fixture
def run() -> Run:
    return run_cases("few.jsonl", CASES, ScriptedEngine())


def test_every_citation_holds_and_every_answer_is_made_of_them(seeds_run: Run) -> None:
    assert sum(bool(record.cited) for record in seeds_run.records) > 50
    assert figures(seeds_run.records).citation_validity == 1
    assert Verdict.BROKEN not in {record.verdict for record in seeds_run.records}


def test_retrieval_brings_up_the_gold_spans(seeds_run: Run) -> None:
    recall = figures(seeds_run.records).recall_at_5
    assert recall is not None
    assert recall.value >= 0.9


def test_gold_stands_in_the_documents_that_are_asked(seeds_run: Run) -> None:
    assert seeds_run.missing_documents == {}
    for record in seeds_run.records:
        for words in record.gold:
            assert words.text in record.case.answers
            assert words.text in words.sentence.text


def test_same_fingerprint_gives_the_same_records_however_many_are_asked_at_a_time(
    seeds_run: Run, seeds_engine: LocalEngine
) -> None:
    before = seeds_run.records[::20]
    again = run_cases("seeds.jsonl", [record.case for record in before], seeds_engine, jobs=3)
    assert again.fingerprints == seeds_run.fingerprints
    for new, old in zip(again.records, before, strict=True):
        assert (new.verdict, new.answer, new.cited, new.gains) == (old.verdict, old.answer, old.cited, old.gains)


def test_questions_about_nothing_in_the_documents_are_declined(seeds_engine: LocalEngine) -> None:
    foreign = [
        "Who painted the ceiling of the Sistine Chapel?",
        "What is the boiling point of mercury?",
        "How many strings does a cello have?",
        "When was the first transatlantic telegraph cable laid?",
        "Which enzyme breaks down lactose?",
    ]
    cases = [Case(str(number), question, (), (), False, (), "dev") for number, question in enumerate(foreign)]
    verdicts = [each.verdict for each in run_cases("foreign", cases, seeds_engine).records]
    assert verdicts.count(Verdict.SILENT) >= 4


def test_a_real_run_is_read_as_it_was_written(seeds_run: Run, tmp_path: Path) -> None:
    write_run(seeds_run, tmp_path / "deep" / "run.json")
    assert read_run(tmp_path / "deep" / "run.json") == seeds_run


def test_an_engine_that_does_what_it_should_is_right(run: Run) -> None:
    verdicts = {record.case.id: record.verdict for record in run.records}
    assert [verdicts[case.id] for case in CASES] == [Verdict.RIGHT] * 5 + [Verdict.SILENT] * 2
    assert run.records[2].gold[0].sentence.text == "🚀 Dogs travel free of charge on weekdays."
    assert run.records[2].cited == (("ferry.txt", FERRY.index("on weekdays"), len(FERRY) - 1),)
    assert run.documents["default"].keys() == {"ferry.txt", "museum.txt"}


@pytest.mark.parametrize(
    ("engine", "number", "verdict"),
    [
        (ScriptedEngine({"q-1": ("ferry.txt", "12 euros")}), 1, Verdict.WRONG),
        (ScriptedEngine({"q-1": None}), 1, Verdict.ABSTAINED),
        (ScriptedEngine({"q-2": ("museum.txt", "12 euros")}), 2, Verdict.ELSEWHERE),
        (ScriptedEngine({"q-6": ("ferry.txt", "The ferry")}), 6, Verdict.ANSWERED),
        (ScriptedEngine(failing={"q-3": "500: The service failed."}), 3, Verdict.ERROR),
        (ScriptedEngine(fault=lambda _, reply: moved(reply, start=0) if reply.answer else reply), 1, Verdict.BROKEN),
        (ScriptedEngine(fault=lambda _, reply: moved(reply, start=-1) if reply.answer else reply), 1, Verdict.BROKEN),
        (ScriptedEngine(fault=lambda _, reply: moved(reply, source="x") if reply.answer else reply), 1, Verdict.BROKEN),
    ],
)
def test_verdicts(engine: ScriptedEngine, number: int, verdict: Verdict) -> None:
    record = run_cases("few", CASES, engine).records[number - 1]
    assert record.verdict is verdict
    assert not verdict.is_good


def test_a_broken_citation_comes_before_a_right_silence() -> None:
    engine = ScriptedEngine(
        {"q-7": ("ferry.txt", "12 euros")}, fault=lambda case, reply: moved(reply, end=5) if case.id == "q-7" else reply
    )
    assert run_cases("few", CASES, engine).records[6].verdict is Verdict.BROKEN


def _proposal(text: str, *cited: str) -> Proposal:
    return Proposal(text, 0.5, tuple(Cited("a", "A", None, 0, 1, each, Excerpt(0, 1, each)) for each in cited))


@pytest.mark.parametrize(
    ("text", "cited", "expected"),
    [
        ("42", ["42"], True),
        ("42", ["42", "forty-two"], True),
        ("a; b; c", ["a", "b", "c"], True),
        ("a; b; c", ["a", "c"], False),
        ("a; b", ["a; b"], True),
        ("a; b; c", ["a; b", "c"], True),
        ("a; a", ["a"], True),
        ("42", [], False),
        ("42 trucks", ["42"], False),
        ("; ", [""], False),
    ],
)
def test_an_answer_is_made_of_what_it_cites(text: str, cited: list[str], expected: bool) -> None:
    assert is_cited(_proposal(text, *cited)) is expected


@given(st.lists(st.text(max_size=5).filter(bool), min_size=1, max_size=6))
def test_whatever_is_joined_of_citations_is_cited(cited: list[str]) -> None:
    assert is_cited(_proposal("; ".join(cited), *cited))


def test_figures_by_hand() -> None:
    engine = ScriptedEngine(
        {"q-1": ("ferry.txt", "12 euros"), "q-2": None, "q-6": ("ferry.txt", "The ferry")},
        failing={"q-7": "500"},
    )
    found = figures(run_cases("few", CASES, engine).records)
    assert (found.cases, found.errors) == (7, 1)
    assert found.right is not None
    assert found.right.value == pytest.approx(3 / 7)
    assert found.right.low < 3 / 7 < found.right.high
    assert found.accepted is not None
    assert found.accepted.value == pytest.approx(3 / 5)
    assert found.exact_match is not None
    assert found.exact_match.value == pytest.approx(3 / 7)
    assert found.answerable.precision == pytest.approx(4 / 5)
    assert found.answerable.recall == pytest.approx(4 / 5)
    assert found.unanswerable == type(found.unanswerable)(0.0, 0.0, 0.0, 1)
    assert found.citation_correctness is not None
    assert found.citation_correctness.value == pytest.approx(3 / 4)
    assert found.recall_at_1 is not None
    assert found.recall_at_1.value == pytest.approx(3 / 5)  # the museum's text comes second
    assert found.p50_ms == found.p99_ms == 5


def test_what_would_be_said_counts_for_confidence() -> None:
    source = ScriptedEngine()
    engine = ScriptedEngine(
        {"q-1": None},
        fault=lambda case, reply: (
            replace(reply, alternatives=(source.proposal("ferry.txt", "noon", 0.2),)) if case.id == "q-1" else reply
        ),
    )
    record = run_cases("few", CASES, engine).records[0]
    assert (record.verdict, record.confidence, record.would_be_right) == (Verdict.ABSTAINED, 0.2, True)


def test_gains_count_a_gold_span_once() -> None:
    case = Case("x", "?", ("a",), (GoldSpan("a", 0, 5), GoldSpan("a", 8, 9), GoldSpan("b", 0, 2)), True, (), "dev")
    passages = [Retrieved("a", *place, 1.0, None) for place in ((10, 20), (0, 8), (0, 20), (0, 9))]
    assert gains_of(case, passages) == Gains((0, 1, 1, 0), (1,))
    assert gains_of(case, passages).first == 2
    assert gains_of(case, []) == Gains((), (1, 1, 1))


def test_gains_of_judged_documents_count_each_document_once() -> None:
    relevant = (Relevant("a", 2), Relevant("b.txt", 1), Relevant("c", 1), Relevant("d", 0), Relevant("e", -1))
    case = Case("x", "?", (), (), True, (), "dev", relevant=relevant)
    passages = [Retrieved(source, 0, 5, 1.0, None) for source in ("d.txt", "a.txt", "a.txt", "e", "b.txt", "z.txt")]
    assert gains_of(case, passages) == Gains((0, 2, 0, 1, 0), (1,))


def test_a_dead_engine_is_no_regression_but_an_error() -> None:
    with pytest.raises(EngineUnavailable, match="does not answer"):
        run_cases("few", CASES, DeadEngine(), jobs=2)
    with pytest.raises(EngineUnavailable, match="none of 7 questions"):
        run_cases("few", CASES, ScriptedEngine(failing={case.id: "500" for case in CASES}))


def test_an_engine_that_changes_meanwhile_is_refused() -> None:
    changing = ScriptedEngine(fault=lambda case, reply: replace(reply, fingerprint=case.split))
    with pytest.raises(EngineUnavailable, match="changed while"):
        run_cases("few", CASES, changing)


def test_questions_are_asked_at_the_same_time() -> None:
    together = Barrier(3, timeout=30)  # breaks, and fails the test, unless three are asked at once

    def wait(_: Case, reply: Reply) -> Reply:
        together.wait()
        return reply

    seen: list[int] = []
    run_cases("few", CASES[:6], ScriptedEngine(fault=wait), jobs=3, progress=seen.append)
    assert seen == [1, 2, 3, 4, 5, 6]


def test_follow_ups_are_asked_with_what_was_said_before() -> None:
    follow_up = replace(CASES[0], id="q-8", question="And when does it come back?", history=(Turn("user", "When?"),))
    asked: list[Case] = []

    def note(case: Case, reply: Reply) -> Reply:
        asked.append(case)
        return reply

    run_cases("few", [*CASES, follow_up], ScriptedEngine(fault=note))
    assert asked == [*CASES, follow_up]


def test_missing_documents_are_counted() -> None:
    engine = ScriptedEngine(texts={"ferry.txt": FERRY})
    assert run_cases("few", CASES, engine).missing_documents == {"museum.txt": 2}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda content: content | {"format": FORMAT + 1}, f"format {FORMAT + 1}"),
        (lambda content: {name: value for name, value in content.items() if name != "format"}, "another kind of file"),
        (lambda content: {name: value for name, value in content.items() if name != "records"}, "records: Field req"),
        (lambda content: content | {"fingerprints": [7]}, "fingerprints.0: Input should be a valid string"),
        (lambda content: content | {"records": [{}] * 4}, "and 25 more"),
        (lambda content: [content], "another kind of file"),
    ],
)
def test_a_file_that_is_no_run_is_told(run: Run, tmp_path: Path, change: object, complaint: str) -> None:
    path = tmp_path / "run.json"
    write_run(run, path)
    path.write_text(json.dumps(change(json.loads(path.read_text()))))  # type: ignore[operator]
    with pytest.raises(InvalidRun, match=complaint):
        read_run(path)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidRun, match="citespan-eval run SET --out FILE"):
        read_run(tmp_path / "none.json")
    (tmp_path / "bad.json").write_bytes(b"\xff{")
    with pytest.raises(InvalidRun, match="cannot be read as JSON"):
        read_run(tmp_path / "bad.json")


def test_runs_of_the_same_engine_differ_in_time_alone(tmp_path: Path) -> None:
    contents = []
    for jobs in (1, 4):
        write_run(run_cases("few", CASES, ScriptedEngine(), jobs=jobs), tmp_path / "run.json")
        content = json.loads((tmp_path / "run.json").read_text())
        contents.append({name: content[name] for name in content if name not in ("started_at", "seconds", "settings")})
    assert contents[0] == contents[1]


@pytest.mark.parametrize("content", [{}, [], None, {"answer": {}}, {"answer": None, "alternatives": 3}])
def test_what_is_no_reply_is_refused(content: object) -> None:
    with pytest.raises(InvalidReply, match="no response of /v1/ask"):
        reply_of(content)


def test_tables_show_text_as_it_is() -> None:
    cases = [case_about(1, "What is [bold]that[/bold]?", "at noon"), case_about(2, "[link=x]?", "12 euros")]
    found = run_cases("few", cases, ScriptedEngine({"q-1": None}, failing={"q-2": "500: [red]no[/red]"}))
    console = Console(record=True, width=120)
    print_failures(found.records, console)
    print_figures(found, console)
    shown = console.export_text()
    assert "What is [bold]that[/bold]?" in shown
    assert "500: [red]no[/red]" in shown
    assert "2, 1 errors" in shown


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four questions about the seeds, and the exported model."""
    monkeypatch.setenv("CITESPAN_MODEL_CACHE", str(MODEL_CACHE))
    path = tmp_path / "few.jsonl"
    path.write_text("\n".join(SEEDS_SET.read_text().splitlines()[:4]))
    return path


def test_command_prints_the_table_and_writes_the_run(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    result = CliRunner().invoke(main, ["run", str(few), "--documents", str(SEEDS), "--failures", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "citation validity" in result.output
    assert "1.000" in result.output
    found = read_run(out)
    assert [record.case for record in found.records] == read_cases(few)
    assert found.engine["reader"].startswith("citespan-")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["none.jsonl", "--documents", str(SEEDS)], "cannot be read"),
        ([str(SEEDS_SET), "--documents", "nowhere"], "nowhere is not a folder"),
        ([str(SEEDS_SET), "--documents", str(SEEDS), "--url", "http://127.0.0.1:1"], "do not go together"),
        ([str(SEEDS_SET), "--documents", str(SEEDS), "--documents", str(SEEDS)], "--documents NAME=FOLDER"),
        ([str(SEEDS_SET), "--documents", str(SEEDS), "--collection", "letters"], "--collection goes with --url"),
        ([str(SEEDS_SET), "--url", "localhost:8000"], "is no address of a service"),
        ([str(SEEDS_SET), "--url", "http://127.0.0.1:1"], "start the service"),
    ],
)
def test_command_tells_what_it_cannot_do(arguments: list[str], complaint: str) -> None:
    result = CliRunner().invoke(main, ["run", *arguments])
    assert result.exit_code == 2, result.output
    assert complaint in " ".join(result.output.split())


def test_key_of_a_client_is_no_wrong_setting(few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITESPAN_API_KEY", "a-secret-of-some-length")
    monkeypatch.setenv("CITESPAN_READDEPTH", "3")
    result = CliRunner().invoke(main, ["run", str(few), "--documents", str(SEEDS)])
    assert result.exit_code == 2
    assert "CITESPAN_READDEPTH is no setting" in result.output
    assert "CITESPAN_API_KEY is" not in result.output


def test_command_needs_to_know_what_to_ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["run", str(SEEDS_SET)])
    assert result.exit_code == 2
    assert "--documents FOLDER" in result.output

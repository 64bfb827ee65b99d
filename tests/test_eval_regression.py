"""The gate: planted faults of every kind are caught and named, and an engine that has not changed passes."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from conftest import ROOT, SEEDS
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console
from scripted_engine import CASES, FERRY, TEXTS, ScriptedEngine, case_about, moved

from eval.baseline import Baseline, Entry, baseline_of, read_baseline, write_baseline
from eval.cases import Case
from eval.cli import main
from eval.engines import Engine
from eval.figures import figures
from eval.folders import read_folder
from eval.gate import Limits, breaches
from eval.junit import write_junit
from eval.local_engine import LocalEngine, open_local
from eval.markdown import code, markdown
from eval.regression import Kind, compare
from eval.replies import Reply
from eval.run import Run, run_cases
from eval.run_file import write_run
from eval.summary import print_summary
from eval.verdicts import Verdict
from index.errors import InvalidRun
from index.library import Library
from service.settings import Settings

ACCEPTED = ROOT / "eval" / "baselines" / "seeds.json"
GOOD = run_cases("few", CASES, ScriptedEngine())


def check(tmp_path: Path, run: Run, baseline: Run, *options: str) -> Result:
    """Check a run from the command line."""
    write_run(run, tmp_path / "run.json")
    write_baseline(baseline_of(baseline), tmp_path / "baseline.json")
    arguments = ["check", str(tmp_path / "run.json"), "--baseline", str(tmp_path / "baseline.json"), *options]
    return CliRunner().invoke(main, arguments)


def run_with(fault: Callable[[Case, Reply], Reply]) -> Run:
    return run_cases("few", CASES, ScriptedEngine(fault=fault))


# Faults of an engine. Each takes what the engine would have replied and returns what the faulty one does.


def wrong_span(case: Case, reply: Reply) -> Reply:
    if case.id != "q-1":
        return reply
    return replace(reply, answer=ScriptedEngine().proposal("ferry.txt", "12 euros"))


def dropped_citation(case: Case, reply: Reply) -> Reply:
    if reply.answer is None or case.id != "q-2":
        return reply
    return replace(reply, answer=replace(reply.answer, citations=()))


def shifted_offset(_: Case, reply: Reply) -> Reply:
    if reply.answer is None:
        return reply
    first = reply.answer.citations[0]
    return moved(reply, start=first.start + 1, end=first.end + 1)


def abstains_always(_: Case, reply: Reply) -> Reply:
    return replace(reply, answer=None, agreement=None)


def answers_always(_: Case, reply: Reply) -> Reply:
    return replace(reply, answer=reply.answer or ScriptedEngine().proposal("ferry.txt", "The ferry"))


def another_document(case: Case, reply: Reply) -> Reply:
    """The same words, which stand there, too."""
    if case.id != "q-2":
        return reply
    return replace(reply, answer=ScriptedEngine().proposal("museum.txt", "12 euros"))


def another_document_without_the_words(case: Case, reply: Reply) -> Reply:
    return moved(reply, source="museum.txt") if case.id == "q-2" else reply


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (wrong_span, "now: 1 wrong"),
        (dropped_citation, "now: 1 citation broken"),
        (shifted_offset, "now: 5 citation broken"),
        (abstains_always, "now: 5 abstained though the documents say"),
        (answers_always, "now: 2 answered though the documents do not say"),
        (another_document, "now: 1 right, but cites elsewhere"),
        (another_document_without_the_words, "now: 1 citation broken"),
    ],
)
def test_planted_fault_is_caught_and_named(fault: Callable[[Case, Reply], Reply], named: str, tmp_path: Path) -> None:
    result = check(tmp_path, run_with(fault), GOOD)
    assert result.exit_code == 1, result.output
    assert named in result.output
    assert result.output.startswith("FAILED: ")


def test_withheld_gold_is_caught_and_named(tmp_path: Path) -> None:
    run = run_cases("few", CASES, ScriptedEngine(texts={"ferry.txt": FERRY}))
    result = check(tmp_path, run, GOOD)
    assert result.exit_code == 1
    assert "2 newly abstained" in result.output
    assert "'museum.txt' is gone" in result.output
    assert "does not hold the document 'museum.txt' at the gold spans of 2 questions" in result.output


def test_an_engine_that_has_not_changed_passes_every_time(tmp_path: Path) -> None:
    for jobs in range(1, 11):
        result = check(tmp_path, run_cases("few", CASES, ScriptedEngine(), jobs=jobs), GOOD)
        assert result.exit_code == 0, result.output
        assert result.output.splitlines() == ["passed", "7 unchanged"]


class FaultyEngine:
    """A real engine that replies what it did in a run, with a fault in it."""

    def __init__(self, engine: LocalEngine, run: Run, fault: Callable[[Case, Reply], Reply]) -> None:
        self._replies = {record.case.id: record.reply for record in run.records}
        self._fault = fault
        self.documents, self.text = engine.documents, engine.text
        self.collection, self.description = engine.collection, engine.description

    def ask(self, case: Case) -> Reply:
        reply = self._replies[case.id]
        assert reply is not None
        return self._fault(case, reply)


def test_answers_about_the_seeds_are_no_worse_than_what_was_accepted(seeds_run: Run, tmp_path: Path) -> None:
    # Another processor or runtime computes a little differently, and may decide what is close the other way.
    same_arithmetic = seeds_run.engine["reader"] == read_baseline(ACCEPTED).engine["reader"]
    allowed = 0 if same_arithmetic else len(seeds_run.records) // 40
    write_run(seeds_run, tmp_path / "seeds.json")
    arguments = ["check", str(tmp_path / "seeds.json"), "--baseline", str(ACCEPTED), "--min-citation-validity", "1"]
    result = CliRunner().invoke(main, [*arguments, "--max-regressions", str(allowed)])
    assert result.exit_code == 0, f"{result.output}\nIf it should be so: make check, make accept."


def _drop_last(_: Case, reply: Reply) -> Reply:
    if reply.answer is None:
        return reply
    return replace(reply, answer=replace(reply.answer, citations=reply.answer.citations[:-1]))


def _answer_what_was_held_back(_: Case, reply: Reply) -> Reply:
    return replace(reply, answer=reply.best)


def _second_best(_: Case, reply: Reply) -> Reply:
    return replace(reply, answer=reply.alternatives[0]) if reply.answer and reply.alternatives else reply


def _cite_another_document(_: Case, reply: Reply) -> Reply:
    if reply.answer is None:
        return reply
    return moved(reply, source=next(each for each in SOURCES if each != reply.answer.citations[0].source))


SOURCES = sorted(path.name for path in SEEDS.iterdir())


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (_second_best, Verdict.WRONG),
        (_drop_last, Verdict.BROKEN),
        (shifted_offset, Verdict.BROKEN),
        (abstains_always, Verdict.ABSTAINED),
        (_answer_what_was_held_back, Verdict.ANSWERED),
        (_cite_another_document, Verdict.BROKEN),
    ],
)
def test_planted_fault_of_the_service_is_caught_and_named(
    fault: Callable[[Case, Reply], Reply], named: Verdict, seeds_run: Run, seeds_engine: LocalEngine, tmp_path: Path
) -> None:
    cases = [record.case for record in seeds_run.records if record.verdict.is_good]
    faulty: Engine = FaultyEngine(seeds_engine, seeds_run, fault)
    result = check(tmp_path, run_cases("seeds", cases, faulty), seeds_run)
    assert result.exit_code == 1, result.output
    assert f" {named}" in result.output.split("now: ")[1].splitlines()[0]


def test_withheld_gold_of_the_service_is_caught_and_named(
    seeds_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeds_library: Library
) -> None:
    right = [record.case for record in seeds_run.records if record.verdict is Verdict.RIGHT][::8]
    withheld_source = right[0].spans[0].document
    cases = [case for case in right if case.spans[0].document == withheld_source]
    documents = [each for each in read_folder(SEEDS) if each.source != withheld_source]
    monkeypatch.setattr("eval.local_engine.load_embedder", lambda *_, **__: seeds_library.embedder)
    with open_local(Settings(), {"default": documents}) as engine:
        result = check(tmp_path, run_cases("seeds", cases, engine), seeds_run)
    assert result.exit_code == 1, result.output
    assert f"{withheld_source!r} is gone" in result.output
    assert "newly abstained" in result.output or "wrong" in result.output


def entry(verdict: Verdict, answer: str = "", cited: tuple[tuple[str, int, int], ...] = ()) -> Entry:
    return Entry(CASES[0].question, verdict, answer, cited)


NOON = ("ferry.txt", FERRY.index("at noon"), FERRY.index("at noon") + len("at noon"))


@pytest.mark.parametrize(
    ("before", "engine", "kind"),
    [
        (entry(Verdict.RIGHT, "at noon", (NOON,)), ScriptedEngine(), Kind.UNCHANGED),
        (entry(Verdict.RIGHT, "at noon", (NOON, ("x", 0, 1))), ScriptedEngine(), Kind.DROPPED),
        (entry(Verdict.RIGHT, "at noon", (("x", 0, 1),)), ScriptedEngine(), Kind.MOVED),
        (
            entry(Verdict.WRONG, "12 euros", (NOON, ("x", 0, 1))),
            ScriptedEngine({"q-1": ("ferry.txt", "12 euros")}),
            Kind.DIFFERENT,
        ),
        (entry(Verdict.RIGHT, "noon", (NOON,)), ScriptedEngine(), Kind.CHANGED),
        (entry(Verdict.WRONG, "12 euros"), ScriptedEngine(), Kind.FIXED),
        (entry(Verdict.ABSTAINED), ScriptedEngine(), Kind.FIXED),
        (entry(Verdict.BROKEN, "at noon"), ScriptedEngine(), Kind.FIXED),
        (entry(Verdict.RIGHT, "at noon"), ScriptedEngine({"q-1": ("ferry.txt", "12 euros")}), Kind.REGRESSED),
        (entry(Verdict.RIGHT, "at noon"), ScriptedEngine({"q-1": None}), Kind.NEWLY_ABSTAINED),
        (entry(Verdict.ABSTAINED), ScriptedEngine({"q-1": None}), Kind.UNCHANGED),
        (entry(Verdict.WRONG, "12 euros"), ScriptedEngine({"q-1": None}), Kind.DIFFERENT),
        (entry(Verdict.WRONG, "Dogs"), ScriptedEngine({"q-1": ("ferry.txt", "12 euros")}), Kind.DIFFERENT),
        (entry(Verdict.WRONG, "Dogs"), ScriptedEngine(fault=shifted_offset), Kind.REGRESSED),
        (entry(Verdict.BROKEN, "at noon"), ScriptedEngine(fault=shifted_offset), Kind.DIFFERENT),
        (entry(Verdict.RIGHT, "at noon"), ScriptedEngine(failing={"q-1": "500"}), Kind.ERROR),
        (replace(entry(Verdict.RIGHT, "at noon"), question="Another?"), ScriptedEngine(), Kind.ADDED),
        (None, ScriptedEngine(), Kind.ADDED),
        (None, ScriptedEngine({"q-1": None}), Kind.ADDED),
        (None, ScriptedEngine(fault=shifted_offset), Kind.REGRESSED),
    ],
)
def test_kinds(before: Entry | None, engine: ScriptedEngine, kind: Kind) -> None:
    run = run_cases("few", CASES[:2], engine)
    cases = {CASES[0].id: before} if before else {}
    comparison = compare(run, replace(baseline_of(GOOD), cases=cases))
    assert comparison.changes[0].kind is kind


def test_newly_answered_and_removed() -> None:
    comparison = compare(run_cases("few", CASES[3:], ScriptedEngine(fault=answers_always)), baseline_of(GOOD))
    assert comparison.counts == {Kind.NEWLY_ANSWERED: 2, Kind.REMOVED: 3, Kind.UNCHANGED: 2}
    assert any("3 questions of the baseline were not asked" in each for each in comparison.warnings)
    assert comparison.both == [(True, True), (True, True), (True, False), (True, False)]
    assert comparison.p_value == pytest.approx(0.5)
    value, low, high = comparison.f1_difference
    assert value == pytest.approx(-1 / 2)
    assert low < value < high
    assert compare(GOOD, replace(baseline_of(GOOD), cases={})).f1_difference == (0, 0, 0)


def test_moved_gold_is_told_first(tmp_path: Path) -> None:
    texts = {**TEXTS, "ferry.txt": "Something wholly new stands here. " + FERRY}
    result = check(tmp_path, run_cases("few.jsonl", CASES, ScriptedEngine(texts=texts)), GOOD)
    assert result.exit_code == 1
    warnings = [line for line in result.output.splitlines() if line.startswith("warning: ")]
    assert "The gold of 3 questions no longer stands" in warnings[0]
    assert "citespan-eval lint few.jsonl --fix" in warnings[0]


def test_other_engine_documents_and_set_are_warned_about() -> None:
    other = run_cases("few", CASES, ScriptedEngine(texts={**TEXTS, "ferry.txt": FERRY + " New.", "new.txt": "New."}))
    (warning,) = compare(other, baseline_of(GOOD)).warnings
    assert warning == "The documents are not those of the baseline: 'ferry.txt' has changed; 'new.txt' is new."
    (warning,) = compare(run_cases("few", CASES, ScriptedEngine(fingerprint="0")), baseline_of(GOOD)).warnings
    assert "fingerprint differs, though the documents are the same" in warning
    described = replace(GOOD, engine={"engine": "scripted", "reader": "one"})
    elsewhere = replace(GOOD, engine={"engine": "http://127.0.0.1:8000", "reader": "one"})
    assert compare(elsewhere, baseline_of(described)).warnings == ()
    another = replace(GOOD, engine={"engine": "scripted", "reader": "two"}, fingerprints=("0",))
    (warning,) = compare(another, baseline_of(described)).warnings
    assert warning == "The engine is not that of the baseline: reader: one, now two."
    edited = [replace(CASES[0], answers=("at noon", "midday")), *CASES[1:]]
    (warning,) = compare(run_cases("few", edited, ScriptedEngine()), baseline_of(GOOD)).warnings
    assert "what counts as right, has changed" in warning


def test_limits() -> None:
    worse = run_cases("few", CASES, ScriptedEngine({"q-1": None, "q-3": ("ferry.txt", "weekdays")}))
    comparison, found = compare(worse, baseline_of(GOOD)), figures(worse.records)
    assert breaches(comparison, found, Limits()) == ["1 regression (0 allowed)"]
    assert breaches(comparison, found, Limits(1)) == []
    assert breaches(comparison, found, Limits(1, changes=1)) == []
    assert breaches(comparison, found, Limits(1, changes=0)) == ["1 right answers changed or moved (0 allowed)"]
    assert breaches(None, found, Limits(least={"right": 0.85, "citation_validity": 1.0})) == []
    assert breaches(None, found, Limits(least={"right": 0.86})) == ["right 0.857 (at least 0.86 asked for)"]
    assert breaches(None, found, Limits(p95_ms=4)) == ["p95 5 ms (at most 4 ms asked for)"]
    silent = figures(run_cases("few", CASES[5:], ScriptedEngine()).records)
    with pytest.raises(InvalidRun, match="No question of the run bears on accepted"):
        breaches(None, silent, Limits(least={"accepted": 0.5}))


def test_questions_without_a_reply_are_no_regression_and_no_pass(tmp_path: Path) -> None:
    failing = run_cases("few", CASES, ScriptedEngine(failing={"q-1": "500: The service failed."}))
    result = check(tmp_path, failing, GOOD)
    assert result.exit_code == 2
    assert result.output.startswith("INCOMPLETE: 1 questions got no reply")
    assert "500: The service failed." in result.output
    both = run_cases("few", CASES, ScriptedEngine({"q-2": None}, failing={"q-1": "500"}))
    assert check(tmp_path, both, GOOD).exit_code == 1


def test_summary_shows_the_documents_words(tmp_path: Path) -> None:
    lines = [line.strip() for line in check(tmp_path, run_with(wrong_span), GOOD).output.splitlines()]
    assert lines == [
        "FAILED: 1 regression (0 allowed)",
        "1 regressed, 6 unchanged",
        "now: 1 wrong",
        "right: 7 of 7 before, 6 now (McNemar's exact p = 1)",
        "F1: -0.143 (95 % interval -0.429 to +0.000)",
        "",
        "regressed  q-1  When does the ferry leave?",
        "expected  at noon",
        f"The ferry to Hull leaves at noon.  ferry.txt [{NOON[1]}:{NOON[2]}]",
        "before    at noon  (right)",
        "now       12 euros  (wrong)",
        "A ticket costs 12 euros.  ferry.txt [49:57]",
    ]


def test_summary_is_short_unless_all_is_asked_for(tmp_path: Path) -> None:
    cases = [case_about(number, f"Question {number}?", "at noon") for number in range(12)]
    answers = {case.id: ("ferry.txt", "at noon") for case in cases}
    good = run_cases("many", cases, ScriptedEngine(answers))
    bad = run_cases("many", cases, ScriptedEngine(dict.fromkeys(answers)))
    assert "and 2 more; --all shows them" in check(tmp_path, bad, good).output
    assert "Question 11?" in check(tmp_path, bad, good, "--all").output


HOSTILE = "[red]x[/] `code` <b>bold</b> @someone #1 [link](http://x) | *star* \x00\x1b\ufffe &amp;"


def test_text_is_never_markup(tmp_path: Path) -> None:
    case = replace(CASES[0], question=HOSTILE)
    comparison = compare(
        run_cases("few", [case], ScriptedEngine({"q-1": None})), baseline_of(run_cases("few", [case], ScriptedEngine()))
    )
    console = Console(record=True, width=200)
    print_summary(comparison, ["1 regression (0 allowed)"], console)
    assert "[red]x[/] `code` <b>" in console.export_text()
    tokens = MarkdownIt("commonmark").parse(markdown(comparison, ["1 regression (0 allowed)"]))
    inline = [token for each in tokens for token in each.children or ()]
    plain = {"text", "code_inline", "strong_open", "strong_close", "em_open", "em_close"}
    assert {token.type for token in inline} <= plain
    spans = [token.content for token in inline if token.type == "code_inline"]
    assert any("<b>bold</b> @someone #1 [link](http://x)" in each for each in spans)
    write_junit(comparison, tmp_path / "junit.xml")
    (found,) = ElementTree.parse(tmp_path / "junit.xml").iter("testcase")
    assert found.get("name") == "q-1 " + re.sub("[\x00\x1b\ufffe]", "\ufffd", HOSTILE)


@given(st.text(min_size=1).filter(lambda text: text.strip() != ""))
def test_a_code_span_shows_any_text_as_it_is(text: str) -> None:
    (paragraph,) = [each for each in MarkdownIt("commonmark").parse(f"- before {code(text)} after") if each.children]
    assert paragraph.children is not None
    before, span, after = paragraph.children
    assert (before.content, span.type, after.content) == ("before ", "code_inline", " after")
    shown = " ".join(text.split()).replace("\x00", "\ufffd")
    assert span.content.strip("`") == (shown if len(shown) <= 400 else shown[:399] + "…").strip("`")


def test_junit_has_a_test_case_for_every_question(tmp_path: Path) -> None:
    before = replace(baseline_of(GOOD).cases["q-3"], verdict=Verdict.WRONG)
    baseline = replace(baseline_of(GOOD), cases=baseline_of(GOOD).cases | {"q-3": before, "old": before})
    wrong_still = {"q-3": ("ferry.txt", "12 euros")}
    run = run_cases("few", CASES, ScriptedEngine({"q-1": None, **wrong_still}, failing={"q-2": "500: no"}))
    write_junit(compare(run, baseline), tmp_path / "junit.xml", breaches=["1 regression (0 allowed)"])
    (suite,) = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "8",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
    }
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.text is not None
    assert "The ferry to Hull leaves [at noon].  ferry.txt" in failure.text
    skipped = suite.find("testcase/skipped")
    assert skipped is not None
    assert skipped.get("message") == "wrong; so it was in the baseline"


def test_check_writes_reports(tmp_path: Path) -> None:
    options = ("--markdown", str(tmp_path / "new" / "a.md"), "--junit", str(tmp_path / "a.xml"))
    assert check(tmp_path, run_with(wrong_span), GOOD, *options).exit_code == 1
    assert "**regressed** `q-1` `When does the ferry leave?`" in (tmp_path / "new" / "a.md").read_text()
    assert (tmp_path / "a.xml").exists()


def test_accepting_makes_the_run_the_baseline(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    write_run(run_with(wrong_span), tmp_path / "run.json")
    result = CliRunner().invoke(main, ["accept", str(tmp_path / "run.json"), "--baseline", str(path)])
    assert result.exit_code == 0, result.output
    assert "1 wrong" in result.output
    assert check(tmp_path, run_with(wrong_span), run_with(wrong_span)).exit_code == 0
    again = CliRunner().invoke(main, ["accept", str(tmp_path / "run.json"), "--baseline", str(path)])
    assert "7 unchanged" in again.output


def test_an_incomplete_run_is_not_accepted(tmp_path: Path) -> None:
    write_run(run_cases("few", CASES, ScriptedEngine(failing={"q-1": "500"})), tmp_path / "run.json")
    result = CliRunner().invoke(main, ["accept", str(tmp_path / "run.json"), "--baseline", str(tmp_path / "b.json")])
    assert result.exit_code == 2
    assert not (tmp_path / "b.json").exists()


def test_broken_citations_are_warned_about_when_they_are_accepted(tmp_path: Path) -> None:
    write_run(run_with(shifted_offset), tmp_path / "run.json")
    result = CliRunner().invoke(main, ["accept", str(tmp_path / "run.json"), "--baseline", str(tmp_path / "b.json")])
    assert result.exit_code == 0
    assert "always a fault" in result.output


def test_baseline_has_a_line_for_every_case_and_no_number_that_varies(tmp_path: Path) -> None:
    write_baseline(baseline_of(GOOD), tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text()
    assert read_baseline(tmp_path / "a.json") == baseline_of(GOOD)
    for case in CASES:
        assert len([line for line in text.splitlines() if line.startswith(f'"{case.id}": ')]) == 1
    assert not any(isinstance(each, float) for each in _numbers(json.loads(text)))


def _numbers(content: object) -> list[object]:
    if isinstance(content, dict):
        return [each for value in content.values() for each in _numbers(value)]
    if isinstance(content, list):
        return [each for value in content for each in _numbers(value)]
    return [content]


def test_a_run_is_taken_as_a_baseline(tmp_path: Path) -> None:
    write_run(GOOD, tmp_path / "run.json")
    assert read_baseline(tmp_path / "run.json") == baseline_of(GOOD)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["check", "none.json", "--baseline", "none.json"], "citespan-eval run SET --out FILE"),
        (["check", "run.json"], "--baseline FILE"),
        (["check", "run.json", "--min-f1", "0.9", "--junit", "x.xml"], "--baseline FILE"),
        (["check", "run.json", "--baseline", "none.json"], "citespan-eval accept RUN --baseline FILE"),
        (["check", "run.json", "--baseline", "bad.json"], "bad.json is no baseline: set: Field required"),
        (["check", "run.json", "--min-f1", "2"], "2.0 is not in the range"),
        (["accept", "run.json"], "--baseline"),
    ],
)
def test_what_cannot_be_checked_is_told(
    arguments: list[str], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(GOOD, tmp_path / "run.json")
    (tmp_path / "bad.json").write_text('{"format": 1}')
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())


@pytest.mark.parametrize(("error", "code"), [(RuntimeError("a bug"), 2), (KeyboardInterrupt(), 130)])
def test_a_crash_is_no_regression(
    error: BaseException, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise error

    monkeypatch.setattr("eval.cli.compare", crash)
    result = check(tmp_path, GOOD, GOOD)
    assert result.exit_code == code
    assert ("a bug" in result.output) == isinstance(error, RuntimeError)


def test_figures_alone_can_be_checked(tmp_path: Path) -> None:
    write_run(GOOD, tmp_path / "run.json")
    arguments = [
        "check",
        str(tmp_path / "run.json"),
        "--min-right",
        "1",
        "--min-exact-match",
        "1",
        "--max-p95-ms",
        "100",
    ]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    write_run(run_with(wrong_span), tmp_path / "run.json")
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "right 0.857 (at least 1 asked for)" in result.output


_VERDICTS = st.sampled_from(list(Verdict))


@given(st.lists(_VERDICTS, min_size=7, max_size=7))
def test_whatever_the_baseline_a_run_against_itself_passes(verdicts: list[Verdict]) -> None:
    records = [replace(record, verdict=verdict) for record, verdict in zip(GOOD.records, verdicts, strict=True)]
    run = replace(GOOD, records=tuple(records))
    comparison = compare(run, baseline_of(run))
    assert comparison.regressions == ()
    assert sum(comparison.counts.values()) == 7


@given(st.lists(_VERDICTS, min_size=7, max_size=7), st.lists(_VERDICTS, min_size=7, max_size=7))
def test_every_loss_is_a_regression_and_nothing_else_is(before: list[Verdict], now: list[Verdict]) -> None:
    def run_of(verdicts: list[Verdict]) -> Run:
        records = [replace(record, verdict=each) for record, each in zip(GOOD.records, verdicts, strict=True)]
        return replace(GOOD, records=tuple(records))

    baseline: Baseline = baseline_of(run_of(before))
    lost = {change.id for change in compare(run_of(now), baseline).regressions}
    expected = {
        record.case.id
        for record, old, new in zip(GOOD.records, before, now, strict=True)
        if new is not Verdict.ERROR
        and ((old.is_good and not new.is_good) or (new is Verdict.BROKEN and old is not Verdict.BROKEN))
    }
    assert lost == expected

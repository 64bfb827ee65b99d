"""Reports: what stands on the page, and the page in a real browser. The latter skip where there is no Chromium."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, sync_playwright
from scripted_engine import CASES, ScriptedEngine, case_about

from eval import metrics, plots
from eval.baseline import baseline_of, write_baseline
from eval.cases import Case, GoldSpan, Relevant
from eval.cli import main
from eval.differences import differences
from eval.excerpts import Excerpts
from eval.groups import by_document, by_tag
from eval.halves import halves, open_to_view
from eval.headlines import headlines
from eval.regression import Kind, compare
from eval.replies import Reply
from eval.report import BAR, KIND_SIGNS, VERDICT_SIGNS, Before, percent, report
from eval.rows import WORST_FIRST, rows_of
from eval.run import Record, Run, run_cases
from eval.run_file import write_run
from eval.verdicts import Verdict

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
# What ends the element that it stands in, runs, or turns around what stands beside it.
MARKUP = (
    "</script></style></title><script>document.title = 'owned'</script>"
    "<svg onload=alert(1)><img src=x onerror=alert(1)>"
)
TURNING = "\u2069\u202etxet\u2066"
HOSTILE = f"""{MARKUP}'"`{{{{ 7 * 7 }}}}{TURNING}"""

WRONG = {"q-1": ("ferry.txt", "12 euros"), "q-2": None, "q-6": ("ferry.txt", "The ferry")}
TAGGED = tuple(
    replace(case, tags=tags)
    for case, tags in zip(
        CASES, [("when",), ("how-many", "price"), ("when",), ("when",), ("who",), (), ()], strict=True
    )
)


def asked(engine: ScriptedEngine | None = None, cases: tuple[Case, ...] = TAGGED) -> Run:
    """Return a run that is the same whenever it is asked."""
    run = run_cases("few.jsonl", cases, engine or ScriptedEngine(WRONG))
    return replace(run, started_at="2026-01-02T03:04:05+00:00", seconds=1.5)


@pytest.fixture(scope="module")
def good() -> Run:
    return asked(ScriptedEngine())


@pytest.fixture(scope="module")
def bad() -> Run:
    return asked()


def verdicts(records: list[Record] | tuple[Record, ...]) -> list[tuple[str, Verdict]]:
    return [(each.case.id, each.verdict) for each in records]


# The parts.


def test_halves_and_what_may_be_looked_at(bad: Run) -> None:
    found = halves(bad.records)
    assert {name: len(records) for name, records in found.items()} == {"all": 7, "dev": 4, "test": 3}
    assert {each.case.split for each in open_to_view(bad.records)} == {"dev"}
    assert halves(found["test"]) == {"all": found["test"]}
    assert open_to_view(found["test"]) == found["test"]


def test_every_verdict_and_kind_has_a_place_and_a_sign() -> None:
    assert set(WORST_FIRST) == set(VERDICT_SIGNS) == set(BAR) == set(Verdict)
    assert set(KIND_SIGNS) == set(Kind)
    assert len(WORST_FIRST) == len(BAR) == len(Verdict)


def test_groups_by_hand(bad: Run) -> None:
    found = {group.name: group for group in by_tag(bad.records)}
    right = found["when"].right
    assert right is not None
    assert right.value == pytest.approx(2 / 3)
    assert right.low < right.value < right.high
    for name, cases, failures, answerable, accepted, silenced, unanswerable, silent in [
        ("when", 3, 1, 3, 2, 0, 0, 0),
        ("price", 1, 1, 1, 0, 1, 0, 0),
        ("who", 1, 0, 1, 1, 0, 0, 0),
        (None, 2, 1, 0, 0, 0, 2, 1),
    ]:
        group = found[name]
        assert (group.cases, group.failures) == (cases, failures)
        assert (group.answerable, group.accepted, group.silenced) == (answerable, accepted, silenced)
        assert (group.unanswerable, group.silent) == (unanswerable, silent)


def test_groups_have_the_most_failures_first_and_what_has_none_of_the_kind_last(bad: Run) -> None:
    assert [group.name for group in by_tag(bad.records)] == ["when", "how-many", "price", "who", None]
    assert [(group.name, group.failures) for group in by_document(bad.records)] == [
        ("ferry.txt", 2),
        ("museum.txt", 0),
        (None, 1),
    ]


def test_a_question_belongs_to_every_document_of_its_gold_spans_once() -> None:
    spans = (GoldSpan("ferry.txt", 0, 3), GoldSpan("museum.txt", 0, 3), GoldSpan("ferry.txt", 4, 9))
    run = asked(cases=(replace(CASES[0], spans=spans),))
    assert [(group.name, group.cases) for group in by_document(run.records)] == [("ferry.txt", 1), ("museum.txt", 1)]


def test_differences_by_hand(good: Run, bad: Run) -> None:
    pairs = compare(bad, baseline_of(good)).pairs
    right, exact, f1 = differences(pairs)
    assert (right.name, right.questions, right.before) == ("right", 7, 1)
    assert right.now == pytest.approx(4 / 7)
    assert (right.by, right.low, right.high) == metrics.paired_difference([1] * 7, [0, 0, 1, 1, 1, 0, 1])
    assert right.low < right.by < right.high <= 0
    assert exact.by == pytest.approx(-3 / 7)
    assert (f1.by, f1.low, f1.high) == compare(bad, baseline_of(good)).f1_difference
    assert differences([]) == []


def test_a_baseline_is_quoted_in_the_sentences_of_the_run(good: Run, bad: Run) -> None:
    entry = baseline_of(good).cases["q-3"]
    (quote,) = Excerpts(bad.records).quotes(None, entry)
    assert (quote.before, quote.words, quote.after) == ("🚀 Dogs travel free of charge ", "on weekdays", ".")
    elsewhere = [replace(each, case=replace(each.case, collection="letters")) for each in bad.records]
    assert Excerpts(elsewhere).quotes(None, entry) == []


def test_a_baseline_is_not_quoted_where_the_document_says_something_else_now(good: Run) -> None:
    entry = baseline_of(good).cases["q-3"]
    assert len(Excerpts(good.records).quotes(None, entry)) == 1
    assert Excerpts(good.records).quotes(None, replace(entry, answer="on Sundays")) == []


def test_rows_have_the_failures_first_and_the_worst_of_these(good: Run, bad: Run) -> None:
    rows = rows_of(bad.records, (), Excerpts(()))
    assert [row.id for row in rows] == ["q-6", "q-1", "q-2", "q-3", "q-4", "q-5", "q-7"]
    before = baseline_of(replace(bad, records=tuple(each for each in bad.records if each.case.id != "q-1")))
    cases = before.cases | {"q-1": baseline_of(good).cases["q-1"]}
    changes = compare(bad, replace(before, cases=cases)).changes
    assert [row.id for row in rows_of(bad.records, changes, Excerpts(()))][:3] == ["q-1", "q-6", "q-2"]


def test_a_row_tells_what_was_said_before_where_that_changed(good: Run, bad: Run) -> None:
    rows = rows_of(bad.records, compare(bad, baseline_of(good)).changes, Excerpts(good.records))
    by_id = {row.id: row for row in rows}
    assert by_id["q-1"].kind is Kind.REGRESSED
    before = by_id["q-1"].before
    assert before is not None
    assert (before.words, before.note) == ("at noon", Verdict.RIGHT)
    assert before.quotes[0].text == "The ferry to Hull leaves at noon."
    assert (by_id["q-3"].kind, by_id["q-3"].before) == (Kind.UNCHANGED, None)


def test_the_curve_ends_with_all_questions_and_marks_where_the_engine_stands(bad: Run) -> None:
    (curve,) = plots.risk_coverage({"all": bad.records}, 0.35).curves
    assert [pytest.approx(point) for point in curve.points] == [(5 / 7, 2 / 5), (1, 4 / 7)]
    assert curve.in_use == curve.points[0]
    assert [choice.threshold for choice in curve.choices] == [0.9, 0.0]
    assert [choice.coverage for choice in curve.choices] == pytest.approx([5 / 7, 1])
    silent = asked(ScriptedEngine(dict.fromkeys([case.id for case in CASES])))
    assert plots.risk_coverage({"all": silent.records}, None).curves[0].in_use is None


def test_reliability_has_the_bins_of_the_calibration_error(bad: Run) -> None:
    (group,) = plots.reliability({"all": bad.records}).groups
    assert sum(each.count for each in group.bins) == 7
    assert group.error == pytest.approx(sum(each.count * abs(each.confidence - each.right) for each in group.bins) / 7)


def slow(milliseconds: list[float]) -> list[Record]:
    (record,) = asked(cases=TAGGED[:1]).records
    assert record.reply is not None
    return [replace(record, reply=replace(record.reply, milliseconds=each)) for each in milliseconds]


_RECORD = slow([1.0])[0]


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=60))
def test_every_reply_is_in_one_bar(taken: list[float]) -> None:
    assert _RECORD.reply is not None
    records = [replace(_RECORD, reply=replace(_RECORD.reply, milliseconds=each)) for each in taken]
    found = plots.latencies(records)
    assert found is not None
    assert sum(bar.count for bar in found.bars) == len(taken)
    assert found.bars[0].low == 0
    assert all(first.high == second.low for first, second in zip(found.bars, found.bars[1:], strict=False))
    for bar in found.bars[:-1]:
        assert bar.count == sum(bar.low <= each < bar.high for each in taken)
    assert found.bars[-1].open_end == (max(taken) > found.bars[-1].high)


def test_what_is_much_slower_than_most_is_one_bar() -> None:
    found = plots.latencies(slow([100.0] * 199 + [60_000.0]))
    assert found is not None
    assert found.bars[-1].high < 1000
    assert (found.bars[-1].count, found.bars[-1].open_end, found.slowest) == (1, True, 60_000)
    assert plots.latencies([]) is None


@given(st.floats(1e-3, 1e9))
def test_an_axis_holds_the_highest_value_and_few_marks(highest: float) -> None:
    axis = plots.axis_to(highest)
    assert highest <= axis.end * (1 + 1e-6)
    assert axis.ticks[0] == 0
    assert axis.ticks[-1] == pytest.approx(axis.end)
    assert 2 <= len(axis.ticks) <= 7


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (1.0, "100"), (0.5, "50"), (0.996, "99.6"), (0.9999, "> 99.9"), (0.004, "0.4"), (0.0001, "< 0.1")],
)
def test_a_percentage_is_all_or_nothing_only_where_it_is(value: float, shown: str) -> None:
    assert percent(value) == f"{shown}\u00a0%"


# The page as text.


def test_the_page_tells_how_many_are_right_and_how_sure_that_is(bad: Run) -> None:
    page = report(bad)
    assert "4 of 7 questions are answered as they should be" in page
    right = headlines(halves(bad.records))[0]
    estimate = right.values["all"]
    assert estimate is not None
    low, high = percent(estimate.low).split("\u00a0")[0], percent(estimate.high)
    assert f"{low} to {high}" in page
    assert right.values.keys() == {"all", "dev", "test"}


def listed_ids(page: str) -> list[str]:
    return re.findall(r'<td class="c-id"><bdi>(.*?)</bdi>', page)


def test_questions_of_the_test_half_are_listed_only_if_that_is_asked_for(good: Run, bad: Run) -> None:
    page = report(bad, Before("good.json", good))
    assert sorted(listed_ids(page)) == ["q-1", "q-2", "q-3", "q-7"]
    assert "The 3 of the test half" in page
    for case in CASES:
        assert (case.question in page) == (case.split == "dev")
    assert "The ferry</mark>" not in page  # what was said to a question of the test half
    revealed = report(bad, Before("good.json", good), reveal_test=True)
    assert sorted(listed_ids(revealed)) == [case.id for case in CASES]
    assert "of the test half" not in revealed
    assert "The ferry</mark>" in revealed


def test_a_run_of_one_half_is_listed_whole(bad: Run) -> None:
    half = replace(bad, records=tuple(each for each in bad.records if each.case.split == "test"))
    assert sorted(listed_ids(report(half))) == ["q-4", "q-5", "q-6"]


def test_what_changed_is_counted_for_both_halves_and_told_of_one(good: Run, bad: Run) -> None:
    page = report(bad, Before("good.json", good))
    assert "<strong>3</strong> questions got worse and <strong>0</strong> were fixed" in page
    assert page.count('<article class="change">') == 2
    assert "What became of single questions of the test half is counted above and not shown." in page
    assert page.count('<article class="change">') < report(bad, Before("good.json", good), reveal_test=True).count(
        '<article class="change">'
    )
    assert "What changed" not in report(bad)


def test_what_is_gone_is_told(good: Run, bad: Run) -> None:
    fewer = replace(bad, records=bad.records[:3])
    page = report(fewer, Before("good.json", good))
    assert "4 questions of the baseline were not asked" in page
    assert "Who steers the ferry?" in page


def test_a_baseline_file_and_a_run_tell_the_same(good: Run, bad: Run) -> None:
    with_run, with_baseline = (report(bad, Before("x", each)) for each in (good, baseline_of(good)))
    assert with_run == with_baseline


def test_threshold_is_told_where_it_is_known(bad: Run) -> None:
    assert "in use: 0.35" in report(replace(bad, engine={"min confidence": "0.35"}))
    page = report(replace(bad, engine={"min confidence": "much"}))
    assert "in use" in page
    assert "in use: " not in page


def test_topics_without_answers_have_a_page_too() -> None:
    case = Case("t-1", "ferry", (), (), False, (), "test", relevant=(Relevant("ferry", 1),))
    page = report(asked(cases=(case,)))
    assert "1 topics, by what was retrieved" in page
    assert "nDCG@10" in page
    assert "Calibration" not in page
    assert report(replace(asked(), records=())).startswith("<!doctype html>")


def test_questions_without_a_reply_are_told() -> None:
    page = report(asked(ScriptedEngine(failing={"q-1": "500: <b>no</b>"})))
    assert "1 questions got no reply" in page
    assert "500: &lt;b&gt;no&lt;/b&gt;" in page


def hostile() -> Run:
    """Return a run in which everything that comes from outside is hostile."""
    text = f"Beware. {HOSTILE} is what stands here. The ferry."
    source = f"{HOSTILE}.txt"
    start = text.index(HOSTILE)
    spans = (GoldSpan(source, start, start + len(HOSTILE)),)
    cases = (
        Case(f"a{HOSTILE}", f"Why {HOSTILE}?", (HOSTILE,), spans, True, (HOSTILE,), "dev"),
        Case(f"b{HOSTILE}", f"Who {HOSTILE}?", (HOSTILE, f"or {HOSTILE}"), spans, True, (HOSTILE, "who"), "dev"),
        Case(f"c{HOSTILE}", "When?", (HOSTILE,), spans, True, (), "dev"),
        Case(f"d{HOSTILE}", "How?", ("gone",), (GoldSpan(f"gone {source}", 0, 4),), True, (), "dev"),
    )
    said = {cases[0].id: (source, HOSTILE), cases[1].id: (source, "The ferry"), cases[3].id: None}
    maker = ScriptedEngine(texts={source: text})

    def consider(case: Case, reply: Reply) -> Reply:
        return replace(reply, alternatives=(maker.proposal(source, HOSTILE, 0.1),), agreement=HOSTILE)

    engine = ScriptedEngine(said, texts={source: text}, failing={cases[2].id: f"500: {HOSTILE}"}, fault=consider)
    run = replace(run_cases(f"{HOSTILE}.jsonl", cases, engine), started_at="2026-01-02T03:04:05+00:00")
    return replace(run, engine={"engine": HOSTILE, HOSTILE: "x"}, documents={HOSTILE: {HOSTILE: "0"}})


def hostile_page() -> str:
    """Return the page of a hostile run against another one, in which other things were said and asked."""
    run = hostile()
    first, second, *rest = run.records
    assert first.reply is not None
    swapped = replace(first, reply=second.reply, verdict=Verdict.WRONG)
    gone = replace(second, case=replace(second.case, id=f"z{HOSTILE}", question=f"Gone {HOSTILE}?"))
    before = replace(run, records=(swapped, replace(second, reply=first.reply, verdict=Verdict.RIGHT), gone, *rest))
    return report(run, Before(f"{HOSTILE}.json", before), reveal_test=True)


def test_hostile_text_is_escaped_wherever_it_stands() -> None:
    page = hostile_page()
    assert page.count("<script") == page.count("</script>") == 1
    assert page.count("<style") == page.count("</style>") == page.count("<title>") == 1
    assert "<img" not in page
    assert "<svg onload" not in page
    assert "{{ 7 * 7 }}" in page
    assert page.count("&lt;svg onload=alert(1)&gt;") > 30


def test_the_page_names_no_other_place(good: Run, bad: Run) -> None:
    page = report(bad, Before("good.json", good), reveal_test=True)
    assert re.findall(r"https?:|//[a-z]|@import|url\(|src=", page) == []
    assert {link[0] for link in re.findall(r'href="([^"]*)"', page)} == {"#"}


def test_the_same_input_makes_the_same_page(good: Run, bad: Run, tmp_path: Path) -> None:
    for name, run in (("good", good), ("bad", bad)):
        write_run(run, tmp_path / f"{name}.json")
    pages = []
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.html"
        code = "from eval.cli import main; main()"
        command = ["report", "bad.json", "--against", "good.json", "-o", str(out)]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[1])}
        subprocess.run([sys.executable, "-c", code, *command], cwd=tmp_path, env=environment, check=True)
        pages.append(out.read_bytes())
    assert pages[0] == pages[1]
    assert pages[0].decode() == report(bad, Before("good.json", good))


# The command.


def test_command_writes_the_page(good: Run, bad: Run, tmp_path: Path) -> None:
    write_run(bad, tmp_path / "run.json")
    write_baseline(baseline_of(good), tmp_path / "good.json")
    out = tmp_path / "deep" / "report.html"
    arguments = ["report", str(tmp_path / "run.json"), "--against", str(tmp_path / "good.json"), "-o", str(out)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert result.output == f"{out}: 4 questions; 3 of the test half are not listed\n"
    assert out.read_text(encoding="utf-8") == report(bad, Before("good.json", baseline_of(good)))
    result = CliRunner().invoke(main, [*arguments, "--reveal-test"])
    assert result.output == f"{out}: 7 questions\n"
    assert sorted(listed_ids(out.read_text())) == [case.id for case in CASES]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["none.json", "-o", "out.html"], "There is no file none.json"),
        (["no.json", "-o", "out.html"], "no.json cannot be read as JSON"),
        (["other.json", "-o", "out.html"], "other.json is no run: "),
        (["lone.json", "-o", "out.html"], "lone.json is no run: "),
        (["run.json", "--against", "other.json", "-o", "out.html"], "other.json is no baseline: "),
        (["run.json", "-o", "run.json/out.html"], "cannot be written"),
        (["run.json", "-o", "."], "is a directory"),
        (["run.json", "-o", "run.json"], "--out names a file that is read"),
        (["run.json", "--against", "good.json", "-o", "../here/good.json"], "--out names a file that is read"),
        (["run.json"], "Missing option '-o'"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    good: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], complaint: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write_run(good, Path("run.json"))
    write_baseline(baseline_of(good), Path("good.json"))
    Path("no.json").write_text("<html>")
    Path("other.json").write_text(json.dumps({"format": 1}))
    content = json.loads(Path("run.json").read_text())
    content["records"][0]["case"]["question"] = "\ud800"
    Path("lone.json").write_text(json.dumps(content))
    kept = {path: path.read_bytes() for path in Path().iterdir()}
    result = CliRunner().invoke(main, ["report", *arguments])
    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())
    assert "Traceback" not in result.output
    assert {path: path.read_bytes() for path in Path().iterdir()} == kept


# The page in a browser.


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}; install the package chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield launched
        launched.close()


Opener = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Open pages from a file; whatever they complain of or ask for elsewhere fails the test."""
    complaints: list[str] = []
    contexts = []

    def open_page(content: str, *, width: int = 1280, scheme: str = "light", scripts: bool = True) -> Page:
        path = tmp_path / "report.html"
        path.write_text(content, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=scripts,
            offline=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda each: None if each.url == path.as_uri() else complaints.append(each.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def content(good: Run, bad: Run) -> str:
    """A page with all seven questions, against a better run."""
    return report(bad, Before("good.json", good), reveal_test=True)


def shown(page: Page) -> list[str]:
    """Return the ids of the questions that are shown, in their order."""
    return page.locator("#list tbody tr:not([hidden]) .c-id").all_inner_texts()


def test_columns_are_sorted_by_their_heads_and_back(opened: Opener, content: str) -> None:
    page = opened(content)
    assert shown(page) == ["q-6", "q-1", "q-2", "q-3", "q-4", "q-5", "q-7"]
    page.get_by_role("button", name="Id", exact=True).click()
    assert shown(page) == [f"q-{number}" for number in range(1, 8)]
    assert page.get_by_role("columnheader", name="Id", exact=True).get_attribute("aria-sort") == "ascending"
    assert page.get_by_role("columnheader", name="Verdict").get_attribute("aria-sort") is None
    page.get_by_role("button", name="Id", exact=True).click()
    assert shown(page) == [f"q-{number}" for number in range(7, 0, -1)]
    assert page.get_by_role("columnheader", name="Id", exact=True).get_attribute("aria-sort") == "descending"


def test_what_has_no_number_comes_last_either_way(opened: Opener, content: str) -> None:
    page = opened(content)
    for _ in range(2):
        page.get_by_role("button", name="Confidence").click()
        assert shown(page)[-2:] == ["q-2", "q-7"]
    page.get_by_role("button", name="Verdict").click()
    assert shown(page)[0] == "q-6"
    page.get_by_role("button", name="Question and answer").click()
    assert shown(page)[0] == "q-7"  # How much is the car park?
    page.get_by_role("button", name="Change").click()
    assert shown(page)[:3] == ["q-1", "q-2", "q-6"]


def test_ids_are_sorted_as_numbers(opened: Opener) -> None:
    cases = tuple(case_about(number, "When does the ferry leave?", "at noon") for number in (10, 9, 100))
    said = dict.fromkeys((case.id for case in cases), ("ferry.txt", "at noon"))
    page = opened(report(asked(ScriptedEngine(said), cases)))
    page.get_by_role("button", name="Id", exact=True).click()
    assert shown(page) == ["q-9", "q-10", "q-100"]


@pytest.mark.parametrize(
    ("name", "choice", "left"),
    [
        ("Verdict", "failed", ["q-6", "q-1", "q-2"]),
        ("Verdict", "wrong", ["q-1"]),
        ("Change", "changed", ["q-6", "q-1", "q-2"]),
        ("Change", "worse", ["q-6", "q-1", "q-2"]),
        ("Change", "newly abstained", ["q-2"]),
        ("Half", "test", ["q-6", "q-4", "q-5"]),
        ("Tag", "when", ["q-1", "q-3", "q-4"]),
        ("Document", "museum.txt", ["q-4", "q-5"]),
    ],
)
def test_filters_keep_what_they_say(opened: Opener, content: str, name: str, choice: str, left: list[str]) -> None:
    page = opened(content)
    page.get_by_role("combobox", name=name, exact=True).select_option(choice)
    assert shown(page) == left
    assert page.locator("#count").inner_text() == f"{len(left)} of 7 questions"
    page.get_by_role("button", name="Show all").click()
    page.get_by_text("7 questions", exact=True).wait_for()
    assert len(shown(page)) == 7


def test_filters_and_search_go_together(opened: Opener, content: str) -> None:
    page = opened(content)
    page.get_by_role("searchbox", name="Search").fill("DOGS  free")
    page.get_by_text("1 of 7 questions").wait_for()
    assert shown(page) == ["q-3"]
    page.get_by_role("combobox", name="Tag", exact=True).select_option("who")
    assert shown(page) == []
    assert page.get_by_text("No question is like that.").is_visible()
    page.get_by_role("combobox", name="Tag", exact=True).select_option("when")
    assert shown(page) == ["q-3"]


def test_a_tag_leads_to_its_questions(opened: Opener, content: str) -> None:
    page = opened(content)
    page.get_by_role("combobox", name="Verdict", exact=True).select_option("failed")
    page.locator("#tags").get_by_role("link", name="when").click()
    page.get_by_text("3 of 7 questions").wait_for()
    assert shown(page) == ["q-1", "q-3", "q-4"]
    page.locator(".legend").get_by_role("link", name="rightly silent").click()
    page.get_by_text("1 of 7 questions").wait_for()
    assert shown(page) == ["q-7"]


def test_a_tag_without_listed_questions_shows_all(opened: Opener, bad: Run) -> None:
    page = opened(report(bad))
    page.get_by_role("combobox", name="Verdict", exact=True).select_option("wrong")
    page.locator("#tags").get_by_role("link", name="who").click()  # of the test half alone
    page.get_by_text("4 questions", exact=True).wait_for()
    assert len(shown(page)) == 4


def test_the_keyboard_sorts_opens_and_filters(opened: Opener, content: str) -> None:
    page = opened(content)
    page.get_by_role("searchbox", name="Search").focus()
    for _ in range(6):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Show all"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert shown(page)[0] == "q-1"
    page.keyboard.press("Space")
    assert shown(page)[0] == "q-7"
    for _ in range(6):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open") is True
    page.get_by_role("combobox", name="Verdict", exact=True).focus()
    page.keyboard.press("ArrowDown")
    assert page.locator("#count").inner_text() == "3 of 7 questions"


def test_many_questions_are_shown_bit_by_bit(opened: Opener, bad: Run) -> None:
    many = tuple(
        replace(bad.records[number % 7], case=replace(bad.records[number % 7].case, id=f"m-{number}", split="dev"))
        for number in range(450)
    )
    page = opened(report(replace(bad, records=many)))
    assert len(shown(page)) == 200
    assert page.locator("#count").inner_text() == "450 questions, the first 200 shown"
    page.get_by_role("button", name="Show more").click()
    assert len(shown(page)) == 400
    page.get_by_role("button", name="Id", exact=True).click()
    assert shown(page) == [f"m-{number}" for number in range(200)]
    page.locator("#all").click()
    assert shown(page) == [f"m-{number}" for number in range(450)]
    assert not page.locator("#rest").is_visible()


def test_without_scripts_all_is_there(opened: Opener, bad: Run) -> None:
    many = tuple(replace(bad.records[0], case=replace(bad.records[0].case, id=f"m-{number}")) for number in range(230))
    page = opened(report(replace(bad, records=many)), scripts=False)
    assert page.locator("#list tbody tr:visible").count() == 230
    assert not page.locator("#filters").is_visible()
    assert page.locator("#list th button").count() == 0
    row = page.locator("#list tbody tr").first
    assert not row.get_by_text("retrieved").is_visible()
    row.get_by_text("More").click()
    assert row.get_by_text("retrieved").is_visible()
    assert row.locator("blockquote mark").first.is_visible()


def test_the_answer_is_marked_in_its_sentence(opened: Opener, content: str) -> None:
    row = opened(content).locator("#list tbody tr").nth(1)
    said = row.locator(".sayings").first.locator("dd").nth(1)
    assert said.locator("blockquote").text_content() == "A ticket costs 12 euros."
    assert said.locator("mark").text_content() == "12 euros"
    assert row.locator(".expected mark").first.text_content() == "at noon"


def overflow(page: Page) -> list[int]:
    found: list[int] = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return found


@pytest.mark.parametrize("hard", [False, True], ids=["plain", "hostile"])
def test_a_phone_never_scrolls_sideways(opened: Opener, content: str, hard: bool) -> None:
    page = opened(hostile_page() if hard else content, width=360)
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    width, viewport = overflow(page)
    assert (width, viewport) == (360, 360)
    page.get_by_role("combobox", name="Verdict", exact=True).select_option("failed")
    assert overflow(page) == [360, 360]


CONTRASTS = """() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const light = (color) => {
    const [red, green, blue] = parse(color).map((part) => linear(part / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (first, second) => {
    const [high, low] = [light(first), light(second)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return (parse(color)[3] ?? 1) > 0 ? color : behind(element.parentElement);
  };
  const hasText = (element) => [...element.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
  document.querySelectorAll("details").forEach((each) => (each.open = true));
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    if (!hasText(element) || !element.getClientRects().length) continue;
    const { color, fill } = getComputedStyle(element);
    const grounds = element.matches(".verdicts text")
      ? [...document.querySelectorAll(".verdicts rect")].map((rect) => getComputedStyle(rect).color)
      : [behind(element)];
    const text = element.matches("svg text") ? fill : color;
    for (const ground of grounds) found.push([element.textContent.slice(0, 40), contrast(text, ground)]);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_is_easy_to_read(opened: Opener, content: str, scheme: str) -> None:
    page = opened(content, scheme=scheme)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(23, 23, 27)") == (scheme == "dark")
    found = page.evaluate(CONTRASTS)
    assert len(found) > 300
    assert [each for each in found if each[1] < 4.5] == []


def test_hostile_text_is_inert(opened: Opener) -> None:
    page = opened(hostile_page())
    assert page.title() == f"{HOSTILE}.jsonl · Citespan report"
    assert page.locator("script").count() == 1
    assert page.locator("img, svg[onload]").count() == 0
    assert page.locator("#list tbody tr").count() == 4
    quoted = page.locator("blockquote mark").all_text_contents()
    assert HOSTILE in quoted
    page.get_by_role("combobox", name="Tag", exact=True).select_option(HOSTILE)
    assert len(shown(page)) == 2
    page.get_by_role("searchbox", name="Search").fill(f"{MARKUP.split(maxsplit=1)[0]} why")
    page.get_by_text("1 of 4 questions").wait_for()


def test_turned_text_turns_nothing_beside_it(opened: Opener) -> None:
    page = opened(hostile_page())
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    # Where the first and the last character of the offsets behind each source stand, if on one line.
    places = page.evaluate(
        """() => [...document.querySelectorAll(".place")].map((place) => place.lastChild).filter((node) =>
             node.nodeType === 3 && /\\[\\d+:\\d+\\]/.test(node.data)).map((node) => {
             const at = (index) => { const range = document.createRange(); range.setStart(node, index);
               range.setEnd(node, index + 1); return range.getBoundingClientRect(); };
             const [first, last] = [at(node.data.indexOf("[")), at(node.data.indexOf("]"))];
             return [first.left, last.left, first.top, last.top]; })"""
    )
    assert len(places) > 5
    for left, right, top, bottom in places:
        assert top == bottom
        assert left < right


def test_the_page_runs_no_script_but_its_own(browser: Browser, content: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(content, encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    page.evaluate(
        """() => { const script = document.createElement("script"); script.textContent = "window.owned = 1";
        document.body.append(script); document.body.setAttribute("style", "color: rgb(1, 2, 3)");
        document.body.insertAdjacentHTML("beforeend", "<p onclick='window.owned = 1'>press</p>"); }"""
    )
    page.get_by_text("press").click()
    assert page.evaluate("window.owned") is None
    assert page.evaluate("getComputedStyle(document.body).color") != "rgb(1, 2, 3)"
    page.close()


def test_plots_have_names_and_words(opened: Opener, content: str) -> None:
    page = opened(content)
    for name in ("Risk and coverage", "Reliability", "Latency"):
        assert page.get_by_role("img", name=name).count() == 1
    assert page.locator("#plots details table").count() == 5
    page.emulate_media(media="print")
    assert not page.locator("#filters").is_visible()
    assert page.locator("#list tbody tr").first.is_visible()

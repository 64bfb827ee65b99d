"""Writing cases, and keeping them true when the documents change."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import SEEDS
from hypothesis import given
from hypothesis import strategies as st
from scripted_engine import CASES, FERRY, MUSEUM, TEXTS, ScriptedEngine, case_about

from eval.authoring import append_case, case_line, write_fixes
from eval.cases import SEEDS_SET, Case, GoldSpan, read_cases
from eval.cli import main
from eval.folders import Folders, read_folder
from eval.lint import faults, occurrences
from index.documents import make_document
from index.errors import InvalidCase
from service.conversation import Turn


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `new` ask an engine that proposes the ferry's price, once answered and once only considered."""
    words = ScriptedEngine()

    @contextmanager
    def opened(**_: Any) -> Iterator[ScriptedEngine]:
        price = words.proposal("ferry.txt", "12 euros")
        noon = words.proposal("ferry.txt", "at noon", 0.2)
        yield ScriptedEngine(
            fault=lambda case, reply: replace(
                reply, answer=price if "much" in case.question else None, alternatives=(noon,)
            )
        )

    monkeypatch.setattr("eval.authoring_cli.open_engine", opened)


def new(path: Path, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["new", *arguments, "--set", str(path)], input=typed)


@pytest.mark.usefixtures("scripted")
def test_a_proposal_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    result = new(path, "How much is the ferry?", "--accept", "1", "--tag", "how-many")
    assert result.exit_code == 0, result.output
    start = FERRY.index("12 euros")
    expected = Case(
        "answers-001",
        "How much is the ferry?",
        ("12 euros",),
        (GoldSpan("ferry.txt", start, start + 8),),
        True,
        ("how-many",),
        "dev",
    )
    assert read_cases(path) == [expected]
    assert "A ticket costs 12 euros.  ferry.txt [49:57]" in result.output


@pytest.mark.usefixtures("scripted")
def test_authors_choose_what_they_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    result = new(path, "How much is it?", typed="7\n1\n")
    assert "1  12 euros  0.90" in result.output
    assert "2  at noon  0.20" in result.output
    assert "That is none of these." in result.output
    assert "The engine abstains. Nearest to the question:" in new(path, "When?", typed="1\n").output
    new(path, "Who steers it?", typed="u\n")
    assert new(path, "Anything else?", typed="q\n").exit_code == 0
    cases = read_cases(path)
    assert [case.answers for case in cases] == [("12 euros",), ("at noon",), ()]
    assert [case.id for case in cases] == ["answers-001", "answers-002", "answers-003"]


@pytest.mark.usefixtures("scripted")
def test_authors_find_words_that_were_not_proposed(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    assert "do not stand in the documents" in new(path, "Who?", typed="e\nBob Stone\nq\n").output
    new(path, "Who founded it?", typed="e\nAda Stone\n")
    result = new(path, "How much is the museum?", typed="e\n12 euros\n2\n")
    assert "on Sundays, too.  museum.txt" in result.output
    founded, price = read_cases(path)
    assert MUSEUM[founded.spans[0].start : founded.spans[0].end] == "Ada Stone"
    assert price.spans[0].document == "museum.txt"


@pytest.mark.usefixtures("scripted")
def test_words_are_given_with_options(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    ambiguous = new(path, "How much is the museum?", "--answer", "12 euros")
    assert ambiguous.exit_code == 2
    place = f"museum.txt:{MUSEUM.index('12 euros')}"
    assert place in ambiguous.output
    arguments = ["--answer", "12 euros", "--answer", "twelve euros", "--at", place, "--split", "test"]
    result = new(path, "How much is the museum?", *arguments)
    assert result.exit_code == 0, result.output
    (case,) = read_cases(path)
    assert (case.answers, case.split) == (("12 euros", "twelve euros"), "test")
    assert new(path, "Who swims?", "--unanswerable").exit_code == 0
    assert read_cases(path)[1].answerable is False


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--accept", "3"], "There are 2 proposals, and no number 3"),
        (["--accept", "1", "--unanswerable"], "Give one of"),
        (["--answer", "13 euros"], "does not stand in the documents"),
        (["--answer", "12 euros", "--at", "ferry.txt:0"], "at ferry.txt:0"),
    ],
)
def test_what_makes_no_case_is_told_and_nothing_written(arguments: list[str], complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    result = new(path, "How much?", *arguments)
    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())
    assert not path.exists()


def test_a_question_is_added_once(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(case_line(CASES[0]))  # without a line end
    with pytest.raises(InvalidCase, match="asks this question already: q-1"):
        append_case(path, replace(CASES[0], id="q-9", question="when does  the FERRY leave?"))
    with pytest.raises(InvalidCase, match="has a case 'q-1' already"):
        append_case(path, replace(CASES[1], id="q-1"))
    again = replace(CASES[0], id="q-9", history=(Turn("user", "Which ferry?"),), collection="ferries")
    append_case(path, again)
    assert read_cases(path) == [CASES[0], again]


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.lists(st.text(st.characters(codec="utf-8")), min_size=1))
def test_whatever_a_case_says_its_line_is_read_as_it_was(question: str, answers: Sequence[str]) -> None:
    case = Case("x", question, tuple(answers), (GoldSpan("a", 0, 1),), True, ("t",), "dev")
    content = json.loads(case_line(case))
    assert "\n" not in case_line(case)
    assert content == {
        "id": "x",
        "question": question,
        "answers": answers,
        "spans": [{"document": "a", "start": 0, "end": 1}],
        "answerable": True,
        "tags": ["t"],
        "split": "dev",
    }


def folders(**texts: str) -> Folders:
    """Return documents whose sources are these names with ".txt"."""
    made = [make_document(text, source=f"{name}.txt") for name, text in texts.items()]
    return Folders({"default": made})


def found(cases: Sequence[Case], **texts: str) -> list[tuple[str, str | None, bool]]:
    """Return (id, place that is proposed, whether that is sure) of every fault."""
    return [
        (each.case.id, None if each.moved is None else f"{each.moved.document}:{each.moved.start}", each.is_sure)
        for each in faults(cases, folders(**texts))
    ]


def test_gold_that_stands_is_no_fault() -> None:
    assert found(CASES, ferry=FERRY, museum=MUSEUM) == []


def test_gold_of_the_seeds_stands() -> None:
    assert list(faults(read_cases(SEEDS_SET), Folders({"default": read_folder(SEEDS)}))) == []


def test_gold_that_moved_is_found() -> None:
    added = "A new beginning. "
    places = found(CASES[:3], ferry=added + FERRY, museum=MUSEUM)
    assert places == [(case.id, f"ferry.txt:{case.spans[0].start + len(added)}", True) for case in CASES[:3]]


def test_the_sentence_that_shares_words_with_the_question_decides() -> None:
    text = "New. The car park costs 12 euros. A ticket for the ferry costs 12 euros."
    case = case_about(2, "How much is a ticket for the ferry?", "12 euros")
    assert found([case], ferry=text) == [("q-2", f"ferry.txt:{text.rindex('12')}", True)]
    case = case_about(2, "How much is a car park?", "12 euros")
    assert found([case], ferry=text) == [("q-2", f"ferry.txt:{text.index('12')}", True)]


def test_neighbours_that_agree_decide_before_all_else() -> None:
    old = "Alpha. The price is 12 euros. Omega. The ticket price of all is 12 euros. Finis."
    cases = [
        Case(word, f"{word}?", (words,), (GoldSpan("a.txt", start, start + len(words)),), True, (), "dev")
        for word, words, start in (
            ("first", "Alpha", old.index("Alpha")),
            ("price", "12 euros", old.index("12 euros")),
            ("omega", "Omega", old.index("Omega")),
        )
    ]
    cases[1] = replace(cases[1], question="What is the ticket price of all?")
    assert ("price", f"a.txt:{old.index('12 euros') + 9}", True) in found(cases, a="Preface. " + old)


def test_equal_evidence_is_not_sure_and_the_nearest_place_is_proposed() -> None:
    text = "New here. It costs 12 euros. It costs 12 euros. It costs 12 euros."
    case = replace(CASES[1], spans=(GoldSpan("ferry.txt", 36, 44),))
    ((name, place, sure),) = found([case], ferry=text)
    assert (name, sure) == ("q-2", False)
    assert place == f"ferry.txt:{text.index('12', 30)}"


def test_a_renamed_document_is_found_again() -> None:
    assert found([CASES[4]], ferry=FERRY, gallery=MUSEUM) == [("q-5", f"gallery.txt:{MUSEUM.index('Ada Stone')}", True)]


def test_gold_that_is_gone_is_told() -> None:
    (fault,) = faults([CASES[4]], folders(ferry=FERRY, museum="The museum is closed."))
    assert fault.moved is None
    assert "no accepted answer stands anywhere else" in fault.message
    assert "which is no accepted answer" in fault.message


def test_words_within_words_are_none() -> None:
    assert list(occurrences("noon noonday afternoon noon.", "noon")) == [0, 23]
    assert list(occurrences("aaa", "a")) == []
    assert list(occurrences("a", "")) == []


def test_questions_that_stand_twice_are_told() -> None:
    twice = replace(CASES[0], id="again", question="When does the  ferry LEAVE?")
    (fault,) = faults([CASES[0], twice], folders(ferry=FERRY, museum=MUSEUM))
    assert fault.case.id == "again"
    assert "stands twice; it is that of q-1" in fault.message


sentences = st.lists(st.sampled_from(["It rains.", "12 euros it is.", "Nothing here.", "🚀 Up."]), max_size=6)


@given(sentences, sentences)
def test_what_is_surely_found_holds_an_accepted_answer(before: list[str], after: list[str]) -> None:
    text = " ".join([*before, "The ferry leaves at noon.", *after])
    for fault in faults(CASES[:3], folders(ferry=text, museum=MUSEUM)):
        if fault.moved is not None:
            assert text[fault.moved.start : fault.moved.end] in fault.case.answers


def write_documents(folder: Path, texts: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for source, text in texts.items():
        (folder / source).write_text(text)
    return folder


def lint(path: Path, folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["lint", str(path), "--documents", str(folder), *options])


def test_lint_proposes_and_fixes(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    lines = [case_line(case) for case in CASES]
    lines[3] = lines[3].replace(", ", ",  ")  # as somebody has written it
    path.write_bytes("\r\n".join(lines).encode() + b"\r\n\r\n")
    folder = write_documents(tmp_path / "documents", TEXTS)
    assert lint(path, folder).exit_code == 0
    write_documents(folder, {"ferry.txt": "New. " + FERRY})
    result = lint(path, folder)
    assert result.exit_code == 1
    assert "7 cases, 3 faults" in result.output
    assert "moved to  The ferry to Hull leaves at noon.  ferry.txt [30:37]" in result.output
    assert read_cases(path) == list(CASES)  # nothing is written unasked
    assert "7 cases, 3 faults, 3 fixed" in lint(path, folder, "--fix").output
    assert lint(path, folder).exit_code == 0
    kept = path.read_bytes().split(b"\n")
    assert kept[3] == lines[3].encode() + b"\r"
    assert len(kept) == len(lines) + 2
    assert all(line.endswith(b"\r") for line in kept[:-1])
    assert [case.answers for case in read_cases(path)] == [case.answers for case in CASES]


def test_lint_leaves_what_is_not_sure(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    case = replace(CASES[1], spans=(GoldSpan("ferry.txt", 0, 8),))
    path.write_text(case_line(case))
    folder = write_documents(tmp_path / "documents", {"ferry.txt": "It costs 12 euros. It costs 12 euros."})
    result = lint(path, folder, "--fix")
    assert result.exit_code == 1
    assert "perhaps   It costs 12 euros." in result.output
    assert read_cases(path) == [case]


def test_lint_needs_the_documents_of_every_collection(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(case_line(replace(CASES[0], collection="letters")))
    folder = write_documents(tmp_path / "documents", TEXTS)
    result = lint(path, folder)
    assert result.exit_code == 2
    assert "--documents letters=FOLDER" in result.output
    assert CliRunner().invoke(main, ["lint", str(path), "--documents", f"letters={folder}"]).exit_code == 0


def test_fixes_of_other_cases_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(case_line(CASES[0]) + "\n\n" + case_line(CASES[5]))
    before = path.read_bytes()
    assert write_fixes(path, []) == 0
    assert path.read_bytes() == before

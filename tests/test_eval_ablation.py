"""Ablation: the same questions with and without what was said before them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console
from scripted_engine import CASES, ScriptedEngine

from eval.ablation import WAYS, print_ablation, written_out
from eval.authoring import case_line
from eval.cases import DIALOGUES_SET, SEEDS_SET, Case, read_cases
from eval.cli import main
from eval.replies import Reply
from eval.run import run_cases
from service.conversation import Turn

TURN = (Turn("user", "When does the ferry leave?"),)
FOLLOW_UP = replace(
    CASES[1], id="q-2", question="And how much is it?", history=TURN, standalone=CASES[1].question, split="dev"
)
SHIFT = replace(CASES[4], history=TURN, tags=("shift",))
DIALOGUES = (FOLLOW_UP, SHIFT)


def forgetful(case: Case, reply: Reply) -> Reply:
    """Understand a follow-up neither with nor without its history."""
    return replace(reply, answer=None) if case.question == FOLLOW_UP.question else reply


def test_a_question_written_out_has_no_history() -> None:
    assert written_out(FOLLOW_UP) == replace(FOLLOW_UP, question=CASES[1].question, history=(), standalone=None)
    assert written_out(SHIFT) == replace(SHIFT, history=())


def test_table_tells_what_the_history_is_worth() -> None:
    engine = ScriptedEngine(fault=forgetful)
    run = run_cases("few", DIALOGUES, engine)
    ways = {name: run_cases("few", [way(case) for case in DIALOGUES], engine) for name, way in WAYS.items()}
    console = Console(record=True, width=120)
    print_ablation(run, ways, console)
    lines = [" ".join(line.replace("│", " ").split()) for line in console.export_text().splitlines()]
    assert "all: all 2 0.500 0.500 1.000" in lines
    assert "all: follow-ups that are answerable 1 0.000 0.000 1.000" in lines
    assert "test: questions that stand alone 1 1.000 1.000 1.000" in lines


def test_run_asks_three_times_and_keeps_what_was_asked_with_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Case] = []

    def note(case: Case, reply: Reply) -> Reply:
        asked.append(case)
        return reply

    @contextmanager
    def scripted(*_: Any, **__: Any) -> Iterator[ScriptedEngine]:
        yield ScriptedEngine(fault=note)

    monkeypatch.setattr("eval.cli.open_engine", scripted)
    path, out = tmp_path / "set.jsonl", tmp_path / "run.json"
    path.write_text("".join(case_line(case) + "\n" for case in DIALOGUES))
    assert read_cases(path) == list(DIALOGUES)
    result = CliRunner().invoke(main, ["run", str(path), "--ablate-history", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "written out" in result.output
    assert sorted((case.id, bool(case.history)) for case in asked) == [
        *[("q-2", False), ("q-2", False), ("q-2", True), ("q-5", False), ("q-5", False), ("q-5", True)]
    ]
    assert '"And how much is it?"' in out.read_text()


@pytest.mark.parametrize(("name", "path"), [("seeds", SEEDS_SET), ("dialogues", DIALOGUES_SET)])
def test_shipped_sets_are_known_by_name(name: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr("eval.cli.read_set", lambda given, **_: read.append(given))
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(main, ["run", name])
    (tmp_path / name).mkdir()  # as there is a folder seeds/ in a checkout
    CliRunner().invoke(main, ["run", name])
    (tmp_path / name).rmdir()
    (tmp_path / name).write_text("")
    CliRunner().invoke(main, ["run", name])
    assert read == [path, path, Path(name)]

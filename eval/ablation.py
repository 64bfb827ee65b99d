"""Ablation: what the turns before a question are worth. The same questions without them, and written out by hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from eval.cases import Case
from eval.figures import estimate
from eval.halves import halves
from eval.metrics import mcnemar
from eval.run import Record, Run
from eval.sets import QuestionSet

# A question with this tag follows others and needs none of them.
SHIFT = "shift"


def without_history(case: Case) -> Case:
    """Return the same question as if nothing had been said before: what is lost without it."""
    return replace(case, history=(), standalone=None)


def written_out(case: Case) -> Case:
    """Return the question as a person wrote it out, without a history: what the best rewriting could win."""
    return replace(without_history(case), question=case.standalone or case.question)


def changed(questions: QuestionSet, way: Callable[[Case], Case]) -> QuestionSet:
    """Return a set with every question asked in another way."""
    return replace(questions, cases=tuple(way(case) for case in questions.cases))


WAYS: dict[str, Callable[[Case], Case]] = {"without history": without_history, "written out": written_out}


def print_ablation(run: Run, ways: Mapping[str, Run], out: Console) -> None:
    """Print how many questions are answered as they should be, by kind and half, with the history and in other ways."""
    table = Table("right", "cases", "with history", *ways)
    records = {"with history": run.records, **{name: each.records for name, each in ways.items()}}
    for half, chosen in halves(run.records).items():
        for kind, belongs in _KINDS.items():
            members = {record.case.id for record in chosen if belongs(record.case)}
            if members:
                shares = [_share(each, members) for each in records.values()]
                table.add_row(f"{half}: {kind}", str(len(members)), *shares)
    out.print(table)
    for name, other in ways.items():
        p_value = mcnemar(*([each.verdict.is_good for each in found] for found in (other.records, run.records)))
        out.print(f"with history against {name}: McNemar's exact p = {p_value:.2g}", style="dim")


_KINDS: dict[str, Callable[[Case], bool]] = {
    "all": lambda _: True,
    "follow-ups that are answerable": lambda case: case.answerable and SHIFT not in case.tags,
    "follow-ups that are not": lambda case: not case.answerable and SHIFT not in case.tags,
    "questions that stand alone": lambda case: SHIFT in case.tags,
}


def _share(records: Sequence[Record], members: set[str]) -> str:
    found = estimate([record.verdict.is_good for record in records if record.case.id in members])
    return "-" if found is None else f"{found.value:.3f}"

"""Differences: by how much the figures of a run are above those of what it is compared with, question by question."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from eval import metrics
from eval.baseline import Entry
from eval.cases import Case
from eval.run import Record


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean over the questions that were asked both times, before and now; `by`: its growth, with the interval."""

    name: str
    questions: int
    before: float
    now: float
    by: float
    low: float
    high: float


_Measure = Callable[[Case, Entry | Record], float]

# Both answers are measured by what is accepted now.
_MEASURES: dict[str, _Measure] = {
    "right": lambda _, outcome: float(outcome.verdict.is_good),
    "exact match": lambda case, outcome: metrics.exact_match(outcome.answer, case.answers),
    "F1": lambda case, outcome: metrics.f1(outcome.answer, case.answers),
}


def differences(pairs: Sequence[tuple[Entry, Record]]) -> list[Difference]:
    """Return the difference of every figure that a baseline bears on; none where no judged question was asked twice."""
    judged = [(before, after) for before, after in pairs if not after.case.relevant]
    return [_difference(name, measure, judged) for name, measure in _MEASURES.items()] if judged else []


def _difference(name: str, measure: _Measure, pairs: Sequence[tuple[Entry, Record]]) -> Difference:
    before = [measure(after.case, each) for each, after in pairs]
    now = [measure(after.case, after) for _, after in pairs]
    return Difference(name, len(pairs), fmean(before), fmean(now), *metrics.paired_difference(before, now))

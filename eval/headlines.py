"""Headlines: the few figures that tell how good a run is, for all questions and for either half."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.figures import Estimate, Figures, estimate, figures
from eval.run import Record
from eval.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure by the name of its column, "all" first; None where no question of the column bears on it."""

    name: str
    about: str
    values: dict[str, Estimate | None]


def headlines(columns: Mapping[str, Sequence[Record]]) -> list[Headline]:
    """Return the headlines that the questions bear on."""
    found = {name: figures(records) for name, records in columns.items()}
    silent = {name: _rightly_silent(records) for name, records in columns.items()}
    every = [
        Headline("Right", "of all questions: an accepted answer, or a silence that was due", _of(found, "right")),
        Headline("Accepted", "of the questions that the documents answer", _of(found, "accepted")),
        Headline("Rightly silent", "of the questions that the documents do not answer", silent),
        Headline("F1", "words shared with an accepted answer, mean", _of(found, "f1")),
        Headline("Recall@5", "a passage that holds the answer is among the first five", _of(found, "recall_at_5")),
        Headline("nDCG@10", "how early the passages that matter were retrieved", _of(found, "ndcg_at_10")),
    ]
    return [each for each in every if each.values["all"] is not None]


def _of(found: Mapping[str, Figures], name: str) -> dict[str, Estimate | None]:
    return {column: getattr(each, name) for column, each in found.items()}


def _rightly_silent(records: Sequence[Record]) -> Estimate | None:
    silent = [each for each in records if not each.case.answerable and not each.case.relevant]
    return estimate([each.verdict is Verdict.SILENT for each in silent])

"""Ranking: what the passages that were retrieved for a question are worth, by what is known to be relevant."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from eval import metrics
from eval.cases import Case
from eval.replies import Retrieved


@dataclass(frozen=True, slots=True)
class Gains:
    """What each retrieved thing is worth, best ranked first, and what was missed.

    Where gold spans are known, these are passages, and each is worth as many gold spans as it is the first to hold
    whole. Where only relevant documents are known, these are the documents of the passages, each once, in the order of
    their best passages (MaxP: Dai & Callan 2019), and each is worth its grade. `missed` has the worth of what is known
    and was not retrieved.
    """

    ranked: tuple[int, ...]
    missed: tuple[int, ...]

    @property
    def first(self) -> int | None:
        """The rank of the first relevant thing, from 1; None where nothing relevant was retrieved."""
        return next((rank for rank, gain in enumerate(self.ranked, start=1) if gain > 0), None)

    def ndcg_at(self, k: int) -> float:
        """Return the nDCG of the first `k`; see `metrics.ndcg_at`."""
        return metrics.ndcg_at(self.ranked, [*self.ranked, *self.missed], k)


def gains_of(case: Case, passages: Sequence[Retrieved]) -> Gains:
    """Return what the passages retrieved for a case are worth."""
    if case.relevant:
        grades = {each.document: each.grade for each in case.relevant}
        ranked = [document_name(source, grades) for source in documents_of(passages)]
        missed = [grade for name, grade in grades.items() if name not in ranked and grade > 0]
        return Gains(tuple(max(0, grades.get(name, 0)) for name in ranked), tuple(missed))
    left = {(each.document, each.start, each.end) for each in case.spans}
    worth = []
    for passage in passages:
        held = {span for span in left if metrics.covers(passage.place, span)}
        worth.append(len(held))
        left -= held
    return Gains(tuple(worth), (1,) * len(left))


def documents_of(passages: Sequence[Retrieved]) -> list[str]:
    """Return the sources of passages, each once, in the order of their best passages."""
    return list(dict.fromkeys(each.source for each in passages))


def document_name(source: str, known: Container[str]) -> str:
    """Return the name under which a document is judged: its source, or its source without ".txt" where only that is."""
    stem = str(PurePosixPath(source).with_suffix(""))
    return stem if source not in known and stem in known else source

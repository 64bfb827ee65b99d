"""A run: a set of cases put to an engine in this process, a record a case, and the figures that follow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from eval import metrics
from eval.cases import Case
from index.collection import Collection
from service.answering import Answerer, Response
from service.citations import Citation

Place = tuple[str, int, int]

# How deep the ranking is looked at for MRR.
_RANKING_DEPTH = 20

ACCEPTED_F1 = 0.6


@dataclass(frozen=True, slots=True)
class Record:
    """What came of one case. `answer` is "" where the engine abstained.

    `rank` is that of the first retrieved passage that holds a gold span whole, from 1; None where none does, or where
    the case is not answerable. `is_supported`: a citation of the answer overlaps a gold span.
    """

    case: Case
    answer: str
    confidence: float
    cited: tuple[tuple[str, int, int, str], ...]
    rank: int | None
    is_supported: bool
    milliseconds: float

    @property
    def answered(self) -> bool:
        """Whether the engine gave an answer."""
        return self.answer != ""

    @property
    def is_accepted(self) -> bool:
        """Whether the answer is, nearly word by word, one that is accepted, and cites where it stands."""
        return self.is_supported and metrics.f1(self.answer, self.case.answers) >= ACCEPTED_F1

    @property
    def is_right(self) -> bool:
        """Whether the engine did what it should: an accepted answer, or silence where the documents do not say."""
        return self.is_accepted if self.case.answerable else not self.answered


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a run, over all its cases unless said otherwise; see `eval.metrics` for each."""

    cases: int
    right: float
    """Share of cases with an accepted answer, or with silence where the documents do not say."""
    accepted: float
    """Share of answerable cases with an answer of F1 >= 0.6 that cites a gold span."""
    supported: float
    """Share of answerable cases whose answer cites a gold span, or a part of one."""
    exact_match: float
    f1: float
    answerable: metrics.Detection
    unanswerable: metrics.Detection
    citation_validity: float
    recall_at_1: float
    recall_at_5: float
    mrr: float
    """Retrieval, over the answerable cases."""
    mean_ms: float


@dataclass(frozen=True, slots=True)
class Run:
    """All records of a run, in the order of the cases, and the fingerprint of what answered."""

    records: list[Record]
    fingerprint: str
    texts: dict[str, str] = field(repr=False)

    def figures(self) -> Figures:
        """Return the figures of the run."""
        return figures(self.records, self.texts)


def run_cases(
    cases: Sequence[Case],
    answerer: Answerer,
    collection: Collection,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Run:
    """Put every case to the engine; `progress` is told how many are done."""
    texts = {each.source: collection.text(each.id) for each in collection.documents(limit=-1)}
    records = []
    for done, case in enumerate(cases, start=1):
        records.append(_record(case, answerer.ask(collection, case.question, top_k=_RANKING_DEPTH)))
        progress(done)
    return Run(records, answerer.fingerprint(collection.fingerprint()), texts)


def figures(records: Sequence[Record], texts: dict[str, str]) -> Figures:
    """Return the figures of some records of a run."""
    answerable = [each for each in records if each.case.answerable]
    ranks = [each.rank for each in answerable]
    answered = [each.answered for each in records]
    should = [each.case.answerable for each in records]
    return Figures(
        cases=len(records),
        right=_mean([each.is_right for each in records]),
        accepted=_mean([each.is_accepted for each in answerable]),
        supported=_mean([each.is_supported for each in answerable]),
        exact_match=_mean([metrics.exact_match(each.answer, each.case.answers) for each in records]),
        f1=_mean([metrics.f1(each.answer, each.case.answers) for each in records]),
        answerable=metrics.detection(answered, should),
        unanswerable=metrics.detection([not each for each in answered], [not each for each in should]),
        citation_validity=metrics.citation_validity([place for each in records for place in each.cited], texts),
        recall_at_1=metrics.recall_at(ranks, 1),
        recall_at_5=metrics.recall_at(ranks, 5),
        mrr=metrics.mean_reciprocal_rank(ranks),
        mean_ms=_mean([each.milliseconds for each in records]),
    )


def _record(case: Case, response: Response) -> Record:
    gold: list[Place] = [(each.document, each.start, each.end) for each in case.spans]
    citations: tuple[Citation, ...] = response.answer.citations if response.answer else ()
    cited = tuple((each.source, each.cited.start, each.cited.end, each.cited.text) for each in citations)
    rank = None
    for shown in response.passages:
        hit = shown.hit
        passage = hit.found.passage
        if any(metrics.covers((hit.found.source, passage.start, passage.end), span) for span in gold):
            rank = hit.rank
            break
    return Record(
        case,
        response.answer.text if response.answer else "",
        response.answer.confidence if response.answer else 0.0,
        cited,
        rank,
        any(metrics.overlaps(place[:3], span) for place in cited for span in gold),
        response.timings.total,
    )


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 0.0

"""Figures: what the records of a run come to, with intervals where a figure is a mean over questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from eval import metrics
from eval.run import ABSTAINED, ANSWERED, Record
from eval.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over questions with its bootstrap interval of 95 %: where it would lie if others like them were asked."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of some records of a run; see `eval.metrics` for each. None: no question that it is about was asked.

    Questions that ended in an error count as neither answered nor silent, and as not right.
    """

    cases: int
    errors: int
    right: Estimate | None
    """Share of cases with an accepted answer that cites a gold span, or with silence where the documents do not say."""
    accepted: Estimate | None
    """Share of answerable cases with an answer of F1 >= 0.6 that cites a gold span."""
    supported: Estimate | None
    """Share of answerable cases whose answer cites a gold span, or a part of one."""
    exact_match: Estimate | None
    f1: Estimate | None
    answerable: metrics.Detection
    unanswerable: metrics.Detection
    citation_validity: float
    """Share of all citations whose words stand where they say."""
    citation_correctness: Estimate | None
    span_overlap: Estimate | None
    """Over the answerable cases that were answered."""
    auroc: float | None
    """How well confidence tells answerable from unanswerable cases."""
    calibration_error: float
    coverage_at_90: float
    """Share of cases that could be answered at a precision of 0.9 if the threshold were set for it."""
    recall_at_1: Estimate | None
    recall_at_5: Estimate | None
    mrr: Estimate | None
    ndcg_at_10: Estimate | None
    """Retrieval, over the cases of which it is known what is relevant."""
    p50_ms: float
    p95_ms: float
    p99_ms: float


def figures(records: Sequence[Record]) -> Figures:
    """Return the figures of some records of a run."""
    judged = [each for each in records if not each.case.relevant]
    answerable = [each for each in judged if each.case.answerable]
    silent = [each for each in judged if not each.case.answerable]
    replied = [each for each in judged if each.reply]
    given = [each for each in answerable if each.status == ANSWERED]
    findable = [each for each in records if each.case.spans or each.case.relevant]
    held = [each for record in records for each in record.held]
    confidences, right = confidences_of(records)
    p50, p95, p99 = metrics.percentiles([each.reply.milliseconds for each in records if each.reply])
    return Figures(
        cases=len(records),
        errors=sum(each.verdict is Verdict.ERROR for each in records),
        right=estimate([each.verdict.is_good for each in judged]),
        accepted=estimate([each.verdict is Verdict.RIGHT for each in answerable]),
        supported=estimate([each.is_supported for each in answerable]),
        exact_match=estimate([exact_match(each) for each in judged]),
        f1=estimate([f1(each) for each in judged]),
        answerable=metrics.detection(
            [each.status == ANSWERED for each in replied], [each.case.answerable for each in replied]
        ),
        unanswerable=metrics.detection(
            [each.status == ABSTAINED for each in replied], [not each.case.answerable for each in replied]
        ),
        citation_validity=fmean(held) if held else 1.0,
        citation_correctness=estimate([metrics.citation_correctness(each.cited, gold_places(each)) for each in given]),
        span_overlap=estimate([metrics.span_overlap(each.cited, gold_places(each)) for each in given]),
        auroc=metrics.auroc([each.confidence for each in answerable], [each.confidence for each in silent])
        if answerable and silent
        else None,
        calibration_error=metrics.expected_calibration_error(confidences, right),
        coverage_at_90=metrics.coverage_at(confidences, right, 0.9),
        recall_at_1=estimate([metrics.recall_at([each.gains.first], 1) for each in findable]),
        recall_at_5=estimate([metrics.recall_at([each.gains.first], 5) for each in findable]),
        mrr=estimate([metrics.mean_reciprocal_rank([each.gains.first]) for each in findable]),
        ndcg_at_10=estimate([each.gains.ndcg_at(10) for each in findable]),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
    )


def confidences_of(records: Sequence[Record]) -> tuple[list[float], list[bool]]:
    """Return how sure the engine was of what it said, or would have said, to each judged case, and whether it is right.

    A case that ended in an error has no confidence, and is wrong.
    """
    judged = [each for each in records if not each.case.relevant]
    return [each.confidence for each in judged], [each.would_be_right for each in judged]


def exact_match(record: Record) -> float:
    """Return the exact match of a record's answer; 0.0 where the engine failed."""
    return metrics.exact_match(record.answer, record.case.answers) if record.reply else 0.0


def f1(record: Record) -> float:
    """Return the F1 of a record's answer; 0.0 where the engine failed."""
    return metrics.f1(record.answer, record.case.answers) if record.reply else 0.0


def gold_places(record: Record) -> list[metrics.Place]:
    """Return the places of the gold spans of a record's case."""
    return [(each.document, each.start, each.end) for each in record.case.spans]


def estimate(values: Sequence[float]) -> Estimate | None:
    """Return the mean of values with its interval; None where there is no value."""
    return Estimate(fmean(values), *metrics.bootstrap(values)) if values else None

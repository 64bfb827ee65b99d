"""Calibration: how sure the reader may be, fitted on articles, and the order of spans on stories, too, kept out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import mul

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from eval import metrics
from eval.paragraphs import paragraph_of
from eval.reading import RIGHT_F1, OpenReading
from service.reader.confidence import Calibration, Logistic
from service.reader.span_reader import GROUP, Proposal, SpanReader
from training.readings import Readings

_INVERSE_SHRINKAGE = 10.0
_SPANS = 2
# Questions asked in vain, for one with an answer.
_VAIN = 2 / 3


_BY_EVIDENCE = Logistic((1.0, 0.0, 0.0), 0.0)

UNCALIBRATED = Calibration(_BY_EVIDENCE, _BY_EVIDENCE, _BY_EVIDENCE, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The signs of a span or of a passage, squeezed, and whether it turned out to be right."""

    signs: tuple[float, ...]
    is_right: bool


def calibrated(reader: SpanReader, readings: Readings, told: Readings) -> SpanReader:
    """Return the reader with the calibration that fits its readings best.

    What was `told` in a single document each says, too, which spans come before others: how much the retriever's score
    tells depends on what there is to retrieve from.
    """
    reader = reader.calibrated(fitted(reader, readings, told))
    reader = reader.calibrated(replace(reader.artifact.calibration, min_confidence=most_right(reader, readings)))
    return reader.calibrated(replace(reader.artifact.calibration, sure=surest(reader, readings)))


def fitted(reader: SpanReader, readings: Readings, told: Readings) -> Calibration:
    """Return the odds that make the outcomes likeliest, of the questions with their answer and without it.

    First which spans and passages of a question come before others, then how sure one may be of them.
    """
    order = fit_order([span_ranks(reader, each) for each in (*readings.present, *told.present)])
    reader = reader.calibrated(replace(UNCALIBRATED, order=order))
    spans: list[Outcome] = []
    passages: list[list[Outcome]] = []
    for answerable, chosen in ((True, readings.present), (False, readings.removed)):
        for each in chosen:
            spans.extend(span_outcomes(reader, each, answerable=answerable))
            passages.append(passage_outcomes(each, answerable=answerable))
    return replace(reader.artifact.calibration, span=fit_logistic(spans), passage=fit_ranking(passages))


def most_right(reader: SpanReader, readings: Readings) -> float:
    """Return the confidence below which silence is better.

    It supposes that for three questions with an answer two are asked in vain, one of them a near miss: adversarial.
    """
    kinds = (readings.present, 1.0), (readings.removed, _VAIN / 2), (readings.adversarial, _VAIN / 2)
    confidences, right, answerable, weights = [], [], [], []
    for chosen, weight in kinds:
        for each in chosen:
            judged = each.judged(reader)
            confidences.append(judged.confidence)
            right.append(chosen is readings.present and judged.is_right)
            answerable.append(chosen is readings.present)
            weights.append(weight / len(chosen))
    return best_threshold(np.array(confidences), np.array(right), np.array(answerable), np.array(weights))


def surest(reader: SpanReader, readings: Readings, changes: float = 0.02, width: float = 0.1) -> float:
    """Return the least confidence after the first passages from which on reading the rest changes too few answers.

    `changes` is the share of the readings stopped within any `width` above that confidence whose best answer the rest
    would have changed.
    """
    everything = [*readings.present, *readings.removed, *readings.adversarial]
    first = [each.at(GROUP).judged(reader) for each in everything]
    whole = [each.judged(reader) for each in everything]
    confidences: NDArray[np.float64] = np.array([each.confidence for each in first])
    changed = np.array([before.text != after.text for before, after in zip(first, whole, strict=True)])
    least = 1.0
    for threshold in np.arange(1.0, reader.min_confidence, -0.01):
        stopped = (confidences >= threshold) & (confidences < threshold + width)
        if stopped.any() and changed[stopped].mean() > changes:
            break
        least = threshold
    return round(float(least), 2)


def span_ranks(reader: SpanReader, reading: OpenReading) -> list[Outcome]:
    """Return what tells which of a question's spans are better, and which of them are right."""
    return [
        Outcome(reading.read[each.hit].signs_of(each, reading.hits[each.hit]).squeezed(), _is_right(each, reading))
        for each, _ in reader.proposals(reading.hits, reading.read)
    ]


def span_outcomes(reader: SpanReader, reading: OpenReading, *, answerable: bool) -> Iterator[Outcome]:
    """Yield what came of the best spans: they may all be shown, the first the most often."""
    for best, signs in reader.proposals(reading.hits, reading.read)[:_SPANS]:
        yield Outcome(signs.squeezed(), answerable and _is_right(best, reading))


def passage_outcomes(reading: OpenReading, *, answerable: bool) -> list[Outcome]:
    """Return what came of every passage: right is one of the question's own paragraph."""
    return [
        Outcome(read.signs(hit).squeezed(), answerable and paragraph_of(hit) == reading.question.paragraph)
        for hit, read in zip(reading.hits, reading.read, strict=True)
    ]


def _is_right(proposal: Proposal, reading: OpenReading) -> bool:
    text = reading.hits[proposal.hit].found.passage.words(proposal.start, proposal.end)
    return metrics.f1(text, reading.question.accepted) >= RIGHT_F1


def fit_order(lists: Sequence[Sequence[Outcome]]) -> Logistic:
    """Return the conditional logit (McFadden 1974) that makes what is right in every list likeliest to be its first.

    Only differences between the log-odds of one list count. A list without anything right tells nothing.
    """
    told = [each for each in lists if any(outcome.is_right for outcome in each)]
    signs = np.array([outcome.signs for each in told for outcome in each])
    right = np.array([outcome.is_right for each in told for outcome in each])
    begins = np.cumsum([0, *map(len, told[:-1])])

    def loss(weights: NDArray[np.float64]) -> float:
        odds = signs @ weights
        among_right = np.where(right, odds, -np.inf)
        ratio = np.logaddexp.reduceat(odds, begins) - np.logaddexp.reduceat(among_right, begins)
        return float(ratio.mean() + (weights @ weights) / (2 * _INVERSE_SHRINKAGE * len(told)))

    found = minimize(loss, np.ones(signs.shape[1]), method="L-BFGS-B")
    return Logistic(tuple(round(float(each), 4) for each in found.x), 0.0)


def fit_ranking(lists: Sequence[Sequence[Outcome]]) -> Logistic:
    """Return a logistic model that orders every list as `fit_order` does, with the odds that its outcomes bear out."""
    order = fit_order(lists)
    odds = ((sum(map(mul, order.weights, each.signs)), each.is_right) for chosen in lists for each in chosen)
    scaled = fit_logistic([Outcome((each,), right) for each, right in odds])
    return Logistic(tuple(round(scaled.weights[0] * each, 4) for each in order.weights), scaled.intercept)


def fit_logistic(outcomes: Sequence[Outcome]) -> Logistic:
    """Return the logistic model that makes outcomes likeliest."""
    signs = np.array([each.signs for each in outcomes])
    right = np.array([each.is_right for each in outcomes])
    model = LogisticRegression(C=_INVERSE_SHRINKAGE, max_iter=2000).fit(signs, right)
    weights = tuple(round(float(each), 4) for each in model.coef_[0])
    return Logistic(weights, round(float(model.intercept_[0]), 4))


def best_threshold(
    confidences: NDArray[np.float64],
    right: NDArray[np.bool_],
    answerable: NDArray[np.bool_],
    weights: NDArray[np.float64],
) -> float:
    """Return the lowest confidence that leaves about as many readings right as any, rounded down to two digits.

    It is read off the risk-coverage curve; an answer and a silence are counted alike, by their weights. "About" is one
    standard error (Breiman et al. 1984): the top of the curve is flat, and where it is highest is chance.
    """
    order = np.argsort(-confidences, kind="stable")
    # If the k most confident are answered: those right among them, and the unanswerable among the others.
    answered = np.cumsum((right * weights)[order])
    silent = np.cumsum((~answerable * weights)[order][::-1])[::-1]
    # Equal confidences are answered together.
    told_apart = np.append(np.diff(confidences[order]) != 0, True)
    total = np.where(told_apart, np.round(answered + np.append(silent[1:], 0), 12), -np.inf)
    peak = int(total.argmax())
    is_good = np.where(np.arange(len(order)) <= peak, right[order], ~answerable[order])
    share = min(1.0, float(np.average(is_good, weights=weights[order])))
    error = np.sqrt((weights[order] ** 2).sum() * share * (1 - share))
    best = int(np.flatnonzero(total >= total[peak] - error)[-1])
    return float(np.floor(confidences[order][best] * 100) / 100)

"""Calibration: how sure the reader may be, fitted on articles that are kept out of training."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from eval import metrics
from eval.paragraphs import paragraph_of
from eval.reading import RIGHT_F1, OpenReading
from service.reader.confidence import Calibration, Logistic
from service.reader.span_reader import GROUP, SpanReader, passage_signs
from training.readings import Readings

_INVERSE_SHRINKAGE = 10.0
_SPANS = 2
# Questions asked in vain, for one with an answer.
_VAIN = 2 / 3


UNCALIBRATED = Calibration(Logistic((1.0, 0.0, 0.0), 0.0), Logistic((1.0, 0.0), 0.0), 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The signs of a span or of a passage, squeezed, and whether it turned out to be right."""

    signs: tuple[float, ...]
    is_right: bool


def calibrated(reader: SpanReader, readings: Readings) -> SpanReader:
    """Return the reader with the calibration that fits its readings best."""
    reader = reader.calibrated(fitted(reader, readings))
    reader = reader.calibrated(replace(reader.artifact.calibration, min_confidence=most_right(reader, readings)))
    return reader.calibrated(replace(reader.artifact.calibration, sure=surest(reader, readings)))


def fitted(reader: SpanReader, readings: Readings) -> Calibration:
    """Return the odds that make the outcomes likeliest, of the questions with their answer and without it."""
    spans: list[Outcome] = []
    passages: list[Outcome] = []
    for answerable, chosen in ((True, readings.present), (False, readings.removed)):
        for each in chosen:
            spans.extend(span_outcomes(reader, each, answerable=answerable))
            passages.extend(passage_outcomes(each, answerable=answerable))
    return replace(UNCALIBRATED, span=fit_logistic(spans), passage=fit_logistic(passages))


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


def span_outcomes(reader: SpanReader, reading: OpenReading, *, answerable: bool) -> Iterator[Outcome]:
    """Yield what came of the network's best spans: they may all be shown, the first the most often."""
    for best, signs in reader.proposals(reading.hits, reading.read)[:_SPANS]:
        text = reading.hits[best.hit].found.passage.words(best.start, best.end)
        right = answerable and metrics.f1(text, reading.question.accepted) >= RIGHT_F1
        yield Outcome(signs.squeezed(), right)


def passage_outcomes(reading: OpenReading, *, answerable: bool) -> Iterator[Outcome]:
    """Yield what came of every passage: right is one of the question's own paragraph."""
    for hit, read in zip(reading.hits, reading.read, strict=True):
        own = answerable and paragraph_of(hit) == reading.question.paragraph
        yield Outcome(passage_signs(hit, read).squeezed(), own)


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
    total = np.round(answered + np.append(silent[1:], 0), 12)
    peak = int(total.argmax())
    is_good = np.where(np.arange(len(order)) <= peak, right[order], ~answerable[order])
    error = np.sqrt((weights[order] ** 2).sum() * is_good.mean() * (1 - is_good.mean()))
    told_apart = np.append(np.diff(confidences[order]) != 0, True)
    best = int(np.flatnonzero((total >= total[peak] - error) & told_apart)[-1])
    return float(np.floor(confidences[order][best] * 100) / 100)

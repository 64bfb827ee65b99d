"""Calibration: how sure the reader may be, fitted on articles that are kept out of training."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from eval import metrics
from eval.reading import OpenReading
from service.reader.confidence import Calibration, squeezed
from service.reader.span_reader import SpanReader

# An answer with at least so much F1 is right.
RIGHT_F1 = 0.5

_INVERSE_SHRINKAGE = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The signs of a reading's best answer, squeezed; whether it is right; whether there was one to be found."""

    signs: tuple[float, ...]
    is_right: bool
    is_answerable: bool


def outcome(reader: SpanReader, reading: OpenReading, *, answerable: bool) -> Outcome | None:
    """Return what came of a reading whose best span is the network's own best; None where nothing was proposed."""
    proposals = reader.proposals(reading.hits, reading.read)
    if not proposals:
        return None
    best, signs = proposals[0]
    passage = reading.hits[best.hit].found.passage
    text = passage.text[best.start - passage.start : best.end - passage.start]
    right = answerable and metrics.f1(text, reading.question.accepted) >= RIGHT_F1
    return Outcome(squeezed(signs), right, answerable)


def calibrate(outcomes: Sequence[Outcome]) -> Calibration:
    """Return the calibration that fits outcomes best, and the confidence below which silence is better.

    The threshold is read off the risk-coverage curve: the lowest confidence at which as many of the readings as may be
    come out right, an answer and a silence counted alike.
    """
    signs = np.array([each.signs for each in outcomes])
    right = np.array([each.is_right for each in outcomes])
    model = LogisticRegression(C=_INVERSE_SHRINKAGE, max_iter=2000).fit(signs, right)
    confidences: NDArray[np.float64] = model.predict_proba(signs)[:, 1]
    answerable = np.array([each.is_answerable for each in outcomes])
    threshold = best_threshold(confidences, right, answerable)
    return Calibration(
        tuple(round(float(each), 4) for each in model.coef_[0]), round(float(model.intercept_[0]), 4), threshold, 1.0
    )


def best_threshold(confidences: NDArray[np.float64], right: NDArray[np.bool_], answerable: NDArray[np.bool_]) -> float:
    """Return the lowest confidence that leaves most readings right, rounded down to two digits."""
    order = np.argsort(-confidences, kind="stable")
    # If the k most confident are answered: those right among them, and the unanswerable among the others.
    answered = np.cumsum(right[order])
    silent = np.cumsum(~answerable[order][::-1])[::-1]
    total = answered + np.append(silent[1:], 0)
    best = int(np.flatnonzero(total == total.max())[-1])
    return float(np.floor(confidences[order][best] * 100) / 100)

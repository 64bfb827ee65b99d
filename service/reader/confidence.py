"""Confidence: from what the model says of a span to the probability that the span is right."""

import math
from dataclasses import dataclass

FEATURES = ("span", "passage", "margin", "retrieval")


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells whether a span is right.

    `span`: its log-odds against silence. `passage`: those of its whole passage. `margin`: how far `span` is above the
    best span with other words (below 0: how far under it). `retrieval`: the retriever's score of its passage, 0 to 1.
    """

    span: float
    passage: float
    margin: float
    retrieval: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic model over the signs (Platt 1999, with several features), fitted on articles that were not trained on.

    The log-odds are the same for every reading with the same signs, so that confidences compare between questions.
    """

    weights: tuple[float, ...]
    intercept: float
    min_confidence: float
    sure: float
    """From this confidence on, passages further down the list have never been worth reading."""

    def log_odds(self, signs: Signs) -> float:
        """Return the log-odds that a span with these signs is right."""
        return self.intercept + sum(weight * value for weight, value in zip(self.weights, squeezed(signs), strict=True))


def squeezed(signs: Signs) -> tuple[float, float, float, float]:
    """Return the signs on scales on which a logistic model is nearly right: large log-odds tell little more."""
    return (
        10 * math.tanh(signs.span / 10),
        10 * math.tanh(signs.passage / 10),
        5 * math.tanh(signs.margin / 5),
        signs.retrieval,
    )

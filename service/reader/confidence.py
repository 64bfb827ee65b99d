"""Confidence: from what the model says of a span to the probability that the span is right."""

import math
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells whether a span is right.

    `span`: its log-odds against silence. `passage`: those of its whole passage. `margin`: how far `span` is above the
    best span with other words (below 0: how far under it).
    """

    span: float
    passage: float
    margin: float

    def squeezed(self) -> tuple[float, ...]:
        """Return them on scales on which a logistic model is nearly right: large log-odds tell little more."""
        return 10 * math.tanh(self.span / 10), 10 * math.tanh(self.passage / 10), 5 * math.tanh(self.margin / 5)


@dataclass(frozen=True, slots=True)
class RankSigns:
    """What tells which span, or which passage, is best.

    `evidence`: its own log-odds. Of its passage, `retrieval`: the retriever's score, 0 to 1; `shared`: the share of the
    question's content words that it or its heading has.
    """

    evidence: float
    retrieval: float
    shared: float

    def squeezed(self) -> tuple[float, ...]:
        """Return them on scales on which a logistic model is nearly right."""
        return 10 * math.tanh(self.evidence / 10), self.retrieval, self.shared


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic model (Platt 1999, with several signs). The same signs give the same odds, whatever the question."""

    weights: tuple[float, ...]
    intercept: float

    def log_odds(self, signs: Signs | RankSigns) -> float:
        """Return the log-odds that what has these signs is right."""
        return self.intercept + sum(w * value for w, value in zip(self.weights, signs.squeezed(), strict=True))


@dataclass(frozen=True, slots=True)
class Calibration:
    """How sure the reader may be of spans and of passages, fitted on what was not trained on."""

    span: Logistic
    order: Logistic
    """Which span of a question is better than another one: of its log-odds, only the differences mean something."""
    passage: Logistic
    min_confidence: float
    sure: float
    """From this confidence on, passages further down the list hardly ever changed the answer."""

    @classmethod
    def of(cls, content: dict[str, Any]) -> "Calibration":
        """Return the calibration that `asdict` made into `content`.

        Raises:
            KeyError, TypeError, ValueError: it is not such a content.
        """
        signs: dict[str, type[Signs | RankSigns]] = {"span": Signs, "order": RankSigns, "passage": RankSigns}
        span, order, passage = (_logistic(content[name], each) for name, each in signs.items())
        least, sure = float(content["min_confidence"]), float(content["sure"])
        if not (0 <= least <= 1 and 0 <= sure <= 1):
            raise ValueError("min_confidence and sure are probabilities")
        return cls(span, order, passage, least, sure)


def _logistic(content: dict[str, Any], signs: type[Signs | RankSigns]) -> Logistic:
    weights = tuple(float(each) for each in content["weights"])
    if len(weights) != len(fields(signs)):
        raise ValueError(f"{len(weights)} weights for {len(fields(signs))} signs")
    return Logistic(weights, float(content["intercept"]))

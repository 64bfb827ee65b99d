"""Fit the sentence reader: its weights, its calibration and its threshold, on development cases and on nothing else."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from eval.cases import Case
from eval.metrics import overlaps
from index.collection import Collection
from index.records import Filters
from service.reader.sentence_reader import FEATURES, SentenceReader

# Half a dozen weights from a few dozen questions: some shrinkage keeps them from fitting single questions.
_INVERSE_SHRINKAGE = 1.0


@dataclass(frozen=True, slots=True)
class _Reading:
    """The sentences read for one question: features (sentences, FEATURES), and which of them hold a gold span."""

    features: NDArray[np.float64]
    is_gold: NDArray[np.bool_]
    answerable: bool


def fit(cases: Sequence[Case], collection: Collection, reader: SentenceReader, *, read_depth: int) -> str:
    """Return the content of `sentence_reader.json` for these cases.

    Every answerable case is read twice: from all documents, and from those that do not answer it, so that silence is
    learnt on what is plainly missing and not on near misses alone. First the weights: a logistic regression over all
    sentences read, each reading weighing the same. Then the calibration: Platt scaling (Platt 1999) of the best
    sentence's score against whether it is gold. Then the threshold: the confidence at which most readings come out
    right, an answer and a silence counted alike; the lowest such one, which answers most.
    """
    readings = [_read(case, collection, reader, read_depth) for case in cases]
    readings += [_read(case, collection, reader, read_depth, without_gold=True) for case in cases if case.answerable]
    features = np.concatenate([each.features for each in readings])
    is_gold = np.concatenate([each.is_gold for each in readings])
    per_reading = len(is_gold) / len(readings)
    sample_weight = np.concatenate([np.full(len(each.is_gold), per_reading / len(each.is_gold)) for each in readings])
    model = LogisticRegression(C=_INVERSE_SHRINKAGE, max_iter=1000).fit(features, is_gold, sample_weight)
    weights, intercept = model.coef_[0], float(model.intercept_[0])

    scores = np.array([float((each.features @ weights).max()) + intercept for each in readings])
    best_is_gold = np.array([each.is_gold[np.argmax(each.features @ weights)] for each in readings])
    center, spread = float(scores.mean()), float(scores.std())
    platt = LogisticRegression(C=_INVERSE_SHRINKAGE).fit((scores[:, None] - center) / spread, best_is_gold)
    slope = float(platt.coef_[0][0]) / spread
    offset = float(platt.intercept_[0]) - slope * center
    confidences = 1 / (1 + np.exp(-(slope * scores + offset)))

    content = {
        "weights": {name: round(slope * float(each), 4) for name, each in zip(FEATURES, weights, strict=True)},
        "intercept": round(slope * intercept + offset, 4),
        "min_confidence": _threshold(confidences, best_is_gold, np.array([each.answerable for each in readings])),
        "fitted_on": {"cases": [case.id for case in cases], "read_depth": read_depth},
    }
    return json.dumps(content, indent=2) + "\n"


def _read(
    case: Case, collection: Collection, reader: SentenceReader, read_depth: int, *, without_gold: bool = False
) -> _Reading:
    gold = [(span.document, span.start, span.end) for span in case.spans]
    sources = {each.source for each in collection.documents(limit=-1)}
    filters = Filters(source=tuple(sorted(sources - {source for source, _, _ in gold}))) if without_gold else None
    hits = collection.retrieve(case.question, top_k=read_depth, filters=filters).hits
    candidates = reader.candidates(case.question, hits)
    is_gold = [
        any(overlaps((hits[each.hit].found.source, each.sentence.start, each.sentence.end), span) for span in gold)
        for each in candidates
    ]
    features = reader.features(case.question, hits, candidates)
    return _Reading(features, np.array(is_gold), case.answerable and not without_gold)


def _threshold(confidences: NDArray[np.float64], is_gold: NDArray[np.bool_], answerable: NDArray[np.bool_]) -> float:
    """Return the lowest threshold that leaves most readings right, rounded down to three digits."""
    right = [(np.where(confidences >= each, is_gold, ~answerable).sum(), -each) for each in confidences]
    return float(np.floor(-max(right)[1] * 1000) / 1000)

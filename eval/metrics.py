"""Metrics: pure functions from answers to figures. Shares are between 0 and 1, and 1 is best but for risk."""

import math
import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

Place = tuple[str, int, int]
"""Source, start and end; offsets in code points, end-exclusive."""

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
# 1 - 1/10 is not quite 9/10 in floating point.
_ROUNDING = 1e-12
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize(text: str) -> str:
    """Return an answer without case, ASCII punctuation, English articles and extra white space.

    The normalisation of the SQuAD evaluation (Rajpurkar et al. 2016), in its order: lower-case, drop punctuation, drop
    articles, fold white space.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """Return 1.0 if the prediction equals any accepted answer after `normalize` (Rajpurkar et al. 2016), else 0.0.

    Where no answer is accepted (the documents do not say), silence ("") is the exact match. Accepted answers of which
    nothing is left after `normalize` do not count. Both as in the evaluation of SQuAD 2.0 (Rajpurkar et al. 2018).
    """
    return float(any(normalize(prediction) == answer for answer in _accepted(answers)))


def f1(prediction: str, answers: Sequence[str]) -> float:
    """Return the best F1 of tokens, as bags, over the accepted answers (Rajpurkar et al. 2016; 2018 for silence)."""
    return max(_token_f1(normalize(prediction).split(), answer.split()) for answer in _accepted(answers))


def _accepted(answers: Sequence[str]) -> list[str]:
    return [answer for answer in map(normalize, answers) if answer] or [""]


def _token_f1(prediction: list[str], answer: list[str]) -> float:
    if not prediction or not answer:
        return float(prediction == answer)
    common = sum((Counter(prediction) & Counter(answer)).values())
    if not common:
        return 0.0
    # In the steps of the published evaluation: a shorter formula differs from it in the last digit.
    precision, recall = common / len(prediction), common / len(answer)
    return 2 * precision * recall / (precision + recall)


def citation_validity(cited: Iterable[tuple[str, int, int, str]], texts: dict[str, str]) -> float:
    """Return the share of citations that hold: `texts[source][start:end] == text`; 1.0 where nothing is cited.

    `cited` has (source, start, end, text) of each citation, offsets in code points, end-exclusive; `texts` has the
    canonical texts by source.
    """
    held = [start < end and texts.get(source, "")[start:end] == text for source, start, end, text in cited]
    return sum(held) / len(held) if held else 1.0


def citation_correctness(cited: Sequence[Place], gold: Sequence[Place]) -> float:
    """Return the share of citations that share characters with a gold span of the same document; 0.0 where none is.

    The citation precision of Gao et al. (2023), with gold spans in the place of a judge of entailment.
    """
    return sum(any(overlaps(place, span) for span in gold) for place in cited) / len(cited) if cited else 0.0


def span_overlap(cited: Sequence[Place], gold: Sequence[Place]) -> float:
    """Return how well cited places fit gold spans, 0.0 where nothing is cited.

    The mean over the citations of the best intersection over union of characters (Jaccard 1912) with a gold span.
    """
    return sum(max((_iou(place, span) for span in gold), default=0.0) for place in cited) / len(cited) if cited else 0.0


def _iou(first: Place, second: Place) -> float:
    if first[0] != second[0]:
        return 0.0
    shared = max(0, min(first[2], second[2]) - max(first[1], second[1]))
    together = first[2] - first[1] + second[2] - second[1] - shared
    return shared / together if together else 0.0


def overlaps(first: Place, second: Place) -> bool:
    """Return whether two (source, start, end) share at least one character of the same document."""
    return first[0] == second[0] and first[1] < second[2] and second[1] < first[2]


def covers(outer: Place, inner: Place) -> bool:
    """Return whether (source, start, end) `outer` holds all of `inner`."""
    return outer[0] == inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2]


@dataclass(frozen=True, slots=True)
class Detection:
    """Precision, recall and F1 of one class, and how many cases the class has."""

    precision: float
    recall: float
    f1: float
    support: int


def detection(predicted: Sequence[bool], actual: Sequence[bool]) -> Detection:
    """Return precision, recall and F1 of the positive class (van Rijsbergen 1979); 0.0 where one is undefined.

    Raises:
        ValueError: the sequences differ in length.
    """
    pairs = list(zip(predicted, actual, strict=True))
    hits = sum(p and a for p, a in pairs)
    claimed, real = sum(p for p, _ in pairs), sum(a for _, a in pairs)
    precision = hits / claimed if claimed else 0.0
    recall = hits / real if real else 0.0
    harmonic = 2 * precision * recall / (precision + recall) if hits else 0.0
    return Detection(precision, recall, harmonic, real)


def recall_at(ranks: Sequence[int | None], k: int) -> float:
    """Return the share of questions whose first relevant passage has a rank of at most `k`; None: not retrieved."""
    return sum(rank is not None and rank <= k for rank in ranks) / len(ranks) if ranks else 0.0


def mean_reciprocal_rank(ranks: Sequence[int | None]) -> float:
    """Return the mean of 1 / rank of the first relevant passage, 0 for what was not retrieved (Voorhees 1999)."""
    return sum(1 / rank for rank in ranks if rank) / len(ranks) if ranks else 0.0


def ndcg_at(ranked: Sequence[float], known: Sequence[float], k: int) -> float:
    """Return the normalised discounted cumulative gain of the first `k` (Järvelin & Kekäläinen 2002), 0.0 for no gain.

    `ranked` are the gains of what was retrieved, the best first; `known` the gains of everything that could have been.
    The discount is log2(rank + 1), as trec_eval has it.
    """
    ideal = _dcg(sorted(known, reverse=True)[:k])
    return _dcg(ranked[:k]) / ideal if ideal else 0.0


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Return the probability that a positive scores above a negative, ties counted half (Hanley & McNeil 1982).

    Raises:
        ValueError: one of the two is empty.
    """
    if not positive or not negative:
        raise ValueError("AUROC needs scores of both kinds")
    scores = np.array([*positive, *negative])
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    count = len(positive)
    return float((ranks[:count].sum() - count * (count + 1) / 2) / (count * len(negative)))


def risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> list[tuple[float, float]]:
    """Return the risk-coverage curve (El-Yaniv & Wiener 2010) as (coverage, risk), coverage ascending.

    Coverage is the share of questions answered, the most confident first; risk the share of wrong answers among them.
    Equal confidences are answered together or not at all.
    """
    if not confidences:
        return []
    order = np.argsort(-np.asarray(confidences), kind="stable")
    ranked, hits = np.asarray(confidences)[order], np.cumsum(np.asarray(right)[order])
    answered = np.arange(1, len(ranked) + 1)
    whole = np.append(ranked[1:] < ranked[:-1], True)
    points = zip(answered[whole] / len(ranked), 1 - hits[whole] / answered[whole], strict=True)
    return [(float(coverage), float(risk)) for coverage, risk in points]


def coverage_at(confidences: Sequence[float], right: Sequence[bool], precision: float) -> float:
    """Return the largest share of questions that can be answered at this precision: a point of `risk_coverage`."""
    curve = risk_coverage(confidences, right)
    return max((coverage for coverage, risk in curve if 1 - risk >= precision - _ROUNDING), default=0.0)


@dataclass(frozen=True, slots=True)
class Bin:
    """Questions of like confidence: their mean confidence, the share of them that is right, and how many they are."""

    confidence: float
    right: float
    count: int


def calibration_bins(confidences: Sequence[float], right: Sequence[bool], bins: int = 15) -> list[Bin]:
    """Return bins of equal mass (Nguyen & O'Connor 2015), the least confident first; fewer where questions are few."""
    if not confidences:
        return []
    order = np.argsort(confidences, kind="stable")
    given, actual = np.asarray(confidences, dtype=float), np.asarray(right, dtype=float)
    parts = np.array_split(order, min(bins, len(order)))
    return [Bin(float(given[part].mean()), float(actual[part].mean()), len(part)) for part in parts]


def expected_calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 15) -> float:
    """Return the mean distance of confidence and share of right answers, over bins of equal mass.

    The measure of Naeini, Cooper & Hauskrecht (2015) over `calibration_bins`.
    """
    found = calibration_bins(confidences, right, bins)
    return sum(each.count * abs(each.confidence - each.right) for each in found) / len(confidences) if found else 0.0


def bootstrap(
    values: Sequence[float], *, samples: int = 1000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Return the percentile interval of the mean of `values` (Efron 1979), drawn anew `samples` times.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("the mean of nothing has no interval")
    drawn = np.random.default_rng(seed).choice(np.asarray(values, dtype=float), (samples, len(values)))
    low, high = np.quantile(drawn.mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def percentiles(values: Sequence[float], shares: Sequence[float] = (0.5, 0.95, 0.99)) -> list[float]:
    """Return the percentiles of `values`, by default p50, p95 and p99, interpolated (Hyndman & Fan 1996, type 7).

    All are 0.0 where there is no value.
    """
    return [float(each) for each in np.quantile(np.asarray(values), shares)] if values else [0.0] * len(shares)


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """Return the two-sided p-value of the exact test that two runs are right equally often (McNemar 1947).

    `first` and `second` say of the same questions, in the same order, whether each run is right. Only questions on
    which the runs differ count: if both are as good, these fall to either side like tossed coins (Dietterich 1998).

    Raises:
        ValueError: the sequences differ in length.
    """
    pairs = list(zip(first, second, strict=True))
    gained, lost = sum(b and not a for a, b in pairs), sum(a and not b for a, b in pairs)
    apart = gained + lost
    tail = sum(math.comb(apart, count) for count in range(min(gained, lost) + 1))
    return float(min(1.0, 2 * tail / 2**apart))


def paired_difference(first: Sequence[float], second: Sequence[float]) -> tuple[float, float, float]:
    """Return by how much the mean of `second` is above that of `first`, and the bootstrap interval of that at 95 %.

    Questions are drawn in pairs (Efron & Tibshirani 1993, the paired bootstrap).

    Raises:
        ValueError: the sequences differ in length, or are empty.
    """
    differences = [b - a for a, b in zip(first, second, strict=True)]
    low, high = bootstrap(differences)
    return sum(differences) / len(differences), low, high

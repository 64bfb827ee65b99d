"""Metrics: pure functions from answers to figures. All are between 0 and 1, and 1 is best, but for errors."""

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize(text: str) -> str:
    """Return an answer without case, ASCII punctuation, English articles and extra white space.

    The normalisation of the SQuAD evaluation (Rajpurkar et al. 2016), in its order: lower-case, drop punctuation, drop
    articles, fold white space.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """Return 1.0 if the prediction equals any accepted answer after `normalize` (Rajpurkar et al. 2016), else 0.0.

    Where no answer is accepted (the documents do not say), silence ("") is the exact match (Rajpurkar et al. 2018).
    """
    return float(any(normalize(prediction) == normalize(answer) for answer in answers or [""]))


def f1(prediction: str, answers: Sequence[str]) -> float:
    """Return the best F1 of tokens, as bags, over the accepted answers (Rajpurkar et al. 2016; 2018 for silence)."""
    return max(_token_f1(normalize(prediction).split(), normalize(answer).split()) for answer in answers or [""])


def _token_f1(prediction: list[str], answer: list[str]) -> float:
    if not prediction or not answer:
        return float(prediction == answer)
    common = sum((Counter(prediction) & Counter(answer)).values())
    return 2 * common / (len(prediction) + len(answer))


def citation_validity(cited: Iterable[tuple[str, int, int, str]], texts: dict[str, str]) -> float:
    """Return the share of citations that hold: `texts[source][start:end] == text`; 1.0 where nothing is cited.

    `cited` has (source, start, end, text) of each citation, offsets in code points, end-exclusive; `texts` has the
    canonical texts by source.
    """
    held = [start < end and texts.get(source, "")[start:end] == text for source, start, end, text in cited]
    return sum(held) / len(held) if held else 1.0


def overlaps(first: tuple[str, int, int], second: tuple[str, int, int]) -> bool:
    """Return whether two (source, start, end) share at least one character of the same document."""
    return first[0] == second[0] and first[1] < second[2] and second[1] < first[2]


def covers(outer: tuple[str, int, int], inner: tuple[str, int, int]) -> bool:
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


def coverage_at(confidences: Sequence[float], right: Sequence[bool], precision: float) -> float:
    """Return the largest share of questions that can be answered, the most confident first, at this precision.

    A point of the risk-coverage curve (El-Yaniv & Wiener 2010). Equal confidences are answered together or not at all.
    """
    if not confidences:
        return 0.0
    order = np.argsort(-np.asarray(confidences), kind="stable")
    ranked, hits = np.asarray(confidences)[order], np.cumsum(np.asarray(right)[order])
    answered = np.arange(1, len(ranked) + 1)
    whole = np.append(ranked[1:] < ranked[:-1], True)
    allowed = answered[(hits / answered >= precision) & whole]
    return float(allowed.max() / len(ranked)) if len(allowed) else 0.0


def expected_calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 15) -> float:
    """Return the mean distance of confidence and share of right answers, over bins of equal mass.

    The measure of Naeini, Cooper & Hauskrecht (2015) with the bins of Nguyen & O'Connor (2015).
    """
    if not confidences:
        return 0.0
    order = np.argsort(confidences, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    given, actual = np.asarray(confidences, dtype=float), np.asarray(right, dtype=float)
    return float(sum(len(part) * abs(given[part].mean() - actual[part].mean()) for part in parts) / len(order))


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

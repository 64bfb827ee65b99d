"""Plots: what is drawn of a run, as data and places in a drawing. The marks themselves are made in web/plots.html."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval import metrics
from eval.figures import confidences_of
from eval.run import ANSWERED, Record

WIDTH, HEIGHT = 400, 280
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 14, 44

_STEPS = (1, 2, 2.5, 5, 10)
_BARS = 28
# What is this much slower than most is one bar at the end, or nothing of the rest could be seen.
_TAIL = 1.5


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from 0 to `end`, with a mark at each of `ticks`."""

    end: float
    ticks: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where data lie in a drawing of `WIDTH` by `HEIGHT`."""

    across: Axis
    up: Axis

    def x(self, value: float) -> float:
        """Return how far from the left a value lies."""
        return round(LEFT + value / self.across.end * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        """Return how far from the top a value lies."""
        return round(HEIGHT - BOTTOM - value / self.up.end * (HEIGHT - TOP - BOTTOM), 1)


SHARES = Axis(1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))


@dataclass(frozen=True, slots=True)
class Choice:
    """What a threshold comes to: the share of the questions that is answered, and of these answers that is wrong."""

    threshold: float
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The risk-coverage curve of some questions; see `metrics.risk_coverage`.

    `in_use` is where the engine stands: (coverage, risk) of what it did answer; None where it answered nothing.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    choices: tuple[Choice, ...]
    in_use: tuple[float, float] | None

    def path(self, frame: Frame) -> str:
        """Return the points of a line in a drawing; those that no eye could tell apart are one."""
        places = [f"{frame.x(coverage):g},{frame.y(risk):g}" for coverage, risk in self.points]
        return " ".join(dict.fromkeys(places))


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """How many answers are wrong if only the surest are given. `threshold` is the one in use, None: it is not known."""

    frame: Frame
    curves: tuple[Curve, ...]
    threshold: float | None


def risk_coverage(columns: Mapping[str, Sequence[Record]], threshold: float | None) -> RiskCoverage:
    """Return the plot of the records of every column."""
    curves = tuple(_curve(name, records) for name, records in columns.items())
    highest = max((risk for each in curves for _, risk in each.points), default=1.0)
    return RiskCoverage(Frame(SHARES, axis_to(max(highest, 0.1))), curves, threshold)


def _curve(name: str, records: Sequence[Record]) -> Curve:
    confidences, right = confidences_of(records)
    points = metrics.risk_coverage(confidences, right)
    ranked = sorted(confidences, reverse=True)
    choices = [Choice(ranked[round(coverage * len(ranked)) - 1], coverage, risk) for coverage, risk in points]
    given = [each.would_be_right for each in records if each.status == ANSWERED and not each.case.relevant]
    in_use = (len(given) / len(confidences), 1 - sum(given) / len(given)) if given else None
    return Curve(name, tuple(points), _tenths(choices), in_use)


def _tenths(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Return the choices that answer nearest to a tenth of the questions, two tenths, and so on."""
    found = [min(choices, key=lambda each: abs(each.coverage - tenth / 10)) for tenth in range(1, 11) if choices]
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins of some questions, and their calibration error; see `metrics.calibration_bins`."""

    name: str
    bins: tuple[metrics.Bin, ...]
    error: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Whether what is said with a confidence of 0.8 is right in 8 of 10 cases."""

    frame: Frame
    groups: tuple[Bins, ...]


def reliability(columns: Mapping[str, Sequence[Record]]) -> Reliability:
    """Return the plot of the records of every column."""
    found = []
    for name, records in columns.items():
        confidences, right = confidences_of(records)
        bins = metrics.calibration_bins(confidences, right)
        found.append(Bins(name, tuple(bins), metrics.expected_calibration_error(confidences, right)))
    return Reliability(Frame(SHARES, SHARES), tuple(found))


@dataclass(frozen=True, slots=True)
class Bar:
    """How many questions took from `low` to `high` milliseconds; an `open_end` has all that took longer, too."""

    low: float
    high: float
    count: int
    open_end: bool = False


@dataclass(frozen=True, slots=True)
class Latencies:
    """How long answers took. `marks` are p50, p95 and p99 in milliseconds; `slowest` is the longest."""

    frame: Frame
    bars: tuple[Bar, ...]
    marks: dict[str, float]
    slowest: float


def latencies(records: Sequence[Record]) -> Latencies | None:
    """Return the histogram of what the engine took for each question; None where it replied to none."""
    taken = np.array([each.reply.milliseconds for each in records if each.reply])
    if not taken.size:
        return None
    p50, p95, p99 = metrics.percentiles(taken.tolist())
    slowest = float(taken.max())
    step = _step(max(min(slowest, p99 * _TAIL), 1e-3) / _BARS)
    edges = [step * index for index in range(math.floor(min(slowest, p99 * _TAIL) / step) + 2)]
    # The last bar takes what lies beyond it.
    counts, _ = np.histogram(taken, [*edges[:-1], max(edges[-1], slowest)])
    bars = [Bar(low, high, int(count)) for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)]
    if slowest > edges[-1]:
        bars[-1] = Bar(bars[-1].low, bars[-1].high, bars[-1].count, open_end=True)
    ticks = axis_to(edges[-1]).ticks
    across = Axis(edges[-1], tuple(each for each in ticks if each <= edges[-1]))
    # Room above the highest bar for the names of the marks.
    up = axis_to(1.3 * max(counts))
    return Latencies(Frame(across, up), tuple(bars), {"p50": p50, "p95": p95, "p99": p99}, slowest)


def axis_to(highest: float, most: int = 6) -> Axis:
    """Return an axis that begins at 0, holds `highest`, and has at most so many marks, at round values."""
    step = _step(highest / (most - 1))
    count = math.ceil(round(highest / step, 9))
    return Axis(count * step, tuple(round(step * index, 9) for index in range(count + 1)))


def _step(least: float) -> float:
    """Return the first round value that is not below `least`: 1, 2, 2.5 or 5, times a power of ten."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(round(each * power, 12) for each in _STEPS if each * power >= least * (1 - 1e-9))

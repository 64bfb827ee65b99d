"""The gate: whether a run may pass, and why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from eval.figures import Estimate, Figures
from eval.regression import Comparison, Kind
from index.errors import InvalidRun

# The figures that can be asked to be at least so high.
LEAST = ("right", "accepted", "f1", "exact_match", "citation_validity", "recall_at_5", "ndcg_at_10")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run must keep. `least` are figures by name, each with its least value; None: it does not matter.

    `changes` are answers that are right in other words or cite other places than in the baseline.
    """

    regressions: int = 0
    changes: int | None = None
    least: Mapping[str, float] = field(default_factory=dict)
    p95_ms: float | None = None


def breaches(comparison: Comparison | None, figures: Figures, limits: Limits) -> list[str]:
    """Return what speaks against a run, a line each; none: it may pass.

    Raises:
        InvalidRun: a figure is asked for that no question of the run bears on.
    """
    found = []
    if comparison is not None:
        lost = len(comparison.regressions)
        if lost > limits.regressions:
            found.append(f"{lost} {'regression' if lost == 1 else 'regressions'} ({limits.regressions} allowed)")
        changed = sum(comparison.counts.get(kind, 0) for kind in (Kind.CHANGED, Kind.MOVED))
        if limits.changes is not None and changed > limits.changes:
            found.append(f"{changed} right answers changed or moved ({limits.changes} allowed)")
    for name, least in limits.least.items():
        value = _value(figures, name)
        if value < least:
            found.append(f"{name.replace('_', ' ')} {value:.3f} (at least {least:g} asked for)")
    if limits.p95_ms is not None and figures.p95_ms > limits.p95_ms:
        found.append(f"p95 {figures.p95_ms:.0f} ms (at most {limits.p95_ms:g} ms asked for)")
    return found


def _value(figures: Figures, name: str) -> float:
    value: Estimate | float | None = getattr(figures, name)
    if value is None:
        raise InvalidRun(f"No question of the run bears on {name.replace('_', ' ')}; do not ask for it.")
    return value.value if isinstance(value, Estimate) else value

"""Regression: a run against a baseline, question by question. Verdicts decide, never numbers."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from eval import metrics
from eval.baseline import Baseline, Entry
from eval.run import Record, Run
from eval.verdicts import Verdict


class Kind(StrEnum):
    """What became of a question since the baseline."""

    REGRESSED = "regressed"
    NEWLY_ABSTAINED = "newly abstained"
    NEWLY_ANSWERED = "newly answered"
    DROPPED = "citation dropped"
    ERROR = "error"
    FIXED = "fixed"
    CHANGED = "changed but right"
    MOVED = "span moved"
    DIFFERENT = "different, and wrong before and now"
    ADDED = "added"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


REGRESSIONS = (Kind.REGRESSED, Kind.NEWLY_ABSTAINED, Kind.NEWLY_ANSWERED, Kind.DROPPED)

# Parts of an engine's description that say where it was asked, not what it is.
_WHERE = ("engine", "collection")


@dataclass(frozen=True, slots=True)
class Change:
    """A question before and now. `before` is None for one that was added, `after` for one that was removed."""

    kind: Kind
    id: str
    before: Entry | None
    after: Record | None

    @property
    def question(self) -> str:
        """The question, as it is asked now."""
        if self.after is not None:
            return self.after.case.question
        return self.before.question if self.before is not None else ""

    @property
    def is_regression(self) -> bool:
        """Whether the question was answered better than it is now."""
        return self.kind in REGRESSIONS


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run against a baseline: a change for every question, in the order of the set, and what else to know of it."""

    changes: tuple[Change, ...]
    warnings: tuple[str, ...]

    @property
    def regressions(self) -> tuple[Change, ...]:
        """The questions that were answered better than they are now."""
        return tuple(each for each in self.changes if each.is_regression)

    @property
    def errors(self) -> tuple[Change, ...]:
        """The questions that the engine failed to answer at all: nothing is known of them."""
        return tuple(each for each in self.changes if each.kind is Kind.ERROR)

    @property
    def counts(self) -> dict[Kind, int]:
        """How many questions there are of each kind, the most important kinds first."""
        found = Counter(each.kind for each in self.changes)
        return {kind: found[kind] for kind in Kind if found[kind]}

    @property
    def verdicts(self) -> dict[Verdict, int]:
        """How many regressions end in each verdict, the most frequent first."""
        return dict(Counter(each.after.verdict for each in self.regressions if each.after).most_common())

    @property
    def pairs(self) -> list[tuple[Entry, Record]]:
        """What came of each question that was asked both times, before and now."""
        return [
            (each.before, each.after)
            for each in self.changes
            if each.before and each.after and each.kind is not Kind.ERROR
        ]

    @property
    def both(self) -> list[tuple[bool, bool]]:
        """Whether each question of `pairs` was answered as it should be, before and now."""
        return [(before.verdict.is_good, after.verdict.is_good) for before, after in self.pairs]

    @property
    def f1_difference(self) -> tuple[float, float, float]:
        """By how much the mean F1 of `pairs` has grown, and the interval of that; see `metrics.paired_difference`.

        Both answers are measured by what is accepted now. All is 0.0 where no question was asked both times.
        """
        pairs = [(before, after) for before, after in self.pairs if not after.case.relevant]
        before = [metrics.f1(each.answer, after.case.answers) for each, after in pairs]
        now = [metrics.f1(after.answer, after.case.answers) for _, after in pairs]
        return metrics.paired_difference(before, now) if pairs else (0.0, 0.0, 0.0)

    @property
    def p_value(self) -> float:
        """The p-value of the exact test that both runs are right equally often; see `metrics.mcnemar`."""
        return metrics.mcnemar([before for before, _ in self.both], [now for _, now in self.both])


def compare(run: Run, baseline: Baseline) -> Comparison:
    """Compare a run with a baseline by the ids of the cases. A case whose question is another one counts as added."""
    changes = [change_of(record, baseline.cases) for record in run.records]
    asked = {record.case.id for record in run.records}
    removed = [(name, entry) for name, entry in baseline.cases.items() if name not in asked]
    changes += [Change(Kind.REMOVED, name, entry, None) for name, entry in removed]
    return Comparison(tuple(changes), tuple(_warnings(run, baseline, len(removed))))


def change_of(record: Record, cases: Mapping[str, Entry]) -> Change:
    """Return what became of a question since a baseline of these cases."""
    before = cases.get(record.case.id)
    if before is not None and before.question != record.case.question:
        before = None
    return Change(_kind(before, record), record.case.id, before, record)


def _kind(before: Entry | None, record: Record) -> Kind:
    now = record.verdict
    if now is Verdict.ERROR:
        return Kind.ERROR
    if before is None:
        return Kind.REGRESSED if now is Verdict.BROKEN else Kind.ADDED
    if now is before.verdict or (now.is_good and before.verdict.is_good):
        return _kind_of_same(before, record)
    if now.is_good:
        return Kind.FIXED
    if now is Verdict.BROKEN or before.verdict.is_good:
        return {Verdict.ABSTAINED: Kind.NEWLY_ABSTAINED, Verdict.ANSWERED: Kind.NEWLY_ANSWERED}.get(now, Kind.REGRESSED)
    return Kind.DIFFERENT


def _kind_of_same(before: Entry, record: Record) -> Kind:
    """Return the kind of a question that is as right, or as wrong, as it was."""
    same_words = before.answer == record.answer
    if same_words and set(before.cited) == set(record.cited):
        return Kind.UNCHANGED
    if not record.verdict.is_good:
        return Kind.DIFFERENT
    if not same_words:
        return Kind.CHANGED
    # What else there was to show for a right answer is missed, though it is as right as before.
    return Kind.DROPPED if set(record.cited) < set(before.cited) else Kind.MOVED


def _warnings(run: Run, baseline: Baseline, removed: int) -> Iterator[str]:
    yield from run.warnings
    changed = list(_document_changes(run.documents, baseline.documents))
    if changed:
        yield f"The documents are not those of the baseline: {_few(changed)}."
    parts = [
        f"{name}: {before}, now {run.engine[name]}"
        for name, before in baseline.engine.items()
        if name not in _WHERE and name in run.engine and run.engine[name] != before
    ]
    if parts:
        yield f"The engine is not that of the baseline: {'; '.join(parts)}."
    elif run.fingerprints != baseline.fingerprints and not changed:
        yield "The engine is not that of the baseline: the fingerprint differs, though the documents are the same."
    if removed:
        yield f"{removed} questions of the baseline were not asked; nothing is known of them."
    elif run.set.sha256 != baseline.set.sha256:
        yield "The set of questions, or what counts as right, has changed since the baseline."


def _document_changes(now: Mapping[str, Mapping[str, str]], before: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield what became of which document."""
    for collection in sorted({*now, *before}):
        new, old = now.get(collection, {}), before.get(collection, {})
        for source in sorted({*new, *old}):
            if source not in new:
                yield f"{source!r} is gone"
            elif source not in old:
                yield f"{source!r} is new"
            elif new[source] != old[source]:
                yield f"{source!r} has changed"


def _few(names: list[str], most: int = 5) -> str:
    more = len(names) - most
    return "; ".join([*names[:most], *([f"and {more} more"] if more > 0 else [])])

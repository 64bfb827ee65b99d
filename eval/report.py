"""Report: a run as one page of HTML that needs nothing else, and asks nothing of any other place.

Whatever comes from questions, documents and answers is escaped by the template, and stands in an element of its own
that text of another direction does not leave. Styles and script are part of the page, and the page allows no others.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from eval import plots
from eval.baseline import Baseline, baseline_of
from eval.differences import Difference, differences
from eval.excerpts import Excerpts
from eval.figures import figures
from eval.groups import by_document, by_tag
from eval.halves import halves, open_to_view
from eval.headlines import headlines
from eval.regression import REGRESSIONS, Change, Comparison, Kind, compare
from eval.rows import WORST_FIRST, Row, rows_of
from eval.run import Record, Run
from eval.tables import LEGEND, figure_table
from eval.verdicts import Verdict

_WEB = Path(__file__).with_name("web")

# A tone is a colour, and never says more than the sign and the words beside it.
VERDICT_SIGNS = {
    Verdict.RIGHT: ("good", "✓"),
    Verdict.SILENT: ("good", "○"),
    Verdict.ELSEWHERE: ("doubt", "≈"),
    Verdict.WRONG: ("bad", "✗"),
    Verdict.ABSTAINED: ("doubt", "–"),
    Verdict.ANSWERED: ("bad", "!"),
    Verdict.BROKEN: ("bad", "⊘"),
    Verdict.ERROR: ("plain", "?"),
    Verdict.UNJUDGED: ("plain", "·"),
}
KIND_SIGNS = {
    Kind.REGRESSED: ("bad", "▼"),
    Kind.NEWLY_ABSTAINED: ("bad", "▼"),
    Kind.NEWLY_ANSWERED: ("bad", "▼"),
    Kind.DROPPED: ("bad", "▼"),
    Kind.ERROR: ("plain", "?"),
    Kind.FIXED: ("good", "▲"),
    Kind.CHANGED: ("doubt", "≈"),
    Kind.MOVED: ("doubt", "↔"),
    Kind.DIFFERENT: ("doubt", "~"),
    Kind.ADDED: ("plain", "+"),
    Kind.REMOVED: ("plain", "−"),
    Kind.UNCHANGED: ("plain", "="),
}

# The order of the segments of the bar: from what is as it should be to what does harm.
BAR = (
    Verdict.RIGHT,
    Verdict.SILENT,
    Verdict.UNJUDGED,
    Verdict.ELSEWHERE,
    Verdict.ABSTAINED,
    Verdict.ERROR,
    Verdict.WRONG,
    Verdict.ANSWERED,
    Verdict.BROKEN,
)


@dataclass(frozen=True, slots=True)
class Before:
    """What a run is compared with, and the name of the file that holds it."""

    name: str
    result: Baseline | Run


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed: counts of each kind by column, and the growth of the figures by column."""

    name: str
    comparison: Comparison
    counts: dict[Kind, dict[str, int]]
    differences: dict[str, list[Difference]]


def listed(records: Sequence[Record], *, reveal_test: bool) -> Sequence[Record]:
    """Return the records that a report shows one by one."""
    return records if reveal_test else open_to_view(records)


def report(run: Run, before: Before | None = None, *, reveal_test: bool = False) -> str:
    """Return the page. Single questions of the test half are on it only where the run has no other, or if revealed."""
    columns = halves(run.records)
    parts = {name: records for name, records in columns.items() if name != "all"} or columns
    shown = listed(run.records, reveal_test=reveal_test)
    comparison, excerpts = _compared(run, before)
    rows = rows_of(shown, comparison.changes if comparison else (), excerpts)
    css, script = ((_WEB / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    environment = Environment(
        loader=FileSystemLoader(_WEB), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": percent, "duration": duration, "share": lambda value: f"{value:.3f}"}
    environment.globals |= {"VERDICTS": VERDICT_SIGNS, "KINDS": KIND_SIGNS, "Kind": Kind, "plot": plots}
    return environment.get_template("report.html").render(
        run=run,
        columns=columns,
        css=Markup(css),  # noqa: S704 (our own files)
        script=Markup(script),  # noqa: S704
        policy=_policy(css, script),
        headlines=headlines(columns),
        figures=figures(run.records),
        table=figure_table(columns),
        legend=LEGEND,
        verdicts=_verdicts(run.records),
        changes=_changes(comparison, before, columns) if comparison and before else None,
        regressions=REGRESSIONS,
        risk=plots.risk_coverage(parts, _threshold(run)),
        reliability=plots.reliability(parts),
        latencies=plots.latencies(run.records),
        tags=by_tag(run.records),
        documents=by_document(run.records),
        rows=rows,
        hidden=len(run.records) - len(rows),
        choices=_choices(rows),
    )


def percent(value: float) -> str:
    """Return a share as a percentage; what is not all or nothing is never rounded to it."""
    text = f"{100 * value:.0f}"
    if text in ("0", "100") and value not in (0, 1):
        text = "> 99.9" if value > 0.9995 else "< 0.1" if value < 0.0005 else f"{100 * value:.1f}"
    return f"{text}\u00a0%"


def duration(milliseconds: float) -> str:
    """Return a time in milliseconds, or in seconds where these are more than one."""
    return f"{milliseconds / 1000:.1f}\u00a0s" if milliseconds >= 1000 else f"{milliseconds:.0f}\u00a0ms"


def _policy(css: str, script: str) -> str:
    """Return a policy (CSP) that allows this style and this script, and nothing else."""
    style, code = (base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in (css, script))
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{code}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _compared(run: Run, before: Before | None) -> tuple[Comparison | None, Excerpts]:
    if before is None:
        return None, Excerpts(())
    if isinstance(before.result, Run):
        return compare(run, baseline_of(before.result)), Excerpts(before.result.records)
    return compare(run, before.result), Excerpts(run.records)


def _threshold(run: Run) -> float | None:
    """Return the confidence below which the engine abstains, where it tells."""
    try:
        return float(run.engine["min confidence"])
    except (KeyError, ValueError):
        return None


def _verdicts(records: Iterable[Record]) -> list[tuple[Verdict, int, float, float]]:
    """Return for each verdict how many records have it, where its segment of the bar begins, and how wide it is."""
    counts = Counter(each.verdict for each in records)
    total, begin, found = sum(counts.values()), 0, []
    for verdict in BAR:
        if counts[verdict]:
            found.append((verdict, counts[verdict], begin / total, counts[verdict] / total))
            begin += counts[verdict]
    return found


def _changes(comparison: Comparison, before: Before, columns: Mapping[str, Sequence[Record]]) -> Changes:
    ids = {name: {each.case.id for each in records} for name, records in columns.items()}
    by_column: dict[str, list[Change]] = {
        name: [each for each in comparison.changes if each.id in ids[name] or name == "all"] for name in columns
    }
    counts = {
        kind: {name: sum(each.kind is kind for each in changes) for name, changes in by_column.items()}
        for kind in comparison.counts
    }
    pairs = {name: [(old, new) for old, new in comparison.pairs if new.case.id in ids[name]] for name in columns}
    return Changes(before.name, comparison, counts, {name: differences(each) for name, each in pairs.items()})


def _choices(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Return what the questions can be filtered by, each value with how many questions it keeps."""
    verdicts, kinds = Counter(each.verdict for each in rows), Counter(each.kind for each in rows)
    tags = Counter(tag for each in rows for tag in dict.fromkeys(each.tags))
    documents = Counter(document for each in rows for document in each.documents)
    return {
        "verdict": {each: verdicts[each] for each in WORST_FIRST if verdicts[each]},
        "change": {kind: kinds[kind] for kind in Kind if kinds[kind]},
        "split": dict(sorted(Counter(each.split for each in rows).items())),
        "tag": dict(sorted(tags.items())),
        "document": dict(sorted(documents.items())),
    }

"""Tables: a run on the terminal, its figures and what went wrong."""

from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from eval.figures import Estimate, Figures, figures
from eval.halves import halves
from eval.metrics import Detection
from eval.run import Record, Run
from eval.verdicts import Verdict
from eval.wording import expected, one_line, said


def _detection(found: Detection) -> str:
    return f"{found.precision:.2f}/{found.recall:.2f}/{found.f1:.2f}"


def _share(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def _estimate(found: Estimate | None) -> str:
    return "-" if found is None else f"{found.value:.3f}  {_share(found.low)}-{_share(found.high)}"


_ROWS: dict[str, Callable[[Figures], str]] = {
    "cases": lambda f: f"{f.cases}" + (f", {f.errors} errors" if f.errors else ""),
    "right": lambda f: _estimate(f.right),
    "accepted": lambda f: _estimate(f.accepted),
    "supported": lambda f: _estimate(f.supported),
    "exact match": lambda f: _estimate(f.exact_match),
    "F1": lambda f: _estimate(f.f1),
    "answered, P/R/F1": lambda f: _detection(f.answerable),
    "silent, P/R/F1": lambda f: _detection(f.unanswerable),
    "AUROC": lambda f: "-" if f.auroc is None else f"{f.auroc:.3f}",
    "calibration error": lambda f: f"{f.calibration_error:.3f}",
    "coverage at .9": lambda f: f"{f.coverage_at_90:.3f}",
    "citation validity": lambda f: f"{f.citation_validity:.3f}",
    "citation correctness": lambda f: _estimate(f.citation_correctness),
    "span overlap": lambda f: _estimate(f.span_overlap),
    "recall@1": lambda f: _estimate(f.recall_at_1),
    "recall@5": lambda f: _estimate(f.recall_at_5),
    "MRR": lambda f: _estimate(f.mrr),
    "nDCG@10": lambda f: _estimate(f.ndcg_at_10),
    "p50/p95/p99 ms": lambda f: f"{f.p50_ms:.0f}/{f.p95_ms:.0f}/{f.p99_ms:.0f}",
}
_OF_ANSWERS = list(_ROWS)[1:14]

LEGEND = (
    "right: an accepted answer, or silence where the documents do not say. accepted, supported: of the answerable "
    "cases, those whose answer has F1 >= 0.6 and cites a gold span; that cites one. recall@k, MRR, nDCG: by the "
    "passages, in the order after reading, that hold gold spans. Behind each: its 95 % interval."
)


def figure_table(columns: Mapping[str, Sequence[Record]]) -> dict[str, list[str]]:
    """Return the lines of the table of figures: the name of each, and its value for every column of records."""
    found = [figures(records) for records in columns.values()]
    only_retrieval = all(record.case.relevant for records in columns.values() for record in records)
    names = [name for name in _ROWS if not (only_retrieval and name in _OF_ANSWERS)]
    return {name: [_ROWS[name](each) for each in found] for name in names}


def print_figures(run: Run, out: Console) -> None:
    """Print the figures of a run: of all its cases and, where it has both, of its dev and its test half."""
    columns = halves(run.records)
    table = Table("", *columns)
    for name, values in figure_table(columns).items():
        table.add_row(name, *values)
    out.print(table)
    out.print(LEGEND, style="dim")
    out.print(f"fingerprint {', '.join(each[:16] for each in run.fingerprints)}", style="dim")


def print_failures(records: Sequence[Record], out: Console) -> None:
    """Print every question with a verdict that is not good: what was expected, and what came."""
    for record in records:
        if record.verdict.is_good:
            continue
        case = record.case
        out.print(one_line(f"{case.id}  {case.question}"), markup=False, style="bold", soft_wrap=True)
        out.print(f"    expected  {expected(record)}", markup=False, soft_wrap=True)
        out.print(f"    got       {said(record)}", markup=False, soft_wrap=True)
        if record.verdict not in (Verdict.WRONG, Verdict.ABSTAINED, Verdict.ANSWERED):
            out.print(f"    verdict   {record.verdict}", markup=False, soft_wrap=True)

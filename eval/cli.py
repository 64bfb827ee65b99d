"""The command `citespan-eval`: put a set of cases to the service."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from eval.cases import SEEDS_SET, read_cases, select, standing_alone
from eval.metrics import Detection
from eval.run import Figures, Run, figures, run_cases
from index.documents import find_files, read_document
from index.embedder import load_embedder
from index.errors import CitespanError
from index.library import DEFAULT_COLLECTION, Library
from service.answering import Answerer
from service.engine import load_reader
from service.settings import Settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def _detection(found: Detection) -> str:
    return f"{found.precision:.2f}/{found.recall:.2f}/{found.f1:.2f}"


_ROWS: dict[str, Callable[[Figures], str]] = {
    "cases": lambda f: str(f.cases),
    "right": lambda f: f"{f.right:.3f}",
    "accepted": lambda f: f"{f.accepted:.3f}",
    "supported": lambda f: f"{f.supported:.3f}",
    "exact match": lambda f: f"{f.exact_match:.3f}",
    "F1": lambda f: f"{f.f1:.3f}",
    "answered, P/R/F1": lambda f: _detection(f.answerable),
    "silent, P/R/F1": lambda f: _detection(f.unanswerable),
    "citation validity": lambda f: f"{f.citation_validity:.3f}",
    "recall@1": lambda f: f"{f.recall_at_1:.3f}",
    "recall@5": lambda f: f"{f.recall_at_5:.3f}",
    "MRR": lambda f: f"{f.mrr:.3f}",
    "mean ms": lambda f: f"{f.mean_ms:.0f}",
}

_folder = click.option(
    "--documents",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("seeds"),
    show_default=True,
    help="The folder that the questions are about; it is indexed afresh, in memory of its own.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure how well the documents' questions are answered."""


@main.command()
@click.argument("cases_file", metavar="SET", type=click.Path(path_type=Path), default=SEEDS_SET)
@_folder
@click.option("--split", type=click.Choice(["dev", "test"]), help="Only this half; default: both, a column each.")
@click.option("--failures", is_flag=True, help="List what went wrong on the dev half, too.")
def run(cases_file: Path, documents: Path, split: str | None, failures: bool) -> None:
    """Put the questions of SET to the service, in this process, and print the table of figures."""
    try:
        settings = Settings.from_environment()
        chosen = select(read_cases(cases_file), split)
        cases = standing_alone(chosen)
        if len(cases) < len(chosen):
            err.print(f"{len(chosen) - len(cases)} follow-ups are left out: the service does not take a history yet.")
        with tempfile.TemporaryDirectory() as scratch, _indexed(settings, documents, Path(scratch)) as library:
            answerer = Answerer(
                load_reader(settings),
                read_depth=settings.read_depth,
                min_confidence=settings.min_confidence,
            )
            with Progress(console=err) as progress:
                task = progress.add_task("Asking", total=len(cases))
                result = run_cases(
                    cases,
                    answerer,
                    library.collection(DEFAULT_COLLECTION),
                    progress=lambda done: progress.update(task, completed=done),
                )
    except CitespanError as error:
        err.print(f"error: {error}", style="bold red", markup=False, soft_wrap=True)
        sys.exit(2)
    _print_figures(result)
    if failures:
        _print_failures(result)


def _indexed(settings: Settings, documents: Path, scratch: Path) -> Library:
    embedder = load_embedder(
        settings.embedder, cache=settings.model_cache_dir, engine=settings.embedder_engine, threads=settings.threads
    )
    library = Library(scratch, embedder)
    collection = library.create(DEFAULT_COLLECTION)
    for source, path in find_files(documents):
        collection.put(read_document(path, source=source))
    return library


def _print_figures(result: Run) -> None:
    halves = {"all": result.records}
    for split in ("dev", "test"):
        records = [each for each in result.records if each.case.split == split]
        if records and len(records) < len(result.records):
            halves[split] = records
    table = Table("", *halves)
    columns = [figures(records, result.texts) for records in halves.values()]
    for name, value in _ROWS.items():
        table.add_row(name, *(value(column) for column in columns))
    out.print(table)
    out.print(
        "right: an accepted answer, or silence where the documents do not say. accepted, supported: of the answerable "
        "cases, those whose answer has F1 >= 0.6 and cites a gold span; that cites one. recall@k, MRR: a passage, in "
        "the order after reading, holds a gold span.",
        style="dim",
    )
    out.print(f"fingerprint {result.fingerprint[:16]}", style="dim")


def _print_failures(result: Run) -> None:
    for record in result.records:
        if record.case.split == "dev" and not record.is_right:
            expected = record.case.answers[0] if record.case.answers else "(silence)"
            out.print(f"{record.case.id}  {record.case.question}", markup=False, style="bold", soft_wrap=True)
            out.print(f"    expected  {expected}", markup=False, soft_wrap=True)
            out.print(f"    got       {record.answer or '(silence)'}", markup=False, soft_wrap=True)

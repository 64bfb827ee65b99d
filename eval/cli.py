"""The command `citespan-eval`: put a set of questions to an engine, and judge what it says."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from eval.asking import engine_options, open_engine, run_set
from eval.cases import SEEDS_SET
from eval.run_file import write_run
from eval.sets import read_set
from eval.tables import print_failures, print_figures
from index.errors import CitespanError

PASSED, REGRESSED, FAILED = 0, 1, 2

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

_FILE = click.Path(path_type=Path, dir_okay=False)


def _command(function: Callable[..., int]) -> Callable[..., None]:
    """Let a command end with its exit code, and tell errors in one line without a traceback."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            sys.exit(function(*args, **kwargs))
        except CitespanError as error:
            err.print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)
            sys.exit(FAILED)

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure how well the documents' questions are answered, and keep it from getting worse.

    Exit codes: 0, all is well; 1, a check found something; 2, it could not be done.
    """


@main.command()
@click.argument("set_file", metavar="SET", type=_FILE, default=SEEDS_SET)
@engine_options
@click.option("--qrels", type=_FILE, help="SET has TREC topics, and this file the judgements of their documents.")
@click.option("--split", type=click.Choice(["dev", "test"]), help="Only this half; default: both, a column each.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Questions at a time. [default: 4 over HTTP, else 1]")
@click.option("--out", "out_file", type=_FILE, help="Write the run to this file, for `citespan-eval check`.")
@click.option("--failures", is_flag=True, help="List what went wrong, too; of a set with two halves on dev alone.")
@_command
def run(
    set_file: Path,
    qrels: Path | None,
    split: str | None,
    jobs: int | None,
    out_file: Path | None,
    *,
    failures: bool,
    **engine_named: Any,
) -> int:
    """Put the questions of SET to an engine, in this process or over HTTP, and print the table of figures.

    SET has one question a line (.jsonl), or is in the format of SQuAD (.json), or has TREC topics (--qrels).
    """
    questions = read_set(set_file, qrels=qrels)
    with open_engine(**engine_named, documents=questions.documents, err=err) as engine:
        result = run_set(questions, engine, split=split, jobs=jobs, err=err)
    if out_file is not None:
        write_run(result, out_file)
    print_figures(result, out)
    for document, count in result.missing_documents.items():
        _warn(f"the engine does not hold the document {document!r} at the gold spans of {count} questions.")
    if failures:
        splits = {record.case.split for record in result.records}
        print_failures([each for each in result.records if len(splits) == 1 or each.case.split == "dev"], out)
    return PASSED


def _warn(message: str) -> None:
    err.print(Text.assemble(("warning: ", "bold yellow"), message), soft_wrap=True)

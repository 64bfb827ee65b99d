"""The command `citespan-eval`: put a set of questions to an engine, and judge what it says."""

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from eval import exports, trec
from eval.ablation import WAYS, changed, print_ablation
from eval.asking import FILE, engine_options, open_engine, run_set
from eval.authoring_cli import lint, new
from eval.baseline import baseline_of, read_baseline, read_baseline_or_run, write_baseline
from eval.cases import DIALOGUES_SET, SEEDS_SET
from eval.figures import figures
from eval.gate import LEAST, Limits, breaches
from eval.halves import open_to_view
from eval.junit import write_junit
from eval.markdown import markdown
from eval.regression import compare
from eval.report import Before, listed, report
from eval.run_file import read_run, write_run, write_text
from eval.sets import read_set
from eval.summary import print_summary
from eval.tables import print_failures, print_figures
from eval.verdicts import Verdict
from index.errors import InvalidRun
from service.console import FAILED, FAULTY, OK, command, err, out, warn

_SHIPPED = {"seeds": SEEDS_SET, "dialogues": DIALOGUES_SET}


class _SetFile(click.ParamType[Path]):
    """A file of questions, or the name of a set that comes with Citespan, where there is no file of this name."""

    name = "set"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; a folder of the same name, as `seeds` is one, is not meant."""
        shipped = _SHIPPED.get(str(value))
        return shipped if shipped and not Path(value).is_file() else FILE.convert(value, param, ctx)


def _at_least(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command an option `--min-...` for every figure that can be asked to be at least so high."""
    for name in reversed(LEAST):
        words = name.replace("_", " ")
        command = click.option(
            f"--min-{name.replace('_', '-')}", name, type=click.FloatRange(0, 1), help=f"Least {words} allowed."
        )(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure how well the documents' questions are answered, and keep it from getting worse.

    Exit codes: 0, all is well; 1, a check found something; 2, it could not be done.
    """


@main.command()
@click.argument("set_file", metavar="SET", type=_SetFile(), default=SEEDS_SET)
@engine_options
@click.option("--qrels", type=FILE, help="SET has TREC topics, and this file the judgements of their documents.")
@click.option("--split", type=click.Choice(["dev", "test"]), help="Only this half; default: both, a column each.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Questions at a time. [default: 4 over HTTP, else 1]")
@click.option("--out", "out_file", type=FILE, help="Write the run to this file, for `citespan-eval check`.")
@click.option("--failures", is_flag=True, help="List what went wrong, too; of a set with two halves on dev alone.")
@click.option(
    "--ablate-history",
    "ablate",
    is_flag=True,
    help="Ask follow-ups without their history, too, and written out by hand.",
)
@command
def run(
    set_file: Path,
    qrels: Path | None,
    split: str | None,
    jobs: int | None,
    out_file: Path | None,
    *,
    failures: bool,
    ablate: bool,
    **engine_named: Any,
) -> int:
    """Put the questions of SET to an engine, in this process or over HTTP, and print the table of figures.

    SET has one question a line (.jsonl), or is in the format of SQuAD (.json), or has TREC topics (--qrels). The sets
    "seeds" and "dialogues" come with Citespan.
    """
    questions = read_set(set_file, qrels=qrels)
    with open_engine(**engine_named, documents=questions.documents, err=err) as engine:
        asked = partial(run_set, engine=engine, split=split, jobs=jobs, err=err)
        result = asked(questions)
        ways = {name: asked(changed(questions, way)) for name, way in WAYS.items()} if ablate else {}
    if out_file is not None:
        write_run(result, out_file)
    print_figures(result, out)
    if ablate:
        print_ablation(result, ways, out)
    for warning in result.warnings:
        warn(warning)
    if failures:
        print_failures(open_to_view(result.records), out)
    return OK


@main.command()
@click.argument("run_file", metavar="RUN", type=FILE)
@click.option("--baseline", "baseline_file", type=FILE, help="What was accepted before, or another run.")
@click.option("--max-regressions", type=click.IntRange(0), default=0, show_default=True, help="Regressions allowed.")
@click.option("--max-changes", type=click.IntRange(0), help="Right answers allowed to change their words or place.")
@_at_least
@click.option("--max-p95-ms", type=click.FloatRange(0), help="Slowest p95 allowed, in milliseconds.")
@click.option("--markdown", "markdown_file", type=FILE, help="Write the summary as Markdown, for a pull request.")
@click.option("--junit", "junit_file", type=FILE, help="Write a test report in JUnit XML. Needs --baseline.")
@click.option("--all", "everything", is_flag=True, help="Show every regression, not only the first ten.")
@command
def check(
    run_file: Path,
    baseline_file: Path | None,
    max_regressions: int,
    max_changes: int | None,
    max_p95_ms: float | None,
    markdown_file: Path | None,
    junit_file: Path | None,
    *,
    everything: bool,
    **least: float | None,
) -> int:
    """Compare RUN with a baseline, question by question, and fail if an answer got worse.

    Exit codes: 0, it may pass; 1, a regression, or a figure that was asked for is missed; 2, it could not be checked,
    or some questions got no reply.
    """
    limits = Limits(
        max_regressions, max_changes, {name: value for name, value in least.items() if value is not None}, max_p95_ms
    )
    if baseline_file is None and (junit_file or max_changes is not None or not (limits.least or limits.p95_ms)):
        raise click.UsageError("Say what RUN is compared with: --baseline FILE.")
    result = read_run(run_file)
    comparison = compare(result, read_baseline(baseline_file)) if baseline_file else None
    found = breaches(comparison, figures(result.records), limits)
    if markdown_file is not None:
        write_text(markdown_file, markdown(comparison, found))
    if junit_file is not None and comparison is not None:
        write_junit(comparison, junit_file, breaches=found, name=result.set.name)
    print_summary(comparison, found, out, everything=everything)
    if found:
        return FAULTY
    return FAILED if any(each.verdict is Verdict.ERROR for each in result.records) else OK


@main.command()
@click.argument("run_file", metavar="RUN", type=FILE)
@click.option("--baseline", "baseline_file", type=FILE, required=True, help="The file to write.")
@command
def accept(run_file: Path, baseline_file: Path) -> int:
    """Make RUN the baseline that later runs are compared with."""
    result = read_run(run_file)
    verdicts = Counter(each.verdict for each in result.records)
    if verdicts[Verdict.ERROR]:
        raise InvalidRun(
            f"{verdicts[Verdict.ERROR]} questions of {run_file} got no reply; run again before you accept."
        )
    if baseline_file.exists():
        before = compare(result, read_baseline(baseline_file))
        out.print(Text(", ".join(f"{count} {kind}" for kind, count in before.counts.items())), soft_wrap=True)
    write_baseline(baseline_of(result), baseline_file)
    out.print(Text(", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())), soft_wrap=True)
    if verdicts[Verdict.BROKEN]:
        warn("some citations do not hold, which is always a fault; do not leave it at that.")
    return OK


@main.command("report")
@click.argument("run_file", metavar="RUN", type=FILE)
@click.option("--against", "before_file", type=FILE, help="What RUN is compared with: a baseline, or another run.")
@click.option("-o", "--out", "out_file", type=FILE, required=True, help="The page to write.")
@click.option("--reveal-test", is_flag=True, help="List the questions of the test half, too, if there are two halves.")
@command
def report_command(run_file: Path, before_file: Path | None, out_file: Path, *, reveal_test: bool) -> int:
    """Show RUN as one page of HTML: figures, plots, every question, and what changed.

    The page needs no other file and no network. Of a set with two halves, it lists the questions of the dev half alone;
    the figures are of both.
    """
    if out_file.resolve() in [each.resolve() for each in (run_file, before_file) if each]:
        raise click.UsageError("--out names a file that is read; say another one.")
    result = read_run(run_file)
    before = Before(before_file.name, read_baseline_or_run(before_file)) if before_file else None
    write_text(out_file, report(result, before, reveal_test=reveal_test))
    shown = len(listed(result.records, reveal_test=reveal_test))
    hidden = len(result.records) - shown
    line = f"{out_file}: {shown} questions" + (f"; {hidden} of the test half are not listed" if hidden else "")
    out.print(Text(line), soft_wrap=True)
    return OK


@main.command()
@click.argument("run_file", metavar="RUN", type=FILE)
@click.option("--squad-predictions", type=FILE, help="Answers by question id, for the official SQuAD evaluation.")
@click.option("--squad-na-probs", type=FILE, help="How likely each question has no answer, for that of SQuAD 2.0.")
@click.option("--trec-run", type=FILE, help="The documents retrieved for each question, for trec_eval.")
@click.option("--trec-qrels", type=FILE, help="The documents with gold spans, or the judgements, for trec_eval.")
@command
def export(
    run_file: Path,
    squad_predictions: Path | None,
    squad_na_probs: Path | None,
    trec_run: Path | None,
    trec_qrels: Path | None,
) -> int:
    """Write RUN in the formats of official scorers, one file for every option."""
    records = read_run(run_file).records
    texts = {
        squad_predictions: json.dumps(exports.squad_predictions(records), ensure_ascii=False, indent=1),
        squad_na_probs: json.dumps(exports.squad_na_probabilities(records), indent=1),
        trec_run: "\n".join(trec.run_lines(records)),
        trec_qrels: "\n".join(trec.qrels_lines(record.case for record in records)),
    }
    wanted = {path: text for path, text in texts.items() if path is not None}
    if not wanted:
        raise click.UsageError("Say what to write: --squad-predictions, --squad-na-probs, --trec-run or --trec-qrels.")
    for path, text in wanted.items():
        write_text(path, text + "\n")
    return OK


main.add_command(new)
main.add_command(lint)

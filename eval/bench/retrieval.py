"""`python -m eval.bench.retrieval DATA`: questions without their paragraph, asked of all 7,733 paragraphs.

How good the answers are, how well reading ranks the passages, and whether the reader knows when to be silent.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from eval.bench.data import OUTPUT, folder_argument, load_measured, publish, sample, with_interval
from eval.metrics import auroc, coverage_at, expected_calibration_error
from eval.paragraphs import index_paragraphs, retrieve_all
from eval.reading import answering, read_all
from eval.squad import Corpus, Question
from index.embedder import load_embedder
from index.retriever import Hit
from service.console import err
from service.engine import load_reader
from service.reader.span_reader import SpanReader
from service.settings import Settings

DEPTHS = (5, 20)

Asked = tuple[Question, set[int]]
"""A question, and the paragraphs that are taken away before it is asked."""


@click.command()
@folder_argument
@click.option("--questions", default=1000, show_default=True, help="Questions to sample; FULL=1 takes all.")
@click.option("--abstention", default=2000, show_default=True, help="Questions to sample for the abstention.")
def main(data: Path, questions: int, abstention: int) -> None:
    """Ask the questions of new_wiki of all paragraphs of the data."""
    settings = Settings.from_environment()
    reader = load_reader(settings)
    try:
        corpus, measured = load_measured(data)
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from None
    chosen = sample(measured, questions)
    doubted = sample(measured, abstention, seed=1)
    present, removed = doubted[::2], doubted[1::2]
    asked: list[Asked] = [(each, set()) for each in (*chosen, *present)]
    asked += [(each, answering(corpus, each)) for each in removed]
    found = find(settings, corpus, asked)
    result: dict[str, Any] = {"reader": reader.identity, "paragraphs": len(corpus.paragraphs)}
    result |= open_figures(reader, chosen, found[: len(chosen)])
    questions_in_doubt = [*present, *removed]
    result |= abstention_figures(reader, questions_in_doubt, found[len(chosen) :], len(present), settings.read_depth)
    publish("bench-retrieval", result)


def find(settings: Settings, corpus: Corpus, asked: Sequence[Asked]) -> list[list[Hit]]:
    """Return the hits for every question. The index is kept for the next run."""
    with Progress(console=err) as progress:
        cache = settings.model_cache_dir
        embedder = load_embedder(settings.embedder, cache=cache)
        task = progress.add_task("Indexing", total=len(corpus.paragraphs))
        data_dir = index_paragraphs(
            corpus.paragraphs, OUTPUT, embedder, lambda done, total: progress.update(task, completed=done, total=total)
        )
        task = progress.add_task("Retrieving", total=len(asked))
        hits = retrieve_all(
            data_dir,
            [question.text for question, _ in asked],
            depth=max(DEPTHS),
            model=settings.embedder,
            model_cache=cache,
            without=[without for _, without in asked],
            progress=lambda done, _: progress.update(task, completed=done),
        )
        return list(hits)


def open_figures(reader: SpanReader, questions: Sequence[Question], found: Sequence[Sequence[Hit]]) -> dict[str, Any]:
    """Return F1 with an answer wherever the reader gives one, and recall@1, before reading and after it."""
    with Progress(console=err) as progress:
        reading = read_all(reader, questions, found, depth=max(DEPTHS))
        read = list(progress.track(reading, total=len(questions), description="Reading"))
    result: dict[str, Any] = {"questions": len(questions)}
    for depth in DEPTHS:
        at = [each.at(depth) for each in read]
        judged = [each.judged(reader) for each in at]
        given = [each.f1 if each.confidence >= reader.min_confidence else 0.0 for each in judged]
        result |= {
            f"recall@{depth} as retrieved": with_interval([float(each.is_found()) for each in at]),
            f"recall@1 after reading {depth}": with_interval([float(each.is_first(reader)) for each in at]),
            f"F1, {depth} read, forced": with_interval([each.f1 for each in judged]),
            f"F1, {depth} read, silence 0": with_interval(given),
        }
    first = [float(each.at(1).is_found()) for each in read]
    return {"recall@1 as retrieved": with_interval(first), **result}


def abstention_figures(
    reader: SpanReader, questions: Sequence[Question], found: Sequence[Sequence[Hit]], present: int, depth: int
) -> dict[str, Any]:
    """Return how well the reader knows what is not there: only the first `present` questions have their answer."""
    with Progress(console=err) as progress:
        reading = read_all(reader, questions, found, depth=depth)
        tracked = progress.track(reading, total=len(questions), description="Reading with doubt")
        judged = [each.judged(reader) for each in tracked]
    there, gone = judged[:present], judged[present:]
    right = [each.is_right for each in there]
    confidences = [each.confidence for each in judged]
    silent = [each.confidence < reader.min_confidence for each in gone]
    return {
        "abstention questions": len(judged),
        "abstention read depth": depth,
        "AUROC present or removed": round(auroc([e.confidence for e in there], [e.confidence for e in gone]), 4),
        "coverage at 90 % precision": round(coverage_at([each.confidence for each in there], right, 0.9), 4),
        "calibration error": round(expected_calibration_error(confidences, [*right, *(False for _ in gone)]), 4),
        "silent where removed": with_interval([float(each) for each in silent]),
        "answered where present": with_interval([float(e.confidence >= reader.min_confidence) for e in there]),
    }


if __name__ == "__main__":
    main()

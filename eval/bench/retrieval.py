"""`python -m eval.bench.retrieval DATA`: questions without their paragraph, asked of all 7,733 paragraphs.

How good the answers are, how well reading ranks the passages, and whether the reader knows when to be silent.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from eval.bench.data import OUTPUT, err, folder_argument, load_measured, publish, sample, with_interval
from eval.metrics import auroc, coverage_at, expected_calibration_error
from eval.paragraphs import index_paragraphs, retrieve_all
from eval.reading import OpenReading, read_all, without_answer
from eval.squad import Corpus, Question
from index.embedder import load_embedder
from index.retriever import Hit
from service.engine import load_reader
from service.reader.span_reader import SpanReader
from service.settings import Settings

DEPTHS = (5, 20)
# The abstention is measured as the service answers by default.
RIGHT_F1 = 0.5
_FOUND = 30
# So many passages more are read, since some are taken away.
_SPARE = 3


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
    found = find(settings, corpus, list({each.id: each for each in (*chosen, *doubted)}.values()))
    result: dict[str, Any] = {"reader": reader.identity, "paragraphs": len(corpus.paragraphs)}
    result |= open_figures(reader, chosen, found)
    result |= abstention_figures(reader, corpus, doubted, found, settings.read_depth)
    publish("bench-retrieval", result)


def find(settings: Settings, corpus: Corpus, questions: Sequence[Question]) -> dict[str, list[Hit]]:
    """Return the hits for every question, by its id. The index is kept for the next run."""
    with Progress(console=err) as progress:
        cache = settings.model_cache_dir
        embedder = load_embedder(settings.embedder, cache=cache)
        task = progress.add_task("Indexing", total=len(corpus.paragraphs))
        data_dir = index_paragraphs(
            corpus.paragraphs, OUTPUT, embedder, lambda done, total: progress.update(task, completed=done, total=total)
        )
        task = progress.add_task("Retrieving", total=len(questions))
        hits = retrieve_all(
            data_dir,
            [each.text for each in questions],
            depth=_FOUND,
            model=settings.embedder,
            model_cache=cache,
            progress=lambda done, _: progress.update(task, completed=done),
        )
        return {question.id: each for question, each in zip(questions, hits, strict=True)}


def open_figures(reader: SpanReader, questions: Sequence[Question], found: dict[str, list[Hit]]) -> dict[str, Any]:
    """Return F1 with an answer wherever the reader gives one, and recall@1, before reading and after it."""
    with Progress(console=err) as progress:
        reading = read_all(reader, questions, [found[each.id] for each in questions], depth=max(DEPTHS))
        read = list(progress.track(reading, total=len(questions), description="Reading"))
    result: dict[str, Any] = {"questions": len(questions)}
    for depth in DEPTHS:
        at = [each.at(depth) for each in read]
        judged = [each.judged(reader) for each in at]
        given = [each.f1 if each.confidence >= reader.min_confidence else 0.0 for each in judged]
        result |= {
            f"recall@{depth} as retrieved": with_interval([float(each.is_found()) for each in at]),
            f"recall@1 after reading {depth}": with_interval([float(each.is_first()) for each in at]),
            f"F1, {depth} read, forced": with_interval([each.f1 for each in judged]),
            f"F1, {depth} read, silence 0": with_interval(given),
        }
    first = [float(each.at(1).is_found()) for each in read]
    return {"recall@1 as retrieved": with_interval(first), **result}


def abstention_figures(
    reader: SpanReader, corpus: Corpus, questions: Sequence[Question], found: dict[str, list[Hit]], depth: int
) -> dict[str, Any]:
    """Return how well the reader knows what is not there: for every other question, the answer is taken away."""
    present, removed = list(questions[::2]), list(questions[1::2])
    with Progress(console=err) as progress:
        task = progress.add_task("Reading with doubt", total=len(questions))

        def readings(chosen: Sequence[Question], spare: int) -> Iterator[OpenReading]:
            for each in read_all(reader, chosen, [found[question.id] for question in chosen], depth=depth + spare):
                yield each
                progress.advance(task)

        there = [each.judged(reader) for each in readings(present, 0)]
        gone = [without_answer(corpus, each).at(depth).judged(reader) for each in readings(removed, _SPARE)]
    right = [each.f1 >= RIGHT_F1 for each in there]
    everything = [*there, *gone]
    confidences = [each.confidence for each in everything]
    silent = [each.confidence < reader.min_confidence for each in gone]
    return {
        "abstention questions": len(everything),
        "abstention read depth": depth,
        "AUROC present or removed": round(auroc([e.confidence for e in there], [e.confidence for e in gone]), 4),
        "coverage at 90 % precision": round(coverage_at([each.confidence for each in there], right, 0.9), 4),
        "calibration error": round(
            expected_calibration_error(confidences, [each.f1 >= RIGHT_F1 for each in everything]), 4
        ),
        "silent where removed": with_interval([float(each) for each in silent]),
        "answered where present": with_interval([float(e.confidence >= reader.min_confidence) for e in there]),
    }


if __name__ == "__main__":
    main()

"""`python -m eval.bench.long DATA`: answers from long documents, against the same paragraphs as documents of their own.

The questions are those of the SQuAD articles that are kept out of the reader's training, the documents those of
`eval/bench/long_documents.py`, whose titles say nothing; paragraphs are asked with their articles' titles and without.
Beside these, on demand: the stories that are kept out, asked of all stories, and the dev questions about the seeds.
Passages may be of several sizes, and reading of several depths.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from eval.bench.data import OUTPUT, folder_argument, publish, sample, with_interval
from eval.bench.embeddings import KeptEmbedder
from eval.bench.long_documents import long_documents
from eval.bench.tuning import (
    LONG_DOCUMENTS,
    Asked,
    indexed,
    load_chosen,
    long_questions,
    named,
    seed_documents,
    seed_questions,
    single_questions,
    story_questions,
)
from eval.metrics import f1, overlaps
from index.collection import Collection
from index.documents import Document
from index.embedder import load_embedder
from index.library import DEFAULT_COLLECTION, Library
from index.passages import PassageSettings
from service.answering import Answerer
from service.console import err
from service.engine import load_reader
from service.settings import Settings

LONG = ("long documents", "paragraphs", "paragraphs, titled alike")
ARRANGEMENTS = (*LONG, "stories", "seeds dev")
FIGURES = ("right document cited", "right place cited", "F1, forced", "F1, silence 0")

_PRESENT = PassageSettings()


@click.command()
@folder_argument
@click.option("--questions", default=200, show_default=True, help="Questions to sample; FULL=1 takes all.")
@click.option("--of", "wanted", type=click.Choice(ARRANGEMENTS), multiple=True, default=LONG, help="What to ask.")
@click.option("--depth", "depths", type=int, multiple=True, help="Passages to read; several are compared.")
@click.option(
    "--size",
    "sizes",
    type=(int, int, int),
    multiple=True,
    default=[(_PRESENT.max_tokens, _PRESENT.overlap_tokens, _PRESENT.ideal_tokens)],
    show_default=True,
    help="Most tokens of a passage, how many of them are repeated, and how many are ideal; several are compared.",
)
def main(
    data: Path,
    questions: int,
    wanted: tuple[str, ...],
    depths: tuple[int, ...],
    sizes: tuple[tuple[int, int, int], ...],
) -> None:
    """Ask long documents, and the paragraphs that they are made of."""
    settings = Settings.from_environment()
    reader = load_reader(settings)
    embedder = KeptEmbedder(
        load_embedder(settings.embedder, cache=settings.model_cache_dir), OUTPUT / "embeddings.sqlite"
    )
    try:
        corpus, held_out = load_chosen(data)
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from None
    chosen = sample(held_out, questions)
    made = long_documents(corpus, held_out, LONG_DOCUMENTS)
    inside = sorted({number for each in made for number in each.starts})
    arrangements: dict[str, Callable[[], tuple[list[Document], list[Asked]]]] = {
        "long documents": lambda: long_questions(made, chosen),
        "paragraphs": lambda: single_questions(corpus, inside, chosen),
        "paragraphs, titled alike": lambda: single_questions(corpus, inside, chosen, title="Document"),
        "stories": story_questions,
        "seeds dev": lambda: (seed_documents(), seed_questions()),
    }
    result: dict[str, Any] = {"reader": reader.identity, "long documents": len(made), "paragraphs": len(inside)}
    for name in wanted:
        documents, asked = arrangements[name]()
        for size in sizes:
            passages = PassageSettings(*size)
            data_dir = indexed(f"{name} asked", documents, embedder, passages)
            for depth in depths or (settings.read_depth,):
                label = f"{name}, {named(passages)}, {depth} read"
                with Library(data_dir, embedder, passage_settings=passages, read_only=True) as library:
                    answerer = Answerer(reader, read_depth=depth)
                    judged = _answers(label, library.collection(DEFAULT_COLLECTION), answerer, asked)
                result |= {f"{label} | {figure}": value for figure, value in judged.items()}
    publish("bench-long", result)


def _answers(label: str, collection: Collection, answerer: Answerer, asked: Sequence[Asked]) -> dict[str, Any]:
    """Ask questions and judge what is answered, whatever the confidence, and where that is enough."""
    right_document, right_place, forced, given = [], [], [], []
    with Progress(console=err) as progress:
        for question in progress.track(asked, description=label):
            answer = answerer.ask(collection, question.text, min_confidence=0.0).answer
            cited = (
                [] if answer is None else [(each.source, each.cited.start, each.cited.end) for each in answer.citations]
            )
            right_document.append(float(bool({source for source, _, _ in cited} & {gold[0] for gold in question.gold})))
            right_place.append(float(any(overlaps(each, gold) for each in cited for gold in question.gold)))
            forced.append(0.0 if answer is None else f1(answer.text, question.accepted))
            is_sure = answer is not None and answer.confidence >= answerer.min_confidence
            given.append(forced[-1] if is_sure else 0.0)
    figures = (right_document, right_place, forced, given)
    return {name: with_interval(values) for name, values in zip(FIGURES, figures, strict=True)}


if __name__ == "__main__":
    main()

"""`python -m eval.bench.tuning DATA`: what the settings of retrieval are worth, on questions to choose by.

The questions are those of the SQuAD articles that are kept out of the reader's training: as they are, with typing
errors, and as mere keywords. They are asked of all paragraphs, one document each, and of long documents put together
from paragraphs. No question of new_wiki is asked here, and none of the test half of another set.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.progress import Progress

from eval.bench.data import ALL_FILES, OUTPUT, folder_argument, publish, with_interval
from eval.bench.embeddings import KeptEmbedder
from eval.bench.forms import keywords, misspelt
from eval.bench.long_documents import LongDocument, long_documents
from eval.cases import SEEDS_SET, read_cases, select
from eval.paragraphs import source_of
from eval.squad import Corpus, Question, held_out, held_out_titles, load_squad
from eval.stories import load_stories
from index.collection import Collection
from index.documents import Document, find_files, make_document, read_document
from index.embedder import Embedder, load_embedder
from index.library import DEFAULT_COLLECTION, Library, write_lock
from index.passages import PassageSettings
from index.retriever import Hit, RetrievalSettings
from service.console import err
from service.settings import Settings

DEPTH = 20
LONG_DOCUMENTS = 100
_AT_ONCE = 256
_SEEDS = Path("seeds")

Span = tuple[str, int, int]
"""Source, start and end of what answers."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the spans of which a passage must hold one whole to be the right one, and the accepted wordings."""

    text: str
    gold: tuple[Span, ...]
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to cut and to search."""

    name: str
    passages: PassageSettings = field(default_factory=PassageSettings)
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)


def settings_to_try() -> list[Setting]:
    """Return the settings that are compared, the present one first."""
    now = RetrievalSettings()
    return [
        Setting("as it is"),
        *(Setting(f"constant {each:g}", retrieval=replace(now, constant=each)) for each in (10.0, 20.0, 120.0)),
        *(
            Setting(f"vectors weigh {dense:g}", retrieval=replace(now, dense_weight=dense))
            for dense in (0.5, 0.75, 1.5, 2.0)
        ),
        Setting("words alone", retrieval=replace(now, dense_weight=0.0)),
        Setting("vectors alone", retrieval=replace(now, full_text_weight=0.0)),
        *(
            Setting(f"heading weighs {each:g}", retrieval=replace(now, heading_weight=each))
            for each in (0.0, 0.25, 1.0, 2.0)
        ),
        *(Setting(f"pool {each}", retrieval=replace(now, pool=each)) for each in (20, 100)),
    ]


def sizes_to_try() -> list[Setting]:
    """Return the sizes of passages that are compared on long documents."""
    return [Setting(named(each), each) for each in _SIZES]


_SIZES = (
    PassageSettings(),
    *(PassageSettings(size, over, ideal) for size, over, ideal in ((200, 0, 80), (200, 0, 160), (200, 0, 200))),
    *(PassageSettings(size, over, size - over) for size, over in ((100, 0), (120, 0), (150, 0), (150, 30))),
)


def named(passages: PassageSettings) -> str:
    """Return what settings of passages are called in tables and folders."""
    return f"{passages.ideal_tokens} to {passages.max_tokens} tokens, {passages.overlap_tokens} repeated"


@click.command()
@folder_argument
@click.option("--questions", default=400, show_default=True, help="Questions of each form to ask of the paragraphs.")
@click.option("--only", default="", help="Only settings whose name holds this.")
def main(data: Path, questions: int, only: str) -> None:
    """Compare settings of retrieval."""
    service = Settings.from_environment()
    embedder = KeptEmbedder(
        load_embedder(service.embedder, cache=service.model_cache_dir, threads=1), OUTPUT / "embeddings.sqlite"
    )
    try:
        corpus, chosen = load_chosen(data)
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from None
    spread = [chosen[each] for each in np.linspace(0, len(chosen) - 1, min(questions, len(chosen))).astype(int)]
    result: dict[str, Any] = {}
    paragraphs, single = single_questions(corpus, range(len(corpus.paragraphs)), spread)
    asked = forms([(each.text, each.gold) for each in single])
    asked_seeds = {"seeds dev": seed_questions()}
    seeds = seed_documents()
    for setting in settings_to_try():
        if only in setting.name:
            result |= _figures("paragraphs", paragraphs, asked, setting, embedder)
            result |= _figures("seeds", seeds, asked_seeds, setting, embedder)
    long, long_asked = long_questions(long_documents(corpus, chosen, LONG_DOCUMENTS), chosen)
    stories, stories_asked = story_questions()
    for setting in sizes_to_try():
        if only in setting.name:
            result |= _figures("long documents", long, {"as asked": long_asked}, setting, embedder)
            result |= _figures("stories", stories, {"as asked": stories_asked}, setting, embedder)
            result |= _figures("seeds", seeds, asked_seeds, setting, embedder)
    publish("bench-tuning", result)


def load_chosen(data: Path) -> tuple[Corpus, list[Question]]:
    """Return all paragraphs, and the answerable questions of the articles that are kept out of training.

    Raises:
        FileNotFoundError: a file is missing; the message says where the data is to be had.
    """
    corpus = load_squad(*(data / name for name in ALL_FILES))
    titles = {each.replace("_", " ") for each in held_out_titles(data)}
    kept_out = {number for number, each in enumerate(corpus.paragraphs) if each.title in titles}
    return corpus, [each for each in corpus.questions if each.paragraph in kept_out and each.answers]


def forms(asked: Sequence[tuple[str, tuple[Span, ...]]]) -> dict[str, list[Asked]]:
    """Return questions as they are, with typing errors, and as keywords."""
    return {
        "as asked": [Asked(text, gold) for text, gold in asked],
        "misspelt": [Asked(misspelt(text, seed=0), gold) for text, gold in asked],
        "keywords": [Asked(keywords(text), gold) for text, gold in asked],
    }


def long_questions(made: Sequence[LongDocument], chosen: Sequence[Question]) -> tuple[list[Document], list[Asked]]:
    """Return long documents as documents, and the questions with the places where their answers stand in them."""
    documents = [
        make_document(each.text, source=f"long-{number}.txt", title=f"Document {number}")
        for number, each in enumerate(made)
    ]
    where = {
        paragraph: (documents[number].source, start)
        for number, each in enumerate(made)
        for paragraph, start in each.starts.items()
    }
    return documents, [Asked(each.text, tuple(_golds(each, *where[each.paragraph])), each.accepted) for each in chosen]


def single_questions(
    corpus: Corpus, numbers: Iterable[int], chosen: Sequence[Question], *, title: str | None = None
) -> tuple[list[Document], list[Asked]]:
    """Return paragraphs as documents of their own, and the questions with the places of their answers.

    Each document has the title of its article, or all have the same `title`.
    """
    documents = [
        make_document(each.text, source=source_of(number), title=each.title if title is None else title)
        for number, each in ((number, corpus.paragraphs[number]) for number in numbers)
    ]
    return documents, [
        Asked(each.text, tuple(_golds(each, source_of(each.paragraph), 0)), each.accepted) for each in chosen
    ]


def seed_questions() -> list[Asked]:
    """Return the answerable questions of the dev half of the set about the seeds."""
    cases = (case for case in select(read_cases(SEEDS_SET), "dev") if case.spans and not case.history)
    return [
        Asked(case.question, tuple((each.document, each.start, each.end) for each in case.spans), case.answers)
        for case in cases
    ]


def seed_documents() -> list[Document]:
    """Return the documents in `seeds/`."""
    return [read_document(path, source=source) for source, path in find_files(_SEEDS)]


def story_questions() -> tuple[list[Document], list[Asked]]:
    """Return all stories as documents, and the answerable questions of those that are kept out of training."""
    stories = load_stories()
    chosen = [each for each in held_out(stories) if each.answers]
    return single_questions(stories, range(len(stories.paragraphs)), chosen)


def _golds(question: Question, source: str, start: int) -> Iterable[Span]:
    return ((source, start + each.start, start + each.end) for each in question.answers)


def indexed(name: str, documents: Sequence[Document], embedder: Embedder, passages: PassageSettings) -> Path:
    """Index documents below the output folder, unless they are indexed there already; return the data directory."""
    data_dir = OUTPUT / "tuning" / f"{name} {named(passages)}".replace(",", "").replace(" ", "-")
    with (
        write_lock(data_dir),
        Library(data_dir, embedder, passage_settings=passages, reindex=lambda *_: None) as library,
    ):
        collection = library.create(DEFAULT_COLLECTION)
        for start in range(0, len(documents), _AT_ONCE):
            collection.put_all(documents[start : start + _AT_ONCE])
    return data_dir


def ranks(collection: Collection, asked: Sequence[Asked]) -> list[tuple[int | None, int | None]]:
    """Return for every question the ranks, from 1, of the first right passage and of the first right document."""
    return [_rank(collection.retrieve(each.text, top_k=DEPTH).hits, each.gold) for each in asked]


def _rank(hits: Sequence[Hit], gold: Sequence[Span]) -> tuple[int | None, int | None]:
    sources = {source for source, _, _ in gold}
    held = (hit.rank for hit in hits if any(_holds(hit, span) for span in gold))
    right = (hit.rank for hit in hits if hit.found.source in sources)
    return next(held, None), next(right, None)


def _holds(hit: Hit, span: Span) -> bool:
    source, start, end = span
    passage = hit.found.passage
    return hit.found.source == source and passage.start <= start and end <= passage.end


def _figures(
    name: str, documents: Sequence[Document], asked: dict[str, list[Asked]], setting: Setting, embedder: Embedder
) -> dict[str, Any]:
    data_dir = indexed(name, documents, embedder, setting.passages)
    result: dict[str, Any] = {}
    with (
        Library(
            data_dir,
            embedder,
            passage_settings=setting.passages,
            retrieval_settings=setting.retrieval,
            read_only=True,
        ) as library,
        Progress(console=err) as progress,
    ):
        collection = library.collection(DEFAULT_COLLECTION)
        for form, questions in asked.items():
            tracked = list(progress.track(questions, description=f"{name}, {setting.name}, {form}"))
            result |= {
                f"{name} | {setting.name} | {form} | {key}": value
                for key, value in _measured(ranks(collection, tracked)).items()
            }
    return result


def _measured(found: Sequence[tuple[int | None, int | None]]) -> dict[str, Any]:
    passages = [each for each, _ in found]
    return {
        "recall@1": with_interval([float(each == 1) for each in passages]),
        "recall@5": with_interval([float(each is not None and each <= 5) for each in passages]),
        "MRR": with_interval([1 / each if each else 0.0 for each in passages]),
        "right document first": with_interval([float(each == 1) for _, each in found]),
    }


if __name__ == "__main__":
    main()

"""Rivals: which of the passages found for a question a reader takes for its answer, found out once and kept.

A passage that a reader sets aside as it is teaches it little more; those that mislead it teach it most (Xiong et al.
2021, "Approximate nearest neighbor negative contrastive learning"). Those that it is very sure of are left out: many of
these do answer, and nobody has marked it (Qu et al. 2021, "RocketQA").
"""

import random
from collections.abc import Sequence
from pathlib import Path

from rich.progress import Progress

from eval.paragraphs import index_paragraphs, paragraph_of, retrieve_all
from eval.reading import read_all
from eval.squad import Corpus, Question
from index.embedder import load_embedder
from index.model_folder import DEFAULT_MODEL
from service.reader.span_reader import SpanReader
from training.data import is_shifted, trained_on
from training.kept import kept
from training.mining import Found

# So many questions are read, drawn by lot, and so many passages for each.
QUESTIONS = 4200
DEPTH = 8
# Log-odds to answer above which a passage is likelier to answer than to mislead.
_SUREST = 1.0
_SEED = 5

Rivals = dict[str, list[Found]]


def rivals(reader: SpanReader, corpus: Corpus, work: Path) -> Rivals:
    """Return for some questions of SQuAD, by id, the passages found for them, the most misleading first.

    Those of the question's own paragraph come before all others. What was found is kept in `work`.
    """
    asked = _asked(corpus)
    key = [reader.artifact.identity, reader.artifact.sha256, [each.id for each in asked], DEPTH, _SUREST]
    found = kept(work, "rivals", key, lambda: _read(reader, corpus, asked, work))
    return {name: [Found(*each) for each in places] for name, places in found.items()}


def _asked(corpus: Corpus) -> list[Question]:
    """Draw questions with an answer about the articles that are trained on."""
    possible = [each for each in trained_on(corpus) if each.answers and not is_shifted(corpus, each)]
    random.Random(_SEED).shuffle(possible)  # noqa: S311
    return possible[:QUESTIONS]


def _read(
    reader: SpanReader, corpus: Corpus, asked: Sequence[Question], work: Path
) -> dict[str, list[tuple[int, int, int]]]:
    cache = work / ".models"
    data_dir = index_paragraphs(corpus.paragraphs, work, load_embedder(cache=cache))
    texts = [each.text for each in asked]
    found = retrieve_all(data_dir, texts, depth=DEPTH, model=DEFAULT_MODEL, model_cache=cache)
    ranked = {}
    with Progress() as progress:
        reading = progress.track(
            read_all(reader, asked, found, depth=DEPTH), total=len(asked), description="Reading what was found"
        )
        for each in reading:
            own, others = [], []
            for hit, read in zip(each.hits, each.read, strict=True):
                place = (paragraph_of(hit), hit.found.passage.start, hit.found.passage.end)
                if place[0] == each.question.paragraph:
                    own.append(place)
                elif read.evidence <= _SUREST:
                    others.append((read.evidence, place))
            ranked[each.question.id] = own + [place for _, place in sorted(others, key=lambda pair: -pair[0])]
    return ranked

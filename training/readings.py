"""Readings: what the finished network reads for the questions kept out, asked of all paragraphs."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from eval.paragraphs import index_paragraphs, retrieve_all
from eval.reading import OpenReading, answering, read_again, read_all
from eval.squad import Corpus, Question, held_out
from index.embedder import load_embedder
from index.model_folder import DEFAULT_MODEL
from index.retriever import Hit
from service.reader.span_reader import SpanReader

# So many passages are read for a question.
DEPTH = 10
# Of each kind, so many questions about a paragraph of their own are read at most, drawn by lot.
MOST_TOLD = 1200
_SEED = 3


@dataclass(frozen=True, slots=True)
class Readings:
    """`present`: questions with their answer; `removed`: the same, it is taken away; `adversarial`: near misses."""

    present: list[OpenReading]
    removed: list[OpenReading]
    adversarial: list[OpenReading]


def open_readings(reader: SpanReader, corpus: Corpus, work: Path) -> Readings:
    """Return what is read for the questions of a corpus that are kept out, asked of all its paragraphs.

    The index is kept in the folder `work` for the next time.
    """
    return _readings(reader, corpus, work, own_paragraph=False)


def told_readings(reader: SpanReader, corpus: Corpus, work: Path) -> Readings:
    """Return the same, each question asked of its own paragraph only; nothing is removed.

    For paragraphs that are alike, and questions that do not say which of them they are about. Of each kind, `MOST_TOLD`
    are read at most.
    """
    return _readings(reader, corpus, work, own_paragraph=True)


def _readings(reader: SpanReader, corpus: Corpus, work: Path, *, own_paragraph: bool) -> Readings:
    cache = work / ".models"
    data_dir = index_paragraphs(corpus.paragraphs, work, load_embedder(cache=cache))

    present = [each for each in held_out(corpus) if each.answers]
    adversarial = [each for each in held_out(corpus) if not each.answers]
    everything = set(range(len(corpus.paragraphs)))

    def find(questions: list[Question], without: list[set[int]] | None = None) -> Iterable[list[Hit]]:
        texts = [each.text for each in questions]
        return retrieve_all(data_dir, texts, depth=DEPTH, model=DEFAULT_MODEL, model_cache=cache, without=without)

    if own_paragraph:
        present, adversarial = (_drawn(each) for each in (present, adversarial))
        read, misled = (
            list(read_all(reader, asked, find(asked, [everything - {each.paragraph} for each in asked]), depth=DEPTH))
            for asked in (present, adversarial)
        )
        return Readings(read, [], misled)
    read = list(read_all(reader, present, find(present), depth=DEPTH))
    without = [answering(corpus, each) for each in present]
    removed = [read_again(reader, *pair) for pair in zip(read, find(present, without), strict=True)]
    return Readings(read, removed, list(read_all(reader, adversarial, find(adversarial), depth=DEPTH)))


def _drawn(questions: list[Question]) -> list[Question]:
    return random.Random(_SEED).sample(questions, min(MOST_TOLD, len(questions)))  # noqa: S311

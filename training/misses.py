"""Misses: which questions of the stories a reader does not meet as it should, found out once and kept.

What a reader knows already teaches it nothing more; what it gets wrong does (hard example mining: Shrivastava, Gupta &
Girshick 2016, "Training region-based object detectors with online hard example mining").
"""

import random
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from rich.progress import Progress

from eval.paragraphs import index_paragraphs, retrieve_all
from eval.reading import OpenReading, read_all
from eval.squad import Corpus, Question
from index.embedder import load_embedder
from index.model_folder import DEFAULT_MODEL
from service.reader.span_reader import SpanReader
from training.data import trained_on
from training.kept import kept

# So many questions are read, drawn by lot, and so many passages of its own document for each.
QUESTIONS = 6000
DEPTH = 3
_SEED = 6


def misses(reader: SpanReader, stories: Corpus, work: Path, but: Collection[str] = ()) -> Corpus:
    """Return the stories with only those questions that are trained on and that `reader` does not meet as it should.

    It misses a question where its best answer is wrong or it is silent, and one without an answer where it gives one.
    Questions of the files in `but`, named without their ending, are left out. What was found is kept in `work`.
    """
    asked = _asked(stories, but)
    artifact = reader.artifact
    read = [artifact.identity, artifact.sha256, repr(artifact.calibration), DEPTH]
    key = [*read, [(each.id, each.text, each.accepted) for each in asked]]
    missed = set(kept(work, "misses", key, lambda: _read(reader, stories, asked, work)))
    return replace(stories, questions=tuple(each for each in asked if each.id in missed))


def _asked(stories: Corpus, but: Collection[str]) -> list[Question]:
    possible = [
        each for each in trained_on(stories) if stories.paragraphs[each.paragraph].source.partition("#")[0] not in but
    ]
    random.Random(_SEED).shuffle(possible)  # noqa: S311
    return possible[:QUESTIONS]


def _read(reader: SpanReader, stories: Corpus, asked: list[Question], work: Path) -> list[str]:
    cache = work / ".models"
    data_dir = index_paragraphs(stories.paragraphs, work, load_embedder(cache=cache))
    everything = set(range(len(stories.paragraphs)))
    found = retrieve_all(
        data_dir,
        [each.text for each in asked],
        depth=DEPTH,
        model=DEFAULT_MODEL,
        model_cache=cache,
        without=[everything - {each.paragraph} for each in asked],
    )
    with Progress() as progress:
        reading = progress.track(
            read_all(reader, asked, found, depth=DEPTH), total=len(asked), description="Reading the stories"
        )
        return [each.question.id for each in reading if _is_missed(reader, each)]


def _is_missed(reader: SpanReader, reading: OpenReading) -> bool:
    judged = reading.judged(reader)
    answered = judged.confidence >= reader.min_confidence
    return not (answered and judged.is_right) if reading.question.answers else answered

"""Choosing: how good weights are on the articles that are kept out of training."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from eval.metrics import auroc, exact_match, f1
from eval.reading import answering
from eval.squad import Corpus, Question, held_out
from index.sentences import split_sentences
from service.reader.decoding import best_spans, span_scores, total_score
from service.reader.edges import trim
from service.reader.features import FeatureMaker
from service.reader.runtime import Marks
from training.batches import collate
from training.groups import Group, Window
from training.loss import batch_marks
from training.mining import Found
from training.model import SpanModel

Place = tuple[int, int, int]

# The score where nothing is left to read: no span comes near it.
_NOTHING = -20.0


@dataclass(frozen=True, slots=True)
class Read:
    """What is read in one passage: its best span as text, the span's log-odds, and the passage's."""

    place: Place
    text: str
    score: float
    evidence: float


@dataclass(frozen=True, slots=True)
class Figures:
    """How good weights are; all between 0 and 1.

    With the paragraph given: `exact`, `f1`, and `auroc` of answerable against unanswerable questions. With what the
    retriever finds: `open_f1`; `recall`, how often the paragraph comes first after reading, and `retrieved`, how often
    it is there at all; `open_auroc` of questions against the same ones without the paragraphs that answer them.
    """

    exact: float
    f1: float
    auroc: float
    open_f1: float
    recall: float
    retrieved: float
    open_auroc: float

    def line(self) -> str:
        """Return the figures on one line."""
        return "  ".join(f"{name} {value:.3f}" for name, value in asdict(self).items())


def measure(
    model: SpanModel,
    maker: FeatureMaker,
    corpus: Corpus,
    found: Sequence[Sequence[Found]],
    passages: Callable[[int], list[tuple[int, int]]],
    *,
    depth: int = 5,
    limit: int = 400,
) -> Figures:
    """Measure weights on the first `limit` answerable and unanswerable questions, drawn evenly from all kept out."""
    by_id = {question.id: each for question, each in zip(corpus.questions, found, strict=True)}
    questions = held_out(corpus)
    answerable = _spread([each for each in questions if each.answers], limit)
    unanswerable = _spread([each for each in questions if not each.answers], limit)

    exact, overlap, known, unknown = [], [], [], []
    opened, first, retrieved, there, gone = [], [], [], [], []
    for question in answerable:
        own = [(question.paragraph, *each) for each in passages(question.paragraph)]
        near = [(each.paragraph, each.start, each.end) for each in by_id[question.id][:depth]]
        read = {each.place: each for each in read_passages(model, maker, corpus, question, [*own, *near])}
        best = max((read[place] for place in own), key=lambda each: each.score)
        exact.append(exact_match(best.text, question.accepted))
        overlap.append(f1(best.text, question.accepted))
        known.append(best.score)
        candidates = [read[place] for place in near]
        opened.append(f1(max(candidates, key=lambda each: each.score).text, question.accepted))
        first.append(max(candidates, key=lambda each: each.evidence).place[0] == question.paragraph)
        retrieved.append(any(place[0] == question.paragraph for place in near))
        there.append(max(each.score for each in candidates))
        without = answering(corpus, question)
        gone.append(max((each.score for each in candidates if each.place[0] not in without), default=_NOTHING))
    for question in unanswerable:
        own = [(question.paragraph, *each) for each in passages(question.paragraph)]
        unknown.append(max(each.score for each in read_passages(model, maker, corpus, question, own)))
    return Figures(
        float(np.mean(exact)),
        float(np.mean(overlap)),
        auroc(known, unknown),
        float(np.mean(opened)),
        float(np.mean(first)),
        float(np.mean(retrieved)),
        auroc(there, gone),
    )


@torch.no_grad()
def read_passages(
    model: SpanModel, maker: FeatureMaker, corpus: Corpus, question: Question, places: Sequence[Place]
) -> list[Read]:
    """Read passages for a question, each given by paragraph, start and end."""
    places = list(dict.fromkeys(places))
    texts = [corpus.paragraphs[paragraph].text[start:end] for paragraph, start, end in places]
    windows = tuple(
        Window(text, corpus.paragraphs[paragraph].title) for text, (paragraph, *_) in zip(texts, places, strict=True)
    )
    batch = collate([Group(question.text, windows)], maker)
    marks: Marks = batch_marks(model, batch).cpu().numpy()
    reads = []
    for place, text, tokens, each in zip(places, texts, maker.tokens(texts), marks, strict=True):
        readable = each[each[:, 0] > -np.inf]
        offsets = tokens.offsets[: len(readable)]
        sentences = sentence_numbers(text, offsets)
        scores = span_scores(readable, sentences.tolist())
        found = best_spans(scores, 1)[0]
        start, end = trim(text, offsets[found.first][0], offsets[found.last][1])
        reads.append(Read(place, text[start:end], found.score, total_score(scores)))
    return reads


def sentence_numbers(text: str, offsets: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Return for every token which sentence of the text it is in."""
    begins = [start for start, _ in split_sentences(text, 0, len(text))]
    return np.searchsorted(begins, [start for start, _ in offsets], side="right")


def _spread(questions: list[Question], limit: int) -> list[Question]:
    chosen = np.linspace(0, len(questions) - 1, min(limit, len(questions))).round().astype(int)
    return [questions[each] for each in chosen]

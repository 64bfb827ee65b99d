"""Answering: retrieve, read, compose answers, choose or abstain. `Answerer.ask` is the main path."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from index.collection import Collection
from index.filters import Filters
from index.retriever import Hit
from service import VERSION
from service.answers import Agreement, Answer, choose, compose
from service.reader.reader import Reader, Reading, probability
from service.reader.words import answer_words, same_answer
from service.stories import told_already

# Probabilities that differ less are equal: sums of floating point depend on what is computed together.
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage that is shown: what the retriever found, and how likely the reader finds it to answer (0 to 1).

    `relevance` is None where the reader has not read it.
    """

    hit: Hit
    relevance: float | None


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds that the parts of an answer took."""

    retrieve: float
    read: float
    total: float


@dataclass(frozen=True, slots=True)
class Response:
    """What came of a question. `answer` is None where the documents do not say; the nearest things still show."""

    id: str
    question: str
    answer: Answer | None
    alternatives: tuple[Answer, ...]
    agreement: Agreement | None
    passages: tuple[Shown, ...]
    fingerprint: str
    timings: Timings


class Answerer:
    """Answers questions from a collection with one reader. Thread-safe."""

    def __init__(
        self, reader: Reader, *, read_depth: int, min_confidence: float | None = None, base_url: str = ""
    ) -> None:
        """Let `reader` read the first `read_depth` hits; `min_confidence` takes the place of the reader's own."""
        self.reader = reader
        self.min_confidence = reader.min_confidence if min_confidence is None else min_confidence
        self._read_depth = read_depth
        self._base_url = base_url

    def ask(
        self,
        collection: Collection,
        question: str,
        *,
        top_k: int = 5,
        filters: Filters | None = None,
        min_confidence: float | None = None,
        check_deadline: Callable[[], None] = lambda: None,
    ) -> Response:
        """Answer a question from a collection, or abstain.

        `top_k` is how many passages are shown; what is read does not depend on it. `check_deadline` is called between
        the steps and raises to give up.

        Raises:
            UnresolvableCitation: a reader's span does not stand in its passage.
        """
        begin = time.perf_counter()
        retrieval = collection.retrieve(question, top_k=max(top_k, self._read_depth), filters=filters)
        retrieved = time.perf_counter()
        check_deadline()

        hits = retrieval.hits[: self._read_depth]  # none where a phrase that was quoted stands nowhere
        enough = self.min_confidence if min_confidence is None else min_confidence
        reading = self.reader.read(question, hits, min_confidence=enough)
        read = time.perf_counter()
        check_deadline()

        answers = compose(question, hits, reading, base_url=self._base_url, collection=collection.name)
        choice = choose(question, answers, enough)
        end = time.perf_counter()
        return Response(
            f"ask-{uuid.uuid4().hex}",
            question,
            choice.answer,
            choice.alternatives,
            choice.agreement,
            tuple(rank_passages(retrieval.hits or retrieval.nearest, reading)[:top_k]),
            self.fingerprint(retrieval.fingerprint),
            Timings((retrieved - begin) * 1e3, (read - retrieved) * 1e3, (end - begin) * 1e3),
        )

    def fingerprint(self, collection_fingerprint: str) -> str:
        """Return the hash of everything that decides an answer: same fingerprint and question, same answer."""
        parts = [VERSION, collection_fingerprint, self.reader.identity, self._read_depth, self.min_confidence]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def rank_passages(hits: Sequence[Hit], reading: Reading) -> list[Shown]:
    """Return the passages in the order in which the reader finds them to answer; those it has not read come last.

    Behind these come copies and page furniture, and what others that were read have told already with the same answer.
    Ranks are counted anew.
    """
    shown = [Shown(hit, probability(odds)) for hit, odds in zip(hits, reading.relevance, strict=False)]
    shown.sort(key=lambda each: (each.hit.is_behind, -round(each.relevance or 0.0, _DIGITS), each.hit.rank))
    answers = _best_answers(hits, reading)
    told = told_already([each.hit.found.passage.text for each in shown])
    fresh: list[Shown] = []
    again: list[Shown] = []
    said: list[tuple[str, ...]] = []
    for each, is_told in zip(shown, told, strict=True):
        answer = answers.get(each.hit.rank)
        says_nothing_new = is_told and (answer is None or any(same_answer(answer, other) for other in said))
        (again if says_nothing_new or each.hit.is_behind else fresh).append(each)
        said += [answer] if answer is not None else []
    unread = [Shown(hit, None) for hit in hits[len(shown) :]]
    unread.sort(key=lambda each: each.hit.is_behind)
    ahead = [each for each in unread if not each.hit.is_behind]
    ranked = enumerate([*fresh, *ahead, *again, *unread[len(ahead) :]], start=1)
    return [Shown(replace(each.hit, rank=rank), each.relevance) for rank, each in ranked]


def _best_answers(hits: Sequence[Hit], reading: Reading) -> dict[int, tuple[str, ...]]:
    """Return what is read best in each passage, by the rank of its hit."""
    found: dict[int, tuple[str, ...]] = {}
    for span in reading.spans:
        hit = hits[span.hit]
        if hit.rank not in found:
            found[hit.rank] = answer_words(hit.found.passage.words(span.start, span.end))
    return found

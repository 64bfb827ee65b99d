"""Answering: retrieve, read, choose or abstain, cite. `Answerer.ask` is the main path; `choose` makes the choice."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from index.collection import Collection
from index.records import Filters
from index.retriever import Hit
from service import VERSION
from service.citations import Citation, cite
from service.reader.reader import Reader, Reading, Span

Agreement = Literal["single", "corroborated"]

MAX_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """Words of the documents, how sure the reader is of them (0 to 1), and every place where they stand."""

    text: str
    confidence: float
    citations: tuple[Citation, ...]


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
    hits: tuple[Hit, ...]
    fingerprint: str
    timings: Timings


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer chosen, or None to abstain, and the next best."""

    answer: Answer | None
    alternatives: tuple[Answer, ...]
    agreement: Agreement | None


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

        hits = retrieval.hits[: self._read_depth]
        reading = self.reader.read(question, hits)
        read = time.perf_counter()
        check_deadline()

        answers = cite_spans(hits, reading, base_url=self._base_url, collection=collection.name)
        choice = choose(answers, self.min_confidence if min_confidence is None else min_confidence)
        end = time.perf_counter()
        return Response(
            f"ask-{uuid.uuid4().hex}",
            question,
            choice.answer,
            choice.alternatives,
            choice.agreement,
            tuple(retrieval.hits[:top_k]),
            self.fingerprint(retrieval.fingerprint),
            Timings((retrieved - begin) * 1e3, (read - retrieved) * 1e3, (end - begin) * 1e3),
        )

    def fingerprint(self, collection_fingerprint: str) -> str:
        """Return the hash of everything that decides an answer: same fingerprint and question, same answer."""
        parts = [VERSION, collection_fingerprint, self.reader.identity, self._read_depth, self.min_confidence]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def cite_spans(hits: list[Hit], reading: Reading, *, base_url: str, collection: str) -> list[Answer]:
    """Turn the best spans into answers, best first: the same words in several places are one answer, cited from each.

    No more spans are looked at than it takes to fill an answer and its alternatives.
    """
    places: dict[str, list[Span]] = {}
    for span in reading.spans:
        passage = hits[span.hit].found.passage
        words = " ".join(passage.text[span.start - passage.start : span.end - passage.start].casefold().split())
        if words in places or len(places) <= MAX_ALTERNATIVES:
            places.setdefault(words, []).append(span)
    answers = []
    for spans in places.values():
        citations = tuple(cite(hits[span.hit], span, base_url=base_url, collection=collection) for span in spans)
        answers.append(Answer(citations[0].cited.text, reading.confidence(spans[0]), citations))
    return answers


def choose(answers: list[Answer], min_confidence: float) -> Choice:
    """Choose the best answer, or abstain where even that is not confident enough.

    An answer is corroborated where the same words stand in different documents.
    """
    if not answers or answers[0].confidence < min_confidence:
        return Choice(None, tuple(answers[:MAX_ALTERNATIVES]), None)
    best, *others = answers
    sources = {citation.document_id for citation in best.citations}
    agreement: Agreement = "corroborated" if len(sources) > 1 else "single"
    return Choice(best, tuple(others[:MAX_ALTERNATIVES]), agreement)

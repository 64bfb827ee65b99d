"""Answering: retrieve, read, compose answers, choose or abstain. `Answerer.ask` is the main path."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from index.collection import Collection, Retrieval
from index.filters import NO_FILTERS, Filters
from index.retriever import Hit
from index.words import words_of
from service import VERSION
from service.answers import Agreement, Answer, choose, compose
from service.conversation import Turn, last_exchange, meanings
from service.followups.rewriting import Meaning, names_nothing
from service.ground import documents_spoken_of
from service.reader.reader import Memory, Reader, Reading, probability
from service.reader.words import answer_words, same_answer
from service.stories import told_already

# So sure must the documents spoken of be of a question that need not be about them.
_AT_HAND = 0.5
# So sure must an answer from anywhere be to a question that leaves out what it is about, where the documents spoken of
# have none: others have causes, prices and founders, too.
_FROM_ANYWHERE = 0.7
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
    """What came of a question. `answer` is None where the documents do not say; the nearest things still show.

    `standalone_question` is what was read in the place of a follow-up; None where the question was read as it is.
    """

    id: str
    question: str
    standalone_question: str | None
    answer: Answer | None
    alternatives: tuple[Answer, ...]
    agreement: Agreement | None
    passages: tuple[Shown, ...]
    fingerprint: str
    timings: Timings


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One thing that a question may mean, where it is looked for, and the confidence at which it is the answer."""

    meaning: Meaning
    filters: Filters | None
    needs: float


@dataclass(frozen=True, slots=True)
class _Read:
    """An attempt: what was found and read for it, and the milliseconds that both took."""

    attempt: _Attempt
    retrieval: Retrieval
    hits: Sequence[Hit]
    reading: Reading
    retrieve_ms: float
    read_ms: float

    @property
    def question(self) -> str:
        """What was read in the place of the question."""
        return self.attempt.meaning.question

    @property
    def confidence(self) -> float:
        """How likely the best span answers, 0.0 where there is none."""
        return round(self.reading.confidence(self.reading.spans[0]), _DIGITS) if self.reading.spans else 0.0

    @property
    def is_enough(self) -> bool:
        """Whether the best span is the answer, so that nothing else need be tried."""
        return bool(self.reading.spans) and self.confidence >= self.attempt.needs


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
        history: Sequence[Turn] = (),
        top_k: int = 5,
        filters: Filters | None = None,
        min_confidence: float | None = None,
        check_deadline: Callable[[], None] = lambda: None,
        on_retrieved: Callable[[Retrieval], None] = lambda _: None,
    ) -> Response:
        """Answer a question from a collection, or abstain.

        `history` is what was said before, the oldest turn first. A question that goes on from it is asked of the
        documents in which the last answer stands, and only then of all. Where it may mean several things, they are read
        from the most likely one on until one has an answer; if none has, the one that comes nearest counts. `top_k` is
        how many passages are shown; what is read does not depend on it. `check_deadline` is called between the steps
        and raises to give up; `on_retrieved` is called with what was found for each of the things that are read, before
        that is read.

        Raises:
            UnresolvableCitation: a reader's span does not stand in its passage.
        """
        begin = time.perf_counter()
        enough = self.min_confidence if min_confidence is None else min_confidence
        # Whoever wants an answer at any price wants the best one, and not the first.
        needs = max(enough, self.min_confidence, self.reader.min_confidence)
        shown = max(top_k, self._read_depth)
        before = last_exchange(history)
        meant = meanings(question, before)
        spoken_of: tuple[str, ...] = ()
        if before is not None and (meant != (Meaning(question),) or names_nothing(question)):
            spoken_of = documents_spoken_of(collection, before, depth=self._read_depth, filters=filters)
        found = time.perf_counter()
        check_deadline()
        every: list[_Read] = []
        memory: Memory = {}
        for attempt in _attempts(question, meant, spoken_of, filters, needs):
            every.append(
                self._read(
                    collection,
                    attempt,
                    enough,
                    memory,
                    top_k=shown,
                    check_deadline=check_deadline,
                    on_retrieved=on_retrieved,
                )
            )
            # Less likely meanings are no fair rivals of an answer: more words make a reader surer of whatever it finds.
            if every[-1].is_enough:
                break
        fair = [each for each in every if each.is_enough or each.attempt.needs <= needs]
        best = max(fair, key=lambda each: (each.is_enough, each.confidence))  # the first of equals

        answers = compose(best.question, best.hits, best.reading, base_url=self._base_url, collection=collection.name)
        choice = choose(best.question, answers, enough)
        return Response(
            f"ask-{uuid.uuid4().hex}",
            question,
            None if best.question == question else best.question,
            choice.answer,
            choice.alternatives,
            choice.agreement,
            tuple(rank_passages(best.retrieval.hits or best.retrieval.nearest, best.reading)[:top_k]),
            self.fingerprint(best.retrieval.fingerprint),
            Timings(
                (found - begin) * 1e3 + sum(each.retrieve_ms for each in every),
                sum(each.read_ms for each in every),
                (time.perf_counter() - begin) * 1e3,
            ),
        )

    def _read(
        self,
        collection: Collection,
        attempt: _Attempt,
        enough: float,
        memory: Memory,
        *,
        top_k: int,
        check_deadline: Callable[[], None],
        on_retrieved: Callable[[Retrieval], None],
    ) -> _Read:
        """Retrieve passages for what a question means, and read the first of them that are not in `memory`."""
        begin = time.perf_counter()
        meaning = attempt.meaning
        retrieval = collection.retrieve(meaning.question, top_k=top_k, filters=attempt.filters)
        retrieved = time.perf_counter()
        check_deadline()
        on_retrieved(retrieval)

        hits = retrieval.hits[: self._read_depth]  # none where a phrase that was quoted stands nowhere
        reading = self.reader.read(meaning.question, hits, min_confidence=enough, told=meaning.told, memory=memory)
        read = time.perf_counter()
        check_deadline()
        return _Read(attempt, retrieval, hits, reading, (retrieved - begin) * 1e3, (read - retrieved) * 1e3)

    def fingerprint(self, collection_fingerprint: str) -> str:
        """Return the hash of everything that decides an answer: same fingerprint and question, same answer."""
        parts = [VERSION, collection_fingerprint, self.reader.identity, self._read_depth, self.min_confidence]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _attempts(
    question: str, meant: Sequence[Meaning], spoken_of: tuple[str, ...], filters: Filters | None, needs: float
) -> Iterator[_Attempt]:
    """Yield what a question may mean and where that is looked for, the most likely first.

    `spoken_of` are the documents that were spoken of before it, if it may be about them.
    """
    among = replace(filters or NO_FILTERS, document_id=spoken_of)
    if meant[0].question == question:  # it likely stands alone
        if spoken_of and names_nothing(question):
            yield _Attempt(meant[0], among, max(needs, _AT_HAND))
        yield _Attempt(meant[0], filters, needs)
        meant = meant[1:]
    if spoken_of:
        yield from (_Attempt(each, among, needs) for each in meant)
    asked = set(words_of(question))
    for number, each in enumerate(meant):
        # As it is, it comes second where it seems to leave out what it is about.
        is_vague = bool(spoken_of) and number > 0 and asked.issuperset(words_of(each.question))
        yield _Attempt(each, filters, max(needs, _FROM_ANYWHERE) if is_vague else needs)


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

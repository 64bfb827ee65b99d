"""Reading in bulk: what a reader reads in the passages that the retriever finds for the questions of a data set."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from eval import metrics
from eval.paragraphs import paragraph_of
from eval.squad import Corpus, Question
from index.retriever import Hit
from service.reader.span_reader import PassageReading, SpanReader


@dataclass(frozen=True, slots=True)
class OpenReading:
    """What was found for a question, and what was read in each of the passages found."""

    question: Question
    hits: tuple[Hit, ...]
    read: tuple[PassageReading, ...]

    def at(self, depth: int) -> "OpenReading":
        """Return the same with only the first `depth` passages."""
        return OpenReading(self.question, self.hits[:depth], self.read[:depth])

    def is_found(self) -> bool:
        """Whether the question's own paragraph is among what was found."""
        return any(paragraph_of(hit) == self.question.paragraph for hit in self.hits)

    def is_first(self) -> bool:
        """Whether the question's own paragraph is the one that the reader ranks first."""
        if not self.hits:
            return False
        best = max(range(len(self.hits)), key=lambda each: self.read[each].relevance)
        return paragraph_of(self.hits[best]) == self.question.paragraph

    def judged(self, reader: SpanReader) -> "Judged":
        """Return the reader's best answer."""
        reading = reader.judge(self.hits, self.read)
        if not reading.spans:
            return Judged("", 0.0, 0.0)
        best = reading.spans[0]
        passage = self.hits[best.hit].found.passage
        text = passage.text[best.start - passage.start : best.end - passage.start]
        return Judged(text, reading.confidence(best), metrics.f1(text, self.question.accepted))


@dataclass(frozen=True, slots=True)
class Judged:
    """A reader's best answer, its confidence, and its F1 with the nearest accepted answer."""

    text: str
    confidence: float
    f1: float


def read_all(
    reader: SpanReader, questions: Sequence[Question], found: Iterable[Sequence[Hit]], *, depth: int
) -> Iterator[OpenReading]:
    """Yield what the reader reads in the first `depth` passages found for every question, all of them read."""
    for question, hits in zip(questions, found, strict=True):
        chosen = tuple(hits[:depth])
        yield OpenReading(question, chosen, tuple(reader.read_passages(question.text, chosen)))


def without_answer(corpus: Corpus, reading: OpenReading) -> OpenReading:
    """Return a reading as if the answer were not there.

    The question's paragraph is taken away, and so is every one of its article that holds an accepted answer.
    """
    question, paragraphs = reading.question, corpus.paragraphs
    title = paragraphs[question.paragraph].title
    accepted = [each.casefold() for each in question.accepted]

    def answers(number: int) -> bool:
        text = paragraphs[number].text.casefold()
        return number == question.paragraph or (
            paragraphs[number].title == title and any(answer in text for answer in accepted)
        )

    kept = [number for number, hit in enumerate(reading.hits) if not answers(paragraph_of(hit))]
    return OpenReading(
        question,
        tuple(reading.hits[each] for each in kept),
        tuple(reading.read[each].as_hit(place) for place, each in enumerate(kept)),
    )

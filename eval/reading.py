"""Reading in bulk: what a reader reads in the passages that the retriever finds for the questions of a data set."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from eval import metrics
from eval.paragraphs import paragraph_of
from eval.squad import Corpus, Question
from index.retriever import Hit
from service.reader.span_reader import PassageReading, SpanReader

# An answer with at least so much F1 is right.
RIGHT_F1 = 0.5


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

    def is_first(self, reader: SpanReader) -> bool:
        """Whether the question's own paragraph is the one that the reader ranks first."""
        if not self.hits:
            return False
        relevance = reader.reread(self.hits, self.read).relevance
        best = max(range(len(relevance)), key=lambda each: relevance[each])
        return paragraph_of(self.hits[best]) == self.question.paragraph

    def judged(self, reader: SpanReader) -> "Judged":
        """Return the reader's best answer, as if it had read no further than it does in service."""
        reading = reader.reread(self.hits, self.read)
        if not reading.spans:
            return Judged("", 0.0, 0.0)
        best = reading.spans[0]
        text = self.hits[best.hit].found.passage.words(best.start, best.end)
        return Judged(text, reading.confidence(best), metrics.f1(text, self.question.accepted))


@dataclass(frozen=True, slots=True)
class Judged:
    """A reader's best answer, its confidence, and its F1 with the nearest accepted answer."""

    text: str
    confidence: float
    f1: float

    @property
    def is_right(self) -> bool:
        """Whether it is near enough to an accepted answer."""
        return self.f1 >= RIGHT_F1


def read_all(
    reader: SpanReader, questions: Sequence[Question], found: Iterable[Sequence[Hit]], *, depth: int
) -> Iterator[OpenReading]:
    """Yield what the reader reads in the first `depth` passages found for every question, all of them read."""
    for question, hits in zip(questions, found, strict=True):
        chosen = tuple(hits[:depth])
        yield OpenReading(question, chosen, tuple(reader.read_passages(question.text, chosen)))


def read_again(reader: SpanReader, reading: OpenReading, hits: Sequence[Hit]) -> OpenReading:
    """Return what is read in other hits for the same question; what was read before is not read anew."""
    known = {_place(hit): read for hit, read in zip(reading.hits, reading.read, strict=True)}
    new = [hit for hit in hits if _place(hit) not in known]
    known |= {
        _place(hit): read for hit, read in zip(new, reader.read_passages(reading.question.text, new), strict=True)
    }
    read = tuple(known[_place(hit)].as_hit(number) for number, hit in enumerate(hits))
    return OpenReading(reading.question, tuple(hits), read)


def _place(hit: Hit) -> tuple[str, int]:
    return hit.found.document_id, hit.found.passage.ordinal


def answering(corpus: Corpus, question: Question) -> set[int]:
    """Return the paragraphs without which a question has no answer.

    These are its own, and every one of its article that holds an accepted answer.
    """
    paragraphs = corpus.paragraphs
    title = paragraphs[question.paragraph].title
    accepted = [each.casefold() for each in question.accepted]
    others = (
        number
        for number, paragraph in enumerate(paragraphs)
        if paragraph.title == title and any(answer in paragraph.text.casefold() for answer in accepted)
    )
    return {question.paragraph, *others}

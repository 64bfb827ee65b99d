"""Answers: spans that say the same become one answer with several citations, in the form that was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from index.retriever import Hit
from service.citations import Citation, cite
from service.reader.asked import Asked, asked_for, members
from service.reader.reader import Reading, Span
from service.reader.words import answer_words, same_answer
from service.stories import same_story

Agreement = Literal["single", "corroborated", "conflicting"]

# What joins the members of a list.
JOINED = "; "
MAX_ALTERNATIVES = 3
MAX_CITATIONS = 10

# A span that says the same as a better one is evidence only if it is about as likely to be right.
_EVIDENCE = 0.5
# More spans than these are not looked at: they never come to be shown.
_MOST_SPANS = 40


@dataclass(frozen=True, slots=True)
class Answer:
    """Words of the documents, how sure the reader is of them (0 to 1), and every place where they stand.

    A list is one answer with a citation for each of its members; `text` joins them with "; ". `stories` has a number
    for each citation; those of one document, or of one story told twice, have the same.
    """

    text: str
    confidence: float
    citations: tuple[Citation, ...]
    stories: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer chosen, or None to abstain, and the next best."""

    answer: Answer | None
    alternatives: tuple[Answer, ...]
    agreement: Agreement | None


def compose(question: str, hits: Sequence[Hit], reading: Reading, *, base_url: str, collection: str) -> list[Answer]:
    """Return the answers that a reading holds, best first: spans that say the same are one, cited from each place.

    Who asks for several things gets the members of an enumeration, each cited; who asks yes or no gets the sentence.

    Raises:
        UnresolvableCitation: a span does not stand in its passage.
    """
    asked = asked_for(question)
    groups: list[_Group] = []
    for span in reading.spans[:_MOST_SPANS]:
        places = [_place(hits, span.hit, part) for part in _in_form(span, hits[span.hit], asked)]
        found = _Group(places, reading.confidence(span), [], asked)
        group = next((each for each in groups if each.says(found)), None)
        if group is not None:
            if found.confidence >= _EVIDENCE * group.confidence:
                group.add_evidence(found)
        elif asked is Asked.SEVERAL and groups and groups[0].lists(found, hits):
            groups[0].add_members(found)
        elif len(groups) <= MAX_ALTERNATIVES:
            groups.append(found)
    answers = []
    for group in groups:
        places = group.places()
        citations = [cite(hits[each.hit], each.span, base_url=base_url, collection=collection) for each in places]
        stories = _stories(citations, [hits[each.hit].found.passage.text for each in places])
        answers.append(Answer(group.text, group.confidence, tuple(citations), stories))
    return answers


def choose(question: str, answers: Sequence[Answer], min_confidence: float) -> Choice:
    """Choose the best answer, or abstain where even that is not confident enough.

    An answer is corroborated where it stands in different documents that do not tell one story in nearly the same
    words; it is conflicting where another answer, from another sentence, is confident enough too, and about as
    confident. Sentences that answer yes or no may all be true.
    """
    if not answers or answers[0].confidence < min_confidence:
        return Choice(None, tuple(answers[:MAX_ALTERNATIVES]), None)
    best, *others = answers
    alternatives = tuple(others[:MAX_ALTERNATIVES])
    asked = asked_for(question)
    if asked is not Asked.YES_NO and any(disagrees(best, each, min_confidence) for each in alternatives):
        return Choice(best, alternatives, "conflicting")
    return Choice(best, alternatives, "corroborated" if _is_corroborated(best, asked) else "single")


def disagrees(best: Answer, other: Answer, min_confidence: float) -> bool:
    """Whether another answer, which says something else, is to be taken as seriously as the best one.

    It is about as confident, and comes from another sentence.
    """
    if other.confidence < max(min_confidence, _EVIDENCE * best.confidence):
        return False
    ours = {(each.document_id, each.sentence.start) for each in best.citations}
    return not any((each.document_id, each.sentence.start) in ours for each in other.citations)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where words stand, what they are, and as what they are compared."""

    hit: int
    document_id: str
    span: Span
    text: str
    words: tuple[str, ...]


@dataclass(slots=True)
class _Group:
    """An answer in the making: where its words stand, and where else they stand."""

    members: list[_Place]
    confidence: float
    evidence: list[_Place]
    asked: Asked

    @property
    def text(self) -> str:
        return JOINED.join(place.text for place in self.members)

    def places(self) -> list[_Place]:
        """Return every place, each once."""
        found: dict[tuple[str, int, int], _Place] = {}
        for place in (*self.members, *self.evidence):
            found.setdefault((place.document_id, place.span.start, place.span.end), place)
        return list(found.values())

    def says(self, other: "_Group") -> bool:
        """Whether the other one says the same in all places, or names members of this list."""
        ours, theirs = {place.words for place in self.members}, {place.words for place in other.members}
        if self.asked is Asked.SEVERAL:
            return theirs <= ours
        if self.asked is Asked.YES_NO:
            return theirs == ours
        ours.update(place.words for place in self.evidence)
        return all(same_answer(first, second) for first in ours for second in theirs)

    def lists(self, other: "_Group", hits: Sequence[Hit]) -> bool:
        """Whether the other one is another member of this list: about as likely, of the same sentence, and apart.

        Two enumerations are two lists: "Khaan Quest" and "Road" are exercises, what these are about is not.
        """
        first, new = self.members[0], [place.span for place in other.members]
        if len(self.members) > 1 and len(other.members) > 1:
            return False
        if other.members[0].hit != first.hit or other.confidence < _EVIDENCE * self.confidence:
            return False
        if any(place.span.start < each.end and each.start < place.span.end for place in self.members for each in new):
            return False
        return any(
            each.start <= first.span.start < each.end and each.start <= new[0].start < each.end
            for each in hits[first.hit].found.passage.sentences
        )

    def add_evidence(self, other: "_Group") -> None:
        """Take in the places of another one that says the same."""
        if len(self.members) + len(self.evidence) < MAX_CITATIONS:
            self.evidence.extend(other.members)

    def add_members(self, other: "_Group") -> None:
        """Take in more members of the list, in the order in which they stand in the passage."""
        self.members = sorted([*self.members, *other.members], key=lambda place: place.span.start)


def _place(hits: Sequence[Hit], hit: int, span: Span) -> _Place:
    found = hits[hit].found
    text = found.passage.words(span.start, span.end)
    return _Place(hit, found.document_id, span, text, answer_words(text))


def _in_form(span: Span, hit: Hit, asked: Asked) -> list[Span]:
    passage = hit.found.passage
    if asked is Asked.YES_NO:
        around = [each for each in passage.sentences if each.start < span.end and span.start < each.end]
        if around:
            return [Span(span.hit, around[0].start, around[-1].end, span.score)]
    if asked is Asked.SEVERAL:
        found = members(passage.words(span.start, span.end))
        return [Span(span.hit, span.start + start, span.start + end, span.score) for start, end in found]
    return [span]


def _is_corroborated(answer: Answer, asked: Asked) -> bool:
    told: dict[int, set[tuple[str, ...]]] = {}
    for each, story in zip(answer.citations, answer.stories, strict=True):
        told.setdefault(story, set()).add(answer_words(each.cited.text))
    everything = set().union(*told.values())
    # Of a list, every member must stand there.
    return sum(asked is not Asked.SEVERAL or each == everything for each in told.values()) > 1


def _stories(citations: Sequence[Citation], passages: Sequence[str]) -> tuple[int, ...]:
    """Return for each citation, out of its passage, the number of the first one that tells the same story."""
    found: list[int] = []
    for number, each in enumerate(citations):
        same = (
            other
            for other in range(number)
            if citations[other].content_sha256 == each.content_sha256
            or same_story((citations[other].sentence.text, each.sentence.text), (passages[other], passages[number]))
        )
        first = next(same, number)
        found.append(found[first] if first < number else number)
    return tuple(found)

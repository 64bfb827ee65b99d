"""Answers: spans that say the same become one answer with several citations, in the form that was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from index.retriever import Hit
from service.citations import Citation, cite
from service.reader.asked import Asked, asked_for, members
from service.reader.reader import Reading, Span
from service.reader.words import answer_words, same_answer

Agreement = Literal["single", "corroborated", "conflicting"]

MAX_ALTERNATIVES = 3
MAX_CITATIONS = 10

# A span that says the same as a better one is evidence only if it is about as likely to be right.
_EVIDENCE = 0.5
# More spans than these are not looked at: they never come to be shown.
_MOST_SPANS = 40


@dataclass(frozen=True, slots=True)
class Answer:
    """Words of the documents, how sure the reader is of them (0 to 1), and every place where they stand.

    A list is one answer with a citation for each of its members; `text` joins them with "; ".
    """

    text: str
    confidence: float
    citations: tuple[Citation, ...]


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
        confidence = reading.confidence(span)
        parts = _in_form(span, hits[span.hit], asked)
        texts = tuple(_text(hits[span.hit], part) for part in parts)
        words = answer_words(" ".join(texts))
        group = next((each for each in groups if _says_the_same(each, words, asked)), None)
        if asked is Asked.SEVERAL and group is None and groups and _is_member(groups[0], span, confidence, hits):
            groups[0].add_members(span.hit, parts, hits)
        elif group is None:
            groups.append(_Group(words, "; ".join(texts), confidence, [(span.hit, part) for part in parts]))
        elif confidence >= _EVIDENCE * group.confidence and len(group.places) < MAX_CITATIONS:
            known = {(hits[hit].found.document_id, part.start, part.end) for hit, part in group.places}
            document = hits[span.hit].found.document_id
            group.places.extend((span.hit, part) for part in parts if (document, part.start, part.end) not in known)
    return [
        Answer(
            group.text,
            group.confidence,
            tuple(cite(hits[hit], part, base_url=base_url, collection=collection) for hit, part in group.places),
        )
        for group in groups[: MAX_ALTERNATIVES + 1]
    ]


def choose(answers: Sequence[Answer], min_confidence: float) -> Choice:
    """Choose the best answer, or abstain where even that is not confident enough.

    An answer is corroborated where the same words stand in different documents, and conflicting where another answer,
    from another sentence, is confident enough too, and about as confident.
    """
    if not answers or answers[0].confidence < min_confidence:
        return Choice(None, tuple(answers[:MAX_ALTERNATIVES]), None)
    best, *others = answers
    alternatives = tuple(others[:MAX_ALTERNATIVES])
    if any(_disagrees(best, each, min_confidence) for each in alternatives):
        return Choice(best, alternatives, "conflicting")
    sources = {citation.document_id for citation in best.citations}
    return Choice(best, alternatives, "corroborated" if len(sources) > 1 else "single")


@dataclass(slots=True)
class _Group:
    words: tuple[str, ...]
    text: str
    confidence: float
    places: list[tuple[int, Span]]

    def add_members(self, hit: int, parts: Sequence[Span], hits: Sequence[Hit]) -> None:
        """Take in more members of a list, in the order in which they stand in the passage."""
        self.places.extend((hit, part) for part in parts)
        self.places.sort(key=lambda place: place[1].start)
        texts = [_text(hits[number], part) for number, part in self.places]
        self.words, self.text = answer_words(" ".join(texts)), "; ".join(texts)


def _in_form(span: Span, hit: Hit, asked: Asked) -> list[Span]:
    passage = hit.found.passage
    if asked is Asked.YES_NO:
        around = [each for each in passage.sentences if each.start < span.end and span.start < each.end]
        if around:
            return [Span(span.hit, around[0].start, around[-1].end, span.score)]
    if asked is Asked.SEVERAL:
        found = members(_text(hit, span))
        return [Span(span.hit, span.start + start, span.start + end, span.score) for start, end in found]
    return [span]


def _text(hit: Hit, span: Span) -> str:
    return hit.found.passage.words(span.start, span.end)


def _says_the_same(group: _Group, words: tuple[str, ...], asked: Asked) -> bool:
    # A list that is shorter is another answer, and so is another sentence.
    return group.words == words if asked is not Asked.FACT else same_answer(group.words, words)


def _is_member(list_: _Group, span: Span, confidence: float, hits: Sequence[Hit]) -> bool:
    """Whether a span is another member of a list: about as likely, of the same sentence, and nothing of it is there."""
    first, known = list_.places[0]
    if span.hit != first or confidence < _EVIDENCE * list_.confidence:
        return False
    if any(hit != first or (part.start < span.end and span.start < part.end) for hit, part in list_.places):
        return False
    sentences = hits[first].found.passage.sentences
    return any(each.start <= known.start < each.end and each.start <= span.start < each.end for each in sentences)


def _disagrees(best: Answer, other: Answer, min_confidence: float) -> bool:
    if other.confidence < max(min_confidence, _EVIDENCE * best.confidence):
        return False
    ours = {(each.document_id, each.sentence.start) for each in best.citations}
    return not any((each.document_id, each.sentence.start) in ours for each in other.citations)

"""Lint: cases whose gold no longer stands in the documents, and where it has moved to.

A case does not say what stood at its gold span; its accepted answers and the span's length do. They are looked for in
the text as it is now. Where they stand several times, these decide, in this order: the place to which everything
around the span has moved; the sentence that shares most words with the question; the distance.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eval.cases import Case, GoldSpan
from eval.engines import Texts
from eval.texts import is_accepted_wording, sentence_around
from index.words import content_words, words_of


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a case, in words.

    `span` is the number of the gold span that it is about; `moved` is where that most likely stands now. `is_sure`:
    nothing else comes into question.
    """

    case: Case
    message: str
    span: int | None = None
    moved: GoldSpan | None = None
    is_sure: bool = False


@dataclass(frozen=True, slots=True)
class _Shift:
    """How far a gold span at `start` has moved in its document."""

    start: int
    by: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A place where a gold span may stand now, and what speaks for it."""

    span: GoldSpan
    is_expected: bool
    shared: int
    distance: int

    @property
    def evidence(self) -> tuple[bool, int]:
        """What decides, but for the distance."""
        return self.is_expected, self.shared


def faults(cases: Sequence[Case], texts: Texts) -> Iterator[Fault]:
    """Yield what is wrong with a set: questions that stand twice, and gold that does not stand, case by case.

    Raises:
        EngineUnavailable: the texts cannot be had.
    """
    shifts = _shifts(cases, texts)
    asked: dict[object, str] = {}
    for case in cases:
        if case.asks in asked:
            yield Fault(case, f"the question stands twice; it is that of {asked[case.asks]}")
        asked.setdefault(case.asks, case.id)
        for number, span in enumerate(case.spans):
            fault = _span_fault(case, number, span, texts, shifts[texts.collection(case), span.document])
            if fault is not None:
                yield fault


def stands(case: Case, text: str, span: GoldSpan) -> bool:
    """Whether an accepted answer stands at a gold span."""
    words = text[span.start : span.end] if 0 <= span.start < span.end <= len(text) else ""
    return is_accepted_wording(words, case.answers)


def occurrences(text: str, words: str) -> Iterator[int]:
    """Yield where words stand in a text, as whole words."""
    start = text.find(words) if words else -1
    while start >= 0:
        end = start + len(words)
        cut_before = start > 0 and text[start - 1].isalnum() and words[0].isalnum()
        cut_after = end < len(text) and text[end].isalnum() and words[-1].isalnum()
        if not cut_before and not cut_after:
            yield start
        start = text.find(words, start + 1)


def _span_fault(case: Case, number: int, span: GoldSpan, texts: Texts, shifts: Sequence[_Shift]) -> Fault | None:
    text = texts.text(case, span.document)
    if text is not None and stands(case, text, span):
        return None
    if text is None:
        what = f"there is no document {span.document!r}"
        elsewhere = [each for each in sorted(texts.documents(case)) if each != span.document]
        candidates = [found for each in elsewhere for found in _candidates(case, span, each, texts, ())]
    else:
        there = " ".join(text[span.start : span.end].split())
        what = f"{span.document} [{span.start}:{span.end}] holds {there!r}, which is no accepted answer"
        candidates = _candidates(case, span, span.document, texts, shifts)
    if not candidates:
        return Fault(case, f"{what}; no accepted answer stands anywhere else", number)
    best = max(candidates, key=lambda each: (each.evidence, -each.distance))
    is_sure = [each.evidence for each in candidates].count(best.evidence) == 1
    return Fault(case, what, number, best.span, is_sure)


def _candidates(case: Case, span: GoldSpan, source: str, texts: Texts, shifts: Sequence[_Shift]) -> list[_Candidate]:
    text = texts.text(case, source) or ""
    asked = set(content_words(case.question))
    expected, is_certain = _expected(span.start, shifts)
    found = []
    for start, end in _places(case, span, text):
        sentence = sentence_around(text, start, end, source=source)
        shared = len(asked & set(words_of(sentence.text)))
        distance = abs(start - expected)
        found.append(_Candidate(GoldSpan(source, start, end), is_certain and distance == 0, shared, distance))
    return found


def _places(case: Case, span: GoldSpan, text: str) -> list[tuple[int, int]]:
    """Return where what stood at a gold span may stand in a text: an answer of its length, or else any."""
    of_length = [each for each in case.answers if len(each) == span.end - span.start]
    exact = [(start, start + len(each)) for each in of_length for start in occurrences(text, each)]
    if exact:
        return exact
    for answer in case.answers:  # the best first
        if found := [(start, start + len(answer)) for start in occurrences(text, answer)]:
            return found
    return []


def _shifts(cases: Sequence[Case], texts: Texts) -> defaultdict[tuple[str, str], list[_Shift]]:
    """Return, by collection and source, how far the gold spans have moved of which that is beyond doubt, in order."""
    found: defaultdict[tuple[str, str], list[_Shift]] = defaultdict(list)
    for case in cases:
        for span in case.spans:
            text = texts.text(case, span.document)
            if text is None:
                continue
            moved = found[texts.collection(case), span.document]
            if stands(case, text, span):
                moved.append(_Shift(span.start, 0))
            elif len(places := _places(case, span, text)) == 1:
                moved.append(_Shift(span.start, places[0][0] - span.start))
    for moved in found.values():
        moved.sort(key=lambda each: each.start)
    return found


def _expected(start: int, shifts: Sequence[_Shift]) -> tuple[int, bool]:
    """Return where what stood at `start` should stand now, and whether its neighbours on both sides agree on that."""
    before = [each for each in shifts if each.start <= start]
    after = [each for each in shifts if each.start > start]
    if before and after:
        first, last = before[-1], after[0]
        nearest = first if start - first.start <= last.start - start else last
        return start + nearest.by, first.by == last.by
    nearest_or_none = before[-1] if before else after[0] if after else None
    return start + (nearest_or_none.by if nearest_or_none else 0), False

"""Excerpts: the sentences that the records of a run quote, so that a baseline's answers can be shown in theirs.

A baseline keeps the words of an answer and their places, not the sentences around them.
"""

from collections.abc import Iterator, Sequence

from eval.baseline import Entry
from eval.metrics import Place
from eval.replies import Excerpt
from eval.run import Record
from eval.wording import Quote, quote


class Excerpts:
    """Sentences by collection and source."""

    def __init__(self, records: Sequence[Record]) -> None:
        """Collect the sentences of all gold spans and of all that was answered or considered."""
        self._known: dict[tuple[str | None, str], set[Excerpt]] = {}
        for record in records:
            for source, sentence in _sentences(record):
                self._known.setdefault((record.case.collection, source), set()).add(sentence)

    def quotes(self, collection: str | None, entry: Entry) -> list[Quote]:
        """Return what an answer of a baseline cites, in its sentences as far as they are known."""
        return [found for place in entry.cited if (found := self._quote(collection, place, entry.answer))]

    def _quote(self, collection: str | None, place: Place, answer: str) -> Quote | None:
        source, start, end = place
        known = self._known.get((collection, source), ())
        # The documents may have changed since: what stands there now must be words of the answer.
        around = [each for each in known if _holds(each, start, end) and _words(each, start, end) in answer]
        return quote(source, start, end, min(around, key=_length)) if around else None


def _sentences(record: Record) -> Iterator[tuple[str, Excerpt]]:
    for words in record.gold:
        yield words.document, words.sentence
    proposals = [record.reply.answer, *record.reply.alternatives] if record.reply else []
    for proposal in proposals:
        for cited in proposal.citations if proposal else ():
            yield cited.source, cited.sentence


def _holds(sentence: Excerpt, start: int, end: int) -> bool:
    return sentence.start <= start < end <= sentence.end


def _words(sentence: Excerpt, start: int, end: int) -> str:
    return sentence.text[start - sentence.start : end - sentence.start]


def _length(sentence: Excerpt) -> tuple[int, int, str]:
    return sentence.end - sentence.start, sentence.start, sentence.text

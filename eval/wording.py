"""Wording: what a person is shown of a question that went wrong, in the documents' words. Nothing is marked up here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eval.replies import Excerpt
from eval.run import Record

SILENCE = "(silence)"

_SPACE = re.compile(r"\s")
# The category Cc of Unicode.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of a document in three parts: before the words that matter, these words, and after them."""

    before: str
    words: str
    after: str
    source: str
    start: int
    end: int

    @property
    def where(self) -> str:
        """The source and the offsets."""
        return f"{self.source} {self.offsets}"

    @property
    def offsets(self) -> str:
        """The offsets alone."""
        return f"[{self.start}:{self.end}]"

    @property
    def text(self) -> str:
        """The whole sentence."""
        return self.before + self.words + self.after


def expected(record: Record) -> str:
    """Return the best accepted answer, or that silence was, on one line."""
    return one_line(record.case.answers[0]) if record.case.answers else SILENCE


def said(record: Record) -> str:
    """Return the answer, or that there was none, and why, on one line."""
    return one_line(record.error or record.answer) or SILENCE


def gold_quotes(record: Record) -> Iterator[Quote]:
    """Yield the sentence of every gold span that stands in its document."""
    for each in record.gold:
        if each.text:
            yield quote(each.document, each.start, each.end, each.sentence)


def cited_quotes(record: Record) -> Iterator[Quote]:
    """Yield the sentence of every citation of the answer, as the engine gave it."""
    if record.reply is not None and record.reply.answer is not None:
        for each in record.reply.answer.citations:
            yield quote(each.source, each.start, each.end, each.sentence)


def quote(source: str, start: int, end: int, sentence: Excerpt) -> Quote:
    """Return the words at a place of a document within their sentence."""
    first, last = max(0, start - sentence.start), max(0, end - sentence.start)
    return Quote(
        one_line(sentence.text[:first]),
        one_line(sentence.text[first:last]),
        one_line(sentence.text[last:]),
        one_line(source),
        start,
        end,
    )


def one_line(text: str) -> str:
    """Return a text on one line, without characters that would steer a terminal; its length stays."""
    return _CONTROL.sub("\ufffd", _SPACE.sub(" ", text))

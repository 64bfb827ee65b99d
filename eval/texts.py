"""Texts: what an engine's documents say at a place, and the sentence around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

from eval import metrics
from eval.cases import Case
from eval.engines import Engine
from eval.replies import Cited, Excerpt
from index.blocks import BlockKind, split_blocks
from index.formats.kinds import MARKDOWN_SUFFIXES
from index.sentences import split_sentences


@dataclass(frozen=True, slots=True)
class GoldWords:
    """What stands at a gold span of the document `document`, with the sentence around it.

    `text` is "" where the document is not there, or is too short.
    """

    document: str
    start: int
    end: int
    text: str
    sentence: Excerpt


def gold_words(engine: Engine, case: Case) -> tuple[GoldWords, ...]:
    """Return what stands at the gold spans of a case, one for each, in their order."""
    found = []
    for span in case.spans:
        text = engine.text(case, span.document) or ""
        words = text[span.start : span.end]
        around = sentence_around(text, span.start, span.end, source=span.document)
        found.append(GoldWords(span.document, span.start, span.end, words, around))
    return tuple(found)


def is_accepted_wording(words: str, answers: Sequence[str]) -> bool:
    """Whether words of a document are an accepted answer, but for case, punctuation, articles and white space."""
    return words != "" and (words in answers or metrics.exact_match(words, answers) == 1)


def stands(engine: Engine, case: Case, cited: Cited) -> bool:
    """Whether the cited words stand where they are said to: `text[start:end] == cited.text`, and there are any."""
    text = engine.text(case, cited.source)
    if text is None or not 0 <= cited.start < cited.end:
        return False
    return text[cited.start : cited.end] == cited.text


def sentence_around(text: str, start: int, end: int, *, source: str) -> Excerpt:
    """Return the sentences that share characters with `text[start:end]`; the words alone where there are none.

    `source` tells whether the text is Markdown.
    """
    touched = [each for each in sentences(text, source=source) if each[0] < end and start < each[1]]
    if not touched:
        return Excerpt(start, end, text[start:end])
    first, last = min(start, touched[0][0]), max(end, touched[-1][1])
    return Excerpt(first, last, text[first:last])


@lru_cache(maxsize=64)  # the same few documents are looked into again and again
def sentences(text: str, *, source: str) -> tuple[tuple[int, int], ...]:
    """Return (start, end) of every sentence, heading and fragment of a text, in order."""
    markdown = PurePath(source).suffix.lower() in MARKDOWN_SUFFIXES
    found: list[tuple[int, int]] = []
    for block in split_blocks(text, markdown=markdown):
        if block.kind is BlockKind.PARAGRAPH:
            found.extend(split_sentences(text, block.start, block.end))
        else:
            found.append((block.start, block.end))
    return tuple(found)

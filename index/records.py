"""Records: what the rows of a store mean."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from index.documents import Scalar
from index.passages import Passage, Sentence
from index.structure import Structure


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A stored document without its text.

    `generation` is the one that wrote it; `date` is a day, YYYY-MM-DD; times are UTC, ISO 8601. `structure_sha256`
    is of its structure, None where it has none; `pages` is how many pages it has, None where it has none.
    """

    number: int
    id: str
    source: str
    title: str
    content_sha256: str
    metadata: dict[str, Scalar]
    tags: tuple[str, ...]
    date: str | None
    generation: int
    passages: int
    characters: int
    created_at: str
    updated_at: str
    structure_sha256: str | None
    pages: int | None


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with what a citation says of its document.

    `pages` are (start, number) of the pages that the passage stands on; none where its document has no pages.
    """

    passage: Passage
    document_id: str
    document_title: str
    source: str
    content_sha256: str
    pages: tuple[tuple[int, int], ...] = ()

    def page_at(self, offset: int) -> int | None:
        """Return the page on which the character of the passage at `offset` of the canonical text stands."""
        return max((number for start, number in self.pages if start <= offset), default=None)


# In the order of the fields of `DocumentRecord`.
RECORD_COLUMNS = (
    "number, id, source, title, content_sha256, metadata, tags, date, generation, passages, characters, created_at,"
    " updated_at, structure_sha256, pages"
)


def document_record(row: tuple[Any, ...]) -> DocumentRecord:
    """Return the record of a row of `RECORD_COLUMNS`."""
    number, document_id, source, title, sha256, metadata, tags, *rest = row
    return DocumentRecord(
        number, document_id, source, title, sha256, json.loads(metadata), tuple(json.loads(tags)), *rest
    )


# What a row of a passage says besides its document.
PASSAGE_COLUMNS = 'ordinal, start, "end", section, heading, text, sentences'


def passage_values(passage: Passage, heading: str) -> tuple[Any, ...]:
    """Return the values of `PASSAGE_COLUMNS`."""
    return (
        passage.ordinal,
        passage.start,
        passage.end,
        passage.section,
        heading,
        passage.text,
        _packed_sentences(passage),
    )


def stored_passage(row: tuple[Any, ...], structure: Structure | None) -> StoredPassage:
    """Return the passage of a row: ordinal, start, end, text, section, sentences, then what is said of its document."""
    ordinal, start, end, text, section, packed, document_id, title, source, sha256 = row
    offsets = np.frombuffer(packed, dtype="<u4").reshape(-1, 2) + start
    sentences = tuple(Sentence(int(first), int(last)) for first, last in offsets)
    pages = () if structure is None else tuple(structure.pages_within(start, end))
    passage = Passage(ordinal, start, end, text, section, sentences)
    return StoredPassage(passage, document_id, title, source, sha256, pages)


def _packed_sentences(passage: Passage) -> bytes:
    """Pack sentences as little-endian uint32 pairs, counted from the passage's start."""
    offsets = [(each.start - passage.start, each.end - passage.start) for each in passage.sentences]
    return np.array(offsets, dtype="<u4").tobytes()

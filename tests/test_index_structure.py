"""Structure: pages and headings of a text, from the document to the citation, whatever happens to the store."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from word_embedder import WordEmbedder

from index.backup import back_up, restore
from index.blocks import BlockKind, split_blocks
from index.collection import Collection
from index.documents import Document, make_document
from index.errors import InvalidDocument, StoreDamaged
from index.library import Library
from index.passages import PassageSettings
from index.retriever import RetrievalSettings
from index.store import STORE_FILE
from index.structure import Heading, Structure, checked_structure

TEXT = "The Mill\n\nIt was built in 1742.\n\nThe Miller\n\nHe ground rye until 1911, and\noats after that."
STRUCTURE = Structure((0, 33, 77, 80), (Heading(0, 8, 1), Heading(33, 43, 2)))


def mill(structure: Structure | None = STRUCTURE) -> Document:
    return make_document(TEXT, source="mill.md", structure=structure)


def opened(directory: Path, *, max_tokens: int = 20) -> Collection:
    return Collection(
        directory,
        WordEmbedder(),
        passage_settings=PassageSettings(max_tokens=max_tokens),
        retrieval_settings=RetrievalSettings(),
    )


def found(collection: Collection, question: str) -> tuple[str, str | None, tuple[tuple[int, int], ...]]:
    hit = collection.retrieve(question, top_k=1).hits[0].found
    return hit.passage.text, hit.passage.section, hit.pages


@given(st.lists(st.integers(0, 50)), st.integers(0, 60), st.integers(0, 60))
def test_pages_of_a_place_are_those_that_begin_before_it(starts: list[int], first: int, last: int) -> None:
    structure = Structure((0, *sorted(starts)))
    assert structure.page_at(first) == sum(start <= first for start in structure.pages)
    start, end = min(first, last), max(first, last) + 1
    within = {number: begin for begin, number in structure.pages_within(start, end)}
    for offset in range(start, end):
        page = structure.page_at(offset)
        assert page is not None
        assert within[page] == structure.pages[page - 1]
    assert Structure.from_json(structure.to_json()) == structure


@pytest.mark.parametrize(
    ("pages", "headings"),
    [
        ((1,), ()),
        ((0, 9, 8), ()),
        ((0, 999), ()),
        ((), (Heading(0, 0, 1),)),
        ((), (Heading(0, 999, 1),)),
        ((), (Heading(0, 8, 0),)),
        ((), (Heading(0, 8, 10),)),
        ((), (Heading(0, 12, 1),)),
        ((), (Heading(0, 9, 1),)),
        ((), (Heading(0, 8, 1), Heading(4, 8, 1))),
        ((0,) * 100_001, ()),
    ],
)
def test_what_cannot_be_the_structure_of_a_text_is_refused(
    pages: tuple[int, ...], headings: tuple[Heading, ...]
) -> None:
    with pytest.raises(InvalidDocument):
        checked_structure(TEXT, pages, headings)


def test_offsets_of_a_text_that_is_not_canonical_are_refused() -> None:
    with pytest.raises(InvalidDocument, match="byte order mark"):
        make_document("\ufeffText.", structure=Structure())
    with pytest.raises(InvalidDocument, match="CR"):
        make_document("A\r\ntext.", structure=Structure())


def test_a_structure_decides_what_is_a_heading_and_what_a_paragraph() -> None:
    blocks = split_blocks(TEXT, markdown=True, structure=STRUCTURE)
    assert [(block.kind, TEXT[block.start : block.end]) for block in blocks] == [
        (BlockKind.HEADING, "The Mill"),
        (BlockKind.PARAGRAPH, "It was built in 1742."),
        (BlockKind.HEADING, "The Miller"),
        (BlockKind.PARAGRAPH, "He ground rye until 1911, and"),
        (BlockKind.PARAGRAPH, "oats after that."),
    ]
    assert mill().title == "The Mill"
    assert not mill().is_markdown
    assert make_document("A line. And more.", structure=Structure()).title == "A line."


def test_passages_know_section_and_pages_whatever_happens_to_the_store(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "a" / "default")) as collection:
        receipt = collection.put(mill())
        assert receipt.record.pages == 4
        assert receipt.record.structure_sha256 == STRUCTURE.sha256
        expected = (
            "The Miller\n\nHe ground rye until 1911, and\noats after that.",
            "The Miller",
            ((33, 2), (77, 3), (80, 4)),
        )
        assert found(collection, "Who ground rye?") == expected
        hit = collection.retrieve("Who ground rye?", top_k=1).hits[0].found
        assert [hit.page_at(offset) for offset in (33, 76, 77, 79, 80, 92)] == [2, 2, 3, 3, 4, 4]
        assert not collection.put(mill()).changed
    with closing(opened(tmp_path / "a" / "default", max_tokens=40)) as collection:
        assert collection.reindex()
        assert found(collection, "Who ground rye?") == expected
        assert collection.faults() == []
    back_up(tmp_path / "a", tmp_path / "backup")
    (tmp_path / "b").mkdir()
    restore(tmp_path / "b", tmp_path / "backup")
    with Library(tmp_path / "b", WordEmbedder()) as library:
        assert library.collection("default").document(mill().id).structure_sha256 == STRUCTURE.sha256


@pytest.mark.parametrize("other", [None, Structure(), Structure((0, 33)), Structure(STRUCTURE.pages)])
def test_another_structure_is_a_change_and_another_fingerprint(tmp_path: Path, other: Structure | None) -> None:
    with closing(opened(tmp_path)) as collection:
        collection.put(mill())
        fingerprint = collection.fingerprint()
        receipt = collection.put(mill(other))
        assert (receipt.created, receipt.changed) == (False, True)
        assert collection.fingerprint() != fingerprint
        collection.put(mill())
        assert collection.fingerprint() == fingerprint


def test_a_structure_that_was_flipped_on_the_disk_is_noticed(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as collection:
        collection.put(mill())
    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as connection:
        connection.execute("DROP TRIGGER document_updated")
        connection.execute("UPDATE documents SET structure = replace(structure, '33', '34')")
        connection.commit()
    with closing(opened(tmp_path)) as collection:
        with pytest.raises(StoreDamaged):
            collection.retrieve("Who ground rye?", top_k=1)
        assert "documents that are not what was stored" in str(collection.faults())

"""Blocks: headings, paragraphs and fragments of plain text and Markdown."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import raw_texts

from index.blocks import MAX_HEADING_LENGTH, BlockKind, find_title, heading_text, split_blocks
from index.documents import canonical_text

H, P, F = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.FRAGMENT

BODY = (
    "The delegation arrived in the morning and spoke for hours about the work that both of the countries have planned "
    "for the years that are to come."
)


def kinds(text: str, *, markdown: bool = False) -> list[tuple[BlockKind, str]]:
    return [(block.kind, text[block.start : block.end]) for block in split_blocks(text, markdown=markdown)]


@given(raw_texts, st.booleans())
def test_blocks_hold_all_that_is_not_white_space_in_order(raw: str, markdown: bool) -> None:
    text = canonical_text(raw)
    blocks = split_blocks(text, markdown=markdown)
    assert all(block.start < block.end for block in blocks)
    assert all(before.end <= after.start for before, after in pairwise(blocks))
    words = [text[block.start : block.end] for block in blocks]
    assert all(each == each.strip() for each in words)
    gaps = [text[: blocks[0].start], text[blocks[-1].end :]]
    gaps += [text[before.end : after.start] for before, after in pairwise(blocks)]
    assert not "".join(gaps).strip()


def test_a_short_line_between_blank_lines_is_a_heading() -> None:
    assert kinds(f"Rescue Team from Mongolia\n\n{BODY}") == [(H, "Rescue Team from Mongolia"), (P, BODY)]


def test_a_wrapped_heading_is_one_block() -> None:
    heading = "Press conference of Prime Minister ABE Shinzo and President\nTs. Elbegdorj"
    assert kinds(f"{heading}\n\n{BODY}") == [(H, heading), (P, BODY)]


def test_a_heading_glued_to_its_paragraph_is_told_by_the_length_of_what_follows() -> None:
    assert kinds(f"New Partnerships\n{BODY}") == [(H, "New Partnerships"), (P, BODY)]


def test_a_short_line_with_nothing_below_is_no_heading() -> None:
    assert kinds(f"{BODY}\n\nTerms of Use") == [(P, BODY), (F, "Terms of Use")]


@pytest.mark.parametrize("line", ["on 5 March", "It ended.", "Comments:", "- Japan Today", "a " * 20, "…"])
def test_a_line_that_does_not_look_like_a_heading_is_none(line: str) -> None:
    assert kinds(f"{line.strip()}\n\n{BODY}")[0][0] is not H


def test_lines_wrapped_by_an_editor_are_one_paragraph() -> None:
    text = (
        "The delegation arrived in the morning and spoke for hours about\n"
        "the work that both of the countries have planned, and on the next\n"
        "day it left."
    )
    assert kinds(text) == [(P, text)]


def test_a_sentence_that_ends_with_its_line_ends_the_paragraph() -> None:
    assert kinds("It arrived in the morning.\nIt left in the evening.") == [
        (P, "It arrived in the morning."),
        (P, "It left in the evening."),
    ]


def test_items_of_a_list_are_blocks_of_their_own() -> None:
    text = "They brought several things that were needed very urgently there\n- blankets\n- water\n2) tents"
    assert [words for _, words in kinds(text)] == [
        "They brought several things that were needed very urgently there",
        "- blankets",
        "- water",
        "2) tents",
    ]


def test_labels_are_fragments_even_if_they_end_like_a_sentence() -> None:
    assert kinds(f"Comments\nNo comments yet...\n\n{BODY}")[:2] == [(F, "Comments"), (F, "No comments yet...")]


def test_a_short_sentence_is_a_paragraph() -> None:
    assert kinds("On March 12, 2011.") == [(P, "On March 12, 2011.")]


def test_markdown_headings_and_paragraphs_are_those_of_commonmark() -> None:
    text = "# One\nText of one\nwrapped.\n\nTwo\n---\n\n    # code\n\n```\n# more code\n```\n"
    assert kinds(text, markdown=True) == [
        (H, "# One"),
        (P, "Text of one\nwrapped."),
        (H, "Two\n---"),
        (P, "# code"),
        (P, "```\n# more code\n```"),
    ]


def test_markdown_lists_and_tables_have_a_block_for_each_item_and_row() -> None:
    text = "- one\n- two\n\n| a | b |\n|---|---|\n| c | d |\n| e | f |\n"
    assert [words for _, words in kinds(text, markdown=True)] == [
        "- one",
        "- two",
        "| a | b |",
        "|---|---|",
        "| c | d |",
        "| e | f |",
    ]


def test_what_commonmark_gives_no_block_is_kept_as_fragments() -> None:
    text = "[label]: https://example.org\n\nText.\n\n***\n"
    assert kinds(text, markdown=True) == [(F, "[label]: https://example.org"), (P, "Text."), (F, "***")]


@pytest.mark.parametrize(
    ("words", "expected"),
    [("## Title ##", "Title"), ("# A #1 choice", "A #1 choice"), ("Title\n=====", "Title"), ("Title\n---  ", "Title")],
)
def test_a_heading_is_read_without_its_marks(words: str, expected: str) -> None:
    assert heading_text(words) == expected


def test_the_title_is_the_first_heading() -> None:
    assert find_title(f"Rescue  Team\n\n{BODY}", markdown=False) == "Rescue Team"
    assert find_title(f"## Rescue Team ##\n\n{BODY}", markdown=True) == "Rescue Team"


def test_the_title_of_plain_text_keeps_its_number_sign() -> None:
    assert find_title("1# Rescue Team\n\nMore of it follows here.", markdown=False) == "1# Rescue Team"


def test_a_title_made_of_a_sentence_is_cut_at_a_word() -> None:
    assert find_title("It left. It came.", markdown=False) == "It left."
    title = find_title(BODY, markdown=False)
    assert title == "The delegation arrived in the morning and spoke for hours about the work that…"


def test_a_long_word_is_cut_for_the_title() -> None:
    assert find_title("x" * 500, markdown=False) == "x" * 79 + "…"


@given(raw_texts, st.booleans())
def test_every_text_has_a_title_of_one_line(raw: str, markdown: bool) -> None:
    title = find_title(canonical_text(raw), markdown=markdown)
    assert 0 < len(title) <= MAX_HEADING_LENGTH
    assert title == " ".join(title.split())

"""Markdown: whatever a text holds, it is shown, and nothing of it is obeyed."""

import re
import unicodedata
from collections.abc import Iterator

import pytest
from hostile_texts import HOSTILE
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from service.openai.markdown import bold, code, escape, plain

# HTML is on: what is no text must show as such here.
RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
SHOWN = {"text", "code_inline", "text_special"}


def inline(markdown: str) -> Iterator[Token]:
    """Yield the tokens inside of the only paragraph that this Markdown is."""
    blocks = RENDERER.parse(markdown)
    assert [token.type for token in blocks] == ["paragraph_open", "inline", "paragraph_close"], markdown
    yield from blocks[1].children or ()


def assert_shown_as_it_is(text: str) -> None:
    tokens = list(inline(f"x {escape(text)} x"))
    assert {token.type for token in tokens} <= SHOWN
    shown = "".join(token.content for token in tokens)
    assert " ".join(shown.split(" ")) == f"x {plain(text)} x" or shown.split() == f"x {plain(text)} x".split()


def test_there_are_a_hundred_of_them() -> None:
    assert len(HOSTILE) >= 100
    assert len(set(HOSTILE)) == len(HOSTILE)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_not_obeyed(text: str) -> None:
    assert_shown_as_it_is(text)
    # Also where it begins a block, and where a sentence around it is cut.
    for markdown in (escape(text), f"> {escape(text)}", f"1. [{escape(text)}](http://127.0.0.1:8000/)"):
        for block in RENDERER.parse(markdown):
            for token in (block, *(block.children or ())):
                assert token.type not in ("html_inline", "html_block", "image", "fence", "heading_open", "hr")
                assert token.type != "link_open" or token.attrs["href"] == "http://127.0.0.1:8000/"


@pytest.mark.parametrize("text", HOSTILE)
def test_front_ends_that_look_at_raw_text_find_nothing(text: str) -> None:
    markdown = escape(text)
    assert "<" not in markdown
    assert ">" not in markdown
    assert "\n" not in markdown
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", markdown)
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown)  # code spans show what they hold
    assert not re.search(r"(?i)//|www\.|\w@\w|[a-z]\.[a-z]{2}", outside)
    assert not re.search(r"\\[\[\](]|(?<!\\)\$|\[\d", outside)  # mathematics, marks of citations
    assert ":::" not in outside


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("`")
@example("a`` b`")
@example("\\")
@example("1.")
def test_any_text_is_shown_as_it_is(text: str) -> None:
    assert_shown_as_it_is(text)


@given(st.text(st.sampled_from("ab *_`~[]()<>!#&;\\.:/@-+1$|")))
def test_any_mix_of_marks_is_shown_as_it_is(text: str) -> None:
    assert_shown_as_it_is(text)


@pytest.mark.parametrize(
    ("before", "text", "after", "seen"),
    [
        ("secured ", "42", " trucks", True),
        ("", "42", "", True),
        ("un", "believ", "able", True),
        ("the “", "42", "”", True),
        ("cost ", r"\$5", " each", True),
        ("x", r"\$5", " each", False),
        ("(", "`a.com`", ")", True),
        ("is ", "(here)", "now", False),
    ],
)
def test_bold_is_emphasis_or_left_out(before: str, text: str, after: str, *, seen: bool) -> None:
    markdown = bold(before, text, after)
    assert (markdown != before + text + after) is seen
    tokens = list(inline(f"x{markdown}x"))
    assert any(token.type == "strong_open" for token in tokens) is seen
    assert not any("*" in token.content for token in tokens)


@given(st.text(st.sampled_from("a`` ")).filter(lambda text: text.strip()))
def test_code_span_holds_any_backticks(text: str) -> None:
    (token,) = [each for each in inline(f"x {code(text)} x") if each.type == "code_inline"]
    assert token.content.strip() == text.strip()


def test_plain_text_keeps_letters_and_joiners() -> None:
    text = "Ünïcödé 👩‍👩‍👧 \u05e9\u05dc\u05d5\u05dd \u200f42"
    assert plain(text) == text
    assert plain("a\u202eb\x00c\n\nd") == "ab\N{REPLACEMENT CHARACTER}c d"
    assert all(unicodedata.category(each) != "Cc" for each in plain("".join(map(chr, range(256)))))

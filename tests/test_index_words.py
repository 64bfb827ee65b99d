"""Words: a question becomes a full-text query that is never read as syntax."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.words import STOP_WORDS, content_words, full_text_query, words_of

ROWS = (
    "The loan secured 42 fire trucks near the border.",
    "Ambassador Zoë arrived at the café with an umbrella; NOT alone AND not late.",
    "資料 of 平28内府00174100",
)

SYNTAX = (
    '"',
    "'",
    "AND",
    "OR",
    "NOT",
    "NEAR(",
    "NEAR/2",
    "*",
    "^",
    "-",
    "+",
    "(",
    ")",
    "{",
    "}",
    ":",
    "text:",
    ",",
    "\\",
    ";",
)
OTHERS = (
    "truck",
    "heading",
    "full_text",
    "\U0001f600",
    "\u200d",
    "\u0301",
    "_",
    "\ud800",
    "\0",
    "%",
    "ß",
    "İ",
    "語",
    " ",
)


@pytest.fixture(scope="module")
def table() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "CREATE VIRTUAL TABLE full_text"
            " USING fts5 (heading, text, tokenize = 'porter unicode61 remove_diacritics 2')"
        )
        connection.executemany("INSERT INTO full_text VALUES ('', ?)", [(row,) for row in ROWS])
        yield connection


def found(table: sqlite3.Connection, question: str) -> list[int]:
    query = full_text_query(question)
    if query is None:
        return []
    rows = table.execute("SELECT rowid FROM full_text WHERE full_text MATCH ? ORDER BY rank", (query,))
    return [row[0] - 1 for row in rows]


@given(st.lists(st.sampled_from(SYNTAX + OTHERS) | st.text(max_size=5), max_size=12), st.sampled_from(["", " "]))
@example(['"'], "")
@example(["truck", '"', "AND", "NEAR(", "*"], " ")
def test_no_question_is_read_as_query_syntax(table: sqlite3.Connection, pieces: list[str], glue: str) -> None:
    found(table, glue.join(pieces))  # an error of SQLite's would be raised here
    assert 0 in found(table, f"{glue.join(pieces)} trucks")


@pytest.mark.parametrize(
    "question", ["", "?!", '"""', "* ^ - + ( ) { } : , ;", "\U0001f600 \U0001f469\u200d\U0001f467", "…"]
)
def test_a_question_without_words_has_no_query(question: str) -> None:
    assert full_text_query(question) is None


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ('"fire truck"', [0]),
        ("truck*", [0]),
        ("trucking", [0]),
        ("CAFE", [1]),
        ("zoe", [1]),
        ("cafe\u0301", [1]),
        ("-umbrella", [1]),
        ("umbrella NOT late", [1]),
        ("42", [0]),
        ("資料", [2]),
        ("平28内府00174100", [2]),
        ("_", []),
        ("heading: nothing", []),
        ("trucks OR umbrella", [0, 1]),
    ],
)
def test_words_are_found_whatever_stands_around_them(table: sqlite3.Connection, question: str, rows: list[int]) -> None:
    assert sorted(found(table, question)) == rows


def test_a_very_long_question_is_still_answered(table: sqlite3.Connection) -> None:
    assert found(table, " ".join(f"word{number}" for number in range(5000)) + " trucks") == [0]


def test_words_are_in_order_and_in_lower_case() -> None:
    assert words_of("Who's Zoë's DAUGHTER? cafe\u0301, 3.5%") == [
        "who",
        "s",
        "zoë",
        "s",
        "daughter",
        "cafe\u0301",
        "3",
        "5",
    ]


def test_content_words_leave_out_stop_words_single_letters_and_repetitions() -> None:
    question = "What is the name of the capital, and what is the capital's name?"
    assert content_words(question) == ["name", "capital"]


def test_a_question_of_stop_words_keeps_them_all() -> None:
    assert content_words("Who are you and who am I?") == ["am"]
    assert content_words("Who is who?") == ["who", "is"]
    assert set(content_words("Who is who?")) <= STOP_WORDS


def test_a_single_character_of_a_script_that_is_not_latin_is_a_word() -> None:
    assert content_words("What is 水?") == ["水"]


def test_the_query_quotes_every_word() -> None:
    assert full_text_query('near "fire" OR trucks') == '"near" OR "fire" OR "trucks"'

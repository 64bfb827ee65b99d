"""Words: a question becomes a full-text query that is never read as syntax."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.words import (
    STOP_WORDS,
    content_words,
    full_text_query,
    holds_phrase,
    meant_words,
    phrase_query,
    quoted_phrases,
    words_of,
)

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
    assert full_text_query('near "fire" OR trucks') == '"near" OR "fire" OR "trucks" OR "near fire"'
    assert (
        full_text_query("loan of 2019 in March 12", ["lean"])
        == '"loan" OR "2019" OR "march" OR "12" OR "lean" OR "march 12"'
    )


@pytest.mark.parametrize(
    ("question", "phrases"),
    [
        ('Who wrote "War and Peace"?', ["War and Peace"]),
        ("Who wrote \u201cWar and Peace\u201d?", ["War and Peace"]),
        ('What links "fire trucks" with ("soft loan")?', ["fire trucks", "soft loan"]),
        ('Is "it" "it"?', ["it"]),
        ('Does "float?" mean', ["float?"]),
        ('A 5" by 7" print', []),
        ('An open " quote', []),
        ("Who wrote 'War and Peace'?", []),
        ('What does "?!" mean, and "" too?', []),
        ('Where does it say "今日は"?', []),
    ],
)
def test_what_is_quoted_is_required(question: str, phrases: list[str]) -> None:
    assert quoted_phrases(question) == phrases


@pytest.mark.parametrize(
    ("text", "phrase", "holds"),
    [
        ("The Fire\ntrucks came.", "fire trucks", True),
        ("The fire, trucks and all.", "fire trucks", True),
        ("The fire truck came.", "fire trucks", False),
        ("Trucks on fire.", "fire trucks", False),
        ("Sükhbaatar square", "sukhbaatar SQUARE", True),
        ("A 50-day drive", "50-day drive", True),
        ("fire fire trucks", "fire trucks", True),
        ("", "fire", False),
    ],
)
def test_a_phrase_is_held_word_for_word(text: str, phrase: str, holds: bool) -> None:
    assert holds_phrase(text, phrase) is holds


@given(st.lists(st.sampled_from((*SYNTAX, *OTHERS)) | st.text(max_size=4), max_size=8).map("".join))
def test_a_phrase_is_never_read_as_syntax(table: sqlite3.Connection, inside: str) -> None:
    for phrase in quoted_phrases(f'"{inside}"'):
        query = phrase_query(phrase)
        if "\0" not in query and query.isprintable():
            table.execute("SELECT count(*) FROM full_text WHERE full_text MATCH ?", (query,)).fetchone()
        assert holds_phrase(f"x {inside} y", phrase)


def two_tokens(words: Sequence[str]) -> list[int]:
    return [2] * len(words)


def test_only_unknown_words_without_capitals_digits_and_signs_are_respelt() -> None:
    asked: list[str] = []

    def counted(words: Sequence[str]) -> dict[str, int]:
        asked.extend(words)
        return {word: len(word) for word in words if word in {"truck", "trucks", "trick", "track", "loan"}}

    assert meant_words("the trucj of a loan in 2019, a tin", counted, two_tokens) == ["truck"]
    assert meant_words("trcuk", counted, two_tokens) == ["truck"]
    assert meant_words("truk", counted, two_tokens) == ["truck"]
    assert meant_words("xrick trck", counted, two_tokens) == ["trick", "track", "trick", "truck"]
    assert not {"2019", "tin"} & set(asked)


def test_words_that_are_tokens_of_their_own_are_spelled_right() -> None:
    def counted(words: Sequence[str]) -> dict[str, int]:
        assert "back" not in words
        return {word: 1 for word in words if word in {"pack", "chief"}}

    def count_tokens(words: Sequence[str]) -> list[int]:
        return [1 if word == "back" else 2 for word in words]

    assert meant_words("the cheif is back", counted, count_tokens) == ["chief"]


def test_no_more_than_some_unknown_words_are_looked_up() -> None:
    asked: list[int] = []

    def counted(words: Sequence[str]) -> dict[str, int]:
        asked.append(len(words))
        return {}

    unknown = " ".join(f"unknown{'abcdefghijklmnopqrstuvwxyz'[n]}" for n in range(26))
    assert meant_words(unknown, counted, two_tokens) == []
    assert len(asked) == 9
    assert meant_words("of the", counted, two_tokens) == []


def test_the_longest_question_is_a_query(table: sqlite3.Connection) -> None:
    letters = "bcdfghjklmnpqrstvwxz"
    question = " ".join(a + b for a in letters for b in letters)[:1000]
    query = full_text_query(question)
    table.execute("SELECT count(*) FROM full_text WHERE full_text MATCH ?", (query,)).fetchone()

"""Words of answers, and what is asked for."""

import pytest

from service.reader.asked import Asked, asked_for, members
from service.reader.words import answer_words, same_answer


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("The Board", "the  board", True),
        ("Battulga", "Khaltmaa Battulga", True),
        ("42", "42 specialized fire trucks", True),
        ("5,000 people", "5000", True),
        ("1973", "October 1973", True),
        ("two", "twenty-two", False),
        ("2019", "June 2020", False),
        ("2019", "2019 to 2021", False),
        ("Bold", "Erdene", False),
        ("over 200", "210 people", False),
        ("fire", "fire trucks", True),
        ("-5 degrees", "5 degrees", False),
        ("$42", "€42", False),
        ("42%", "42", False),
        ("42 percent", "42%", True),
        ("US$1 million", "1 million US dollars", True),
        ("May 2019", "5 May 2019", True),
        ("May 2019", "June 2019", False),
        ("2 to 5", "5", False),
    ],
)
def test_same_answer(first: str, second: str, same: bool) -> None:
    assert same_answer(answer_words(first), answer_words(second)) is same
    assert same_answer(answer_words(second), answer_words(first)) is same


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("Was the partnership put on hold?", Asked.YES_NO),
        ("Didn’t they sign it?", Asked.YES_NO),
        ("And does Japan train them?", Asked.YES_NO),
        ("Was it signed in Tokyo or in Ulaanbaatar?", Asked.FACT),
        ("Which countries does NEMA name?", Asked.SEVERAL),
        ("Which two chiefs led the meeting?", Asked.SEVERAL),
        ("In which joint exercises have they taken part?", Asked.SEVERAL),
        ("What are the names of the players?", Asked.SEVERAL),
        ("Who were the leaders?", Asked.SEVERAL),
        ("Which species was it?", Asked.FACT),
        ("What does this mean?", Asked.FACT),
        ("What interest rate does it pay?", Asked.FACT),
        ("Who is the mayor?", Asked.FACT),
        ("How many fire trucks are there?", Asked.FACT),
        ("earthquake 2011 amount", Asked.FACT),
        ("which", Asked.FACT),
        ("Can you tell me when the loan was signed?", Asked.FACT),
        ("Could you please tell me which countries sent help?", Asked.SEVERAL),
        ("Could you list the ministers?", Asked.SEVERAL),
        ("Name the capital.", Asked.FACT),
        ("Do you know who leads NEMA?", Asked.FACT),
        ("Do you know whether they signed?", Asked.YES_NO),
        ("Does the text say how many trucks there are?", Asked.FACT),
        ("May 2011 earthquake amount", Asked.FACT),
        ("Won't they sign?", Asked.YES_NO),
        ("Who runs the agency?", Asked.FACT),
        ("Who owns the company?", Asked.FACT),
        ("Which company makes the trucks?", Asked.FACT),
        ("Which countries sent help?", Asked.SEVERAL),
        ("Which European countries sent help?", Asked.SEVERAL),
        ("When did the leaders who were in Tokyo meet?", Asked.FACT),
        ("How many people who are disabled live there?", Asked.FACT),
        ("What percentage of students were women?", Asked.FACT),
        ("Which of the ministers was elected?", Asked.FACT),
        ("What was the height of the waves?", Asked.FACT),
        ("What are the aims of the plan?", Asked.SEVERAL),
    ],
)
def test_what_is_asked_for(question: str, asked: Asked) -> None:
    assert asked_for(question) is asked


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("France, Hungary, and Japan", ["France", "Hungary", "Japan"]),
        ("healthcare and climate change", ["healthcare", "climate change"]),
        ("1,234", ["1,234"]),
        ("Khaan Quest", ["Khaan Quest"]),
        ("Ada (born in Rome, Italy) and Bob", ["Ada (born in Rome, Italy)", "Bob"]),
        ('"this, that" and more', ['"this, that"', "more"]),
        ('Khaan Quest" and "Road', ["Khaan Quest", "Road"]),
        ('("this, that" and more) and "these', ['("this, that" and more)', "these"]),
        ('"Ada", "Bob and Cy"', ['"Ada"', '"Bob and Cy"']),
        (
            "he went home, as everybody had thought that he would have done long before",
            ["he went home, as everybody had thought that he would have done long before"],
        ),
    ],
)
def test_members_of_an_enumeration(text: str, parts: list[str]) -> None:
    assert [text[start:end] for start, end in members(text)] == parts

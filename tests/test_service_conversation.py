"""Follow-ups: what a question may mean after what was said before, without a model."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.cases import DIALOGUES_SET, SEEDS_SET, Case, read_cases, select, standing_alone
from index.words import words_of
from service.conversation import Turn, last_exchange, meanings
from service.followups.mentions import reply_words
from service.followups.rewriting import MOST_MEANINGS, Meaning, names_nothing
from service.followups.utterance import heard, parts

SHIPPED = ("How many crates did the barge Aurora carry to Ghent in 1911?", "31 crates")
CAPTAIN = ("Who was the captain of the Aurora?", "Jan Peeters")
WHERE = ("Where is the Museum of Barges?", "Ghent")
KEPT = ("How long are school registers kept in the archive?", "80 years")
HART = ("Who commanded the fleet in Ghent in 1911?", "Hart")
TEST = ("What brought the barge down in the test in May?", "a storm")
FROZEN = ("When did the harbour freeze?", "1911")


def said(*exchanges: tuple[str, str]) -> tuple[Turn, ...]:
    """Return the turns of some questions and answers."""
    return tuple(turn for question, answer in exchanges for turn in (Turn("user", question), Turn("assistant", answer)))


def understood(question: str, history: Sequence[Turn]) -> tuple[Meaning, ...]:
    return meanings(question, last_exchange(history))


def meant(question: str, *exchanges: tuple[str, str]) -> list[str]:
    return [each.question for each in understood(question, said(*exchanges))]


@pytest.mark.parametrize(
    ("before", "question", "expected"),
    [
        # A fragment takes the place of its like.
        (SHIPPED, "And how many barrels?", "how many barrels did the barge Aurora carry to Ghent in 1911?"),
        (SHIPPED, "and barrels?", "How many barrels did the barge Aurora carry to Ghent in 1911?"),
        (SHIPPED, "And in 1912?", "How many crates did the barge Aurora carry to Ghent in 1912?"),
        (("What colour is the ferry?", "red"), "And who steers it?", "who steers the ferry?"),
        (SHIPPED, "to Antwerp?", "How many crates did the barge Aurora carry to Antwerp in 1911?"),
        (SHIPPED, "What about the Borealis?", "How many crates did the Borealis carry to Ghent in 1911?"),
        (SHIPPED, "when", "when did the barge Aurora carry to Ghent in 1911 crates?"),
        (CAPTAIN, "since when?", "since when was Jan Peeters the captain of the Aurora?"),
        (("Who is the mayor of the town?", "Ada Stone"), "And the treasurer?", "Who is the treasurer of the town?"),
        # A correction does so, too.
        (SHIPPED, "no, I meant in 1912", "How many crates did the barge Aurora carry to Ghent in 1912?"),
        (SHIPPED, "sorry, i meant barrels not crates", "How many barrels did the barge Aurora carry to Ghent in 1911?"),
        (SHIPPED, "no, I meant 1912", "How many crates did the barge Aurora carry to Ghent in 1912?"),
        (("Who commanded the northern fleet?", "Hart"), "And the southern one?", "Who commanded the southern fleet?"),
        (("Who lives in the old town?", "Ada"), "sorry, I meant the new town", "Who lives in the new town?"),
        # Pronouns: persons, things, what was counted, places.
        (CAPTAIN, "When did he retire?", "When did Jan Peeters retire?"),
        (CAPTAIN, "What was his ship?", "What was Jan Peeters's ship?"),
        (CAPTAIN, "Who succeeded him?", "Who succeeded Jan Peeters?"),
        (SHIPPED, "Who built it?", "Who built the barge Aurora?"),
        (SHIPPED, "What was in them?", "What was in the crates?"),
        (WHERE, "Who works there?", "Who works at the Museum of Barges?"),
        (WHERE, "What does its roof weigh?", "What does the roof of the Museum of Barges weigh?"),
        (("Where was the treaty signed?", "Ghent"), "Who signed it?", "Who signed the treaty?"),
        (("Where will Ada sing?", "the Opera"), "Where is it?", "Where is the Opera?"),
        (
            ("What did Ghent and Bruges sign?", "the Canal Treaty"),
            "When was that?",
            "When did Ghent and Bruges sign the Canal Treaty?",
        ),
        (("What did they sign?", "the Canal Treaty"), "How long is the treaty?", "How long is the Canal Treaty?"),
        # A clause without its topic.
        (SHIPPED, "How many sank?", "How many crates sank?"),
        (SHIPPED, "How many were lost?", "How many crates were lost?"),
        (SHIPPED, "What got wet?", "What got wet crates barge Aurora carry Ghent 1911?"),
        # What is alike: number, article, spelling, preposition; of two phrases each takes the place of its like.
        (KEPT, "And hospital files?", "How long are hospital files kept in the archive?"),
        (HART, "And in Antwerp?", "Who commanded the fleet in Antwerp in 1911?"),
        (HART, "And at Bruges, in 1912?", "Who commanded the fleet at Bruges in 1912?"),
        (TEST, "And the one in June?", "What brought the barge down in the test in June?"),
        (("Which captain sailed the Aurora?", "Peeters"), "And the pilot?", "Which pilot sailed the Aurora?"),
        (("How many maps were printed?", "500"), "At what price?", "At what price were maps printed?"),
        # Whose it is.
        (("Who is Ghent's mayor?", "Ada"), "And Antwerp's?", "Who is Antwerp's mayor?"),
        (("Who is mayor in 1911?", "Ada"), "No, I meant Antwerp's.", "Who is Antwerp's mayor in 1911?"),
        # A denial corrects, too.
        (SHIPPED, "No, in 1912.", "How many crates did the barge Aurora carry to Ghent in 1912?"),
        (("How many died?", "40"), "No, not in the flood, in the fire.", "How many died in the fire?"),
        # What was asked for, brought up, or is several.
        (("In which town does Belgium have a yard?", "Ghent"), "When was it built?", "When was the yard built?"),
        (("Which version of the map came out?", "7.2"), "Who drew it?", "Who drew version of the map 7.2?"),
        (("Who paid for cranes in Ghent?", "the town"), "What did they cost?", "What did the cranes in Ghent cost?"),
        (SHIPPED, "How much would that cost?", "How much would the barge Aurora cost?"),
        (SHIPPED, "How heavy was each of those?", "How heavy was each of the crates?"),
        (("Which country bought it?", "Belgium"), "Which one built ships?", "Which country built ships?"),
        # Times.
        (FROZEN, "Who was mayor then?", "Who was mayor in 1911?"),
        (FROZEN, "Which ships sank the year before?", "Which ships sank in 1910?"),
        (FROZEN, "Which ships sank a year later?", "Which ships sank in 1912?"),
        (FROZEN, "Who ran it before that?", "Who ran the harbour before 1911?"),
        # What has a longer name.
        (("Whom did Ada appoint?", "a harbour officer"), "Is the officer paid?", "Is the harbour officer paid?"),
        # What is spoken of may stand before the question.
        (SHIPPED, "And the pilots of Ghent, what did they earn?", "what did the pilots of Ghent earn?"),
        (SHIPPED, "and the mayor, in which town did she live?", "in which town did the mayor live?"),
        # A correction may first say what was wrong, and ask in a clause of its own.
        (SHIPPED, "no no, barrels, not crates", "How many barrels did the barge Aurora carry to Ghent in 1911?"),
        (CAPTAIN, "No, not the captain. The owner", "Who was the owner of the Aurora?"),
        (
            CAPTAIN,
            "that was his deputy, I only wanted to know who built the ship",
            "who built the ship Jan Peeters captain Aurora?",
        ),
        (
            ("How long did the repair take?", "a week"),
            "hm, that was the plan, I meant how long in the end",
            "how long in the end did the repair take?",
        ),
        (HART, "wrong town, I wanted Antwerp", "Who commanded the fleet in Antwerp in 1911?"),
        (HART, "antwerp, not ghent", "Who commanded the fleet in antwerp in 1911?"),
        (HART, "I should have said Antwerp, sorry", "Who commanded the fleet in Antwerp in 1911?"),
        (SHIPPED, "barrels I mean, not crates", "How many barrels did the barge Aurora carry to Ghent in 1911?"),
        (SHIPPED, "same for Antwerp?", "How many crates did the barge Aurora carry to Antwerp in 1911?"),
        (("Which judge did Ghent name?", "Ada"), "And Bruges's?", "Which judge did Bruges name?"),
        (("How many drowned before the war?", "38"), "whereas after the flood?", "How many drowned after the flood?"),
        (CAPTAIN, "that's not what I asked, I was after the cook", "Who was the cook of the Aurora?"),
        (SHIPPED, "oh wait, I mixed them up, barrels", "How many barrels did the barge Aurora carry to Ghent in 1911?"),
        (HART, "no not ghent, antwerp", "Who commanded the fleet in antwerp in 1911?"),
        (CAPTAIN, "The cook, not the deputy!", "Who was the cook of the Aurora?"),
        (CAPTAIN, "the cook is who I meant", "Who was the cook of the Aurora?"),
        (SHIPPED, "I'd meant in 1912", "How many crates did the barge Aurora carry to Ghent in 1912?"),
        (FROZEN, "I meant when it thawed, not when it froze", "when the harbour thawed?"),
        (CAPTAIN, "Excuse me, I put that badly: when did he retire?", "when did Jan Peeters retire?"),
        # Remarks, hedges and contractions.
        (CAPTAIN, "Quite a name! How old is the man?", "How old is Jan Peeters?"),
        (SHIPPED, "roughly how many barrels?", "how many barrels did the barge Aurora carry to Ghent in 1911?"),
        (SHIPPED, "And the pilot, what's her name?", "what is the pilot's name?"),
        (SHIPPED, "And the pilots of Ghent. Who pays them?", "Who pays the pilots of Ghent?"),
        (CAPTAIN, "Do you know how many people the yard employs?", "Do you know how many people the yard employs?"),
        (("How many monitors are on the spot?", "85"), "From where?", "From where are monitors on the spot?"),
        (FROZEN, "Any broken masts?", "Any broken masts harbour freeze?"),
        # Whose: what is asked of it, or who it is.
        (("How old is Jan Peeters?", "62"), "And his wife?", "How old is Jan Peeters's wife?"),
        # A remark before a comma is not spoken of, nor an abbreviation a remark.
        (CAPTAIN, "Awesome, when did he retire?", "when did Jan Peeters retire?"),
        (CAPTAIN, "Out of boredom, how old was he?", "Out of boredom, how old was Jan Peeters?"),
        (SHIPPED, "what did mr. smith say about it?", "what did mr. smith say about the barge Aurora?"),
        # What is no person, and who is one.
        (("What is the name of the river?", "Rio Grande"), "How long is it?", "How long is Rio Grande?"),
        (("When did Henry Ford retire?", "1945"), "Where was he born?", "Where was Henry Ford born?"),
        (("Who signed it?", "Ada and Tom"), "What did they say?", "What did Ada and Tom say?"),
        (("Who signed it?", "Ada and Tom"), "Is the latter older?", "Is Tom older?"),
        (CAPTAIN, "Why can't he sail?", "Why can't Jan Peeters sail?"),
        # What lacks its topic: whether anyone was, and what happened afterwards.
        (("Why did the roof fall?", "snow"), "Was anyone badly injured?", "Was anyone badly injured roof fall?"),
        (("Why did the roof fall?", "snow"), "What was built instead?", "What was built instead roof fall?"),
        (("Who makes cheese?", "Ada Cole and Eva Cole"), "What do they pay?", "What do Ada Cole and Eva Cole pay?"),
        (CAPTAIN, "Why do they call him Bear?", "Why do they call Jan Peeters Bear?"),
        # The latest person that was named, whatever was asked for.
        (("Which hostage is free?", "Ada Stone"), "How old is she?", "How old is Ada Stone?"),
        (("What was the name of his wife?", "Ada Stone"), "When did she marry?", "When did Ada Stone marry?"),
        (("Whom did they ask?", "Tom Ellery of Bath"), "What did he want?", "What did Tom Ellery of Bath want?"),
        (("Who built Marrow Bridge?", "Jan Peeters"), "Where was he born?", "Where was Jan Peeters born?"),
        # The first and the second of two.
        (
            ("Which rivers meet in Ghent?", "the Lys and the Scheldt"),
            "Where does the latter rise?",
            "Where does the Scheldt rise?",
        ),
        (("Which rivers meet in Ghent?", "the Lys and the Scheldt"), "How long is the former?", "How long is the Lys?"),
        # The same again, but for what is added.
        (SHIPPED, "And how many was it in 1912?", "How many crates did the barge Aurora carry to Ghent in 1912?"),
        # Whose it is, and where from.
        (
            ("Who pays?", "a Danish foundation"),
            "What is the foundation's name?",
            "What is the Danish foundation's name?",
        ),
        (("Where does the mill stand?", "on the canal"), "What is drawn from there?", "What is drawn from the canal?"),
        (CAPTAIN, "And his ship?", "Jan Peeters's ship?"),
        (WHERE, "and its roof?", "Where is the roof of the Museum of Barges?"),
        (("Who won?", "Ada and Tom"), "Why isn't the latter singing?", "Why isn't Tom singing?"),
        # A question in another one.
        (CAPTAIN, "can you tell me when he retired?", "when Jan Peeters retired?"),
        # Chat is passed over.
        (CAPTAIN, "haha, hm, ok. when did he retire, please?", "when did Jan Peeters retire?"),
        (CAPTAIN, "ok, thanks a lot! and when did he retire?", "when did Jan Peeters retire?"),
    ],
)
def test_a_follow_up_means_a_question_that_stands_alone(before: tuple[str, str], question: str, expected: str) -> None:
    assert meant(question, before)[0] == expected


@pytest.mark.parametrize(
    "question",
    [
        "Who founded the Museum of Barges?",
        "How many people live in Bruges?",
        "Which company chairs the board of the harbour?",
        "Is it true that the harbour freezes in winter?",
        "How long does it take to walk from Ghent to Bruges?",
        "Are there any islands in the harbour of Ostend?",
        "Which of the treaties that Ghent signed is the oldest?",
        "harbour dues Ostend winter",
        "何隻の船が沈みましたか",
        "?!",
        "Thanks!",
        "Did the river Lys at Bruges not freeze?",
        "Where are hotels rather than hostels found in Oslo?",
        "When was the man-made lake of Bruges dug?",
        "Which boy band was founded in Bruges?",
        "How many ships did the Man Group own in Ostend?",
    ],
)
def test_a_question_that_stands_alone_is_read_once_as_it_is(question: str) -> None:
    assert meant(question, SHIPPED, CAPTAIN) == [question]


def test_a_question_that_may_go_on_is_read_both_ways_and_first_as_it_is() -> None:
    assert (
        meant("When did Peeters say that he would retire?", SHIPPED)[0] == "When did Peeters say that he would retire?"
    )
    assert meant("And who founded the Museum of Barges?", SHIPPED)[0] == "And who founded the Museum of Barges?"
    assert len(meant("And who founded the Museum of Barges?", SHIPPED)) == MOST_MEANINGS


def test_follow_ups_of_follow_ups_are_understood() -> None:
    chain = (CAPTAIN, ("When did he retire?", "1920"))
    assert meant("And who succeeded him?", *chain)[0] == "who succeeded Jan Peeters?"
    assert meant("And how many barrels?", SHIPPED, ("And in 1912?", "40"))[0] == (
        "how many barrels did the barge Aurora carry to Ghent in 1912?"
    )


def test_the_same_pronoun_goes_on_to_mean_the_same() -> None:
    assert meant("How many crew did it have?", SHIPPED, ("When was it built?", "1899"))[0] == (
        "How many crew did the barge Aurora have?"
    )


def test_a_question_goes_back_to_what_it_points_to() -> None:
    museum = ("Which museum is in Bruges?", "the Lace Museum")
    for question in ("Back to the barge: who built it?", "And as for the barge, who built it?"):
        assert "barge Aurora" in meant(question, SHIPPED, museum)[0]
        assert "Lace" not in " ".join(meant(question, SHIPPED, museum))
    assert "Lace" in meant("In the museum you named, what burnt?", museum, SHIPPED)[0]
    assert "Lace" in meant("Back to the first one: who built it?", museum, SHIPPED)[0]
    assert "Lace" in " ".join(meant("How large is the museum?", museum, SHIPPED))


def test_a_thing_that_was_not_named_is_understood_by_what_was_said() -> None:
    first, second = meant("How long did the voyage take?", SHIPPED)
    assert first == "How long did the voyage take?"
    assert "Aurora" in second


def test_what_was_understood_before_holds_only_words_of_a_question() -> None:
    chain = (SHIPPED, ("What caught fire?", "the hold"))
    assert meant("Since when?", *chain)[0].startswith("Since when the hold caught fire")
    assert "Aurora" in " ".join(meant("What was lost?", *chain))


def test_only_contrasts_set_aside_what_was_answered() -> None:
    assert [each.told for each in understood("And the Borealis?", said(CAPTAIN))] == ["Jan Peeters"]
    assert [each.told for each in understood("I meant the Borealis", said(CAPTAIN))] == ["Jan Peeters"]
    assert [each.told for each in understood("And barrels?", said((SHIPPED[0], "31")))] == ["31 crates"]
    assert {each.told for each in understood("Who else steered it?", said(CAPTAIN))} == {"Jan Peeters"}
    assert {each.told for each in understood("When did he retire?", said(CAPTAIN))} == {""}


def test_abstentions_long_answers_and_markup_name_nothing() -> None:
    assert meant("How old is he?", ("Who steers the Aurora?", "The documents do not say."))[0] == "How old is Aurora?"
    assert "lorem" not in " ".join(meant("Who wrote it?", ("What is the book?", "lorem ipsum " * 40))).lower()
    message = (
        "**Jan Peeters**\n\n> The captain was **Jan Peeters**. [1]\n\n1. [Ships](http://127.0.0.1/documents/doc-1)"
    )
    assert meant("When did he retire?", (CAPTAIN[0], message))[0] == "When did Jan Peeters retire?"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("42", "42"),
        ("\n\n **42** fire trucks. \n", "42 fire trucks"),
        ("*Read as:* “how many?”\n\n**42**\n\n> Only **42** [[1]](http://x/1#char=1,2)", "42"),
        ("The documents say different things:\n\n**12**\n\n> …\n\n**13**", "12"),
        ("> The *ferry* leaves **at noon**. [[1]](http://x/y) [2]", "The ferry leaves at noon"),
        ("**Ada\\_Stone &#91;junior&#93; &amp; sons** [[1]](http://x)", "Ada_Stone [junior] & sons"),
        ("[Ghent](http://x/ghent)", "Ghent"),
        ("a_b * _c_ `d`", "a_b * c d"),
        ("*Read as:* “who?”\n\nThe documents do not say.\n\nThe nearest passages:", ""),
        ("Answers:", ""),
        ("Here you go:\n\n1. Ada Stone\n2. Bob", "Ada Stone"),
        ("- Bob", "Bob"),
        ("[42](http://x)", "42"),
        ("-5 degrees", "-5 degrees"),
        ("", ""),
    ],
)
def test_a_reply_is_known_behind_its_markup(message: str, words: str) -> None:
    assert reply_words(message) == words


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What sentence did the two men get?", True),
        ("where can one park?", True),
        ("Which Toyota model was recalled?", False),
        ("How many Ukrainian refugees came?", False),
        ("Who won in 2019?", False),
        ('What does "reading room" mean?', False),
        ("Thanks!", False),
        ("", False),
    ],
)
def test_names_numbers_and_quotations_of_its_own_are_seen(question: str, expected: bool) -> None:
    assert names_nothing(question) is expected


def test_system_prompts_and_what_an_assistant_says_first_mean_nothing() -> None:
    history = (Turn("system", "You are Ada Stone."), Turn("assistant", "Hello, I am Ada Stone. Ask me!"))
    assert [each.question for each in understood("When did she retire?", history)] == ["When did she retire?"]


@given(st.text(max_size=200))
def test_without_a_history_every_question_means_itself(question: str) -> None:
    assert [(each.question, each.told) for each in understood(question, ())] == [(question, "")]


WORDS = st.sampled_from(
    "and how many which who when what about he it their them there the of in for not I meant no that was were did"
    " Aurora Ghent Jan Peeters 1911 crates barrels captain carry signed treaty museum ok thanks".split()
)
SENTENCES = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)
# "That" and "those" are read as "it" and "them".
ADDED = frozenset("the of in at s is it they them".split())


@given(SENTENCES, st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=4))
def test_meanings_are_few_and_made_of_what_was_said(question: str, exchanges: list[tuple[str, str]]) -> None:
    found = understood(question, said(*exchanges))
    assert 1 <= len(found) <= MOST_MEANINGS
    assert len({each.question for each in found}) == len(found)
    spoken = {word for text in (question, *sum(exchanges, ())) for word in words_of(text)}
    for each in found:
        assert each.question.strip()
        # "The year before" is told by its number.
        assert set(words_of(each.question)) - ADDED <= spoken | {"1910", "1912"}


@given(st.text(max_size=300), st.lists(st.tuples(st.text(max_size=300), st.text(max_size=300)), max_size=3))
def test_any_text_has_a_meaning_of_bounded_length(question: str, exchanges: list[tuple[str, str]]) -> None:
    for each in understood(question, said(*exchanges)):
        assert len(each.question) <= 2 * len(question) + 4 * 300


@pytest.mark.parametrize(
    "question", [r"in \1 2012", r"\g<9> 1912?", r"i meant \x not crates", r"what about \U0?", "and [("]
)
def test_patterns_in_a_question_are_only_text(question: str) -> None:
    assert all(each.question for each in understood(question, said(SHIPPED)))


@pytest.mark.parametrize(
    "text", ["the " + "a " * 480, "the " + "a" * 990, "Ab " * 330, "i meant " * 120, "how many " * 110]
)
def test_long_questions_take_no_long_thought(text: str) -> None:
    # None of the patterns may try all ways to divide a text: this would never end.
    for turn in (text, text[:290], "[" * 10_000, "a s " * 2_500):
        assert understood(text, said((text[:290], turn), (turn, turn)))


def _alone() -> list[Case]:
    return standing_alone(read_cases(SEEDS_SET)) + [case for case in read_cases(DIALOGUES_SET) if "shift" in case.tags]


def test_questions_that_stand_alone_are_never_replaced_and_seldom_read_twice() -> None:
    histories = [case.history for case in select(read_cases(DIALOGUES_SET), "dev")][::4]
    asked = [(case.question, history) for case in select(_alone(), "dev") for history in histories]
    found = [[each.question for each in understood(question, history)] for question, history in asked]
    assert [question for (question, _), each in zip(asked, found, strict=True) if question not in each] == []
    assert sum(len(each) > 1 for each in found) / len(found) < 0.15


def test_parts_of_a_question() -> None:
    asked = parts("Which prime minister signed it")
    assert (asked.word, asked.noun, asked.rest, asked.asks_subject) == ("Which", "prime minister", "signed it", True)
    asked = parts("since when has he held that post")
    assert (asked.word, asked.noun, asked.rest, asked.asks_subject) == (
        "since when",
        "",
        "has he held that post",
        False,
    )
    assert parts("tell me more").word == ""


def test_what_is_said_around_a_question_is_not_heard() -> None:
    found = heard("Great, thank you!  And what about the Borealis??")
    assert (found.text, found.is_joined, found.is_about, found.corrects) == ("the Borealis", True, True, False)
    assert heard("No, I meant the other one.").corrects
    assert heard("ok, thanks!").text == ""

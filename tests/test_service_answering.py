"""Answering: citations that hold, the choice between answers and silence, agreement, fingerprints."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import exp
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from word_embedder import WordEmbedder

from index.collection import Collection
from index.documents import make_document
from index.errors import DeadlineExceeded, UnresolvableCitation
from index.filters import Filters
from index.library import Library
from index.passages import Passage, Sentence
from index.records import StoredPassage
from index.retriever import Hit
from service.answering import Answerer, Response, rank_passages
from service.answers import MAX_ALTERNATIVES, Answer, choose, compose
from service.citations import Citation, cite
from service.conversation import Turn, last_exchange
from service.ground import documents_spoken_of
from service.reader.reader import Reading, Span

TEXT = "Ada wrote the first program. 🚀 Bob paid 42 euros for it. Nobody knows why."


class FixedReader:
    """A reader that proposes the given words wherever they stand, each with its score."""

    identity = "fixed"
    min_confidence = 0.5

    def __init__(self, scores: dict[str, float]) -> None:
        self._scores = scores
        self.asked: list[tuple[str, str]] = []

    def read(self, question: str, hits: Sequence[Hit], *, told: str = "", **_: object) -> Reading:
        self.asked.append((question, told))
        spans = []
        for number, hit in enumerate(hits):
            passage = hit.found.passage
            for words, score in self._scores.items():
                if words in passage.text:
                    start = passage.start + passage.text.index(words)
                    spans.append(Span(number, start, start + len(words), score))
        relevance = tuple(-float(hit.rank) for hit in hits)
        return Reading(tuple(sorted(spans, key=lambda span: -span.score)), relevance)

    def count_tokens(self, texts: Sequence[str]) -> int:
        return sum(len(text.split()) for text in texts)


@pytest.fixture
def collection(tmp_path: Path, words: WordEmbedder) -> Iterator[Collection]:
    with Library(tmp_path, words) as library:
        opened = library.create("default")
        opened.put(make_document(TEXT, source="a.txt", title="A"))
        opened.put(make_document("Later, Carol wrote that Bob paid 42 euros.", source="b.txt", title="B"))
        yield opened


def answerer(scores: dict[str, float], **settings: float) -> Answerer:
    return Answerer(FixedReader(scores), read_depth=5, base_url="http://127.0.0.1:8000", **settings)


def test_answer_is_cited_exactly_after_astral_characters(collection: Collection) -> None:
    response = answerer({"paid 42 euros for": 2.0}).ask(collection, "What did Bob pay?")
    assert response.answer is not None
    (citation,) = response.answer.citations
    text = collection.text(citation.document_id)
    assert text[citation.cited.start : citation.cited.end] == citation.cited.text == "paid 42 euros for"
    assert (
        citation.sentence.text
        == text[citation.sentence.start : citation.sentence.end]
        == "🚀 Bob paid 42 euros for it."
    )
    assert citation.url == (
        f"http://127.0.0.1:8000/documents/{citation.document_id}#char={citation.cited.start},{citation.cited.end}"
    )
    assert response.agreement == "single"


def test_link_names_a_collection_that_is_not_the_default(tmp_path: Path, words: WordEmbedder) -> None:
    with Library(tmp_path, words) as library:
        news = library.create("news")
        news.put(make_document(TEXT, source="a.txt"))
        response = answerer({"42 euros": 2.0}).ask(news, "How much?")
    assert response.answer is not None
    (citation,) = response.answer.citations
    assert citation.url.startswith(f"http://127.0.0.1:8000/documents/{citation.document_id}?collection=news#char=")


def test_same_words_in_two_documents_are_one_corroborated_answer(collection: Collection) -> None:
    response = answerer({"42 euros": 2.0, "Nobody": -1.0}).ask(collection, "How much did Bob pay?")
    assert response.answer is not None
    assert {citation.source for citation in response.answer.citations} == {"a.txt", "b.txt"}
    assert response.agreement == "corroborated"
    assert [each.text for each in response.alternatives] == ["Nobody"]


def test_abstains_below_the_threshold_and_still_shows_the_nearest(collection: Collection) -> None:
    response = answerer({"42 euros": -1.0}).ask(collection, "How much did Bob pay?")
    assert response.answer is None
    assert response.agreement is None
    assert [each.text for each in response.alternatives] == ["42 euros"]
    assert response.passages


@pytest.mark.parametrize(("min_confidence", "answers"), [(0.0, True), (0.26, True), (0.28, False), (1.0, False)])
def test_threshold_of_a_request_takes_the_place_of_the_default(
    collection: Collection, min_confidence: float, answers: bool
) -> None:
    response = answerer({"42 euros": -1.0}).ask(collection, "How much?", min_confidence=min_confidence)
    assert (response.answer is not None) == answers  # the confidence is 1 / (1 + e) = 0.269


def test_alternatives_are_few_and_best_first(collection: Collection) -> None:
    scores = {word: float(-number) for number, word in enumerate(["Ada", "wrote", "first", "program", "Bob", "it"])}
    response = answerer(scores).ask(collection, "Who wrote it?")
    assert response.answer is not None
    assert response.answer.text == "Ada"
    assert [each.text for each in response.alternatives] == ["wrote", "first", "program"]
    assert len(response.alternatives) == MAX_ALTERNATIVES


def test_empty_collection_gives_silence(tmp_path: Path, words: WordEmbedder) -> None:
    with Library(tmp_path, words) as library:
        response = answerer({"x": 1.0}).ask(library.create("empty"), "Anything?")
    assert (response.answer, response.alternatives, response.passages) == (None, (), ())


def test_deadline_is_checked_between_the_steps(collection: Collection) -> None:
    def passed() -> None:
        raise DeadlineExceeded("too late")

    with pytest.raises(DeadlineExceeded):
        answerer({}).ask(collection, "Who?", check_deadline=passed)


class PickyReader(FixedReader):
    """A reader that finds its words for questions that hold a word only, with the score of that word."""

    def __init__(self, scores: dict[str, float], picks: dict[str, float]) -> None:
        super().__init__(scores)
        self._picks = picks

    def read(self, question: str, hits: Sequence[Hit], *, told: str = "", **_: object) -> Reading:
        reading = super().read(question, hits, told=told)
        score = next((score for word, score in self._picks.items() if word in question), -9.0)
        return Reading(tuple(replace(span, score=score) for span in reading.spans), reading.relevance)


HISTORY = (Turn("user", "Who wrote the first program?"), Turn("assistant", "Ada"))


def asked_of(reader: FixedReader) -> list[str]:
    return [question for question, _ in reader.asked]


def test_a_question_without_history_is_read_once_as_it_is(collection: Collection) -> None:
    reader = FixedReader({"42 euros": 2.0})
    for history in ((), (Turn("system", "Answer in French."),)):
        response = Answerer(reader, read_depth=5).ask(collection, "And how much?", history=history)
        assert (response.question, response.standalone_question) == ("And how much?", None)
    assert reader.asked == [("And how much?", "")] * 2


def test_a_follow_up_is_read_as_what_it_likely_means_and_once_where_that_has_an_answer(collection: Collection) -> None:
    reader = PickyReader({"Bob": 2.0}, {"first program": 3.0})
    response = Answerer(reader, read_depth=5).ask(collection, "Who paid for it?", history=HISTORY)
    assert asked_of(reader) == ["Who paid for the first program?"] == [response.standalone_question]
    assert response.question == "Who paid for it?"
    assert response.answer is not None
    assert response.answer.confidence == pytest.approx(1 / (1 + exp(-3.0)))
    assert response.timings.total >= response.timings.read > 0


@pytest.mark.parametrize(("first", "second", "wins"), [(-1.0, 3.0, 1), (-1.0, -2.0, 0)])
def test_a_follow_up_is_read_again_where_it_has_no_answer_and_the_surer_reading_counts(
    collection: Collection, first: float, second: float, wins: int
) -> None:
    reader = PickyReader({"Bob": 2.0}, {"wrote": second, "program": first})
    response = Answerer(reader, read_depth=5).ask(collection, "Who paid for it?", history=HISTORY)
    both = ["Who paid for the first program?", "Who paid for the first program Ada wrote?"]
    # Of the document spoken of, and, where that has no answer, of both.
    assert asked_of(reader) == (both if second > 0 else both * 2)
    assert response.standalone_question == both[wins]


@pytest.fixture
def stories(tmp_path: Path, words: WordEmbedder) -> Iterator[Collection]:
    with Library(tmp_path, words) as library:
        opened = library.create("default")
        opened.put(make_document("The mill burned down in 1911. The cause was a stove.", source="fire.txt"))
        opened.put(make_document("The bridge and the quay fell in 1924. The cause was a flood.", source="flood.txt"))
        opened.put(make_document("The ferry Aurora sank in 1931. Nobody was hurt.", source="ferry.txt"))
        yield opened


BRIDGE = "When did the bridge fall?"


def after(question: str, answer: str) -> tuple[Turn, Turn]:
    return Turn("user", question), Turn("assistant", answer)


@pytest.mark.parametrize(
    ("before", "reply"),
    [
        (BRIDGE, "1924"),
        (BRIDGE, "**in 1924** [1]\n\n1. [flood.txt](/documents/1)"),
        (BRIDGE, "The bridge and the quay fell in 1924."),
        ("What fell in 1924?", "The bridge; the quay"),
    ],
)
def test_a_follow_up_is_asked_of_the_document_in_which_the_last_answer_stands(
    stories: Collection, before: str, reply: str
) -> None:
    reader = FixedReader({"a stove": 3.0, "a flood": 2.0})
    response = Answerer(reader, read_depth=5).ask(stories, "What was the cause?", history=after(before, reply))
    assert response.answer is not None
    assert [(each.cited.text, each.source) for each in response.answer.citations] == [("a flood", "flood.txt")]
    assert {each.hit.found.source for each in response.passages} == {"flood.txt"}
    assert len(reader.asked) == 1


@pytest.mark.parametrize("reply", ["1999", "The documents do not say.", "", "?"])
def test_a_follow_up_to_what_stands_nowhere_is_asked_of_all_documents(stories: Collection, reply: str) -> None:
    reader = FixedReader({"a stove": 3.0, "a flood": 2.0})
    response = Answerer(reader, read_depth=5).ask(stories, "What was the cause?", history=after(BRIDGE, reply))
    assert response.answer is not None
    assert response.answer.text == "a stove"


@pytest.mark.parametrize(
    ("question", "score", "answered"),
    [
        ("What was the cause?", 0.5, False),  # .62: another story's, most likely
        ("What was the cause?", 2.0, True),
        ("And when did the mill burn down?", 0.5, True),  # says itself what it is about
    ],
)
def test_what_the_document_spoken_of_does_not_say_is_looked_for_in_all(
    stories: Collection, question: str, score: float, answered: bool
) -> None:
    reader = PickyReader({"a stove": 0.0, "1911": 0.0}, {"Aurora": -9.0, "cause": score, "mill": score})
    history = after("When did the ferry Aurora sink?", "1931")
    response = Answerer(reader, read_depth=5).ask(stories, question, history=history)
    assert (response.answer is not None) is answered


def test_an_answer_that_is_asked_for_at_any_price_comes_from_the_document_spoken_of(stories: Collection) -> None:
    reader = PickyReader({"a stove": 0.0, "The ferry": 0.0}, {"Aurora": -4.0, "cause": 0.5})
    history = after("When did the ferry Aurora sink?", "1931")
    response = Answerer(reader, read_depth=5).ask(stories, "What was the cause?", history=history, min_confidence=0.0)
    assert response.answer is not None
    assert response.answer.text == "The ferry"


def test_a_question_that_stands_alone_is_asked_of_all_documents_at_once(stories: Collection) -> None:
    reader = FixedReader({"1911": 2.0})
    question = "When did the old mill in Antwerp burn down?"
    response = Answerer(reader, read_depth=5).ask(stories, question, history=after(BRIDGE, "1924"))
    assert response.answer is not None
    assert response.standalone_question is None
    assert asked_of(reader) == [question]
    assert len(response.passages) == 3


class ReadyReader(FixedReader):
    min_confidence = 0.25


@pytest.mark.parametrize(("score", "expected"), [(-0.5, "1911"), (0.5, "1924")])
def test_a_question_that_names_nothing_may_be_about_the_document_spoken_of(
    stories: Collection, score: float, expected: str
) -> None:
    reader = ReadyReader({"1911": 1.0, "1924": score})
    question = "In which year did that building above the valley come down?"
    response = Answerer(reader, read_depth=5).ask(stories, question, history=after(BRIDGE, "1924"))
    assert set(asked_of(reader)) == {question}
    assert response.answer is not None
    assert response.answer.text == expected


def test_what_likely_stands_alone_is_asked_of_all_documents_before_it_is_rewritten(stories: Collection) -> None:
    reader = PickyReader({"a flood": 0.0, "1911": 0.0}, {"bridge": 3.0, "mill": 0.5})
    question = "thanks a lot, when did the old mill burn down?"
    response = Answerer(reader, read_depth=5).ask(stories, question, history=after(BRIDGE, "1924"))
    assert set(asked_of(reader)) == {question}
    assert response.answer is not None
    assert response.standalone_question is None


@pytest.fixture
def reports(tmp_path: Path, words: WordEmbedder) -> Iterator[Collection]:
    with Library(tmp_path, words) as library:
        opened = library.create("default")
        for place in ("Ghent", "Bruges", "Antwerp", "Leuven"):
            text = f"The bridge of {place} fell in 1924. The cause was a flood. Nobody in {place} was hurt."
            opened.put(make_document(text, source=f"{place}.txt"))
        yield opened


@pytest.mark.parametrize("place", ["Ghent", "Leuven"])
def test_a_second_follow_up_stays_with_the_document_spoken_of(reports: Collection, place: str) -> None:
    reader = FixedReader({"Nobody": 2.0})
    history = (*after(f"When did the bridge of {place} fall?", "in 1924"), *after("What was the cause?", "a flood"))
    response = Answerer(reader, read_depth=4).ask(reports, "Was anybody hurt?", history=history)
    assert response.answer is not None
    assert [each.source for each in response.answer.citations] == [f"{place}.txt"]


def test_a_single_word_stands_in_one_document_only(reports: Collection) -> None:
    before = last_exchange(after("When did the bridge of Ghent fall?", "1924"))
    assert before is not None
    (found,) = documents_spoken_of(reports, before, depth=9, filters=None)
    assert reports.document(found).source == "Ghent.txt"


@given(st.text(max_size=40), st.text(max_size=40) | st.sampled_from(["\u0301", "Ada; \u0301", ";", "; ; "]))
def test_whatever_was_said_before_a_question_is_asked(question: str, reply: str) -> None:
    with TemporaryDirectory() as directory, Library(Path(directory), WordEmbedder()) as library:
        opened = library.create("default")
        opened.put(make_document(TEXT, source="a.txt"))
        before = last_exchange(after(question, reply))
        if before is not None:
            assert len(documents_spoken_of(opened, before, depth=5, filters=None)) <= 1


def test_who_always_wants_an_answer_is_given_one_from_any_document(stories: Collection) -> None:
    reader = PickyReader({"a stove": 0.0}, {"Aurora": -4.0, "cause": 0.5})
    always = Answerer(reader, read_depth=5, min_confidence=0.0)
    response = always.ask(stories, "What was the cause?", history=after("When did the ferry Aurora sink?", "1931"))
    assert response.answer is not None
    assert response.answer.text == "a stove"


def test_filters_hold_for_the_documents_spoken_of_too(stories: Collection) -> None:
    ids = {each.source: each.id for each in stories.documents(limit=9)}
    history = after(BRIDGE, "in 1924")
    for filters, expected in (
        (Filters(source=("fire.txt", "ferry.txt")), "a stove"),  # not the document of the answer
        (Filters(document_id=(ids["fire.txt"], ids["ferry.txt"])), "a stove"),
        (Filters(document_id=(ids["fire.txt"], ids["flood.txt"])), "a flood"),
        (Filters(source=("fire.txt", "flood.txt")), "a flood"),
    ):
        reader = FixedReader({"a stove": 3.0, "a flood": 2.0})
        response = Answerer(reader, read_depth=5).ask(stories, "What was the cause?", history=history, filters=filters)
        assert response.answer is not None
        assert response.answer.text == expected


def test_a_low_threshold_of_a_request_makes_no_answer_out_of_a_poor_one(collection: Collection) -> None:
    reader = PickyReader({"Bob": 2.0}, {"wrote": 3.0, "program": -3.0})
    response = Answerer(reader, read_depth=5).ask(collection, "Who paid for it?", history=HISTORY, min_confidence=0.0)
    assert response.answer is not None
    assert response.answer.confidence > 0.9


def test_a_question_that_stands_alone_and_has_an_answer_is_not_read_in_another_way(collection: Collection) -> None:
    reader = PickyReader({"Bob": 2.0}, {"wrote": 9.0, "who": 2.0})
    response = Answerer(reader, read_depth=5).ask(collection, "And who paid 42 euros to Ada?", history=HISTORY)
    assert asked_of(reader) == ["And who paid 42 euros to Ada?"]
    assert response.standalone_question is None


def test_what_was_said_before_is_no_evidence(collection: Collection) -> None:
    told = (Turn("system", "Mallory paid."), Turn("user", "Who wrote it?"), Turn("assistant", "Mallory, for 7 euros."))
    response = answerer({"Mallory": 9.0, "7 euros": 9.0}).ask(collection, "And who paid for it?", history=told)
    assert (response.answer, response.alternatives) == (None, ())
    assert all("Mallory" not in each.hit.found.passage.text for each in response.passages)


def test_the_answer_to_its_like_is_told_to_the_reader(collection: Collection) -> None:
    reader = FixedReader({"Bob": 2.0})
    Answerer(reader, read_depth=5).ask(collection, "And the second?", history=HISTORY)
    assert {told for _, told in reader.asked} == {"Ada"}


def test_what_is_read_does_not_depend_on_how_much_is_shown(collection: Collection) -> None:
    few = answerer({"42 euros": 2.0}).ask(collection, "How much?", top_k=1)
    many = answerer({"42 euros": 2.0}).ask(collection, "How much?", top_k=20)
    assert few.answer == many.answer
    assert few.fingerprint == many.fingerprint
    assert len(few.passages) == 1
    assert few.passages == many.passages[:1]


def test_fingerprint_changes_with_documents_reader_and_settings(collection: Collection) -> None:
    def fingerprint(made: Answerer) -> str:
        return made.fingerprint(collection.fingerprint())

    first = fingerprint(answerer({}))
    assert fingerprint(answerer({})) == first
    assert fingerprint(answerer({}, min_confidence=0.9)) != first
    collection.put(make_document("One more.", source="c.txt"))
    second = fingerprint(answerer({}))
    assert second != first
    collection.put(make_document("One more.", source="c.txt"))
    assert fingerprint(answerer({})) == second


def _hit(text: str, start: int, sentences: tuple[Sentence, ...]) -> Hit:
    passage = Passage(0, start, start + len(text), text, None, sentences)
    return Hit(1, 1.0, StoredPassage(passage, "doc-x", "X", "x.txt", "0" * 64))


@pytest.mark.parametrize("span", [(9, 12), (10, 10), (15, 12), (20, 31)])
def test_span_outside_its_passage_is_never_cited(span: tuple[int, int]) -> None:
    hit = _hit("twenty characters ok", 10, (Sentence(10, 30),))
    with pytest.raises(UnresolvableCitation):
        cite(hit, Span(0, *span, 1.0), base_url="")


@given(st.text(min_size=1, max_size=40), st.integers(0, 50), st.data())
def test_every_citation_resolves_in_its_document(text: str, offset: int, data: st.DataObject) -> None:
    document = "x" * offset + text
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    middle = data.draw(st.integers(1, max(1, len(text) - 1)))
    bounds = (0, middle, len(text)) if middle < len(text) else (0, len(text))
    sentences = tuple(Sentence(offset + a, offset + b) for a, b in pairwise(bounds))
    hit = _hit(text, offset, sentences)
    citation = cite(hit, Span(0, offset + start, offset + end, 0.0), base_url="")
    for excerpt in (citation.cited, citation.sentence):
        assert document[excerpt.start : excerpt.end] == excerpt.text
    assert citation.sentence.start <= citation.cited.start < citation.cited.end <= citation.sentence.end


def _reading(*spans: tuple[int, int, int, float]) -> Reading:
    return Reading(tuple(Span(*each) for each in spans), ())


def _composed(question: str, texts: list[str], *found: tuple[str, float]) -> list[Answer]:
    """Return the answers of a reading that found these words, each in the first text that holds them not yet."""
    hits, spans, used = [], [], set()
    for number, text in enumerate(texts):
        cuts = [0, *(place + 2 for place in range(len(text) - 1) if text[place : place + 2] == ". "), len(text)]
        document = f"doc-{number}"
        passage = Passage(0, 0, len(text), text, None, tuple(Sentence(*each) for each in pairwise(cuts)))
        hits.append(Hit(number + 1, 1.0, StoredPassage(passage, document, "X", f"{number}.txt", f"{number:064}")))
    for words, score in found:
        number = next(n for n, text in enumerate(texts) if words in text and (n, words) not in used)
        used.add((number, words))
        start = texts[number].index(words)
        spans.append((number, start, start + len(words), score))
    return compose(question, hits, _reading(*spans), base_url="", collection="default")


def test_words_that_say_the_same_are_one_answer() -> None:
    answers = _composed(
        "Who met?", ["The Board of Directors met.", "the  board met."], ("The Board of Directors", 1.0), ("board", 0.9)
    )
    assert [len(answer.citations) for answer in answers] == [2]
    assert answers[0].text == "The Board of Directors"


def test_a_place_that_is_much_less_likely_is_no_evidence() -> None:
    answers = _composed("Who?", ["Bob paid.", "Bob Dylan sang."], ("Bob", 3.0), ("Bob Dylan", -3.0))
    assert [len(answer.citations) for answer in answers] == [1]


def test_different_confident_answers_are_conflicting() -> None:
    found = ("157 calls", 1.5), ("160 calls", 1.2)
    answers = _composed("How many?", ["They had 157 calls.", "There were 160 calls."], *found)
    choice = choose("How many?", answers, 0.5)
    assert choice.answer is not None
    assert (choice.answer.text, choice.agreement) == ("157 calls", "conflicting")
    assert [each.text for each in choice.alternatives] == ["160 calls"]
    # Not where the other is not confident enough, and not where both stand in one sentence.
    assert (
        choose(
            "How many?", _composed("How many?", ["157 calls.", "160 calls."], found[0], ("160", -2.0)), 0.5
        ).agreement
        == "single"
    )
    assert choose("How many?", _composed("How many?", ["157 calls or 160 calls."], *found), 0.5).agreement == "single"


def test_a_list_has_a_citation_for_each_member() -> None:
    text = "It came from France, Hungary, and Japan. Others left."
    (answer,) = _composed("Which countries sent help?", [text], ("France, Hungary, and Japan", 2.0))
    assert answer.text == "France; Hungary; Japan"
    assert [each.cited.text for each in answer.citations] == ["France", "Hungary", "Japan"]
    (whole,) = _composed("Where did it come from?", [text], ("France, Hungary, and Japan", 2.0))
    assert whole.text == "France, Hungary, and Japan"


def test_members_of_a_list_need_not_stand_side_by_side() -> None:
    text = "John Healey led it, they said, with Boris Pistorius. Mark Rutte came."
    found = ("Boris Pistorius", 1.0), ("John Healey", 0.8), ("Mark Rutte", 0.7)
    answers = _composed("Which two ministers led it?", [text], *found)
    assert [answer.text for answer in answers] == ["John Healey; Boris Pistorius", "Mark Rutte"]
    assert [each.cited.text for each in answers[0].citations] == ["John Healey", "Boris Pistorius"]
    # Nobody asked for several, or the other one is much less likely.
    assert _composed("Who led it?", [text], *found)[0].text == "Boris Pistorius"
    assert (
        _composed("Which two ministers led it?", [text], found[0], ("John Healey", -3.0))[0].text == "Boris Pistorius"
    )


def test_two_enumerations_of_a_sentence_are_two_lists() -> None:
    text = "They trained in Norway and Chile, with tents, ropes and boats."
    answers = _composed(
        "In which countries did they train?", [text], ("Norway and Chile", 2.0), ("tents, ropes and boats", 1.9)
    )
    assert [answer.text for answer in answers] == ["Norway; Chile", "tents; ropes; boats"]


def test_a_shorter_list_is_evidence_in_whatever_order_it_comes() -> None:
    texts = ["John Healey led it, they said, with Boris Pistorius.", "Boris Pistorius led it."]
    question = "Which two ministers led it?"
    for scores in ((1.0, 0.9, 0.8), (1.0, 0.7, 0.8)):
        found = sorted(
            zip(("Boris Pistorius", "Boris Pistorius", "John Healey"), scores, strict=True), key=lambda e: -e[1]
        )
        answers = _composed(question, texts, *found)
        assert [answer.text for answer in answers] == ["John Healey; Boris Pistorius"]
        assert [each.source for each in answers[0].citations] == ["0.txt", "0.txt", "1.txt"]
        assert choose(question, answers, 0.5).agreement == "single"  # of the other member there is no second word


def test_copies_do_not_corroborate() -> None:
    def agreement(*texts: str) -> str | None:
        found = [("Bob", 1.0 - number / 10) for number in range(len(texts))]
        return choose("Who?", _composed("Who?", list(texts), *found), 0.5).agreement

    assert agreement("Bob paid.", "It was Bob.") == "corroborated"
    assert agreement("Bob paid.", "Bob paid.") == "single"


def test_places_that_contradict_each_other_are_no_evidence_for_one_answer() -> None:
    answers = _composed(
        "When?", ["In 2019.", "In May 2019.", "In June 2019."], ("2019", 1.2), ("May 2019", 1.1), ("June 2019", 1.0)
    )
    assert [answer.text for answer in answers] == ["2019", "June 2019"]


def test_two_sentences_that_tell_yes_are_no_conflict() -> None:
    question = "Did Bob pay?"
    answers = _composed(
        question, ["Bob paid 42 euros for it.", "Later, Bob paid again."], ("42 euros", 2.0), ("again", 1.9)
    )
    assert choose(question, answers, 0.5).agreement == "single"
    assert len(choose(question, answers, 0.5).alternatives) == 1


def test_yes_or_no_is_answered_with_the_sentence() -> None:
    (answer,) = _composed("Did Bob pay?", ["Ada came. Bob paid 42 euros. Carol left."], ("42 euros", 2.0))
    assert answer.text.strip() == "Bob paid 42 euros."


def test_passages_come_in_the_order_of_the_reader() -> None:
    hits = [_hit(str(number), 0, (Sentence(0, 1),)) for number in range(4)]
    ranked = rank_passages(hits, Reading((), (-3.0, 2.0, 0.0)))
    assert [shown.hit.found.passage.text for shown in ranked] == ["1", "2", "0", "3"]
    assert [shown.hit.rank for shown in ranked] == [1, 2, 3, 4]
    assert [shown.relevance for shown in ranked] == [
        pytest.approx(0.8808, abs=1e-4),
        0.5,
        pytest.approx(0.0474, abs=1e-4),
        None,
    ]


def test_a_phrase_that_is_quoted_must_stand_there(collection: Collection) -> None:
    made = answerer({"42 euros": 2.0, "Ada": 1.0})
    assert [each.source for each in _citations(made.ask(collection, 'Who says "Carol wrote"?'))] == ["b.txt"]
    silent = made.ask(collection, 'Who says "Carol paid" 42 euros?')
    assert (silent.answer, silent.alternatives, silent.agreement) == (None, (), None)
    assert {shown.hit.found.source for shown in silent.passages} == {"a.txt", "b.txt"}
    assert {shown.relevance for shown in silent.passages} == {None}


STORY = (
    "The council of Aaby met on Monday to decide about the new bridge across the stream. After a long debate it "
    "granted {} kroner for the work, which the mayor Karen Holm called a good day for the town and its people."
)


def _told(tmp_path: Path, *texts: str, question: str = "How much?", **scores: float) -> Response:
    with Library(tmp_path, WordEmbedder()) as library:
        opened = library.create("default")
        for number, text in enumerate(texts):
            opened.put(make_document(text, source=f"{number}.txt", title="Bridge"))
        return answerer({each.replace("_", " "): score for each, score in scores.items()}).ask(opened, question)


def test_one_story_told_twice_is_one_source(tmp_path: Path) -> None:
    edited = STORY.format(500).replace("Monday to decide", "Monday, in the school, to decide").replace("long ", "")
    own = "Work on the bridge can begin: 500 kroner were set aside for it, and masons have been found."
    first = _told(tmp_path / "1", STORY.format(500), edited, _500=1.0)
    assert (first.agreement, len(_citations(first))) == ("single", 2)
    second = _told(tmp_path / "2", STORY.format(500), own, _500=1.0)
    assert (second.agreement, len(_citations(second))) == ("corroborated", 2)


def test_reports_that_differ_in_a_number_are_conflicting(tmp_path: Path) -> None:
    response = _told(tmp_path, STORY.format(500), STORY.format(700), _500=1.0, _700=0.9)
    assert response.agreement == "conflicting"
    assert {shown.hit.found.source for shown in response.passages} == {"0.txt", "1.txt"}
    assert not any(shown.hit.is_behind for shown in response.passages)


def test_what_was_told_already_does_not_come_before_what_was_not() -> None:
    texts = [
        STORY.format(500),
        STORY.format(500).replace("long ", ""),
        STORY.format(700).replace("long ", ""),
        "Masons have been found.",
    ]
    hits = [
        replace(_hit(text, 0, (Sentence(0, len(text)),)), rank=number) for number, text in enumerate(texts, start=1)
    ]
    spans = tuple(
        Span(number, text.index(words), text.index(words) + 3, 1.0)
        for number, (text, words) in enumerate(zip(texts[:3], ("500", "500", "700"), strict=True))
    )
    ranked = rank_passages(hits, Reading(spans, (3.0, 2.0, 1.0, 0.0)))
    assert [texts.index(shown.hit.found.passage.text) for shown in ranked] == [0, 2, 3, 1]
    # Another answer is another answer, in however many of the same words.
    other = (spans[0], Span(1, 0, 3, 1.0), spans[2])
    ranked = rank_passages(hits, Reading(other, (3.0, 2.0, 1.0, 0.0)))
    assert [texts.index(shown.hit.found.passage.text) for shown in ranked] == [0, 1, 2, 3]


def test_copies_and_furniture_stay_behind_whatever_the_reader_finds() -> None:
    hits = [replace(_hit(str(number), 0, (Sentence(0, 1),)), rank=number + 1) for number in range(4)]
    hits[1] = replace(hits[1], is_behind=True)
    ranked = rank_passages(hits, Reading((), (0.0, 9.0, -1.0)))
    assert [shown.hit.found.passage.text for shown in ranked] == ["0", "2", "3", "1"]


def _citations(response: Response) -> tuple[Citation, ...]:
    assert response.answer is not None
    return response.answer.citations

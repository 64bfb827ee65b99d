"""The span reader around its network: offsets, batches, groups, order, the same span never twice."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import ScriptedRuntime, scripted_reader
from texts import raw_texts
from word_embedder import WordEmbedder

from index.documents import make_document
from index.errors import InvalidDocument
from index.passages import Passage, PassageSettings, heading_above, split_passages
from index.records import StoredPassage
from index.retriever import Hit
from service.reader.artifact import DEFAULT_READER, Artifact, load_artifact
from service.reader.confidence import Calibration, Logistic, Signs
from service.reader.reader import Memory, Reading, Span
from service.reader.runtime import Integers, Marks
from service.reader.span_reader import GROUP, SpanReader


def hits_of(*texts: str, max_tokens: int = 40, title: str = "T") -> list[Hit]:
    """Return the passages of these documents as if each were found after the other."""
    hits: list[Hit] = []
    for number, text in enumerate(texts):
        document = make_document(text, source=f"{number}.txt", title=title)
        passages = split_passages(
            document.text,
            markdown=False,
            count_tokens=WordEmbedder().count_tokens,
            settings=PassageSettings(max_tokens=max_tokens),
        )
        for passage in passages:
            found = StoredPassage(passage, document.id, document.title, document.source, document.content_sha256)
            hits.append(Hit(len(hits) + 1, 1 / (len(hits) + 1), found))
    return hits


BY_EVIDENCE = Logistic((1.0, 0.0, 0.0), 0.0)
PLAIN = Calibration(Logistic((1.0, 0.0, 0.0), 0.0), BY_EVIDENCE, BY_EVIDENCE, min_confidence=0.5, sure=0.9)


def words(hits: Sequence[Hit], reading: Reading) -> list[str]:
    """Return the words of the spans of a reading."""
    found = []
    for span in reading.spans:
        passage = hits[span.hit].found.passage
        assert passage.start <= span.start < span.end <= passage.end
        found.append(passage.words(span.start, span.end))
    return found


def _plain() -> Artifact:
    """Return an artifact that is as sure of a span as its network is."""
    return replace(load_artifact(DEFAULT_READER), calibration=PLAIN)


def test_finds_the_words_where_they_stand() -> None:
    hits = hits_of("🚀 Nobody came. It cost 42 euros. Bob paid.", "Later, Carol wrote that Ada left.")
    reader = scripted_reader({"42": 6.0, "Carol": 3.0, "Bob": 1.0}, _plain())
    reading = reader.read("How much?", hits)
    assert words(hits, reading)[:3] == ["42 euros", "Carol", "Bob"]
    assert reading.spans[0].start == hits[0].found.passage.text.index("42")
    assert [span.score for span in reading.spans] == sorted((span.score for span in reading.spans), reverse=True)


def test_what_repeats_a_known_answer_is_as_if_it_were_not_there() -> None:
    hits = hits_of("Ada Stone signed for Ghent. Jan Peeters signed for Bruges.", "It took 42 days.")
    reader = scripted_reader({"Ada Stone": 6.0, "Jan Peeters": 3.0, "42": 1.0}, _plain())
    alone, contrast = reader.read("Who signed?", hits), reader.read("Who signed?", hits, told="Mayor Ada Stone")
    assert words(hits, alone)[:2] == ["Ada Stone", "Jan Peeters"]
    assert words(hits, contrast)[0] == "Jan Peeters"
    # Numbers may be the same of different things.
    for told, is_kept in (("42 barges", True), ("42", True), ("42 days", False), ("7 days", True)):
        found = words(hits, reader.read("How long?", hits, told=told))
        assert any("42" in each for each in found) == is_kept


def test_words_of_question_and_heading_are_no_answer() -> None:
    hits = hits_of("Bob paid it.", title="Euros 42")
    assert words(hits, scripted_reader({"42": 9.0, "Bob": 1.0}).read("Who paid 42?", hits))[0] == "Bob"


def test_passages_are_read_in_batches_of_like_length() -> None:
    short, long = "Ada left.", "Bob paid for it and went away with all of the others who had come. " * 2
    reader = scripted_reader({"Bob": 1.0})
    reader.read("Who?", hits_of(short, long, short, long))
    runtime = reader._runtime
    assert isinstance(runtime, ScriptedRuntime)
    assert sorted(rows for rows, _ in runtime.batches) == [2, 2]
    assert len({tokens for _, tokens in runtime.batches}) == 2


def test_what_was_read_for_a_question_is_not_read_again() -> None:
    hits = hits_of("Ada left.", "Bob paid 42 euros.", "Carol came.")
    reader = scripted_reader({"Bob": 1.0, "Carol": 0.5}, _plain())
    runtime = reader._runtime
    assert isinstance(runtime, ScriptedRuntime)
    memory: Memory = {}
    reader.read("Who?", hits[1:], memory=memory)
    assert sum(rows for rows, _ in runtime.batches) == 2
    assert reader.read("Who?", hits, memory=memory) == reader.read("Who?", hits)
    assert sum(rows for rows, _ in runtime.batches) == 2 + 1 + 3
    reader.read("Who else?", hits, memory=memory)
    assert sum(rows for rows, _ in runtime.batches) == 2 + 1 + 3 + 3


@pytest.mark.parametrize(("score", "read"), [(40.0, GROUP), (-5.0, 2 * GROUP + 1)])
def test_reading_stops_when_the_answer_is_sure(score: float, read: int) -> None:
    hits = hits_of(*["Bob paid."] * (2 * GROUP + 1))
    assert len(scripted_reader({"Bob": score}, _plain()).read("Who?", hits).relevance) == read


def test_yes_or_no_is_told_by_whole_sentences() -> None:
    hits = hits_of("Bob came. Ada paid 42 euros then. Carol left.")
    found = words(hits, scripted_reader({"42": 6.0, "Carol": 3.0}).read("Did Ada pay 42 euros?", hits))
    assert found == ["Ada paid 42 euros then", "Carol left", "Bob came"]


def test_nothing_to_read_gives_no_span() -> None:
    reading = scripted_reader({}).read("Who?", [])
    assert (reading.spans, reading.relevance) == ((), ())


def test_overlapping_passages_give_a_span_once() -> None:
    text = "Ada left. Bob paid. Carol wrote."
    (hit,) = hits_of(text)
    passage = hit.found.passage
    tail = Passage(1, 10, len(text), text[10:], None, passage.sentences[1:])
    hits = [hit, Hit(2, 0.5, replace(hit.found, passage=tail))]
    assert words(hits, scripted_reader({"Bob": 5.0}).read("Who?", hits)).count("Bob") == 1


def test_the_margin_is_to_the_best_other_words() -> None:
    hits = hits_of("Bob Smith paid.", "Bob Smith left.", "Carol came.")
    reader = scripted_reader({"Bob Smith": 6.0, "Carol": 4.0})
    proposals = reader.proposals(hits, reader.read_passages("Who?", hits))
    margins: list[tuple[str, object]] = [
        (words(hits, Reading((Span(each.hit, each.start, each.end, 0.0),), ()))[0], signs.margin)
        for each, signs in proposals[:3]
    ]
    assert margins == [
        ("Bob Smith", pytest.approx(2.0, abs=0.01)),
        ("Bob Smith", pytest.approx(2.0, abs=0.01)),
        ("Carol", pytest.approx(-2.0, abs=0.01)),
    ]


@pytest.mark.parametrize(
    ("section", "heading"), [(None, "Notes"), ("Notes", "Notes"), ("Money", "Notes\nMoney"), ("", "Notes")]
)
def test_headings_say_nothing_twice(section: str | None, heading: str) -> None:
    assert heading_above("Notes", section) == heading


class NoisyRuntime:
    """A `Runtime` whose logits depend on the tokens and on nothing else."""

    name = "noisy 1"

    def run(self, input_ids: Integers, attention_mask: Integers, token_type_ids: Integers) -> Marks:
        mixed = (input_ids * 7919 + np.arange(input_ids.shape[1]) * 104729) % 997
        return np.stack([mixed / 100 - 5, (mixed * 31 % 997) / 100 - 5], axis=2).astype(np.float32)


@settings(max_examples=60)
@given(raw_texts, st.integers(3, 40))
def test_every_span_stands_in_its_document(text: str, max_tokens: int) -> None:
    try:
        hits = hits_of(text, max_tokens=max_tokens)
    except InvalidDocument:
        return
    reading = SpanReader(load_artifact(DEFAULT_READER), NoisyRuntime()).read("What is it?", hits)
    for cited in words(hits, reading):
        assert cited.strip() == cited != ""
    places = [(span.start, span.end) for span in reading.spans]
    assert all(a[1] <= b[0] or b[1] <= a[0] for n, a in enumerate(places) for b in places[:n])


def test_identity_names_weights_and_runtime() -> None:
    artifact = load_artifact(DEFAULT_READER)
    first = scripted_reader({}, artifact).identity
    assert first == f"{artifact.identity} scripted 1"
    other = replace(artifact, calibration=replace(artifact.calibration, min_confidence=0.99))
    assert scripted_reader({}, other).identity != first
    changed: Artifact = replace(artifact, sha256=artifact.sha256 | {"model.onnx": "0" * 64})
    assert scripted_reader({}, changed).identity != first


def test_which_span_is_best_is_another_question_than_how_sure_it_is() -> None:
    hits = hits_of("Bob paid.", "Later, Carol paid.")  # found with the scores 1 and .5
    scores = {"Bob": 2.0, "Carol": 4.0}
    assert words(hits, scripted_reader(scores, _plain()).read("Who?", hits))[:2] == ["Carol", "Bob"]
    artifact = replace(_plain(), calibration=replace(PLAIN, order=Logistic((1.0, 8.0, 0.0), 0.0)))
    reading = scripted_reader(scores, artifact).read("Who?", hits)
    assert words(hits, reading)[:2] == ["Bob", "Carol"]
    # Its own odds are those of a span with 2.0; and what comes after it is no surer.
    assert [span.score for span in reading.spans[:2]] == pytest.approx([2.0, 2.0], abs=0.1)


def test_what_has_the_words_of_the_question_may_come_before_what_the_network_likes_better() -> None:
    hits = hits_of("Carol paid.", "Bob gave them the yellow barge.")
    scores = {"Bob": 3.0, "Carol": 4.0}
    question = "Who gave the YELLOW barge?"  # three content words
    assert [each.shared for each in scripted_reader(scores, _plain()).read_passages(question, hits)] == [0.0, 1.0]
    assert words(hits, scripted_reader(scores, _plain()).read(question, hits))[:2] == ["Carol", "Bob"]
    by_words = Logistic((1.0, 0.0, 2.0), 0.0)
    artifact = replace(_plain(), calibration=replace(PLAIN, order=by_words, passage=by_words))
    reading = scripted_reader(scores, artifact).read(question, hits)
    assert words(hits, reading)[:2] == ["Bob", "Carol"]
    assert reading.relevance[1] > reading.relevance[0]
    # The heading counts, and a question without a word does not.
    named = hits_of("Bob gave it.", title="The yellow barge")
    assert [each.shared for each in scripted_reader(scores, _plain()).read_passages(question, named)] == [1.0]
    assert [each.shared for each in scripted_reader(scores, _plain()).read_passages("?", named)] == [0.0]


def test_confidence_grows_where_all_that_the_network_says_does() -> None:
    span = load_artifact(DEFAULT_READER).calibration.span
    plain = Signs(0.0, 0.0, 0.0)
    assert span.log_odds(replace(plain, span=3.0, passage=3.0, margin=3.0)) > span.log_odds(plain)

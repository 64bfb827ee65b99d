"""The set of questions about the seeds: every gold span stands where it says, and nothing stands twice."""

import json
import re
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from conftest import SEEDS

from eval.cases import DIALOGUES_SET, SEEDS_SET, Case, read_cases, select
from index.documents import decode
from index.errors import InvalidCase
from service.conversation import Turn

TYPES = {"who", "what", "when", "where", "how-many", "which", "why", "how", "yes-no", "list"}

# How many cases of a kind it takes at least before its figure says anything.
LEAST = {
    "paraphrase": 15,
    "typo": 12,
    "keyword": 12,
    "follow-up": 12,
    "yes-no": 12,
    "list": 12,
    "why": 12,
    "how": 12,
}

# Every document carries as many answerable cases as it takes to judge it alone, the two short ones of 2 and 3 kB too.
LEAST_OF_A_DOCUMENT = 25

STOP_WORDS = frozenset(
    "a an and are as at be been by did do does for from had has have how in into is it its many much of on or that the "
    "their there they this to was were what when where which who whom whose why will with would".split()
)

CASES = read_cases(SEEDS_SET)
DIALOGUES = read_cases(DIALOGUES_SET)
TEXTS = {path.name: decode(path.read_bytes()) for path in SEEDS.iterdir()}


@pytest.mark.parametrize("case", [*CASES, *DIALOGUES], ids=lambda case: case.id)
def test_gold_spans_hold_accepted_answers(case: Case) -> None:
    for span in case.spans:
        assert TEXTS[span.document][span.start : span.end] in case.answers


@pytest.mark.parametrize("case", [case for case in [*CASES, *DIALOGUES] if case.answerable], ids=lambda case: case.id)
def test_best_answer_is_made_of_gold_spans(case: Case) -> None:
    # The first answer is the best wording; a list joins its spans.
    spans = [TEXTS[span.document][span.start : span.end] for span in case.spans]
    assert case.answers[0] in spans or case.answers[0] == "; ".join(dict.fromkeys(spans))


def asked(case: Case) -> str:
    # A question such as "And how many?" is another one after another dialogue.
    return "\n".join([*(turn.content for turn in case.history), case.question])


def content_words(case: Case) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", asked(case).casefold())) - STOP_WORDS


def test_no_question_stands_twice() -> None:
    questions = Counter(" ".join(asked(case).casefold().split()) for case in [*CASES, *DIALOGUES])
    assert [question for question, count in questions.items() if count > 1] == []


def test_no_question_of_test_is_seen_in_dev_in_another_order() -> None:
    pairs = product(select(CASES, "dev"), select(CASES, "test"))
    assert [(dev.id, test.id) for dev, test in pairs if content_words(dev) == content_words(test)] == []


def test_dialogues_are_many_and_of_all_kinds() -> None:
    assert len(DIALOGUES) >= 80
    kinds = Counter(tag for case in DIALOGUES for tag in case.tags)
    least = {"pronoun": 24, "ellipsis": 24, "shift": 16, "chatty": 6, "typo": 4, "correction": 4, "definite": 4}
    assert {tag: kinds[tag] for tag, count in least.items() if kinds[tag] < count} == {}
    assert sum(not case.answerable for case in DIALOGUES) >= 15
    for half in (select(DIALOGUES, "dev"), select(DIALOGUES, "test")):
        assert {span.document for case in half for span in case.spans} == set(TEXTS)
        assert {tag for case in half for tag in case.tags} >= least.keys()


@pytest.mark.parametrize("case", DIALOGUES, ids=lambda case: case.id)
def test_dialogues_end_in_a_follow_up_that_is_written_out_or_in_a_shift(case: Case) -> None:
    assert len(TYPES & set(case.tags)) == 1
    assert [turn.role for turn in case.history] == ["user", "assistant"] * (len(case.history) // 2)
    assert len({"follow-up", "shift"} & set(case.tags)) == 1
    assert ("follow-up" in case.tags) == (case.standalone is not None)
    assert len({"near-miss", "off-topic"} & set(case.tags)) == (not case.answerable)


def test_set_is_as_large_as_it_should_be() -> None:
    assert len(CASES) >= 230
    assert sum(not case.answerable for case in CASES) >= 70
    tags = Counter(tag for case in CASES for tag in case.tags)
    assert {tag: tags[tag] for tag, least in LEAST.items() if tags[tag] < least} == {}
    documents = Counter(document for case in CASES for document in {span.document for span in case.spans})
    assert {name: documents[name] for name in TEXTS if documents[name] < LEAST_OF_A_DOCUMENT} == {}


def test_halves_are_alike() -> None:
    dev, test = select(CASES, "dev"), select(CASES, "test")
    assert len(dev) == len(test)
    assert abs(sum(case.answerable for case in dev) - sum(case.answerable for case in test)) <= 1
    tags = [Counter(tag for case in half for tag in case.tags) for half in (dev, test)]
    assert set(tags[0]) == set(tags[1])
    assert {tag: (tags[0][tag], tags[1][tag]) for tag in TYPES if abs(tags[0][tag] - tags[1][tag]) > 3} == {}
    assert {span.document for case in dev for span in case.spans} == set(TEXTS)
    assert {span.document for case in test for span in case.spans} == set(TEXTS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_tags_say_what_the_case_is(case: Case) -> None:
    assert len(TYPES & set(case.tags)) == 1
    assert len(case.tags) == len(set(case.tags))
    # What the documents do not say is either nearly there or of another world.
    assert len({"near-miss", "off-topic"} & set(case.tags)) == (not case.answerable)
    assert ("follow-up" in case.tags) == bool(case.history)


GOOD = {
    "id": "a",
    "question": "Who?",
    "answers": ["Ada"],
    "spans": [{"document": "a.txt", "start": 0, "end": 3}],
    "answerable": True,
    "tags": ["who"],
    "split": "dev",
}


@pytest.mark.parametrize(
    "change",
    [
        {"split": "train"},
        {"answers": []},
        {"spans": []},
        {"answerable": False},
        {"spans": [{"document": "a.txt"}]},
        {"tags": "who"},
        {"answerable": "yes"},
        {"history": []},
        {"history": None},
        {"history": "Who?"},
        {"history": ["Who?"]},
        {"history": [{"role": "user"}]},
        {"history": [{"role": "user", "content": "Who?", "name": "Ada"}]},
        {"history": [{"role": "system", "content": "Who?"}]},
        {"history": [{"role": ["user"], "content": "Who?"}]},
        {"history": [{"role": "user", "content": " "}]},
        {"history": [{"role": "user", "content": 7}]},
        {"standalone": "Who?"},
        {"history": [{"role": "user", "content": "Who?"}], "standalone": " "},
        {"collection": ""},
        {"collection": None},
        {"collection": 7},
        {"unknown": 1},
    ],
)
def test_malformed_case_is_refused_with_its_line(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(GOOD) + "\n\n" + json.dumps(GOOD | {"id": "b"} | change) + "\n")
    with pytest.raises(InvalidCase, match="line 3"):
        read_cases(path)


@pytest.mark.parametrize("field", sorted(GOOD))
def test_no_field_of_a_case_may_be_left_out(tmp_path: Path, field: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps({name: value for name, value in GOOD.items() if name != field}))
    with pytest.raises(InvalidCase, match=r"line 1: a case is an object with the fields"):
        read_cases(path)


def test_history_and_collection_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    turns = [{"role": "user", "content": "Who wrote the notes?"}, {"role": "assistant", "content": "Ada"}]
    told = GOOD | {"id": "b", "history": turns, "collection": "letters"}
    path.write_text(json.dumps(GOOD) + "\n" + json.dumps(told))
    bare, full = read_cases(path)
    assert (bare.history, bare.collection) == ((), None)
    assert full.history == (Turn("user", "Who wrote the notes?"), Turn("assistant", "Ada"))
    assert full.collection == "letters"


def test_empty_history_is_told_to_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(GOOD | {"history": []}))
    with pytest.raises(InvalidCase, match="leave the field out"):
        read_cases(path)


@pytest.mark.parametrize("content", ["{", "[]", '"x"', "{}", json.dumps(GOOD) + "\n" + json.dumps(GOOD)])
def test_other_content_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(content)
    with pytest.raises(InvalidCase):
        read_cases(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match="cannot be read"):
        read_cases(tmp_path / "none.jsonl")

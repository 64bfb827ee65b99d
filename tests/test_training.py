"""Training, on data of a few sentences: what is drawn, the loss against its definition, resuming, the whole way."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
from click.testing import CliRunner
from conftest import MODEL_CACHE, SEEDS
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from tiny_data import tiny_data
from tokenizers import Tokenizer
from word_embedder import WordEmbedder

from eval.cases import DIALOGUES_SET, SEEDS_SET, read_cases
from eval.squad import Corpus, held_out
from eval.stories import load_stories
from index.errors import ModelError
from index.words import words_of
from service.conversation import Turn, last_exchange, meanings
from service.reader.artifact import DEFAULT_READER, MODEL_FILE, TOKENIZER_FILE, load_artifact
from service.reader.features import FeatureMaker
from service.reader.runtime import load_runtime
from service.reader.span_reader import SpanReader
from training import __main__ as commands
from training.batches import Batch, batches, collate
from training.data import is_shifted, load_corpus, load_qamr, trained_on
from training.dialogues import DIALOGUES, load_dialogues
from training.fit import Recipe, fit
from training.groups import Group, Groups, Mix, Window
from training.loss import batch_marks, reading_loss
from training.mining import Found
from training.misses import misses
from training.model import PAIR_SIZE, SpanModel
from training.record import write_record
from training.rivals import DEPTH, rivals
from training.start import from_reader
from training.swaps import Swapper
from training.wording import keywords, mistyped

MAKER = FeatureMaker(Tokenizer.from_file(str(DEFAULT_READER / TOKENIZER_FILE)))
GROUPS = [
    Group("Who paid?", (Window("Bob paid. Ada left.", "Notes", ((0, 3, 0.75), (10, 13, 0.25))), Window("Carol.", ""))),
    Group("Who slept?", (Window("Bob paid.", ""),)),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def corpus(data: Path) -> Corpus:
    return load_corpus(data)


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Two documents of several passages each, one of them kept out."""
    folder = tmp_path_factory.mktemp("stories")
    lines = []
    for title in ("Ferry", "Bridge"):
        filler = " ".join(f"Nothing happened on day {number} of the long and quiet year." for number in range(1, 71))
        text = f"{title} prices rose to 12 euros in May.\n\n{filler}\n\nDogs and cats travel free of charge."
        places = {words: [text.index(words), text.index(words) + len(words)] for words in ("12 euros", "Dogs", "cats")}
        questions = [
            {"question": "What does it cost?", "answers": [places["12 euros"]]},
            {"question": "Which animals travel free?", "answers": [places["Dogs"], places["cats"]]},
            {"question": "Who raised the prices?", "answers": []},
        ]
        lines.append(json.dumps({"title": title, "text": text, "questions": questions}))
    (folder / "few.jsonl").write_text("\n".join(lines))
    return load_stories(folder)


def _found(corpus: Corpus) -> list[list[Found]]:
    """Find every paragraph for every question, its own first."""
    everything = range(len(corpus.paragraphs))
    return [
        [
            Found(each, 0, len(corpus.paragraphs[each].text))
            for each in sorted(everything, key=lambda number: number != question.paragraph)
        ]
        for question in corpus.questions
    ]


def test_articles_are_kept_out_whole_and_nothing_is_there_twice(corpus: Corpus) -> None:
    kept_out = {corpus.paragraphs[each.paragraph].title for each in held_out(corpus)}
    trained = {corpus.paragraphs[each.paragraph].title for each in trained_on(corpus)}
    assert kept_out
    assert not kept_out & trained
    assert len({each.text for each in corpus.paragraphs}) == len(corpus.paragraphs)
    asked = [(each.paragraph, each.text) for each in corpus.questions]
    assert len(set(asked)) == len(asked)
    for question in corpus.questions:
        text = corpus.paragraphs[question.paragraph].text
        assert all(text[gold.start : gold.end] in question.accepted for gold in question.answers)


def test_qamr_keeps_what_two_people_agree_on(data: Path) -> None:
    sentences = load_qamr(data)
    assert {(each.text, each.accepted) for each in sentences.questions} == {
        ("Who sold something?", ("Ada",)),
        ("What was sold?", ("three lamps",)),
    }


def test_missing_data_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="are public"):
        load_corpus(tmp_path)


def test_groups_hold_their_targets_and_negatives_hold_no_answer(corpus: Corpus, data: Path, stories: Corpus) -> None:
    mix = Mix(negatives=2.0, shifts=1.0, removed=0.5, swapped=0.5, qamr=2)
    groups = Groups(corpus, _found(corpus), load_qamr(data), stories, WordEmbedder().count_tokens, mix)
    drawn = groups.draw(0, seed=1)
    assert drawn == groups.draw(0, seed=1)
    assert drawn != groups.draw(1, seed=1)
    accepted = {each.text: each.accepted for each in corpus.questions}
    kept_out = {corpus.paragraphs[each.paragraph].text for each in held_out(corpus)}
    assert any(len(group.windows) > 1 for group in drawn)
    for group in drawn:
        for window in group.windows:
            assert window.text not in kept_out
            for start, end, weight in window.targets:
                assert 0 < weight <= 1
                assert window.text[start:end] in (*accepted.get(group.question, ()), "Ada", "three lamps")
        if any(window.targets for window in group.windows):
            for window in group.windows[1:]:
                assert not window.targets
                assert not any(answer in window.text for answer in accepted.get(group.question, ()))
    without = replace(mix, swapped=0.0, removed=1.0)
    for group in Groups(corpus, _found(corpus), load_qamr(data), stories, WordEmbedder().count_tokens, without).draw(
        0, seed=1
    ):
        if not any(window.targets for window in group.windows):
            assert not any(answer in window.text for window in group.windows for answer in accepted[group.question])


def test_a_passage_without_its_answer_holds_the_rest_of_it(corpus: Corpus, data: Path, stories: Corpus) -> None:
    mix = Mix(withheld=1.0, swapped=0.0, removed=0.0, shifts=1.0, qamr=0)
    groups = Groups(corpus, _found(corpus), load_qamr(data), stories, WordEmbedder().count_tokens, mix).draw(0, seed=1)
    answered = {group.question: group.windows[0] for group in groups if group.windows[0].targets}
    accepted = {each.text: each.accepted for each in corpus.questions}
    withheld = [group for group in groups if group.question in answered and not group.windows[0].targets]
    assert withheld
    for group in withheld:
        (window,) = group.windows
        whole = answered[group.question]
        assert not any(answer in window.text for answer in accepted[group.question])
        assert set(window.text.split()) < set(whole.text.split())
        told = "".join(whole.text[start:end] for start, end, _ in whole.targets)
        assert not set(told.split()) <= set(window.text.split())


def test_stories_are_asked_as_often_as_the_mix_says(corpus: Corpus, data: Path, stories: Corpus) -> None:
    kept = {each.text: each for each in trained_on(stories)}
    assert len(held_out(stories)) == len(trained_on(stories)) == len(kept) == 3
    mix = Mix(sample=0, withheld=1.0, stories=2, qamr=2)
    groups = Groups(corpus, _found(corpus), load_qamr(data), stories, WordEmbedder().count_tokens, mix).draw(0, seed=1)
    assert {group.question for group in groups} == set(kept)
    for question in kept.values():
        own = [group for group in groups if group.question == question.text]
        answered = [group for group in own if any(window.targets for window in group.windows)]
        words = {
            window.text[start:end]: weight
            for group in answered
            for window in group.windows
            for start, end, weight in window.targets
        }
        assert set(words) == set(question.accepted)
        assert all(weight == pytest.approx(1 / len(words)) for weight in words.values())
        withheld = [group for group in own if group not in answered]
        assert len(answered) == (2 if question.answers else 0)
        assert len(withheld) == 2
        for group in withheld:
            assert len(group.windows) == (1 if question.answers else 3)
            assert not any(answer in window.text for window in group.windows for answer in question.accepted)


def test_a_follow_up_is_asked_as_the_service_reads_it(stories: Corpus, tmp_path: Path) -> None:
    story = next(each for each in stories.paragraphs if not each.held_out)
    other = next(each for each in stories.paragraphs if each.held_out)
    place = [story.text.index("12 euros"), story.text.index("12 euros") + 8]
    said: dict[str, object] = {
        "story": "few",
        "title": story.title,
        "history": [["Which animals travel free?", "Dogs"]],
    }
    lines: list[dict[str, object]] = [
        said | {"question": "And what do people pay?", "written": "What do people pay?", "answers": [place]},
        said | {"question": "Who owns them?", "written": "Who owns the dogs?", "answers": []},
        said | {"title": other.title, "question": "Why?", "written": "Why do animals travel free?", "answers": []},
    ]
    (tmp_path / "dialogues.jsonl").write_text("\n".join(map(json.dumps, lines)))
    read = load_dialogues(stories, tmp_path)
    assert read.paragraphs == stories.paragraphs
    answered = {each.text: each.accepted for each in read.questions}
    before = last_exchange([Turn("user", "Which animals travel free?"), Turn("assistant", "Dogs")])
    first = meanings("And what do people pay?", before)[0].question
    owned = [each.question for each in meanings("Who owns them?", before)]
    assert len(owned) > 1
    assert first not in {"And what do people pay?", "What do people pay?"}
    assert answered == {
        "What do people pay?": ("12 euros",),
        first: ("12 euros",),
        "Who owns the dogs?": (),
        **dict.fromkeys(owned, ()),
    }
    both = stories.joined(read)
    for question in both.questions[len(stories.questions) :]:
        assert both.paragraphs[question.paragraph].title == story.title

    (tmp_path / "others.jsonl").write_text(json.dumps(lines[1]))
    assert {each.text for each in load_dialogues(stories, tmp_path, only=["others"]).questions} == {
        "Who owns the dogs?",
        *owned,
    }
    with pytest.raises(ValueError, match="no dialogues named letters"):
        load_dialogues(stories, tmp_path, only=["letters"])

    lines[0]["answers"] = [[0, len(story.text) + 1]]
    (tmp_path / "dialogues.jsonl").write_text(json.dumps(lines[0]))
    with pytest.raises(ValueError, match="lies outside the text"):
        load_dialogues(stories, tmp_path)


def test_a_story_with_an_answer_outside_of_it_is_refused(tmp_path: Path) -> None:
    content = {"title": "A", "text": "Short.", "questions": [{"question": "What?", "answers": [[3, 7]]}]}
    (tmp_path / "bad.jsonl").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"bad\.jsonl, line 1, question 0"):
        load_stories(tmp_path)


def test_stories_are_read_by_the_names_of_their_files(tmp_path: Path) -> None:
    for name in ("letters", "news"):
        content: dict[str, object] = {"title": name, "text": "Short.", "questions": []}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(content) + "\n")
    assert [each.title for each in load_stories(tmp_path).paragraphs] == ["letters", "news"]
    assert [each.title for each in load_stories(tmp_path, only=["news"]).paragraphs] == ["news"]
    with pytest.raises(ValueError, match=r"no stories named notes"):
        load_stories(tmp_path, only=["news", "notes"])


def test_a_swapped_question_is_asked_of_the_passage_that_answered(corpus: Corpus, data: Path, stories: Corpus) -> None:
    asked = replace(stories, questions=tuple(replace(each, text="Was it 12 euros?") for each in stories.questions))
    mix = Mix(sample=0, swapped_stories=1.0, stories=1, qamr=0)
    groups = Groups(corpus, _found(corpus), load_qamr(data), asked, WordEmbedder().count_tokens, mix).draw(0, seed=1)
    swapped = [group for group in groups if group.question != "Was it 12 euros?"]
    assert len(swapped) == 2
    for group in swapped:
        assert not group.windows[0].targets
        assert not set(re.findall(r"\d+", group.question)) & set(re.findall(r"\d+", group.windows[0].text))


def test_the_stories_are_fit_to_train_on() -> None:
    stories = load_stories()
    assert len(stories.questions) > 2000
    assert 0.3 < sum(not each.answers for each in stories.questions) / len(stories.questions) < 0.45
    asked = {(each.paragraph, each.text.casefold()) for each in stories.questions}
    assert len(asked) == len(stories.questions)
    for question in stories.questions:
        text = stories.paragraphs[question.paragraph].text
        for gold in question.answers:
            words = text[gold.start : gold.end]
            assert words == words.strip()
            for edge in (gold.start, gold.end):
                assert not text[edge - 1 : edge + 1].isalnum() or len(text[edge - 1 : edge + 1]) < 2, (question, words)


def test_the_dialogues_are_fit_to_train_on() -> None:
    stories = load_stories()
    titles = {(each.source.partition("#")[0], each.title) for each in stories.paragraphs}
    for path in DIALOGUES.glob("*.jsonl"):
        for line in path.read_text().splitlines():
            content = json.loads(line)
            assert (content["story"], content["title"]) in titles
    asked = load_dialogues(stories).questions
    assert len(asked) > 1500
    assert 0.2 < sum(not each.answers for each in asked) / len(asked) < 0.45
    for question in asked:
        for words in question.accepted:
            assert words == words.strip()


def test_the_stories_tell_nothing_of_what_is_judged_on() -> None:
    def runs(text: str, length: int = 6) -> set[tuple[str, ...]]:
        words = words_of(text)
        return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}

    stories = load_stories()
    asked = [each.text for each in (*stories.questions, *load_dialogues(stories).questions)]
    texts = [each.text for each in stories.paragraphs] + asked
    learned = set().union(*map(runs, texts))
    judged = set().union(*(runs(path.read_text()) for path in SEEDS.iterdir()))
    cases = [*read_cases(SEEDS_SET), *read_cases(DIALOGUES_SET)]
    whole = [each for case in cases for each in (case.question, case.standalone) if each]
    judged |= set().union(*map(runs, whole))
    # Such as "how many people were killed in".
    assert len(learned & judged) < 30, learned & judged
    # A follow-up of a few words may be anyone's.
    assert not {each.casefold() for each in asked} & {each.casefold() for each in whole if len(words_of(each)) > 4}


def test_rivals_are_what_misleads_a_reader_most(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".models").symlink_to(MODEL_CACHE)
    artifact = load_artifact(DEFAULT_READER)
    reader = SpanReader(artifact, load_runtime(artifact.path / MODEL_FILE))
    found = rivals(reader, corpus, tmp_path)
    monkeypatch.setattr("training.rivals._SUREST", 100.0)
    everything = rivals(reader, corpus, tmp_path)
    answerable = {each.id: each for each in trained_on(corpus) if each.answers and not is_shifted(corpus, each)}
    assert set(found) == set(everything) == set(answerable)
    for name, places in everything.items():
        own = [each.paragraph == answerable[name].paragraph for each in places]
        assert own == sorted(own, reverse=True)
        assert 1 < len(places) == len(set(places)) <= DEPTH
        assert [each for each in places if each in found[name]] == found[name]
        assert not any(own[len(found[name]) :])
    assert sum(map(len, found.values())) < sum(map(len, everything.values()))  # who did the same elsewhere does answer
    monkeypatch.setattr(SpanReader, "read_passages", None)  # what was read is kept
    assert rivals(reader, corpus, tmp_path) == everything


def test_misses_are_wrong_answers_wrong_silence_and_answers_to_nothing(
    stories: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".models").symlink_to(MODEL_CACHE)
    artifact = load_artifact(DEFAULT_READER)
    reader = SpanReader(artifact, load_runtime(artifact.path / MODEL_FILE))
    silent, bold = (
        reader.calibrated(replace(artifact.calibration, min_confidence=threshold)) for threshold in (1.0, 0.0)
    )
    asked = trained_on(stories)
    missed = misses(silent, stories, tmp_path)
    assert missed.paragraphs == stories.paragraphs
    assert {each.id for each in missed.questions} == {each.id for each in asked if each.answers}
    missed = misses(bold, stories, tmp_path)
    assert {each.text for each in missed.questions if not each.answers} == {"Who raised the prices?"}
    assert "What does it cost?" not in {each.text for each in missed.questions}
    assert not misses(silent, stories, tmp_path, but=["few"]).questions
    monkeypatch.setattr(SpanReader, "read_passages", None)  # what was found is kept
    assert misses(bold, stories, tmp_path) == missed


def test_a_pass_that_goes_by_what_misleads_needs_a_reader_to_mislead(
    data: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "mine", lambda *_: _found(corpus))
    (tmp_path / ".models").symlink_to(MODEL_CACHE)
    arguments = ["fit", str(data), "--work", str(tmp_path), "--start", "embedder", "--pass", "misled"]
    result = CliRunner().invoke(commands.main, arguments)
    assert (result.exit_code, "--misleads" in result.output) == (2, True)


def test_only_what_has_rivals_is_asked_and_of_these(corpus: Corpus, data: Path, stories: Corpus) -> None:
    chosen = next(each for each in trained_on(corpus) if each.answers and not is_shifted(corpus, each))
    fact = corpus.paragraphs[chosen.paragraph].text.partition(chosen.accepted[0])[2]
    own = Found(chosen.paragraph, 0, len(corpus.paragraphs[chosen.paragraph].text))
    rival = next(
        Found(number, 0, len(each.text))
        for number, each in enumerate(corpus.paragraphs)
        if not each.held_out and fact[:20] not in each.text and chosen.accepted[0] not in each.text
    )
    mix = Mix(negatives=1.0, shifts=0.0, removed=0.0, swapped=0.0, qamr=0, misled=True)
    sentences, count = load_qamr(data), WordEmbedder().count_tokens
    groups = Groups(corpus, _found(corpus), sentences, stories, count, mix, {chosen.id: [own, rival]}).draw(0, seed=1)
    answered = [group for group in groups if any(window.targets for window in group.windows)]
    assert [group.question for group in answered] == [chosen.text]
    assert [window.text for window in answered[0].windows] == [
        corpus.paragraphs[chosen.paragraph].text,
        corpus.paragraphs[rival.paragraph].text,
    ]
    assert len(groups) > 1  # what nothing answers is asked as ever


def test_a_swap_names_what_the_passage_does_not_hold() -> None:
    swapper = Swapper(["Did Bob Stone pay in 1951?", "Did Ada Hill write in 1843?"])
    random = np.random.default_rng(0)
    swaps = {swapper.swap("Did Ada Hill write in 1843?", "Ada Hill wrote in 1843.", random) for _ in range(50)}
    assert swaps - {None} == {"Did Bob Stone write in 1843?", "Did Ada Hill write in 1951?"}
    assert swapper.swap("why?", "Because.", random) is None
    nearby = "Ada Hill wrote in 1843. Later, in 1850, came Cy Dale."
    question, passage = "Did Ada Hill write in 1843?", "Ada Hill wrote in 1843."
    near = [swapper.swap(question, passage, random, nearby=nearby) for _ in range(50)]
    wanted = {"Did Cy Dale write in 1843?", "Did Ada Hill write in 1850?"}
    assert wanted <= set(near)
    assert sum(each in wanted for each in near) > 40


@given(
    st.text(max_size=80) | st.sampled_from(["Who paid for the lamp?", "When did Ada Lovelace write?"]),
    st.integers(0, 99),
)
def test_a_slip_changes_one_letter_inside_one_word(question: str, seed: int) -> None:
    typed = mistyped(question, np.random.default_rng(seed))
    assert abs(len(typed) - len(question)) <= 1
    changed = [pair for pair in zip(question.split(), typed.split(), strict=True) if pair[0] != pair[1]]
    assert len(changed) <= 1
    for word, slip in changed:
        assert (sorted(word)[0] and word[0] == slip[0]) or not word[0].isalpha()
        assert len(word) >= 4
        assert SequenceMatcher(None, word, slip).ratio() >= 0.6


def test_slips_are_of_every_kind() -> None:
    slips = {mistyped("lamp", np.random.default_rng(seed)) for seed in range(300)}
    assert {"lmp", "laamp", "lmap", "lap", "lammp"} <= slips
    assert any(len(each) == 4 and sorted(each) != sorted("lamp") for each in slips)


def test_keywords_are_what_is_left_without_small_words() -> None:
    assert keywords('How many fire trucks did the "soft loan" of 2019 secure?') == "fire trucks soft loan 2019 secure"
    assert keywords("Who paid Bob?") == "Who paid Bob?"


def test_some_questions_are_asked_otherwise(corpus: Corpus, data: Path, stories: Corpus) -> None:
    def asked(mix: Mix) -> list[str]:
        groups = Groups(corpus, _found(corpus), load_qamr(data), stories, WordEmbedder().count_tokens, mix)
        return [group.question for group in groups.draw(0, seed=1)]

    plain = Mix(swapped=0.0, qamr=2)
    known = set(asked(plain))
    assert not known & set(asked(replace(plain, mistyped=1.0)))
    assert set(asked(replace(plain, keywords=1.0))) == {keywords(each) for each in known}


def test_targets_are_the_tokens_of_the_characters() -> None:
    batch = collate(GROUPS, MAKER)
    (bob, ada), rows = zip(batch.target_starts.tolist(), batch.target_ends.tolist(), strict=True), batch.target_rows
    assert rows.tolist() == [0, 0]
    ids = next(part.input_ids[part.rows.index(0)] for part in batch.parts if 0 in part.rows)
    tokens = MAKER.tokens(["Bob", "Ada"])
    assert ids[bob[0] : bob[1] + 1].tolist() == list(tokens[0].ids)
    assert ids[ada[0] : ada[1] + 1].tolist() == list(tokens[1].ids)
    assert batch.group.tolist() == [0, 0, 1]


def test_batches_hold_all_groups_in_order() -> None:
    groups = [Group(str(number), (Window("a", ""),) * (1 + number % 3)) for number in range(20)]
    found = list(batches(groups, 6))
    assert [group for batch in found for group in batch] == groups
    assert all(6 <= sum(len(group.windows) for group in batch) <= 8 for batch in found[:-1])


def _by_definition(scores: Sequence[float], marked: Sequence[tuple[float, float]]) -> float:
    """Return -log p of what is marked, each a score and a weight, where p is over all scores and silence."""
    share = sum(weight for _, weight in marked)
    return math.log(1 + sum(math.exp(each) for each in scores)) - sum(
        score * weight / share for score, weight in marked
    )


def _targets_of(batch: Batch, rows: Sequence[int]) -> list[tuple[int, int, int, float]]:
    targets = zip(batch.target_rows, batch.target_starts, batch.target_ends, batch.target_weights, strict=True)
    return [(int(row), int(first), int(last), float(weight)) for row, first, last, weight in targets if row in rows]


def _loss_of_ends(marks: torch.Tensor, batch: Batch) -> float:
    """Return the mean over questions, beginnings and ends; p is over all tokens of all passages of the question."""
    losses = []
    for side in (0, 1):
        for group in range(batch.groups):
            rows = [row for row in range(len(marks)) if batch.group[row] == group]
            scores = [float(each) for row in rows for each in marks[row, :, side] if each > -math.inf]
            marked = [
                (float(marks[row, (first, last)[side], side]), weight)
                for row, first, last, weight in _targets_of(batch, rows)
            ]
            losses.append(_by_definition(scores, marked))
    return sum(losses) / len(losses)


def _loss_of_spans(marks: torch.Tensor, batch: Batch) -> float:
    """Return the mean over questions; p is over all spans of all passages of the question."""

    def score(row: int, first: int, last: int) -> float:
        pair = marks[row, first, 2 : 2 + PAIR_SIZE] @ marks[row, last, 2 + PAIR_SIZE :]
        return float(marks[row, first, 0] + marks[row, last, 1] + pair)

    losses = []
    for group in range(batch.groups):
        rows = [row for row in range(len(marks)) if batch.group[row] == group]
        readable = [(row, token) for row in rows for token in range(marks.shape[1]) if marks[row, token, 0] > -math.inf]
        scores = [
            score(row, first, last)
            for row, first in readable
            for other, last in readable
            if row == other and first <= last
        ]
        marked = [(score(*target), weight) for *target, weight in _targets_of(batch, rows)]
        losses.append(_by_definition(scores, marked))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("groups", [GROUPS, GROUPS[:1], GROUPS[1:], GROUPS[::-1]])
@pytest.mark.parametrize("joint", [True, False])
def test_the_loss_is_what_it_says(groups: list[Group], joint: bool) -> None:
    torch.manual_seed(0)
    model = _tiny_model()
    torch.nn.init.normal_(model.pair_head.weight, std=0.1)
    batch = collate(groups, MAKER)
    definition = _loss_of_spans if joint else _loss_of_ends
    with torch.no_grad():
        marks = batch_marks(model, batch)
        together = definition(marks, batch)
        alone = definition(marks, replace(batch, group=torch.arange(len(marks)), groups=len(marks)))
        assert reading_loss(marks, batch, joint=joint).item() == pytest.approx(together, rel=1e-4)
        mixed = reading_loss(marks, batch, alone=0.25, joint=joint).item()
        assert mixed == pytest.approx(0.75 * together + 0.25 * alone, rel=1e-4)


def test_marks_are_those_of_each_sequence_alone() -> None:
    torch.manual_seed(0)
    model = _tiny_model()
    together = batch_marks(model, collate(GROUPS, MAKER))
    alone = batch_marks(model, collate(GROUPS[1:], MAKER))
    length = alone.shape[1]
    readable = alone[0, :, 0] > -torch.inf
    assert torch.allclose(together[2, :length][readable], alone[0][readable], atol=0.05)  # computed in bfloat16


def test_fitting_learns_and_a_run_cut_short_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    recipe = Recipe(batch=3, learning_rate=2e-3, checkpoint_every=6)

    def fitted(folder: Path) -> SpanModel:
        torch.manual_seed(3)
        model = _tiny_model()
        assert fit(model, GROUPS * 12, MAKER, recipe, folder) == 12
        return model

    model = fitted(tmp_path / "whole")
    losses = [json.loads(line)["loss"] for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    assert len(losses) == 12
    assert losses[-1] < 0.5 * losses[0]

    class CutShort(Exception):
        pass

    calls = 0
    original = torch.optim.AdamW.step

    def step(self: torch.optim.AdamW, *arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 9:
            raise CutShort
        return original(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", step)
        torch.manual_seed(3)
        with pytest.raises(CutShort):
            fit(_tiny_model(), GROUPS * 12, MAKER, recipe, tmp_path / "cut")
    again = fitted(tmp_path / "cut")
    for name, weight in model.state_dict().items():
        assert torch.allclose(weight, again.state_dict()[name], atol=1e-6), name
    with pytest.raises(ValueError, match="another recipe"):
        fit(_tiny_model(), GROUPS * 12, MAKER, replace(recipe, seed=9), tmp_path / "cut")


def test_what_is_frozen_stays_as_it_was(tmp_path: Path) -> None:
    model = SpanModel(layers=2)
    before = {name: each.clone() for name, each in model.state_dict().items()}
    fit(model, GROUPS * 4, MAKER, Recipe(batch=3, learning_rate=2e-3, frozen=1), tmp_path)
    changed = [name for name, each in model.state_dict().items() if not torch.equal(each, before[name])]
    assert any(name.startswith("encoder.encoder.layer.1.") for name in changed)
    assert not [name for name in changed if name.startswith(("encoder.embeddings.", "encoder.encoder.layer.0."))]


def test_a_run_begun_again_begins_with_the_same_weights(
    data: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    begun: list[dict[str, torch.Tensor]] = []

    def keep(model: SpanModel, *_: object, **__: object) -> int:
        begun.append({name: each.clone() for name, each in model.state_dict().items()})
        return 0

    monkeypatch.setattr(commands, "mine", lambda *_: _found(corpus))
    monkeypatch.setattr(commands, "from_embedder", _tiny_model)
    monkeypatch.setattr(commands, "PASSES", {"deep": (Mix(qamr=2), Recipe())})
    monkeypatch.setattr(commands, "fit", keep)
    for _ in range(2):
        torch.rand(1)
        arguments = ["fit", str(data), "--work", str(tmp_path), "--start", "embedder"]
        result = CliRunner().invoke(commands.main, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    first, second = begun
    assert all(torch.equal(weight, second[name]) for name, weight in first.items())


def test_weights_come_back_as_they_were_saved(tmp_path: Path) -> None:
    model = _tiny_model()
    model.save(tmp_path / "weights.safetensors")
    again = SpanModel.load(tmp_path / "weights.safetensors")
    for name, weight in model.state_dict().items():
        assert torch.allclose(weight, again.state_dict()[name], atol=1e-3), name


def test_an_average_is_the_mean_of_the_weights_and_records_what_it_is_of(tmp_path: Path) -> None:
    models = [_tiny_model(), _tiny_model()]
    for number, model in enumerate(models):
        run = tmp_path / str(number)
        run.mkdir()
        model.save(run / "weights.safetensors")
        write_record(run, {"steps": number}, [tmp_path / "0"] if number else [])
    arguments = ["average", "--work", str(tmp_path), "--name", "mean", "0", "1"]
    result = CliRunner().invoke(commands.main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    first, second, mean = (SpanModel.load(tmp_path / name / "weights.safetensors") for name in ("0", "1", "mean"))
    for name, weight in mean.state_dict().items():
        expected = (first.state_dict()[name] + second.state_dict()[name]) / 2
        assert torch.allclose(weight, expected, atol=1e-3), name
    record = json.loads((tmp_path / "mean" / "training.json").read_text())
    assert record == {"run": "mean", "runs": {"0": {"steps": 0}, "1": {"steps": 1}, "mean": {"mean_of": ["0", "1"]}}}


def test_a_published_reader_gives_its_weights_back(tmp_path: Path) -> None:
    arguments = ["restore", str(DEFAULT_READER), "--work", str(tmp_path), "--name", "again"]
    result = CliRunner().invoke(commands.main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "exists; choose another --name" in CliRunner().invoke(commands.main, arguments).output
    record = json.loads((tmp_path / "again" / "training.json").read_text())
    assert set(record["runs"]) == {*json.loads((DEFAULT_READER / "training.json").read_text())["runs"], "again"}
    model = SpanModel.load(tmp_path / "again" / "weights.safetensors").eval()
    features = MAKER.features(*MAKER.tokens(("Who paid for the lamp?", "Notes", "Bob Miller paid 42 euros. Ada left.")))
    inputs = {
        "input_ids": np.array([features.ids]),
        "attention_mask": np.ones((1, len(features.ids)), dtype=np.int64),
        "token_type_ids": np.array([features.type_ids()]),
    }
    published = ort.InferenceSession(DEFAULT_READER / MODEL_FILE).run(None, inputs)[0]
    with torch.no_grad():
        marks = model(*map(torch.tensor, inputs.values())).numpy()
    for each, expected in ((marks[..., :2], published[..., :2]), (marks[..., 2:], published[..., 2:])):
        assert np.corrcoef(each.ravel(), expected.ravel())[0, 1] > 0.995


def test_a_finished_run_is_a_reader_that_says_what_int8_costs(
    data: Path, corpus: Corpus, stories: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "load_stories", lambda: stories)
    monkeypatch.setattr(commands, "mine", lambda *_: _found(corpus))
    run = tmp_path / "run"
    run.mkdir()
    from_reader(load_artifact(DEFAULT_READER)).save(run / "weights.safetensors")
    (run / "training.json").write_text('{"steps": 7}')
    (tmp_path / ".models").symlink_to(MODEL_CACHE)
    arguments = ["finish", str(data), "--work", str(tmp_path), "--version", "new", "-o", str(tmp_path / "new")]
    result = CliRunner().invoke(commands.main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    artifact = load_artifact(tmp_path / "new")
    record = json.loads((artifact.path / "training.json").read_text())
    assert record["steps"] == 7
    single, quantised = (record["paragraph_given"][each]["F1"]["value"] for each in ("single", "int8"))
    assert single > 0.5
    assert quantised == pytest.approx(single, abs=0.2)
    assert record["paragraph_given"]["int8"]["questions"] == record["held_out"]["questions"]
    # What the network holds as it was is not kept twice; both together give everything back.
    fitted, kept = load_file(run / "weights.safetensors"), load_file(artifact.path / "weights.safetensors")
    assert "encoder.embeddings.word_embeddings.weight" in set(fitted) - set(kept)
    assert "encoder.encoder.layer.7.output.dense.weight" in kept
    again = from_reader(artifact).state_dict()
    assert all(torch.equal(weight, again[name].half()) for name, weight in fitted.items())
    (artifact.path / "weights.safetensors").write_bytes(b"others")
    with pytest.raises(ModelError, match=r"weights\.safetensors is not the file that was published"):
        from_reader(artifact)


def test_a_reader_is_calibrated_anew_by_what_is_found(
    data: Path, corpus: Corpus, stories: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "load_stories", lambda: stories)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / ".models").symlink_to(MODEL_CACHE)
    arguments = [
        "calibrate",
        str(data),
        "--work",
        str(tmp_path / "work"),
        "--version",
        "new",
        "-o",
        str(tmp_path / "new"),
    ]
    result = CliRunner().invoke(commands.main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    before, after = load_artifact(DEFAULT_READER), load_artifact(tmp_path / "new")
    assert after.sha256 == before.sha256
    assert after.calibration != before.calibration
    assert after.identity.startswith("citespan-minilm-new@")
    record, kept_out = json.loads((tmp_path / "new" / "training.json").read_text()), held_out(corpus)
    assert record["held_out"]["questions"] == sum(bool(each.answers) for each in kept_out)
    assert record["held_out_stories"]["questions"] == sum(bool(each.answers) for each in held_out(stories))
    assert record["held_out"]["f1"] > 0.5  # what is kept out asks for names and years of a few sentences
    again = CliRunner().invoke(commands.main, arguments)
    assert again.exit_code == 1
    assert "exists; choose another --version" in again.output


def _tiny_model() -> SpanModel:
    return SpanModel(layers=1)

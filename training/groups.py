"""Groups: a question, the passages that are read for it at once, and where in them the answer stands, if it does."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval.metrics import normalize
from eval.squad import Corpus, Paragraph, Question
from index.passages import PassageSettings, split_passages
from index.sentences import split_sentences
from index.words import TokenCounter, content_words, words_of
from training.data import is_shifted, trained_on
from training.mining import Found
from training.swaps import Swapper
from training.wording import keywords, mistyped

_CROPPED_CHARACTERS = 500
# So many passages of a story are read for a question.
_STORY_PASSAGES = 3

Target = tuple[int, int, float]


@dataclass(frozen=True, slots=True)
class Window:
    """A passage to read: `text`, with the title above it and the targets in it, as (start, end, weight)."""

    text: str
    title: str
    targets: tuple[Target, ...] = ()

    def unmarked(self) -> "Window":
        """Return the same passage as one that does not answer."""
        return replace(self, targets=())


@dataclass(frozen=True, slots=True)
class Group:
    """A question and the passages read for it. Without targets in any of them, silence is right."""

    question: str
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Mix:
    """What a pass over the data is made of: how often, or with which probability, a question gets what."""

    negatives: float = 1.0
    """Passages found for a SQuAD question that do not answer it, read beside the one that does; on average."""
    shifts: float = 0.5
    """Share of the questions of SQuADShifts."""
    shifts_negatives: float = 0.2
    adversarial_negatives: float = 0.0
    cropped: float = 0.0
    """Share of SQuAD questions whose passages are read in part, as all of SQuADShifts are."""
    removed: float = 0.1
    """Share of SQuAD questions also asked of nothing but passages that do not answer them."""
    swapped: float = 0.12
    """Share of questions also asked with a name or a number swapped."""
    swapped_stories: float = 0.0
    """The same of the questions of the stories, swapped for what else the story names."""
    withheld: float = 0.0
    """Share of questions also asked of their own passage without the sentences that hold the answer."""
    mistyped: float = 0.0
    """Share of questions with a letter wrong."""
    keywords: float = 0.0
    """Share of questions asked by their keywords alone."""
    qamr: int = 9000
    """Questions on single sentences."""
    stories: int = 0
    """How often every question of the stories is asked."""
    dialogues: tuple[str, ...] = ()
    """Files of follow-ups about the stories that are asked with these."""
    missed: bool = False
    """Whether those of the other stories' questions are asked with these that a reader does not meet as it should."""
    misled: bool = False
    """Whether of SQuAD's questions with an answer only those are asked whose rivals were found."""
    title: float = 0.8
    """Share of passages with the title above them."""
    sample: float = 1.0
    """Share of all this, stories apart, that is used at all."""


DEEP_MIX = Mix(
    shifts=0.25,
    adversarial_negatives=0.2,
    cropped=0.15,
    qamr=4000,
    withheld=0.15,
    mistyped=0.05,
    keywords=0.04,
    stories=1,
)
# The pass after that is harder: more passages beside an answer, and more questions without one.
DEEPER_MIX = replace(
    DEEP_MIX,
    negatives=1.9,
    removed=0.12,
    shifts=0.2,
    qamr=1500,
    withheld=0.2,
    swapped_stories=0.5,
)
# A short one for stories that have been added since, with enough of everything else not to forget it.
TOLD_MIX = replace(DEEPER_MIX, sample=0.15)
# The same again for those that came after, with more of everything else: its run begins with the mean of others.
RETOLD_MIX = replace(DEEPER_MIX, sample=0.3)
# What misleads the reader: the passages that it takes for answers, alone and beside the one that answers.
MISLED_MIX = replace(DEEPER_MIX, negatives=2.4, removed=0.3, shifts=0.06, qamr=600, sample=0.65, misled=True)
# The last stories, follow-ups about these and others, and a little of everything else.
FOLLOWED_MIX = replace(DEEPER_MIX, sample=0.16, dialogues=("first", "later"))
# Both once more, so that neither is forgotten over the other.
SETTLED_MIX = replace(MISLED_MIX, sample=0.4, dialogues=("first", "later"))
# The longer stories and follow-ups about them, and what of the others is still missed.
MISSED_MIX = replace(MISLED_MIX, sample=0.2, dialogues=("third",), missed=True)
# The stories that came last, and the follow-ups about both.
WIDENED_MIX = replace(MISLED_MIX, sample=0.16, dialogues=("third", "fourth"))


class Groups:
    """The groups of every pass, each drawn anew from the same data by the number of the pass."""

    def __init__(
        self,
        corpus: Corpus,
        found: Sequence[Sequence[Found]],
        qamr: Corpus,
        stories: Corpus,
        count_tokens: TokenCounter,
        mix: Mix,
        rivals: Mapping[str, Sequence[Found]] | None = None,
    ) -> None:
        """Cut the paragraphs of `corpus` and the stories as the service cuts them.

        `found` is what was mined for the questions of `corpus`; `rivals`, by the question's id, takes its place where
        there are any.
        """
        self._corpus, self._qamr, self._stories, self._mix = corpus, qamr, stories, mix
        rivals = rivals or {}
        self._questions = [
            each
            for each in trained_on(corpus)
            if not mix.misled or each.id in rivals or not each.answers or is_shifted(corpus, each)
        ]
        self._found = {question.id: each for question, each in zip(corpus.questions, found, strict=True)} | dict(rivals)
        self._passages = [_passages(each, count_tokens) for each in corpus.paragraphs]
        self._story_passages = [_passages(each, count_tokens) for each in stories.paragraphs]
        self._texts: dict[tuple[int, int], str] = {}
        self._swapper = Swapper([each.text for each in self._questions])

    def passages(self, paragraph: int) -> list[tuple[int, int]]:
        """Return where the passages of a paragraph begin and end."""
        return self._passages[paragraph]

    def draw(self, number: int, seed: int) -> list[Group]:
        """Return the groups of pass `number`, in random order."""
        random = np.random.default_rng((seed, number))
        groups = [group for question in self._questions for group in self._of(question, random)]
        chosen = random.choice(len(self._qamr.questions), self._mix.qamr, replace=False)
        groups.extend(self._sentence(self._qamr.questions[each], random) for each in chosen)
        groups = [groups[each] for each in random.permutation(len(groups))[: round(self._mix.sample * len(groups))]]
        for question in trained_on(self._stories) * self._mix.stories:
            groups.extend(self._of_story(question, random))
        return [self._reworded(groups[each], random) for each in random.permutation(len(groups))]

    def _of(self, question: Question, random: np.random.Generator) -> Iterator[Group]:
        mix = self._mix
        paragraph = self._corpus.paragraphs[question.paragraph]
        own = self._own(question)
        shifted = is_shifted(self._corpus, question)
        if not question.answers:
            others = self._negatives(question, own, _about(mix.adversarial_negatives, random), random)
            yield Group(question.text, (self._window(paragraph, own, (), random), *others))
            return
        if shifted and random.random() >= mix.shifts:
            return
        wanted = _about(mix.shifts_negatives if shifted else mix.negatives, random)
        negatives = self._negatives(question, own, wanted, random)
        targets = tuple((each.start, each.end, each.weight) for each in question.answers)
        window = self._window(paragraph, own, targets, random)
        if shifted or random.random() < mix.cropped:
            window = _cropped(window, random)
            negatives = [_cropped(each, random) for each in negatives]
        if window.targets:  # an answer may lie across the end of a passage
            yield Group(question.text, (window, *negatives))
        if not shifted and negatives and random.random() < mix.removed:
            yield Group(question.text, tuple(negatives))
        if random.random() < mix.swapped:
            swapped = self._swapper.swap(question.text, paragraph.text, random)
            if swapped:
                yield Group(swapped, (self._window(paragraph, own, (), random),))
        if random.random() < mix.withheld:
            rest = _without_answer(window, question.accepted)
            if rest:
                yield Group(question.text, (rest,))

    def _of_story(self, question: Question, random: np.random.Generator) -> Iterator[Group]:
        """Yield a question with the passages of its story that answer, and of the others those most like it."""
        story = self._stories.paragraphs[question.paragraph]
        targets = tuple((each.start, each.end, each.weight) for each in question.answers)
        windows = [self._window(story, each, targets, random) for each in self._story_passages[question.paragraph]]
        answering = [each for each in windows if each.targets]
        asked = set(content_words(question.text))
        others = sorted(
            (each for each in windows if not each.targets and not _tells(each.text, question.accepted)),
            key=lambda each: -len(asked.intersection(words_of(each.text))),
        )
        yield Group(question.text, (*answering, *others[: max(0, _STORY_PASSAGES - len(answering))]))
        if answering and random.random() < self._mix.withheld:
            rest = _without_answer(answering[0], question.accepted)
            if rest:
                yield Group(question.text, (rest,))
        # A pass without these draws no number for them, so that it draws the rest as it did before there were any.
        if answering and self._mix.swapped_stories and random.random() < self._mix.swapped_stories:
            swapped = self._swapper.swap(question.text, answering[0].text, random, nearby=story.text)
            if swapped:
                yield Group(swapped, (answering[0].unmarked(),))

    def _reworded(self, group: Group, random: np.random.Generator) -> Group:
        """Return the group asked as people ask in a hurry, or as it is."""
        drawn = random.random()
        if drawn < self._mix.mistyped:
            return replace(group, question=mistyped(group.question, random))
        if drawn < self._mix.mistyped + self._mix.keywords:
            return replace(group, question=keywords(group.question))
        return group

    def _own(self, question: Question) -> tuple[int, int]:
        """Return the passage of its paragraph that a question is about: the one with most of the answers in it."""
        passages = self._passages[question.paragraph]
        if not question.answers:
            for each in self._found[question.id]:
                if each.paragraph == question.paragraph:
                    return each.start, each.end
            return passages[0]
        return max(
            passages,
            key=lambda passage: sum(
                each.weight for each in question.answers if passage[0] <= each.start and each.end <= passage[1]
            ),
        )

    def _negatives(
        self, question: Question, own: tuple[int, int], wanted: int, random: np.random.Generator
    ) -> list[Window]:
        """Draw passages that were found for a question and do not hold its answer: the nearer, the likelier."""
        accepted = [normalize(each) for each in question.accepted]
        possible = []
        for each in self._found[question.id]:
            if each.paragraph == question.paragraph and each.start < own[1] and own[0] < each.end:
                continue
            paragraph = self._corpus.paragraphs[each.paragraph]
            if paragraph.held_out:
                continue
            text = self._normalised(each)
            if not any(f" {answer} " in text for answer in accepted):
                possible.append(each)
        if not possible or not wanted:
            return []
        weights = 1.0 / (2.0 + np.arange(len(possible)))
        count = min(wanted, len(possible))
        chosen = random.choice(len(possible), count, replace=False, p=weights / weights.sum())
        return [
            self._window(
                self._corpus.paragraphs[possible[each].paragraph],
                (possible[each].start, possible[each].end),
                (),
                random,
            )
            for each in chosen
        ]

    def _normalised(self, found: Found) -> str:
        place = found.paragraph, found.start
        if place not in self._texts:
            text = self._corpus.paragraphs[found.paragraph].text[found.start : found.end]
            self._texts[place] = f" {normalize(text)} "
        return self._texts[place]

    def _window(
        self, paragraph: Paragraph, passage: tuple[int, int], targets: tuple[Target, ...], random: np.random.Generator
    ) -> Window:
        start, end = passage
        inside = tuple(
            (first - start, last - start, weight) for first, last, weight in targets if start <= first and last <= end
        )
        title = paragraph.title if random.random() < self._mix.title else ""
        return Window(paragraph.text[start:end], title, inside)

    def _sentence(self, question: Question, random: np.random.Generator) -> Group:
        paragraph = self._qamr.paragraphs[question.paragraph]
        targets = tuple((each.start, each.end, each.weight) for each in question.answers)
        return Group(question.text, (self._window(paragraph, (0, len(paragraph.text)), targets, random),))


def _about(mean: float, random: np.random.Generator) -> int:
    """Return a whole number that is `mean` on average."""
    return int(mean) + int(random.random() < mean % 1)


def _passages(paragraph: Paragraph, count_tokens: TokenCounter) -> list[tuple[int, int]]:
    """Return where the passages begin and end into which the service would cut a paragraph."""
    cut = split_passages(paragraph.text, markdown=False, count_tokens=count_tokens, settings=PassageSettings())
    return [(each.start, each.end) for each in cut]


def _tells(text: str, accepted: Sequence[str]) -> bool:
    """Whether a text holds one of the accepted answers."""
    told = f" {normalize(text)} "
    return any(f" {normalize(each)} " in told for each in accepted)


def _without_answer(window: Window, accepted: Sequence[str]) -> Window | None:
    """Return what is left of a passage without the sentences with the targets; None where it still tells the answer.

    Nothing is nearer to a passage that answers than this: the same words, but for those that are asked for.
    """
    sentences = split_sentences(window.text, 0, len(window.text))
    kept = [
        (start, end)
        for start, end in sentences
        if not any(first < end and start < last for first, last, _ in window.targets)
    ]
    text = " ".join(window.text[start:end] for start, end in kept)
    if not kept or _tells(text, accepted):
        return None
    return Window(text, window.title)


def _cropped(window: Window, random: np.random.Generator) -> Window:
    """Return the sentences with the targets, or any one, and some around: shorter is cheaper, and ends vary."""
    sentences = list(split_sentences(window.text, 0, len(window.text)))
    marked = [
        number
        for number, (start, end) in enumerate(sentences)
        if any(first < end and start < last for first, last, _ in window.targets)
    ]
    if not marked:
        marked = [int(random.integers(len(sentences)))]
    first, last = marked[0], marked[-1]
    while True:
        grown = [
            place for place in ((first - 1, last), (first, last + 1)) if place[0] >= 0 and place[1] < len(sentences)
        ]
        if not grown:
            break
        wider = grown[random.integers(len(grown))]
        if sentences[wider[1]][1] - sentences[wider[0]][0] > _CROPPED_CHARACTERS:
            break
        first, last = wider
    begin, end = sentences[first][0], sentences[last][1]
    targets = tuple((start - begin, stop - begin, weight) for start, stop, weight in window.targets)
    return Window(window.text[begin:end], window.title, targets)

"""Stories: what is told twice in nearly the same words, so that it comes from one source and need not be shown twice.

Wordings are compared by their runs of three words ("shingles": Broder 1997). The few passages of one question are
compared exactly, which takes less than to look up what an estimate made at indexing would say of them; and only here,
after reading, is it known whether their answers agree.
"""

from collections.abc import Sequence
from functools import cache

from index.words import words_of
from service.reader.words import numbers_of

_SHINGLE = 3
# Of the shorter of two sentences, so much stands in the other where they are one sentence, edited.
_SAME_SENTENCE = 0.6
# Passages of one story are cut at different places: they share so much, and strangers hardly anything.
_SAME_STORY = 0.3
_LEAST_SHINGLES = 20
# A passage of which so much stands in others says nothing new.
_TOLD = 0.7

Shingles = frozenset[tuple[str, ...]]


def shingles(text: str) -> Shingles:
    """Return the runs of three words of a text; of a shorter one, all its words."""
    words = words_of(text)
    return frozenset(zip(*(words[place:] for place in range(_SHINGLE)), strict=False)) or frozenset({tuple(words)})


def figures(text: str) -> frozenset[str]:
    """Return the numbers of a text and the words in it that begin with a capital, but for its first."""
    capitals = (word.strip(".,;:!?()[]\"'\u2018\u2019\u201c\u201d") for word in text.split()[1:])
    names = {word.lower() for word in capitals if word[:1].isupper()}
    return frozenset(names | numbers_of(words_of(text)))


def same_story(sentences: tuple[str, str], passages: tuple[str, str]) -> bool:
    """Whether two sentences, each from its passage, come from one source: their wording says so.

    It is not so where each has a number or a name that the other lacks.
    """
    first, second = (figures(each) for each in sentences)
    if not (first <= second or second <= first):
        return False
    if _shared(*map(shingles, sentences)) >= _SAME_SENTENCE:
        return True
    ours, theirs = map(shingles, passages)
    return min(len(ours), len(theirs)) >= _LEAST_SHINGLES and _shared(ours, theirs) >= _SAME_STORY


def told_already(passages: Sequence[str]) -> list[bool]:
    """Return of each passage whether those before it say nearly all that it says, with all its numbers and names."""
    told: list[bool] = []
    known: set[tuple[str, ...]] = set()
    named = cache(figures)
    for number, each in enumerate(passages):
        wording = shingles(each)
        is_told = len(wording & known) >= _TOLD * len(wording)
        told.append(is_told and named(each) <= frozenset().union(*map(named, passages[:number])))
        known |= wording
    return told


def _shared(first: Shingles, second: Shingles) -> float:
    return len(first & second) / min(len(first), len(second))

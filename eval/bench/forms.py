"""Forms: the same question as people also type it, with typing errors or as mere keywords."""

import re

import numpy as np

from index.words import STOP_WORDS, content_words

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TYPED = re.compile(r"[^\W\d_]{5,}")


def misspelt(question: str, seed: int) -> str:
    """Return a question with typing errors in one or two of its longer words, drawn by lot from `seed`."""
    draw = np.random.default_rng([seed, *question.encode()])
    places = [each for each in _TYPED.finditer(question) if each.group().lower() not in STOP_WORDS]
    chosen = draw.permutation(len(places))[:2].tolist()
    for place in sorted(chosen, reverse=True):
        match = places[place]
        question = question[: match.start()] + _mistyped(match.group(), draw) + question[match.end() :]
    return question


def keywords(question: str) -> str:
    """Return the words of a question that tell it from others, in lower case, without anything between them."""
    return " ".join(content_words(question))


def _mistyped(word: str, draw: np.random.Generator) -> str:
    place = int(draw.integers(1, len(word) - 1))  # the first letter is seldom the one that is wrong
    letter = str(draw.choice(list(_LETTERS)))
    before, after = word[:place], word[place:]
    return (
        before + after[1:],
        before + letter + after,
        before + letter + after[1:],
        before + after[1] + after[0] + after[2:] if len(after) > 1 else before[:-1] + after + before[-1],
        before + after[0] + after,
    )[int(draw.integers(5))]

"""Long documents: paragraphs put together, to see whether answers are found in long documents as well as in short."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.squad import Corpus, Question

WORDS = 4000


@dataclass(frozen=True, slots=True)
class LongDocument:
    """Paragraphs in a row, one empty line between two. `starts` has the offset at which each of them begins."""

    text: str
    starts: dict[int, int]


def long_documents(corpus: Corpus, questions: Sequence[Question], number: int, seed: int = 0) -> list[LongDocument]:
    """Return `number` documents of about 4,000 words, of paragraphs drawn from all; those of `questions` are in them.

    The paragraphs stand in an order drawn by lot: what is around one says nothing about it.
    """
    draw = np.random.default_rng(seed)
    sizes = [len(each.text.split()) for each in corpus.paragraphs]
    chosen = sorted({each.paragraph for each in questions})
    others = sorted(set(range(len(sizes))) - set(chosen))
    words = sum(sizes[each] for each in chosen)
    for each in draw.permutation(others).tolist():
        if words >= number * WORDS:
            break
        chosen.append(each)
        words += sizes[each]
    groups: list[list[int]] = [[]]
    size = 0
    for each in draw.permutation(chosen).tolist():
        if size >= words / number and len(groups) < number:
            groups.append([])
            size = 0
        groups[-1].append(each)
        size += sizes[each]
    return [_together(corpus, group) for group in groups]


def _together(corpus: Corpus, numbers: Sequence[int]) -> LongDocument:
    starts, parts, start = {}, [], 0
    for each in numbers:
        text = corpus.paragraphs[each].text
        starts[each] = start
        parts.append(text)
        start += len(text) + 2
    return LongDocument("\n\n".join(parts), starts)

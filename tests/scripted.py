"""A runtime without a network: what it finds is written down, so that tests can say what a reader makes of it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from tokenizers import Tokenizer

from service.reader.artifact import DEFAULT_READER, TOKENIZER_FILE, Artifact, load_artifact
from service.reader.confidence import Calibration, Logistic
from service.reader.runtime import Integers, Marks
from service.reader.span_reader import SpanReader

_NOTHING = -10.0
# Scores that no network gave ask for odds that no network's outcomes were fitted to.
_CALIBRATION = Calibration(
    span=Logistic((0.16, 0.43, 0.55), -1.36),
    order=Logistic((1.1, 4.0, 3.0), 0.0),
    passage=Logistic((0.77, 10.0, 4.0), -13.0),
    min_confidence=0.35,
    sure=0.67,
)


class ScriptedRuntime:
    """A `Runtime` that gives each of some words, wherever a sequence holds them, the score that it is told."""

    name = "scripted 1"

    def __init__(self, scores: Mapping[str, float]) -> None:
        self.batches: list[tuple[int, int]] = []
        tokenizer = Tokenizer.from_file(str(DEFAULT_READER / TOKENIZER_FILE))
        self._scores = {
            tuple(tokenizer.encode(words, add_special_tokens=False).ids): score for words, score in scores.items()
        }

    def run(self, input_ids: Integers, attention_mask: Integers, token_type_ids: Integers) -> Marks:
        self.batches.append((input_ids.shape[0], input_ids.shape[1]))
        marks = np.full((*input_ids.shape, 2), _NOTHING, dtype=np.float32)
        for row, (ids, types) in enumerate(zip(input_ids.tolist(), token_type_ids.tolist(), strict=True)):
            for words, score in self._scores.items():
                for place in range(len(ids) - len(words) + 1):
                    if types[place] == 1 and tuple(ids[place : place + len(words)]) == words:
                        marks[row, place, 0] = marks[row, place + len(words) - 1, 1] = score / 2
        return marks


def scripted_reader(scores: Mapping[str, float], artifact: Artifact | None = None) -> SpanReader:
    """Return a reader that finds these words, each with this score of the network's."""
    artifact = artifact or replace(load_artifact(DEFAULT_READER), calibration=_CALIBRATION)
    return SpanReader(artifact, ScriptedRuntime(scores))

"""The sentence reader: the sentence that answers best, by meaning and by shared words. It needs no weights of its own.

It is the reader of a service that has no trained one. A logistic model over a handful of features scores every sentence
of the passages; `sentence_reader.json` holds its coefficients, fitted by `citespan-eval fit` on development questions.
"""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

from index.blocks import MAX_HEADING_LENGTH, heading_text
from index.embedder import Embedder
from index.passages import Sentence
from index.retriever import Hit
from index.sentences import ends_sentence
from index.words import content_words, words_of
from service.reader.reader import Reading, Span

FEATURES = ("cosine", "shared_words", "shared_context", "retrieval", "prose", "asked_kind")
COEFFICIENTS_FILE = Path(__file__).with_name("sentence_reader.json")

MAX_CANDIDATES = 8

_VERSION = "sentence-1"
# Shared words first, then what else is known without the model: enough to tell which sentences are worth embedding.
_PRESELECTION = np.array([1.0, 0.3, 0.5, 0.1, 0.2])
_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|long|old|far|tall|high|large|big|often)\b|\bwhat (?:percentage|number)\b", re.I
)
_ASKS_DATE = re.compile(r"\bwhen\b|\b(?:what|which) (?:year|date|day|month)\b", re.I)
_ASKS_PERSON = re.compile(r"\bwho(?:m|se)?\b", re.I)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|fifty|hundred|thousand|million)\b",
    re.I,
)
_DATE = re.compile(
    r"\b\d{4}\b|\b(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|midnight|week|month|year)\b"
)
_NAME = re.compile(r"\b[A-Z][^\W\d_]+(?:\s+[A-Z][^\W\d_]+)+")

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coefficients:
    """A logistic model: one weight a feature, an intercept, and the confidence below which it is better to abstain."""

    weights: dict[str, float]
    intercept: float
    min_confidence: float

    @classmethod
    def load(cls, path: Path = COEFFICIENTS_FILE) -> "Coefficients":
        """Read coefficients from a JSON file that may say more (what they were fitted on)."""
        content = json.loads(path.read_text())
        return cls(content["weights"], content["intercept"], content["min_confidence"])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of one of the passages."""

    hit: int
    sentence: Sentence
    text: str

    def span(self, score: float) -> Span:
        """Return the sentence as a span with this score."""
        return Span(self.hit, self.sentence.start, self.sentence.end, score)


class SentenceReader:
    """A `Reader` whose spans are whole sentences."""

    def __init__(self, embedder: Embedder, coefficients: Coefficients | None = None) -> None:
        """Make a reader that compares meanings with `embedder`."""
        self._embedder = embedder
        self._coefficients = coefficients or Coefficients.load()

    @property
    def identity(self) -> str:
        """Version of the features, and a hash of the numbers that weigh them."""
        decisive = [asdict(self._coefficients), MAX_CANDIDATES, _PRESELECTION.tolist()]
        content = json.dumps(decisive, sort_keys=True)
        return f"{_VERSION}@{hashlib.sha256(content.encode()).hexdigest()[:16]}"

    @property
    def min_confidence(self) -> float:
        """The confidence below which it is better to abstain."""
        return self._coefficients.min_confidence

    def read(self, question: str, hits: Sequence[Hit]) -> Reading:
        """Return the sentences of these passages, best first."""
        candidates = self.candidates(question, hits)
        if not candidates:
            return Reading((), 0.0)
        weights = np.array([self._coefficients.weights[name] for name in FEATURES])
        scores = self.features(question, hits, candidates) @ weights + self._coefficients.intercept
        # Rounded, then by place: equal texts must keep their order, whatever the last digits of a product are.
        order = sorted(range(len(candidates)), key=lambda each: (-round(float(scores[each]), 4), each))
        spans = tuple(candidates[each].span(float(scores[each])) for each in order)
        return Reading(spans, no_answer_score=0.0)

    def candidates(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """Return the sentences worth comparing: those that share most with the question, no place twice.

        Reading costs what embedding the sentences costs, so that only a few may be.
        """
        places: dict[tuple[str, int], Candidate] = {}
        for number, hit in enumerate(hits):
            passage = hit.found.passage
            for sentence in passage.sentences:
                text = passage.text[sentence.start - passage.start : sentence.end - passage.start]
                if _is_heading(text, passage.section):
                    continue  # it says what follows is about, and answers nothing
                places.setdefault((hit.found.document_id, sentence.start), Candidate(number, sentence, text))
        candidates = list(places.values())
        shared = self._word_features(question, hits, candidates) @ _PRESELECTION
        order = sorted(range(len(candidates)), key=lambda each: (-round(float(shared[each]), 6), each))
        return [candidates[each] for each in sorted(order[:MAX_CANDIDATES])]

    def features(self, question: str, hits: Sequence[Hit], candidates: Sequence[Candidate]) -> Matrix:
        """Return the features of every candidate, a matrix of shape (candidates, FEATURES)."""
        vectors = self._embedder.embed_passages([each.text for each in candidates])
        cosines = vectors @ self._embedder.embed_question(question).T
        return np.hstack([cosines, self._word_features(question, hits, candidates)])

    def _word_features(self, question: str, hits: Sequence[Hit], candidates: Sequence[Candidate]) -> Matrix:
        """Return all features but the first, which alone needs the model."""
        asked = [_stem(word) for word in content_words(question)]
        stems = [_stems(each.text) for each in candidates]
        context = [_stems(f"{hit.found.passage.section or ''} {hit.found.passage.text}") for hit in hits]
        rarity = _rarity(asked, stems)
        rows = [
            (
                _shared(rarity, words),
                _shared(rarity, words | context[each.hit]),
                hits[each.hit].score,
                float(ends_sentence(each.text)),
                _asked_kind(question, each.text),
            )
            for each, words in zip(candidates, stems, strict=True)
        ]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES) - 1)


def _is_heading(text: str, section: str | None) -> bool:
    return len(text) <= 2 * MAX_HEADING_LENGTH and " ".join(heading_text(text).split()) == section


def _asked_kind(question: str, sentence: str) -> float:
    """Return whether a sentence has what the question asks for: 1 it has, -1 it has not, 0 nobody can tell."""
    if _ASKS_NUMBER.search(question):
        pattern = _NUMBER
    elif _ASKS_DATE.search(question):
        pattern = _DATE
    elif _ASKS_PERSON.search(question):
        pattern = _NAME
    else:
        return 0.0
    # What the question itself tells is no news: "the 2019 loan" does not ask for 2019.
    known = set(words_of(question))
    news = (match.group() for match in pattern.finditer(sentence))
    return 1.0 if any(not set(words_of(each)) <= known for each in news) else -1.0


def _rarity(asked: list[str], stems: list[set[str]]) -> dict[str, float]:
    """Return how much each asked word tells: the rarer among the candidates, the more."""
    frequency = Counter(word for words in stems for word in words)
    return {word: math.log(1 + len(stems) / (0.5 + frequency[word])) for word in asked}


def _shared(rarity: dict[str, float], words: set[str]) -> float:
    """Return the share of the question's weight that `words` hold, 0 to 1."""
    total = sum(rarity.values())
    return sum(weight for word, weight in rarity.items() if word in words) / total if total else 0.0


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in words_of(text)}


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    # A stemmer keeps state while it works, so that one for all threads would not do; making one takes microseconds.
    return str(snowballstemmer.stemmer("english").stemWord(word))

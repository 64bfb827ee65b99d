"""The span reader: a trained network that finds the exact words, ranks the passages, and knows when to be silent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
from tokenizers import Tokenizer

from index.batching import batches
from index.errors import ModelError
from index.passages import Passage, heading_above
from index.retriever import Hit
from index.words import STOP_WORDS, content_words, words_of
from service.reader.artifact import TOKENIZER_FILE, Artifact
from service.reader.asked import Asked, asked_for
from service.reader.confidence import Calibration, RankSigns, Signs
from service.reader.decoding import best_sentences, best_spans, span_scores, total_score
from service.reader.edges import trim
from service.reader.features import FeatureMaker, Features, Tokens
from service.reader.reader import Memory, Reading, Span
from service.reader.runtime import Marks, Runtime
from service.reader.words import answer_words, repeats, same_answer

# So many passages are read at once; the reader looks at what it has before it reads more.
GROUP = 5
SPANS_OF_A_PASSAGE = 3

_BATCH_TOKENS = 2048
_LARGEST_PADDING = 1.1
# Lengths are filled up to a multiple: products of such sizes take less time a token, and a runtime prepares itself for
# every shape that is new to it.
_MULTIPLE = 16
# No rival is worse than this one.
_HOPELESS = -10.0
# So many characters behind a number say of what it is.
_FOLLOWING = 60
# What differs less is told apart by its place: sums of floating point depend on what is computed together.
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Proposal:
    """A span of one of the hits, its words, and its log-odds against silence, as the network sees it."""

    hit: int
    start: int
    end: int
    words: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True)
class PassageReading:
    """What was read in one passage: its proposals, best first, and its log-odds to answer, as the network sees them.

    `shared` is the share of the question's content words that the passage or its heading has.
    """

    proposals: tuple[Proposal, ...]
    evidence: float
    shared: float

    def signs(self, hit: Hit) -> RankSigns:
        """Return what tells whether the passage, read as this hit, is better than others."""
        return RankSigns(self.evidence, hit.score, self.shared)

    def signs_of(self, proposal: Proposal, hit: Hit) -> RankSigns:
        """Return what tells whether one of its proposals is better than others."""
        return RankSigns(proposal.score, hit.score, self.shared)

    def as_hit(self, number: int) -> "PassageReading":
        """Return the same as the reading of another number of hit."""
        return replace(self, proposals=tuple(replace(each, hit=number) for each in self.proposals))

    def without(self, told: tuple[str, ...], passage: Passage) -> "PassageReading":
        """Return the same reading of a passage without the proposals that repeat what was told, if anything was."""
        if not told:
            return self
        kept = (each for each in self.proposals if not repeats(each.words, told, _following(each, passage)))
        return replace(self, proposals=tuple(kept))


class SpanReader:
    """A `Reader` whose spans are the exact words."""

    def __init__(self, artifact: Artifact, runtime: Runtime) -> None:
        """Read with the network that `runtime` computes.

        Raises:
            ModelError: the artifact's tokenizer cannot be used.
        """
        self.artifact = artifact
        self._runtime = runtime
        try:
            self._maker = FeatureMaker(Tokenizer.from_file(str(artifact.path / TOKENIZER_FILE)))
        except Exception as error:
            raise ModelError(f"The tokenizer in {artifact.path} cannot be used ({error}).") from error

    def calibrated(self, calibration: Calibration) -> "SpanReader":
        """Return a reader with the same network and another calibration."""
        return SpanReader(replace(self.artifact, calibration=calibration), self._runtime)

    @property
    def identity(self) -> str:
        """Name, version and hash of the weights, and what computes them."""
        return f"{self.artifact.identity} {self._runtime.name}"

    @property
    def min_confidence(self) -> float:
        """The confidence below which it is better to abstain."""
        return self.artifact.calibration.min_confidence

    def read(
        self,
        question: str,
        hits: Sequence[Hit],
        *,
        min_confidence: float | None = None,
        told: str = "",
        memory: Memory | None = None,
    ) -> Reading:
        """Read the passages in the order of their rank, in small groups, until the answer is so sure that it stands.

        What repeats `told` is as if it were not there: it is no rival of other answers, either. What is in `memory` is
        not read again, and what is read is put there.
        """
        known = answer_words(told)
        remembered = {} if memory is None else memory
        groups = (
            [
                each.without(known, hit.found.passage)
                for each, hit in zip(
                    self._remembered(question, hits[begin : begin + GROUP], begin, remembered),
                    hits[begin:],
                    strict=False,
                )
            ]
            for begin in range(0, len(hits), GROUP)
        )
        return self._until_sure(hits, groups, min_confidence)

    def _remembered(self, question: str, hits: Sequence[Hit], first: int, memory: Memory) -> list[PassageReading]:
        """Return what is read in these passages, of which the first has the number `first`."""
        keys = [(question, hit.found.content_sha256 + hit.found.document_id, hit.found.passage.start) for hit in hits]
        new = {key: hit for key, hit in zip(keys, hits, strict=True) if key not in memory}
        memory.update(zip(new, self.read_passages(question, list(new.values())), strict=True))
        return [memory[key].as_hit(number) for number, key in enumerate(keys, start=first)]

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Return how many tokens of the network's these texts have together, special tokens left out."""
        return sum(len(each.ids) for each in self._maker.tokens(texts))

    def reread(
        self, hits: Sequence[Hit], read: Sequence[PassageReading], *, min_confidence: float | None = None
    ) -> Reading:
        """Return what `read` would, from what was read in all the passages."""
        groups = (list(read[begin : begin + GROUP]) for begin in range(0, len(hits), GROUP))
        return self._until_sure(hits, groups, min_confidence)

    def _until_sure(
        self, hits: Sequence[Hit], groups: Iterable[list[PassageReading]], min_confidence: float | None
    ) -> Reading:
        """Weigh one group after the other. Never stop at a confidence that would not be enough to answer."""
        enough = max(self.artifact.calibration.sure, self.min_confidence if min_confidence is None else min_confidence)
        read: list[PassageReading] = []
        reading = Reading((), ())
        for group in groups:
            read.extend(group)
            reading = self.judge(hits, read)
            if reading.spans and reading.confidence(reading.spans[0]) >= enough:
                break
        return reading

    def read_passages(self, question: str, hits: Sequence[Hit]) -> list[PassageReading]:
        """Return what the network reads in each of these passages."""
        passages = self._maker.tokens([hit.found.passage.text for hit in hits])
        marks = self._marks(self._features(question, hits, passages))
        # Whoever asks yes or no is told by a sentence; no part of it would say so.
        whole = asked_for(question) is Asked.YES_NO
        asked = frozenset(content_words(question))
        return [
            _passage_reading(number, hit, tokens.offsets[: len(each)], each, _shared(asked, hit), whole_sentences=whole)
            for number, (hit, tokens, each) in enumerate(zip(hits, passages, marks, strict=True))
        ]

    def features(self, question: str, hits: Sequence[Hit]) -> list[Features]:
        """Return the sequences that the network reads for these passages."""
        return self._features(question, hits, self._maker.tokens([hit.found.passage.text for hit in hits]))

    def _features(self, question: str, hits: Sequence[Hit], passages: Sequence[Tokens]) -> list[Features]:
        above = [_heading(hit) for hit in hits]
        asked, *headings = self._maker.tokens([question, *above])
        return [self._maker.features(asked, *pair) for pair in zip(headings, passages, strict=True)]

    def judge(self, hits: Sequence[Hit], read: Sequence[PassageReading]) -> Reading:
        """Weigh what was read in all passages together; give every span and passage the log-odds that it is right."""
        calibration = self.artifact.calibration
        proposed = self.proposals(hits, read)
        # Which is best is one question, how sure it may be another; none is surer than one that is better.
        odds = accumulate((calibration.span.log_odds(signs) for _, signs in proposed), min)
        spans = (Span(each.hit, each.start, each.end, score) for (each, _), score in zip(proposed, odds, strict=True))
        relevance = (calibration.passage.log_odds(each.signs(hit)) for hit, each in zip(hits, read, strict=False))
        return Reading(tuple(spans), tuple(relevance))

    def proposals(self, hits: Sequence[Hit], read: Sequence[PassageReading]) -> list[tuple[Proposal, Signs]]:
        """Return what was proposed in all passages together, the best first, with the signs of being right.

        Where passages of a document overlap, no proposal overlaps a better one.
        """
        order = self.artifact.calibration.order

        def place(each: Proposal) -> tuple[float, int, int]:
            odds = order.log_odds(read[each.hit].signs_of(each, hits[each.hit]))
            return -round(odds, _DIGITS), each.hit, each.start

        ranked = sorted((each for passage in read for each in passage.proposals), key=place)
        kept: list[Proposal] = []
        for each in ranked:
            document = hits[each.hit].found.document_id
            if not any(
                other.start < each.end and each.start < other.end and hits[other.hit].found.document_id == document
                for other in kept
            ):
                kept.append(each)
        by_score = sorted(kept, key=lambda each: -each.score)
        return [
            (
                each,
                Signs(each.score, read[each.hit].evidence, each.score - _best_other(each, by_score)),
            )
            for each in kept
        ]

    def _marks(self, features: Sequence[Features]) -> list[Marks]:
        """Return the marks of the passage's tokens of every sequence, each of shape (tokens, marks)."""
        lengths = [len(each.ids) for each in features]
        found: list[Marks] = [np.empty((0, 2), np.float32)] * len(features)
        for rows in batches(lengths, most_tokens=_BATCH_TOKENS, largest_padding=_LARGEST_PADDING):
            shape = (len(rows), -(-lengths[rows[-1]] // _MULTIPLE) * _MULTIPLE)
            ids, mask, types = (np.zeros(shape, np.int64) for _ in range(3))
            for place, row in enumerate(rows):
                ids[place, : lengths[row]] = features[row].ids
                mask[place, : lengths[row]] = 1
                types[place, : lengths[row]] = features[row].type_ids()
            marks = self._runtime.run(ids, mask, types)
            for place, row in enumerate(rows):
                begin = features[row].begin
                found[row] = np.array(marks[place, begin : begin + features[row].length])
        return found


def _following(proposal: Proposal, passage: Passage) -> tuple[str, ...]:
    """Return the words behind a proposal: where it is a number, they say of what."""
    return answer_words(passage.words(proposal.end, min(passage.end, proposal.end + _FOLLOWING)))


def _heading(hit: Hit) -> str:
    return heading_above(hit.found.document_title, hit.found.passage.section)


def _shared(asked: frozenset[str], hit: Hit) -> float:
    """Return the share of these words that a passage or its heading has."""
    return len(asked.intersection(words_of(f"{_heading(hit)} {hit.found.passage.text}"))) / max(1, len(asked))


def _passage_reading(
    number: int, hit: Hit, offsets: Sequence[tuple[int, int]], marks: Marks, shared: float, *, whole_sentences: bool
) -> PassageReading:
    passage = hit.found.passage
    begins = [sentence.start - passage.start for sentence in passage.sentences]
    sentence_of = np.searchsorted(begins, [start for start, _ in offsets], side="right").tolist()
    if whole_sentences:
        scores = span_scores(marks, sentence_of, longest=len(marks))
        best = best_sentences(scores, sentence_of, SPANS_OF_A_PASSAGE)
    else:
        scores = span_scores(marks, sentence_of)
        best = best_spans(scores, SPANS_OF_A_PASSAGE)
    proposals = []
    for span in best:
        start, end = trim(passage.text, offsets[span.first][0], offsets[span.last][1])
        cited = passage.text[start:end]
        if start < end and not (cited.islower() and STOP_WORDS.issuperset(words_of(cited))):
            words = answer_words(cited)
            proposals.append(Proposal(number, passage.start + start, passage.start + end, words, span.score))
    return PassageReading(tuple(proposals), total_score(scores), shared)


def _best_other(proposal: Proposal, proposals: Sequence[Proposal]) -> float:
    """Return the score of the best of the proposals that says something else, or that of a hopeless one.

    `proposals` are by descending score.
    """
    others = (each.score for each in proposals if not same_answer(each.words, proposal.words))
    return max(_HOPELESS, next(others, _HOPELESS))

"""Replies: what an engine says to a question, in the documents' terms, whether asked in process or over HTTP.

Offsets are code points of the canonical text, 0-based and end-exclusive.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eval.metrics import Place
from index.errors import InvalidReply


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Words that stand from `start` to `end` of a document."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """Words that are said to stand at a place of the document `source`, with the sentence around them."""

    source: str
    title: str
    section: str | None
    start: int
    end: int
    text: str
    sentence: Excerpt

    @property
    def place(self) -> Place:
        """Source, start and end."""
        return self.source, self.start, self.end


@dataclass(frozen=True, slots=True)
class Proposal:
    """An answer, given or only considered, with the engine's confidence (0 to 1) and what it cites."""

    text: str
    confidence: float
    citations: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A passage that was shown. `score` is the retriever's, `relevance` (0 to 1) the reader's; None: not read."""

    source: str
    start: int
    end: int
    score: float
    relevance: float | None

    @property
    def place(self) -> Place:
        """Source, start and end."""
        return self.source, self.start, self.end


@dataclass(frozen=True, slots=True)
class Reply:
    """What an engine says to a question. `answer` is None where it abstains; `alternatives` are the next best.

    `passages` stand in the engine's order, the most relevant first. `milliseconds` is what the engine itself took.
    """

    answer: Proposal | None
    alternatives: tuple[Proposal, ...]
    agreement: str | None
    passages: tuple[Retrieved, ...]
    fingerprint: str
    milliseconds: float

    @property
    def best(self) -> Proposal | None:
        """The answer; where the engine abstains, what it would have answered, if anything."""
        return self.answer or next(iter(self.alternatives), None)


def reply_of(content: Any) -> Reply:
    """Return the reply that a response to `POST /v1/ask` holds (docs/http-api.md); fields not needed are passed over.

    Raises:
        InvalidReply: it is no such response.
    """
    try:
        answer = content["answer"]
        return Reply(
            None if answer is None else _proposal(answer),
            tuple(_proposal(each) for each in content["alternatives"]),
            content["agreement"],
            tuple(_retrieved(each) for each in content["passages"]),
            str(content["fingerprint"]),
            float(content["timings_ms"]["total"]),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        complaint = f"{type(error).__name__}: {error}"
        raise InvalidReply(f"What came is no response of /v1/ask as this version knows it ({complaint}).") from error


def _proposal(content: Mapping[str, Any]) -> Proposal:
    citations = tuple(_cited(each) for each in content["citations"])
    return Proposal(str(content["text"]), float(content["confidence"]), citations)


def _cited(content: Mapping[str, Any]) -> Cited:
    around = content["sentence"]
    return Cited(
        str(content["source"]),
        str(content["document_title"]),
        content["section"],
        int(content["start_char_index"]),
        int(content["end_char_index"]),
        str(content["cited_text"]),
        Excerpt(int(around["start_char_index"]), int(around["end_char_index"]), str(around["text"])),
    )


def _retrieved(content: Mapping[str, Any]) -> Retrieved:
    relevance = content["relevance"]
    return Retrieved(
        str(content["source"]),
        int(content["start_char_index"]),
        int(content["end_char_index"]),
        float(content["score"]),
        None if relevance is None else float(relevance),
    )

"""Cases: questions with their accepted answers and the places where these stand, read from JSON lines."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import InvalidCase
from service.conversation import Turn

SEEDS_SET = Path(__file__).with_name("data") / "seeds.jsonl"
DIALOGUES_SET = SEEDS_SET.with_name("dialogues.jsonl")

_REQUIRED = {"id", "question", "answers", "spans", "answerable", "tags", "split"}
_OPTIONAL = {"history", "standalone", "collection"}
_TURN = {"role", "content"}
_ROLES = ("user", "assistant")
_SPLITS = ("dev", "test")


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """A place that answers: `document` is a source, the offsets are those of its canonical text."""

    document: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Relevant:
    """A document that was judged relevant to a question, by its source; a higher `grade` is more so, 0 not at all."""

    document: str
    grade: int


@dataclass(frozen=True, slots=True)
class Case:
    """A question and what counts as right.

    `answers` are the accepted wordings, the best first; they and `spans` are empty exactly when the documents do not
    say. Nothing is chosen or tuned on the cases whose `split` is "test". `history` are the earlier turns of a dialogue,
    without which the question may not be understood; `standalone` is the same question written out by a person, so that
    it needs no history, and None where it needs none anyway. `collection` names the documents that are asked; None:
    those that the runner asks anyway. `relevant` are the judgements of a retrieval collection, which knows no answers;
    a case that has them is not judged by what is answered.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    spans: tuple[GoldSpan, ...]
    answerable: bool
    tags: tuple[str, ...]
    split: str
    history: tuple[Turn, ...] = ()
    standalone: str | None = None
    collection: str | None = None
    relevant: tuple[Relevant, ...] = ()

    @property
    def asks(self) -> object:
        """What is asked, of which documents and after what: the same for cases that ask the same."""
        return " ".join(self.question.casefold().split()), self.history, self.collection


def read_cases(path: Path) -> list[Case]:
    """Read a set of cases, one JSON object a line; blank lines are passed over.

    Raises:
        InvalidCase: a line is not a case, or an id stands twice; the message names the line.
    """
    cases: dict[str, Case] = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidCase(f"{path} cannot be read: {error}.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            case = _case(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidCase(f"{path}, line {number}: {error}") from error
        if case.id in cases:
            raise InvalidCase(f"{path}, line {number}: the id {case.id!r} stands twice")
        cases[case.id] = case
    return list(cases.values())


def select(cases: Iterable[Case], split: str | None) -> list[Case]:
    """Return the cases of a split, or all of them where it is None."""
    return [case for case in cases if split is None or case.split == split]


def standing_alone(cases: Iterable[Case]) -> list[Case]:
    """Return the cases that were asked first, without turns before them."""
    return [case for case in cases if not case.history]


def _case(content: dict[str, Any]) -> Case:
    if not isinstance(content, dict) or not _REQUIRED <= content.keys() <= _REQUIRED | _OPTIONAL:
        raise ValueError(
            f"a case is an object with the fields {', '.join(sorted(_REQUIRED))}, "
            f"and may have {' and '.join(sorted(_OPTIONAL))}"
        )
    for name in ("answers", "tags"):
        if not isinstance(content[name], list) or not all(isinstance(each, str) for each in content[name]):
            raise ValueError(f"{name} must be a list of texts")
    if not isinstance(content["answerable"], bool):
        raise TypeError("answerable must be true or false")
    case = Case(
        str(content["id"]),
        str(content["question"]),
        tuple(content["answers"]),
        tuple(GoldSpan(str(each["document"]), int(each["start"]), int(each["end"])) for each in content["spans"]),
        bool(content["answerable"]),
        tuple(content["tags"]),
        content["split"],
        _history(content["history"]) if "history" in content else (),
        _standalone(content["standalone"]) if "standalone" in content else None,
        _collection(content["collection"]) if "collection" in content else None,
    )
    if case.standalone is not None and not case.history:
        raise ValueError("standalone is for a question with a history; leave it out")
    if case.split not in _SPLITS:
        raise ValueError(f"split must be one of {', '.join(_SPLITS)}")
    if case.answerable != bool(case.answers) or case.answerable != bool(case.spans):
        raise ValueError("answers and spans must be given exactly when the case is answerable")
    return case


def _history(content: Any) -> tuple[Turn, ...]:
    if not isinstance(content, list):
        raise TypeError("history must be a list of turns")
    if not content:
        raise ValueError("history is empty: leave the field out where nothing was said before")
    return tuple(_turn(each) for each in content)


def _turn(content: Any) -> Turn:
    if not isinstance(content, dict) or content.keys() != _TURN:
        raise ValueError(f"a turn of the history is an object with the fields {', '.join(sorted(_TURN))}")
    if content["role"] not in _ROLES:
        raise ValueError(f"the role of a turn must be one of {', '.join(_ROLES)}")
    if not _is_text(content["content"]):
        raise ValueError("the content of a turn must be a text that is not blank")
    return Turn(content["role"], content["content"])


def _standalone(content: Any) -> str:
    if not _is_text(content):
        raise ValueError("standalone must be a question; leave the field out where the question stands alone")
    return str(content)


def _collection(content: Any) -> str:
    if not _is_text(content):
        raise ValueError("collection must be a name; leave the field out where the case is tied to none")
    return str(content)


def _is_text(content: Any) -> bool:
    return isinstance(content, str) and bool(content.strip())

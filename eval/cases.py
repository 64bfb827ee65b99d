"""Cases: questions with their accepted answers and the places where these stand, read from JSON lines."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import InvalidCase

SEEDS_SET = Path(__file__).with_name("data") / "seeds.jsonl"

_FIELDS = {"id", "question", "answers", "spans", "answerable", "tags", "split"}
_SPLITS = ("dev", "test")


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """A place that answers: `document` is a source, the offsets are those of its canonical text."""

    document: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Case:
    """A question and what counts as right.

    `answers` are the accepted wordings, the best first; they and `spans` are empty exactly when the documents do not
    say. Nothing is chosen or tuned on the cases whose `split` is "test".
    """

    id: str
    question: str
    answers: tuple[str, ...]
    spans: tuple[GoldSpan, ...]
    answerable: bool
    tags: tuple[str, ...]
    split: str


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


def _case(content: dict[str, Any]) -> Case:
    if not isinstance(content, dict) or content.keys() != _FIELDS:
        raise ValueError(f"a case is an object with the fields {', '.join(sorted(_FIELDS))}")
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
    )
    if case.split not in _SPLITS:
        raise ValueError(f"split must be one of {', '.join(_SPLITS)}")
    if case.answerable != bool(case.answers) or case.answerable != bool(case.spans):
        raise ValueError("answers and spans must be given exactly when the case is answerable")
    return case

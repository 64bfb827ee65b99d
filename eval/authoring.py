"""Authoring: new cases for a set, made of what an engine proposes or of words that an author found in the documents."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from eval.cases import Case, GoldSpan, read_cases
from eval.engines import Engine
from eval.lint import Fault, occurrences
from eval.replies import Proposal, Reply
from eval.run_file import write_text
from index.errors import InvalidCase

_LEFT_OUT_IF_EMPTY = ("history", "standalone", "collection", "relevant")


def case_line(case: Case) -> str:
    """Return a case as a line of a set."""
    content = {name: value for name, value in asdict(case).items() if value or name not in _LEFT_OUT_IF_EMPTY}
    return json.dumps(content, ensure_ascii=False)


def new_id(path: Path, cases: Sequence[Case]) -> str:
    """Return an id that no case has, made of the name of the set and a number."""
    taken = {case.id for case in cases}
    number = len(cases) + 1
    while f"{path.stem}-{number:03}" in taken:
        number += 1
    return f"{path.stem}-{number:03}"


def existing_cases(path: Path) -> list[Case]:
    """Return the cases of a set; none where there is no such file yet.

    Raises:
        InvalidCase: a line is not a case.
    """
    return read_cases(path) if path.exists() else []


def accepted(case: Case, proposal: Proposal) -> Case:
    """Return a case for which a proposal is right: its words, and those of every citation, cited where they stand."""
    words = [proposal.text, *(each.text for each in proposal.citations)]
    spans = [GoldSpan(each.source, each.start, each.end) for each in proposal.citations]
    return replace(case, answers=tuple(dict.fromkeys(words)), spans=tuple(dict.fromkeys(spans)), answerable=True)


def written(case: Case, answers: Sequence[str], span: GoldSpan) -> Case:
    """Return a case with answers that an author wrote, of which the first stands at `span`."""
    return replace(case, answers=tuple(dict.fromkeys(answers)), spans=(span,), answerable=True)


def places_of(engine: Engine, case: Case, words: str, reply: Reply) -> list[GoldSpan]:
    """Return where words stand in the documents, those near to what was retrieved first.

    All documents are looked through, first those of the passages retrieved, in their order.
    """
    sources = list(dict.fromkeys([each.source for each in reply.passages] + sorted(engine.documents(case))))
    found = [
        GoldSpan(source, start, start + len(words))
        for source in sources
        for start in occurrences(engine.text(case, source) or "", words)
    ]

    def rank(span: GoldSpan) -> int:
        holds = (
            number
            for number, each in enumerate(reply.passages)
            if each.source == span.document and each.start <= span.start and span.end <= each.end
        )
        return next(holds, len(reply.passages))

    return sorted(found, key=rank)


def append_case(path: Path, case: Case) -> None:
    """Add a case to the end of a set; the file is made where there is none.

    Raises:
        InvalidCase: the id or the question stands there already, or the case is not one.
        InvalidRun: the file cannot be written.
    """
    cases = existing_cases(path)
    if any(each.id == case.id for each in cases):
        raise InvalidCase(f"{path} has a case {case.id!r} already; choose another id.")
    same = (each.id for each in cases if each.asks == case.asks)
    if (twin := next(same, None)) is not None:
        raise InvalidCase(f"{path} asks this question already: {twin}.")
    text = path.read_bytes().decode() if path.exists() else ""
    if text and not text.endswith("\n"):
        text += "\n"
    write_text(path, text + case_line(case) + "\n")


def write_fixes(path: Path, faults: Sequence[Fault]) -> int:
    """Write where gold stands now, for every fault of which that is sure; other lines stay as they are, to the byte.

    Returns how many spans were written.

    Raises:
        InvalidRun: the file cannot be written.
    """
    moved: dict[str, dict[int, GoldSpan]] = {}
    for each in faults:
        if each.is_sure and each.moved is not None and each.span is not None:
            moved.setdefault(each.case.id, {})[each.span] = each.moved
    lines = path.read_bytes().decode().split("\n")
    for number, line in enumerate(lines):
        content = json.loads(line) if line.strip() else {}
        if content.get("id") in moved:
            line_end = "\r" if line.endswith("\r") else ""
            lines[number] = _with_spans(content, moved[content["id"]]) + line_end
    write_text(path, "\n".join(lines))
    return sum(len(each) for each in moved.values())


def _with_spans(content: dict[str, object], moved: Mapping[int, GoldSpan]) -> str:
    spans = content["spans"]
    if not isinstance(spans, list):
        raise InvalidCase("spans must be a list")
    fixed = [asdict(moved[number]) if number in moved else span for number, span in enumerate(spans)]
    return json.dumps(content | {"spans": fixed}, ensure_ascii=False)

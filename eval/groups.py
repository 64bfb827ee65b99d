"""Groups: the questions of a tag or of a document, and what became of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from eval.figures import Estimate, estimate
from eval.run import ABSTAINED, Record
from eval.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Group:
    """Questions with something in common. `name` is None for those that have nothing of the kind.

    `failures` are those not answered as they should be; `right` is the share of the others, None where no answer is
    known to judge by. `accepted` and `silenced` count the answerable ones with an accepted answer, and without any;
    `silent` the unanswerable ones without an answer.
    """

    name: str | None
    cases: int
    failures: int
    right: Estimate | None
    answerable: int
    accepted: int
    silenced: int
    unanswerable: int
    silent: int


def by_tag(records: Sequence[Record]) -> list[Group]:
    """Return a group for every tag, those with the most failures first."""
    return _groups(records, lambda record: record.case.tags)


def by_document(records: Sequence[Record]) -> list[Group]:
    """Return a group for every document with gold spans, those with the most failures first."""
    return _groups(records, documents_of_gold)


def documents_of_gold(record: Record) -> tuple[str, ...]:
    """Return the documents that a question belongs to: those of its gold spans, each once."""
    return tuple(dict.fromkeys(each.document for each in record.case.spans))


def _groups(records: Sequence[Record], names_of: Callable[[Record], Iterable[str]]) -> list[Group]:
    members: dict[str | None, list[Record]] = {}
    for record in records:
        for name in dict.fromkeys(names_of(record)) or (None,):
            members.setdefault(name, []).append(record)
    found = [_group(name, each) for name, each in members.items()]
    return sorted(found, key=lambda each: (each.name is None, -each.failures, -each.cases, each.name or ""))


def _group(name: str | None, records: Sequence[Record]) -> Group:
    judged = [each for each in records if not each.case.relevant]
    answerable = [each for each in judged if each.case.answerable]
    unanswerable = [each for each in judged if not each.case.answerable]
    return Group(
        name,
        cases=len(records),
        failures=sum(not each.verdict.is_good for each in records),
        right=estimate([each.verdict.is_good for each in judged]),
        answerable=len(answerable),
        accepted=sum(each.verdict is Verdict.RIGHT for each in answerable),
        silenced=sum(each.status == ABSTAINED for each in answerable),
        unanswerable=len(unanswerable),
        silent=sum(each.status == ABSTAINED for each in unanswerable),
    )

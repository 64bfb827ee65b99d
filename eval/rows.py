"""Rows: the questions of a run as a report lists them, the failures first, each in the documents' words."""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.excerpts import Excerpts
from eval.groups import documents_of_gold
from eval.regression import Change, Kind
from eval.replies import Proposal
from eval.run import ABSTAINED, Record
from eval.verdicts import Verdict
from eval.wording import Quote, cited_quotes, gold_quotes, one_line, quote

# What does the most harm comes first: words that are not there, then words that should not be, then none.
WORST_FIRST = (
    Verdict.BROKEN,
    Verdict.ANSWERED,
    Verdict.WRONG,
    Verdict.ELSEWHERE,
    Verdict.ABSTAINED,
    Verdict.ERROR,
    Verdict.UNJUDGED,
    Verdict.RIGHT,
    Verdict.SILENT,
)

# So many of what might have been said are worth reading.
_OTHERS = 2


@dataclass(frozen=True, slots=True)
class Saying:
    """Words of an answer, "" for silence, with the sentences that they stand in; `note` says what else to know."""

    words: str
    quotes: tuple[Quote, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A question, what was expected and what was said.

    `before` is what was said before, None where nothing changed, or it is not known; `held_back` what was considered
    and not said. `first` is the rank of the first passage that holds a gold span, of as many as were `retrieved`.
    """

    id: str
    question: str
    split: str
    tags: tuple[str, ...]
    documents: tuple[str, ...]
    verdict: Verdict
    kind: Kind | None
    confidence: float | None
    milliseconds: float | None
    expected: Saying
    others_accepted: tuple[str, ...]
    said: Saying
    error: str
    before: Saying | None
    held_back: tuple[Saying, ...]
    first: int | None
    retrieved: int


def rows_of(records: Sequence[Record], changes: Sequence[Change], excerpts: Excerpts) -> list[Row]:
    """Return a row for each record, failures and regressions first; of these, the regressions, then the worst.

    `changes` says what became of the questions, by their ids; `excerpts` knows the sentences of what was said before.
    """
    by_id = {each.id: each for each in changes if each.after is not None}
    regressed = {each.id for each in changes if each.is_regression}
    rows = [_row(record, by_id.get(record.case.id), excerpts) for record in records]

    def order(row: Row) -> tuple[bool, bool, int]:
        is_well = row.id not in regressed
        return row.verdict.is_good and is_well, is_well, WORST_FIRST.index(row.verdict)

    return sorted(rows, key=order)


def _row(record: Record, change: Change | None, excerpts: Excerpts) -> Row:
    case, reply = record.case, record.reply
    return Row(
        id=one_line(case.id),
        question=one_line(case.question),
        split=case.split,
        tags=case.tags,
        documents=documents_of_gold(record),
        verdict=record.verdict,
        kind=change.kind if change else None,
        confidence=record.confidence if reply and reply.best else None,
        milliseconds=reply.milliseconds if reply else None,
        expected=Saying(one_line(case.answers[0]) if case.answers else "", tuple(gold_quotes(record))),
        others_accepted=tuple(one_line(each) for each in case.answers[1:]),
        said=Saying(one_line(record.answer), tuple(cited_quotes(record))),
        error=one_line(record.error or ""),
        before=_before(change, excerpts),
        held_back=_held_back(record),
        first=record.gains.first,
        retrieved=len(reply.passages) if reply else 0,
    )


def _before(change: Change | None, excerpts: Excerpts) -> Saying | None:
    if change is None or change.before is None or change.after is None or change.kind is Kind.UNCHANGED:
        return None
    entry = change.before
    quotes = excerpts.quotes(change.after.case.collection, entry)
    return Saying(one_line(entry.answer), tuple(quotes), entry.verdict)


def _held_back(record: Record) -> tuple[Saying, ...]:
    """Return what else was considered where something went wrong, or nothing was said."""
    if record.reply is None or (record.verdict.is_good and record.status != ABSTAINED):
        return ()
    return tuple(_considered(each) for each in record.reply.alternatives[:_OTHERS])


def _considered(proposal: Proposal) -> Saying:
    quotes = [quote(each.source, each.start, each.end, each.sentence) for each in proposal.citations[:1]]
    return Saying(one_line(proposal.text), tuple(quotes), f"{proposal.confidence:.2f}")

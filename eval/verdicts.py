"""Verdicts: what became of a question, in words. Two runs are compared by verdicts, never by numbers."""

from collections.abc import Sequence
from enum import StrEnum

from eval import metrics
from eval.cases import Case
from eval.replies import Proposal, Reply

# An answer with at least so much F1 with an accepted one says the same.
ACCEPTED_F1 = 0.6

# What joins the members of a list in the text of an answer.
_JOINT = "; "


class Verdict(StrEnum):
    """What became of a question."""

    RIGHT = "right"
    SILENT = "rightly silent"
    ELSEWHERE = "right, but cites elsewhere"
    WRONG = "wrong"
    ABSTAINED = "abstained though the documents say"
    ANSWERED = "answered though the documents do not say"
    BROKEN = "citation broken"
    ERROR = "error"
    UNJUDGED = "not judged"

    @property
    def is_good(self) -> bool:
        """Whether the engine did what it should; so it did where no answer is known to judge by."""
        return self in (Verdict.RIGHT, Verdict.SILENT, Verdict.UNJUDGED)


def judge(case: Case, reply: Reply, held: Sequence[bool]) -> Verdict:
    """Return the verdict on a reply; `held` says of each citation of its answer whether its words stand there.

    A citation that does not hold comes before everything else. So does an answer with words that it does not cite.
    """
    answer = reply.answer
    if answer is not None and not (all(held) and is_cited(answer)):
        return Verdict.BROKEN
    if case.relevant:
        return Verdict.UNJUDGED
    if not case.answerable:
        return Verdict.SILENT if answer is None else Verdict.ANSWERED
    if answer is None:
        return Verdict.ABSTAINED
    if is_accepted(case, answer):
        return Verdict.RIGHT
    return Verdict.ELSEWHERE if says_the_same(case, answer) else Verdict.WRONG


def says_the_same(case: Case, answer: Proposal) -> bool:
    """Whether an answer is, nearly word by word, one that is accepted."""
    return metrics.f1(answer.text, case.answers) >= ACCEPTED_F1


def is_accepted(case: Case, answer: Proposal) -> bool:
    """Whether an answer is, nearly word by word, one that is accepted, and cites where it stands."""
    return says_the_same(case, answer) and is_supported(case, answer)


def is_supported(case: Case, answer: Proposal) -> bool:
    """Whether a citation of the answer shares characters with a gold span."""
    gold = [(each.document, each.start, each.end) for each in case.spans]
    return any(metrics.overlaps(cited.place, span) for cited in answer.citations for span in gold)


def is_cited(answer: Proposal) -> bool:
    """Whether the answer is made of words that it cites: those of one citation, or of several, joined by "; "."""
    return _is_made_of(answer.text, {each.text for each in answer.citations if each.text})


def _is_made_of(text: str, parts: set[str]) -> bool:
    if text in parts:
        return True
    starts = (each + _JOINT for each in parts)
    return any(text.startswith(start) and _is_made_of(text[len(start) :], parts) for start in starts)

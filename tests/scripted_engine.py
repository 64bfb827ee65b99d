"""An engine that says what it is told to, from a few documents; and what may go wrong with one."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256

from eval.cases import Case, GoldSpan
from eval.replies import Cited, Proposal, Reply, Retrieved
from eval.texts import sentence_around
from index.errors import EngineUnavailable, QuestionFailed

FERRY = "The ferry to Hull leaves at noon. A ticket costs 12 euros. 🚀 Dogs travel free of charge on weekdays."
MUSEUM = "The museum opens at 10:00. It was founded by Ada Stone in 1871.\n\nA ticket costs 12 euros on Sundays, too."
TEXTS = {"ferry.txt": FERRY, "museum.txt": MUSEUM}


def case_about(
    number: int, question: str, *answers: str, source: str = "ferry.txt", split: str = "dev", tags: tuple[str, ...] = ()
) -> Case:
    """Return a case whose gold span is the first of its answers, or an unanswerable one."""
    spans: tuple[GoldSpan, ...] = ()
    if answers:
        start = TEXTS[source].index(answers[0])
        spans = (GoldSpan(source, start, start + len(answers[0])),)
    return Case(f"q-{number}", question, answers, spans, bool(answers), tags, split)


CASES = (
    case_about(1, "When does the ferry leave?", "at noon", "noon"),
    case_about(2, "How much is the ferry?", "12 euros", "12"),
    case_about(3, "When may dogs travel for free?", "on weekdays", "weekdays"),
    case_about(4, "When does the museum open?", "10:00", source="museum.txt", split="test"),
    case_about(5, "Who founded the museum?", "Ada Stone", source="museum.txt", split="test"),
    case_about(6, "Who steers the ferry?", split="test"),
    case_about(7, "How much is the car park?"),
)


class ScriptedEngine:
    """Answers with the words it is told for a question; without any, abstains. By default it is right throughout."""

    def __init__(
        self,
        answers: Mapping[str, tuple[str, str] | None] | None = None,
        *,
        texts: Mapping[str, str] = TEXTS,
        fingerprint: str = "f" * 64,
        fault: Callable[[Case, Reply], Reply] = lambda _, reply: reply,
        failing: Mapping[str, str] | None = None,
    ) -> None:
        gold = {case.id: (case.spans[0].document, case.answers[0]) if case.spans else None for case in CASES}
        self._answers = gold | dict(answers or {})
        self._texts = dict(texts)
        self._fingerprint = fingerprint
        self._fault = fault
        self._failing = failing or {}

    def ask(self, case: Case) -> Reply:
        if case.id in self._failing:
            raise QuestionFailed(self._failing[case.id])
        told = self._answers.get(case.id)
        held = told is not None and told[1] in self._texts.get(told[0], "")
        answer = self.proposal(*told) if held and told else None
        passages = tuple(Retrieved(source, 0, len(text), 1.0, 0.5) for source, text in self._texts.items())
        return self._fault(
            case, Reply(answer, (), None if answer is None else "single", passages, self._fingerprint, 5.0)
        )

    def proposal(self, source: str, words: str, confidence: float = 0.9) -> Proposal:
        """Return an answer of these words, cited where they first stand."""
        start = self._texts[source].index(words)
        around = sentence_around(self._texts[source], start, start + len(words), source=source)
        cited = Cited(source, source.title(), None, start, start + len(words), words, around)
        return Proposal(words, confidence, (cited,))

    def documents(self, case: Case) -> dict[str, str]:
        return {source: sha256(text.encode()).hexdigest() for source, text in self._texts.items()}

    def text(self, case: Case, source: str) -> str | None:
        return self._texts.get(source)

    def collection(self, case: Case) -> str:
        return case.collection or "default"

    def description(self) -> dict[str, str]:
        return {"engine": "scripted"}


class DeadEngine(ScriptedEngine):
    """Cannot be asked."""

    def ask(self, case: Case) -> Reply:
        raise EngineUnavailable("http://127.0.0.1:1 does not answer; start the service.")


def moved(reply: Reply, **changes: object) -> Reply:
    """Return a reply whose first citation differs."""
    assert reply.answer is not None
    first, *rest = reply.answer.citations
    citations = (replace(first, **changes), *rest)  # type: ignore[arg-type]
    return replace(reply, answer=replace(reply.answer, citations=citations))

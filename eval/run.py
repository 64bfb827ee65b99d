"""A run: a set of cases put to an engine, a record a case, judged as soon as all is said."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from eval import metrics
from eval.cases import Case
from eval.engines import Engine
from eval.ranking import Gains, gains_of
from eval.replies import Reply
from eval.texts import GoldWords, gold_words, is_accepted_wording, stands
from eval.verdicts import Verdict, is_accepted, is_supported, judge
from index.errors import EngineUnavailable, InvalidReply, QuestionFailed
from service import VERSION

ANSWERED, ABSTAINED, ERROR = "answered", "abstained", "error"


@dataclass(frozen=True, slots=True)
class Record:
    """What came of one case.

    `reply` is None, and `error` says why, where the engine did not answer this question. `gold` is what stands at the
    gold spans; `held` says of each citation of the answer whether its words stand there; `gains` is what the
    passages retrieved are worth.
    """

    case: Case
    verdict: Verdict
    reply: Reply | None
    error: str | None
    gold: tuple[GoldWords, ...]
    held: tuple[bool, ...]
    gains: Gains

    @property
    def status(self) -> str:
        """Whether the engine answered, abstained, or failed: "answered", "abstained", "error"."""
        if self.reply is None:
            return ERROR
        return ABSTAINED if self.reply.answer is None else ANSWERED

    @property
    def answer(self) -> str:
        """The words of the answer; "" where there is none."""
        return self.reply.answer.text if self.reply and self.reply.answer else ""

    @property
    def confidence(self) -> float:
        """The confidence of the answer, or of what the engine would have answered; 0.0 where it had nothing to say."""
        return self.reply.best.confidence if self.reply and self.reply.best else 0.0

    @property
    def cited(self) -> tuple[metrics.Place, ...]:
        """The places that the answer cites."""
        return tuple(each.place for each in self.reply.answer.citations) if self.reply and self.reply.answer else ()

    @property
    def is_supported(self) -> bool:
        """Whether a citation of the answer shares characters with a gold span."""
        return self.reply is not None and self.reply.answer is not None and is_supported(self.case, self.reply.answer)

    @property
    def would_be_right(self) -> bool:
        """Whether what the engine holds most likely is right, even where it abstains rather than say it."""
        best = self.reply.best if self.reply else None
        return best is not None and self.case.answerable and is_accepted(self.case, best) and all(self.held)


@dataclass(frozen=True, slots=True)
class SetDescription:
    """Which cases were asked. `sha256` is of the cases themselves, in the order of their ids."""

    name: str
    split: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Run:
    """All records of a run, in the order of the cases, and what answered.

    `fingerprints` are those of the replies, each once: one for every collection that was asked. `documents` are the
    hashes of the documents asked, by collection and source. `started_at` is UTC, ISO 8601; `seconds` what all took.
    """

    citespan: str
    set: SetDescription
    engine: dict[str, str]
    settings: dict[str, str]
    fingerprints: tuple[str, ...]
    documents: dict[str, dict[str, str]]
    started_at: str
    seconds: float
    records: tuple[Record, ...]

    @property
    def missing_documents(self) -> dict[str, int]:
        """How many cases have gold in each document that the engine does not hold."""
        return dict(
            Counter(
                source for record in self.records for source in {each.document for each in record.gold if not each.text}
            )
        )

    @property
    def moved_gold(self) -> int:
        """How many cases have gold in a document that no longer says an accepted answer there."""
        return sum(
            any(each.text and not is_accepted_wording(each.text, record.case.answers) for each in record.gold)
            for record in self.records
        )

    @property
    def warnings(self) -> list[str]:
        """What makes verdicts doubtful, in words."""
        found = [
            f"The engine does not hold the document {document!r} at the gold spans of {_questions(count)}."
            for document, count in self.missing_documents.items()
        ]
        if self.moved_gold:
            found.insert(
                0,
                f"The gold of {_questions(self.moved_gold)} no longer stands where the set says; what is judged by "
                f"it is doubtful. Run `citespan-eval lint {self.set.name} --fix`, and ask again.",
            )
        return found


def _questions(count: int) -> str:
    return "1 question" if count == 1 else f"{count} questions"


def run_cases(
    name: str,
    cases: Sequence[Case],
    engine: Engine,
    *,
    split: str | None = None,
    jobs: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> Run:
    """Put every case to the engine, `jobs` at a time, and judge what it says; `progress` is told how many are done.

    Raises:
        EngineUnavailable: the engine cannot be asked, answered nothing at all, or changed meanwhile.
    """
    begin, started_at = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    documents = {engine.collection(case): dict(engine.documents(case)) for case in cases}
    replies = _ask_all(cases, engine, jobs, progress)
    if replies and all(isinstance(each, str) for each in replies):
        raise EngineUnavailable(f"The engine answered none of {len(replies)} questions. The first one: {replies[0]}")
    fingerprints = sorted({each.fingerprint for each in replies if isinstance(each, Reply)})
    if len(fingerprints) > len(documents):
        raise EngineUnavailable(
            "The engine or its documents changed while the questions were asked: their fingerprint did. Run again."
        )
    return Run(
        VERSION,
        SetDescription(name, split, sha256_of(cases)),
        engine.description(),
        {"jobs": str(jobs)},
        tuple(fingerprints),
        documents,
        started_at,
        round(time.perf_counter() - begin, 3),
        tuple(_record(engine, case, reply) for case, reply in zip(cases, replies, strict=True)),
    )


def ask_one(engine: Engine, case: Case) -> Record:
    """Put one case to the engine, and judge what it says.

    Raises:
        EngineUnavailable: the engine cannot be asked.
    """
    return _record(engine, case, _ask(engine, case))


def sha256_of(cases: Sequence[Case]) -> str:
    """Return the hash of a set of cases, in whatever order they come."""
    content = json.dumps([asdict(each) for each in sorted(cases, key=lambda case: case.id)])
    return hashlib.sha256(content.encode()).hexdigest()


def _ask_all(cases: Sequence[Case], engine: Engine, jobs: int, progress: Callable[[int], None]) -> list[Reply | str]:
    """Return what was said to every case, in their order, or why nothing was."""
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(_ask, engine, case) for case in cases]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                future.result()
                progress(done)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        return [future.result() for future in futures]


def _ask(engine: Engine, case: Case) -> Reply | str:
    try:
        return engine.ask(case)
    except (QuestionFailed, InvalidReply) as error:
        return str(error)


def _record(engine: Engine, case: Case, reply: Reply | str) -> Record:
    gold = gold_words(engine, case)
    if isinstance(reply, str):
        return Record(case, Verdict.ERROR, None, reply, gold, (), gains_of(case, ()))
    citations = reply.answer.citations if reply.answer else ()
    held = tuple(stands(engine, case, each) for each in citations)
    return Record(case, judge(case, reply, held), reply, None, gold, held, gains_of(case, reply.passages))

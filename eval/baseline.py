"""Baselines: what a run came to, accepted as what later runs are compared with. Small, and readable."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from eval.metrics import Place
from eval.run import Run, SetDescription
from eval.run_file import complaints, read_object, read_run, write_text
from eval.verdicts import Verdict
from index.errors import InvalidRun

# Goes up when a file of an older version can no longer be read, or one of this version not by an older Citespan.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """What a question came to: the verdict, the words that were answered ("": none) and the places that they cite."""

    question: str
    verdict: Verdict
    answer: str
    cited: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What every question of a run came to, by the id of its case, and what answered. No time, and no confidence."""

    set: SetDescription
    engine: dict[str, str]
    fingerprints: tuple[str, ...]
    documents: dict[str, dict[str, str]]
    cases: dict[str, Entry]


_BASELINE = TypeAdapter(Baseline)


def baseline_of(run: Run) -> Baseline:
    """Return what a run came to."""
    cases = {
        each.case.id: Entry(each.case.question, each.verdict, each.answer, tuple(sorted(set(each.cited))))
        for each in run.records
    }
    return Baseline(run.set, run.engine, run.fingerprints, run.documents, cases)


def write_baseline(baseline: Baseline, path: Path) -> None:
    """Write a baseline, a line for every case; what is at `path` is replaced.

    Raises:
        InvalidRun: the file cannot be written.
    """
    head = {"format": FORMAT, **{name: value for name, value in asdict(baseline).items() if name != "cases"}}
    lines = [f"{_json(name)}: {_json(value)}," for name, value in head.items()]
    cases = [f"{_json(name)}: {_json(asdict(entry))}" for name, entry in baseline.cases.items()]
    write_text(path, "\n".join(["{", *lines, '"cases": {', ",\n".join(cases), "}", "}"]) + "\n")


def read_baseline(path: Path) -> Baseline:
    """Read a baseline; a run is taken as one, too.

    Raises:
        InvalidRun: the file cannot be read, or is no baseline of this format.
    """
    found = read_baseline_or_run(path)
    return baseline_of(found) if isinstance(found, Run) else found


def read_baseline_or_run(path: Path) -> Baseline | Run:
    """Read a baseline, or a run as the run that it is.

    Raises:
        InvalidRun: the file cannot be read, or is neither of this format.
    """
    content = read_object(path, FORMAT, "`citespan-eval accept RUN --baseline FILE` writes one")
    if "records" in content:
        return read_run(path)
    try:
        return _BASELINE.validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        raise InvalidRun(f"{path} is no baseline: {complaints(error)}.") from error


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

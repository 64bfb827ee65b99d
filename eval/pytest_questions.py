"""Questions as tests: what the pytest plugin loads once it is asked for a set."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eval.baseline import Baseline, read_baseline
from eval.cases import Case, read_cases
from eval.http_engine import HttpEngine
from eval.junit import described
from eval.regression import Change, change_of
from eval.run import ask_one
from index.errors import CitespanError, EngineUnavailable
from service import KEY_VARIABLE

_LONGEST_NAME = 70


class WrongAnswer(Exception):
    """A question was not answered as it should be; the message says how."""


class Questions:
    """The hooks of a run with a set: they hold what all tests share."""

    def __init__(self, config: pytest.Config) -> None:
        """Read the set and reach for the service.

        Raises:
            pytest.UsageError: one of the two cannot be had.
        """
        url: str | None = config.getoption("--citespan-url")
        if url is None:
            raise pytest.UsageError("--citespan-set needs the service to ask: --citespan-url http://127.0.0.1:8000.")
        self.path = Path(config.getoption("--citespan-set")).absolute()
        baseline: Path | None = config.getoption("--citespan-baseline")
        key = config.getoption("--citespan-key") or os.environ.get(KEY_VARIABLE)
        try:
            self.cases = read_cases(self.path)
            self.baseline: Baseline | None = None if baseline is None else read_baseline(baseline)
            self.engine = HttpEngine(url, key=key, collection=config.getoption("--citespan-collection"))
            if not config.option.collectonly:
                for case in self.cases[:1]:
                    self.engine.documents(case)
        except CitespanError as error:
            raise pytest.UsageError(str(error)) from error

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collect the set, and no other file."""
        if file_path != self.path:
            return None
        return QuestionFile.from_parent(parent, path=file_path, questions=self)

    def pytest_unconfigure(self) -> None:
        """Close the connections."""
        self.engine.close()


class QuestionFile(pytest.File):
    """A set of questions."""

    def __init__(self, *, questions: Questions, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.questions = questions

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for every question, in their order."""
        for case in self.questions.cases:
            yield QuestionItem.from_parent(self, name=_name(case), questions=self.questions, case=case)


class QuestionItem(pytest.Item):
    """A question as a test: it passes where the service does what it should."""

    def __init__(self, *, questions: Questions, case: Case, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.questions = questions
        self.case = case

    def runtest(self) -> None:
        """Ask, judge, and say what was wrong."""
        try:
            record = ask_one(self.questions.engine, self.case)
        except EngineUnavailable as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
        baseline = self.questions.baseline
        change = change_of(record, baseline.cases if baseline else {})
        if record.verdict.is_good:
            return
        if change.before is not None and not change.is_regression and record.reply is not None:
            pytest.xfail(f"{record.verdict}; {change.before.verdict} in the baseline, too")
        raise WrongAnswer(_complaint(change))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return what is shown of a failure: the documents' words, without a traceback."""
        if isinstance(excinfo.value, WrongAnswer):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return where the question stands, and its name."""
        return self.path, None, self.name


def _name(case: Case) -> str:
    question = " ".join(case.question.split())
    return f"{case.id}: {question if len(question) <= _LONGEST_NAME else question[: _LONGEST_NAME - 1] + '…'}"


def _complaint(change: Change) -> str:
    verdict = change.after.verdict if change.after else ""
    return f"{verdict}\n{described(change)}"

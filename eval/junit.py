"""JUnit XML: a check as the test report that continuous integration shows.

The form is the one that Jenkins, GitLab and GitHub actions read (github.com/testmoapp/junitxml): a test case for every
question. A regression is a failure; what the engine did not answer at all is an error; what was not right in the
baseline either is skipped, and says so.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from eval.regression import Change, Comparison, Kind
from eval.run_file import write_text
from eval.wording import Quote, cited_quotes, expected, gold_quotes, said

# What XML 1.0 cannot hold in any form (section 2.2).
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(comparison: Comparison, path: Path, *, breaches: Sequence[str] = (), name: str = "citespan") -> None:
    """Write the report of a check; a breach other than of a question is a failed test case of its own.

    Raises:
        InvalidRun: the file cannot be written.
    """
    cases = [_case(each, name) for each in comparison.changes if each.kind is not Kind.REMOVED]
    cases += [_failed(breach, name) for breach in breaches]
    suite = ElementTree.Element(
        "testsuite",
        name=_text(name),
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        time=f"{sum(float(case.get('time', '0')) for case in cases):.3f}",
    )
    suite.extend(cases)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    write_text(path, '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n")


def _case(change: Change, name: str) -> ElementTree.Element:
    record = change.after
    seconds = record.reply.milliseconds / 1e3 if record and record.reply else 0.0
    case = ElementTree.Element(
        "testcase", name=_text(f"{change.id} {change.question}"), classname=_text(name), time=f"{seconds:.3f}"
    )
    if record is None:
        return case
    if change.is_regression:
        found = ElementTree.SubElement(case, "failure", message=_text(f"{change.kind}: {record.verdict}"))
        found.text = _text(described(change))
    elif change.kind is Kind.ERROR:
        ElementTree.SubElement(case, "error", message=_text(record.error or ""))
    elif not record.verdict.is_good:
        since = "not in the baseline" if change.before is None else "so it was in the baseline"
        ElementTree.SubElement(case, "skipped", message=_text(f"{record.verdict}; {since}"))
    return case


def _failed(breach: str, name: str) -> ElementTree.Element:
    case = ElementTree.Element("testcase", name=_text(breach), classname=_text(f"{name}.limits"), time="0")
    ElementTree.SubElement(case, "failure", message=_text(breach))
    return case


def described(change: Change) -> str:
    """Return what happened to a question as plain text: expected, before and now, each with its sentence."""
    record = change.after
    if record is None:
        return change.question
    lines = [change.question, f"expected: {expected(record)}", *map(_line, gold_quotes(record))]
    if change.before is not None:
        lines.append(f"before: {change.before.answer or '(silence)'} ({change.before.verdict})")
    return "\n".join([*lines, f"now: {said(record)} ({record.verdict})", *map(_line, cited_quotes(record))])


def _line(quote: Quote) -> str:
    return f"    {quote.before}[{quote.words}]{quote.after}  {quote.where}"


def _text(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)

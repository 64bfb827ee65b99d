"""Run files: a run as JSON, with everything that gates, reports and exports need (docs/regression-testing.md)."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from eval.run import Run
from index.errors import InvalidRun

# Goes up when a file of an older version can no longer be read, or one of this version not by an older Citespan.
FORMAT = 1

_RUN = TypeAdapter(Run)
_MOST_COMPLAINTS = 3


def write_run(run: Run, path: Path) -> None:
    """Write a run; what is at `path` is replaced.

    Raises:
        InvalidRun: the file cannot be written.
    """
    content = {"format": FORMAT, **_RUN.dump_python(run, mode="json")}
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def read_run(path: Path) -> Run:
    """Read a run.

    Raises:
        InvalidRun: the file cannot be read, or is no run of this format; the message says what is wrong where.
    """
    content = read_object(path, FORMAT, "`citespan-eval run SET --out FILE` writes one")
    try:
        return _RUN.validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        raise InvalidRun(f"{path} is no run: {complaints(error)}.") from error


def read_object(path: Path, form: int, hint: str) -> dict[str, Any]:
    """Return the JSON object of a file without its field `format`, which must be `form`.

    Raises:
        InvalidRun: it cannot be read, or is something else; the message ends with the `hint` where one is made.
    """
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InvalidRun(f"There is no file {path}; {hint}.") from error
    except (OSError, ValueError) as error:
        raise InvalidRun(f"{path} cannot be read as JSON: {error}.") from error
    if not isinstance(content, dict) or "format" not in content:
        raise InvalidRun(f"{path} is another kind of file: it is no JSON object with a field `format`; {hint}.")
    if content["format"] != form:
        raise InvalidRun(f"{path} has the format {content['format']!r}, and this version of Citespan reads {form}.")
    return {name: value for name, value in content.items() if name != "format"}


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, making its folder where there is none.

    Raises:
        InvalidRun: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InvalidRun(f"{path} cannot be written: {error.strerror}.") from error


def complaints(error: ValidationError) -> str:
    """Return the first complaints about a file in one line: where, and what is wrong."""
    found = [
        f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
        for each in error.errors(include_url=False, include_input=False)
    ]
    more = len(found) - _MOST_COMPLAINTS
    return "; ".join([*found[:_MOST_COMPLAINTS], *([f"and {more} more"] if more > 0 else [])])

"""The converter: lets a worker read a file, and sees to it that the worker keeps within its limits."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from index import errors
from index.errors import DamagedFile, FileOverLimit, InvalidDocument, StoreError
from index.formats.kinds import Kind
from index.formats.limits import Limits

_ROOT = Path(errors.__file__).parents[1]
_MEBIBYTE = 1 << 20
# On a machine that is far too busy, a worker that has got less than this share of a processor is waited for.
_STARVED = 0.25
_PATIENCE_S = 120.0
# What the worker says is short; more is not read.
_LONGEST_ANSWER = 65_536
# Of a character, UTF-8 and JSON make at most so many bytes; pages and headings come besides.
_BYTES_A_CHARACTER = 6
_ERRORS = {
    each.__name__: each
    for each in (
        errors.UnsupportedFormat,
        errors.EncryptedFile,
        errors.ScannedFile,
        errors.EmptyFile,
        errors.DamagedFile,
        errors.FileOverLimit,
        errors.InvalidDocument,
    )
}


@dataclass(frozen=True, slots=True)
class Converted:
    """What came of a file: as what it was read, and how many documents it holds, one a line of the output."""

    kind: Kind
    lines: int


def convert(
    path: Path, output: Path, *, name: str, source: str, limits: Limits, said: Mapping[str, Any] | None = None
) -> Converted:
    """Read the file at `path`, which is called `name`, and write its documents to `output`, one a line.

    A line is a document as a line of a batch says it (docs/http-api.md), from `source` or, of a file that holds many,
    `source#n`. What is `said` of the file goes before what the file says of itself, and what a row says before both.
    This blocks until the worker has ended, which it does in time: nothing of the file is parsed in this process.

    Raises:
        InvalidDocument: the file cannot be read; the class says why.
        StoreError: the disk does not take the output.
    """
    size = path.stat().st_size
    if size > limits.bytes:
        raise FileOverLimit(f"The file has {size} bytes; at most {limits.bytes} are read (CITESPAN_MAX_FILE_BYTES).")
    seconds = limits.seconds_for(size)
    request = {
        "path": str(path.absolute()),
        "output": str(output.absolute()),
        "name": name,
        "source": source,
        "limits": asdict(limits),
        "said": dict(said or {}),
        "written": _BYTES_A_CHARACTER * limits.characters + 64 * _MEBIBYTE,
    }
    answer = output.with_name(f"{output.name}.answer")
    try:
        with answer.open("wb") as written:
            status = _run(json.dumps(request), written.fileno(), seconds)
        with answer.open("rb") as read:
            content = read.read(_LONGEST_ANSWER)
    except OSError as error:
        raise StoreError(f"The file cannot be read now: {error.strerror or error}.") from error
    finally:
        answer.unlink(missing_ok=True)
    if status is None or status in (-getattr(signal, "SIGXCPU", 24),):
        raise FileOverLimit(
            f"Reading the file takes more than {math.ceil(seconds)} seconds; send it in parts, or raise "
            "CITESPAN_MAX_FILE_SECONDS."
        )
    return _outcome(status, content)


def _run(request: str, output: int, seconds: float) -> int | None:
    """Run a worker and return its exit status, or None where its time was up."""
    # Neither the variables of this process, which hold secrets, nor its folder.
    environment = {"PYTHONPATH": str(_ROOT), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
    worker = subprocess.Popen(
        [sys.executable, "-P", "-m", "index.formats.worker"],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env=environment,
    )
    begin = time.monotonic()
    try:
        _tell(worker, request)
        while True:
            try:
                return worker.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                elapsed = time.monotonic() - begin
                if not 1 < elapsed < _PATIENCE_S or not _is_starved(worker.pid, elapsed):
                    return None
    finally:
        if worker.poll() is None:
            worker.kill()
        worker.wait()


def _tell(worker: "subprocess.Popen[bytes]", request: str) -> None:
    if worker.stdin is None:
        raise AssertionError("standard input is a pipe")
    try:
        with worker.stdin as pipe:
            pipe.write(request.encode())
    except BrokenPipeError:
        pass  # it has died already, and its status says so


def _is_starved(pid: int, elapsed_s: float) -> bool:
    """Whether a process has got next to no time of a processor: then it is the machine that is slow, not the file."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return False  # this system does not tell
    return used < _STARVED * elapsed_s


def _outcome(status: int, content: bytes) -> Converted:
    """Return what a worker says.

    Raises:
        InvalidDocument: it says that the file cannot be read, or it has died of it.
    """
    try:
        said = json.loads(content)
        if "error" not in said:
            return Converted(Kind(said["kind"]), int(said["lines"]))
        kind, message = str(said["error"]), str(said["message"])
    except (ValueError, LookupError, TypeError):
        raise _death(status) from None
    if kind == "OSError":
        raise StoreError(f"The file cannot be read now: {message}.")
    raise _ERRORS.get(kind, DamagedFile)(message)


def _death(status: int) -> InvalidDocument:
    killed = -getattr(signal, "SIGKILL", 9)
    if status in (killed, -getattr(signal, "SIGXFSZ", 25)):
        return FileOverLimit("Reading the file takes more than it may; send it in parts.")
    return DamagedFile("Reading the file takes more memory than it may, or breaks the program that reads it.")

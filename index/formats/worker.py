"""The worker: reads one file in a process of its own, within limits, and ends.

Standard input holds one JSON object: the paths of the file and of what is to be written, names and limits. Every line
of the output is a document as a line of a batch (docs/http-api.md). Standard output gets one JSON object that says what
came of it. Nothing else of this project is imported than what reading needs: a start takes as long as that.
"""

import errno
import json
import math
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from index import errors
from index.errors import FileOverLimit, InvalidDocument
from index.formats.kinds import Kind, find_kind
from index.formats.limits import Limits

# Address space that libraries take without using it.
_UNUSED = 1 << 30
_TOO_MUCH_MEMORY = (
    "Reading the file takes more memory than it may; send it in parts, or raise CITESPAN_MAX_FILE_MEMORY."
)


def confine(limits: Limits, size: int, *, written: int) -> None:
    """Let this process take no more than the limits allow for a file of `size` bytes, and write no more than `written`.

    Where the system has no such limits, the caller's clock still holds.
    """
    try:
        import resource
    except ImportError:
        return
    seconds = math.ceil(limits.seconds_for(size))
    wanted = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_DATA: limits.memory,
        resource.RLIMIT_AS: limits.memory + _UNUSED,
        resource.RLIMIT_FSIZE: written,
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in wanted.items():
        with suppress(ValueError, OSError):  # a limit that is lower already holds
            resource.setrlimit(kind, (value, value))


def documents(kind: Kind, path: Path, source: str, limits: Limits) -> Iterator[dict[str, Any] | str]:
    """Yield the documents of a file of a kind, as lines of a batch.

    Raises:
        InvalidDocument: it cannot be read; its class says why.
    """
    # Imported here: every parser takes a while.
    if kind is Kind.PDF:
        from index.formats.pdf import read_pdf

        yield from read_pdf(path, limits)
        return
    if kind is Kind.DOCX:
        from index.formats.docx import read_docx

        yield from read_docx(path, limits)
        return
    from index.formats.encoding import decoded

    text = decoded(path.read_bytes(), html=kind is Kind.HTML).replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > limits.characters * (4 if kind is Kind.HTML else 1):
        raise FileOverLimit(
            f"The file has {len(text)} characters; at most {limits.characters} are read. Send it in parts, or raise "
            "CITESPAN_MAX_FILE_CHARACTERS."
        )
    if kind is Kind.HTML:
        from index.formats.html import read_html

        yield from read_html(text, limits)
    elif kind is Kind.TEXT:
        if not text.strip("\ufeff \n\t"):
            raise errors.EmptyFile("The file holds no text.")
        yield {"text": text}
    else:
        from index.formats.rows import read_csv, read_json_lines

        text = text.lstrip("\ufeff")
        yield from (read_csv if kind is Kind.CSV else read_json_lines)(text, source, limits)


def work(request: dict[str, Any]) -> dict[str, Any]:
    """Read the file of a request, write its documents, and return what came of it."""
    limits = Limits(**request["limits"])
    path = Path(request["path"])
    confine(limits, path.stat().st_size, written=request["written"])
    kind = find_kind(path, request["name"])
    lines = 0
    with Path(request["output"]).open("w", encoding="utf-8", errors="surrogatepass", newline="\n") as output:
        for each in documents(kind, path, request["source"], limits):
            line = each if isinstance(each, str) else json.dumps(_described(each, kind, request), ensure_ascii=False)
            output.write(f"{line}\n")
            lines += 1
    return {"kind": kind.value, "lines": lines}


def _described(document: dict[str, Any], kind: Kind, request: dict[str, Any]) -> dict[str, Any]:
    """Return a document with what the request says of it; what a row says of itself counts more."""
    said: dict[str, Any] = request["said"]
    return said | document if kind.is_many else {"source": request["source"]} | document | said


def main() -> None:
    """Do the work and say what came of it."""
    try:
        said = work(json.load(sys.stdin))
    except InvalidDocument as error:
        said = {"error": type(error).__name__, "message": str(error)[:1000]}
    except MemoryError:
        said = {"error": "FileOverLimit", "message": _TOO_MUCH_MEMORY}
    except RecursionError:
        said = {"error": "FileOverLimit", "message": "The file is nested too deeply to be read."}
    except OSError as error:
        said = {"error": "OSError", "message": str(error)[:1000]}
        if error.errno == errno.EFBIG:
            said = {"error": "FileOverLimit", "message": "The file holds more than may come of it; send it in parts."}
    except Exception as error:  # noqa: BLE001 (whatever a parser trips over, it is the file's)
        said = {"error": "DamagedFile", "message": f"The file cannot be read: {type(error).__name__}."}
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()

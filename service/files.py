"""Files: what a folder or an upload holds, read as documents within the limits of the settings."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from index.documents import Document, decode, make_document
from index.errors import DamagedFile, FileOverLimit, InvalidDocument
from index.formats.converter import Converted, convert
from index.formats.kinds import HEAD_BYTES, is_plain_text
from index.formats.limits import Limits
from service.batch import complaint
from service.schemas import DocumentLine

# A character has at most so many bytes.
_WIDEST = 4
# So many documents, or characters of them, are put at once.
_AT_ONCE = 64
_CHARACTERS_AT_ONCE = 262_144


@dataclass(frozen=True, slots=True)
class Found:
    """A document that a file holds, or, where `document` is None, why there is none.

    A row is one of many in its file, and says itself what its tags, date and metadata are.
    """

    source: str
    document: Document | None
    why: str = ""
    is_row: bool = False


def read_file(path: Path, *, source: str, name: str | None = None, limits: Limits, **said: Any) -> Iterator[Found]:
    """Yield the documents of a file: one, or, of a table or of JSON lines, one a row, from `source#n`.

    The file is called `name`, by default as its path says. What is `said` of it (`title`, `tags`, `date`, `metadata`)
    goes before what it says itself. Rows that hold no document are told of, and stop no other.

    Raises:
        InvalidDocument: the file cannot be read; the message names it, and the class says why.
    """
    name = path.name if name is None else name
    try:
        if (document := plain_document(path, name, source=source, limits=limits, said=said)) is not None:
            yield Found(source, document)
            return
        with tempfile.TemporaryDirectory(prefix="citespan-") as scratch:
            output = Path(scratch) / "documents"
            converted = convert(path, output, name=name, source=source, limits=limits, said=said)
            refuse_title_of_many(converted, said)
            with output.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    if not converted.kind.is_many:
                        yield Found(source, document_of(line))
                    elif line.strip():
                        yield _row(line, f"{source}#{number}")
    except OSError as error:
        raise InvalidDocument(f"{path}: {error.strerror}.") from error
    except InvalidDocument as error:
        raise type(error)(f"{path}: {error}") from error


def plain_document(path: Path, name: str, *, source: str, limits: Limits, said: Mapping[str, Any]) -> Document | None:
    """Return the document of a file that is text as it stands, or None where it is to be converted.

    Raises:
        FileOverLimit: it is too large.
        InvalidDocument: it cannot be taken.
    """
    with path.open("rb") as file:
        if not is_plain_text(file.read(HEAD_BYTES), name):
            return None
    if path.stat().st_size > min(limits.bytes, _WIDEST * limits.characters):
        raise FileOverLimit(f"The file has more than {limits.characters} characters, and no more are read.")
    try:
        text = decode(path.read_bytes())
    except DamagedFile:
        return None  # in another encoding, which takes a while to find
    if len(text) > limits.characters:
        raise FileOverLimit(f"The file has {len(text)} characters; at most {limits.characters} are read.")
    return make_document(text, source=source, **said)


def document_of(line: bytes) -> Document:
    """Return the document that a line of a converted file holds.

    Raises:
        InvalidDocument: it holds none.
    """
    try:
        return DocumentLine.model_validate_json(line).to_document()
    except ValidationError as error:
        raise InvalidDocument(complaint(error)) from None


def refuse_title_of_many(converted: Converted, said: Mapping[str, Any]) -> None:
    """Return unless a file that holds many documents was given a title.

    Raises:
        InvalidDocument: it was.
    """
    if converted.kind.is_many and said.get("title") is not None:
        raise InvalidDocument("A title is for a file that is one document; each row of this one may have its own.")


def is_row_of(source: str, file_source: str) -> bool:
    """Whether a source is that of a row of the file from another source."""
    base, mark, number = source.rpartition("#")
    return bool(mark) and base == file_source and number.isdecimal()


def in_groups(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Yield documents in groups that are put together: not too many, and no two from the same source."""
    group: dict[str, Document] = {}
    size = 0
    for each in documents:
        if group and (len(group) == _AT_ONCE or size + len(each.text) > _CHARACTERS_AT_ONCE or each.source in group):
            yield list(group.values())
            group, size = {}, 0
        group[each.source] = each
        size += len(each.text)
    if group:
        yield list(group.values())


def _row(line: bytes, source: str) -> Found:
    try:
        document = document_of(line)
    except InvalidDocument as error:
        return Found(source, None, str(error), is_row=True)
    return Found(document.source, document, is_row=True)

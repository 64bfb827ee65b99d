"""Documents: one source as read, with its id, title and canonical text.

The canonical text is what every offset of the project counts in. It is the decoded text with a leading byte order mark
dropped (every one, where tools have stacked several) and CRLF and CR turned into LF; nothing else is changed, in
particular there is no Unicode normalisation.
"""

import base64
import datetime
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from index.blocks import find_title
from index.errors import DamagedFile, InvalidDocument
from index.formats.kinds import MARKDOWN_SUFFIXES, READABLE_SUFFIXES
from index.structure import Structure, checked_structure

Scalar: TypeAlias = str | int | float | bool

MAX_SOURCE_LENGTH = 1024
MAX_TITLE_LENGTH = 500
MAX_METADATA_BYTES = 16_384
MAX_TAGS = 50
MAX_TAG_LENGTH = 100

_BYTE_ORDER_MARK = "\ufeff"
_REPLACEMENT = "\ufffd"
_SURROGATE = re.compile("[\ud800-\udfff]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Document:
    """One source as read.

    `text` is canonical; `content_sha256` is the lower-case hexadecimal SHA-256 of `text` in UTF-8. Two documents are
    equal when everything a reader could see of them is equal. `tags` are sorted, each once; `date` is a day,
    YYYY-MM-DD; `structure` is what a converted file says of its text. Make one with `make_document`.
    """

    id: str
    source: str
    title: str
    text: str
    content_sha256: str
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    date: str | None = None
    structure: Structure | None = None

    @property
    def is_markdown(self) -> bool:
        """Whether the source's name says that the text is Markdown, and it was not converted."""
        return self.structure is None and self.source.lower().endswith(MARKDOWN_SUFFIXES)


def canonical_text(text: str) -> str:
    """Return the canonical form of decoded text.

    Raises:
        InvalidDocument: the text is empty or only white space, or holds NUL or unpaired surrogates.
    """
    text = text.lstrip(_BYTE_ORDER_MARK).replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise InvalidDocument(
            f"The text holds a NUL character at offset {text.index(chr(0))}; send plain text, not binary data."
        )
    if surrogate := _SURROGATE.search(text):
        raise InvalidDocument(
            f"The text holds an unpaired surrogate at offset {surrogate.start()}, which no UTF-8 text can hold; "
            "send the character as a pair or leave it out."
        )
    if not text.strip():
        raise InvalidDocument("The document holds no text.")
    return text


def decode(data: bytes) -> str:
    """Return the canonical text of a file's bytes: UTF-8, or UTF-16 when a byte order mark says so.

    Raises:
        DamagedFile: the bytes are in another encoding.
        InvalidDocument: `canonical_text` refuses their text.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        return canonical_text(data.decode(encoding))
    except UnicodeDecodeError as error:
        raise DamagedFile(
            f"The file is not {encoding.upper()} text (byte {error.start}: {error.reason}); save it as UTF-8."
        ) from error


def content_sha256(text: str) -> str:
    """Return the hexadecimal SHA-256 of canonical text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def document_id(source: str) -> str:
    """Return the id of the document that `source` names: opaque, URL-safe, and the same after every replacement."""
    digest = hashlib.sha256(b"citespan document\0" + source.encode()).digest()
    return "doc-" + base64.b32encode(digest).decode().lower()[:20]


def make_document(
    text: str,
    *,
    source: str | None = None,
    title: str | None = None,
    metadata: Mapping[str, Scalar] | None = None,
    tags: Iterable[str] = (),
    date: str | None = None,
    structure: Structure | None = None,
) -> Document:
    """Make a document of decoded text.

    A missing source becomes `upload:<content_sha256>`, a missing title is taken from the text. The offsets of a
    `structure` are of the text as it is given, which must be canonical then.

    Raises:
        InvalidDocument: the text or its structure, the source, the title, the metadata, a tag or the date cannot be
            taken.
    """
    given, text = text, canonical_text(text)
    if structure is not None:
        if text != given:
            raise InvalidDocument("A text with pages or headings must not begin with a byte order mark or hold CR.")
        structure = checked_structure(text, structure.pages, structure.headings)
    sha256 = content_sha256(text)
    source = _checked_line("source", f"upload:{sha256}" if source is None else source, MAX_SOURCE_LENGTH)
    markdown = structure is None and source.lower().endswith(MARKDOWN_SUFFIXES)
    if title is None:
        title = _CONTROL.sub(_REPLACEMENT, find_title(text, markdown=markdown, structure=structure))
    title = _checked_line("title", title, MAX_TITLE_LENGTH)
    return Document(
        document_id(source),
        source,
        title,
        text,
        sha256,
        _checked_metadata(metadata or {}),
        _checked_tags(tags),
        None if date is None else checked_day(date),
        structure,
    )


def checked_day(text: str) -> str:
    """Return a day as it is.

    Raises:
        InvalidDocument: it is not written YYYY-MM-DD, or there is no such day.
    """
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        datetime.date.fromisoformat(text)
    except ValueError:
        raise InvalidDocument(f"{text[:40]!r} is no day; write it as YYYY-MM-DD.") from None
    return text


def read_document(path: Path, *, source: str) -> Document:
    """Read one text or Markdown file as a document.

    Raises:
        InvalidDocument: the file cannot be read, decoded or taken; the message names it.
    """
    try:
        return make_document(decode(path.read_bytes()), source=source)
    except OSError as error:
        raise InvalidDocument(f"{path}: {error.strerror}.") from error
    except InvalidDocument as error:
        raise InvalidDocument(f"{path}: {error}") from error


def find_files(folder: Path) -> list[tuple[str, Path]]:
    """Return (source, path) of every readable file below `folder`, sorted by source.

    The source is the path below the folder with forward slashes. Hidden files and folders are passed over.

    Raises:
        InvalidDocument: `folder` is not a folder.
    """
    if not folder.is_dir():
        raise InvalidDocument(f"{folder} is not a folder.")
    found = []
    for path in folder.rglob("*"):
        relative = PurePosixPath(path.relative_to(folder))
        hidden = any(part.startswith(".") for part in relative.parts)
        if path.suffix.lower() in READABLE_SUFFIXES and path.is_file() and not hidden:
            found.append((str(relative), path))
    return sorted(found)


def _checked_line(name: str, value: str, limit: int) -> str:
    """Return `value` if it can stand on one line of a page, a log and a citation."""
    if not value.strip():
        raise InvalidDocument(f"The {name} is blank; leave it out or give it at least one letter.")
    if len(value) > limit:
        raise InvalidDocument(f"The {name} has {len(value)} characters; at most {limit} are allowed.")
    if _CONTROL.search(value) or _SURROGATE.search(value):
        raise InvalidDocument(f"The {name} holds control characters or unpaired surrogates.")
    return value


def _checked_metadata(metadata: Mapping[str, Scalar]) -> dict[str, Scalar]:
    try:
        encoded = json.dumps(dict(metadata), allow_nan=False, ensure_ascii=False, sort_keys=True).encode()
    except ValueError as error:
        raise InvalidDocument(f"The metadata cannot be kept: {error}.") from error
    if len(encoded) > MAX_METADATA_BYTES:
        raise InvalidDocument(f"The metadata has {len(encoded)} bytes; at most {MAX_METADATA_BYTES} are allowed.")
    return dict(metadata)


def _checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    checked = {_checked_line("tag", tag, MAX_TAG_LENGTH) for tag in tags}
    if len(checked) > MAX_TAGS:
        raise InvalidDocument(f"The document has {len(checked)} tags; at most {MAX_TAGS} are allowed.")
    return tuple(sorted(checked))

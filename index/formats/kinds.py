"""Kinds: what a file is, by its content first and by its name where the content leaves it open."""

import lzma
import re
import zipfile
import zlib
from enum import Enum
from pathlib import Path, PurePosixPath

from index.errors import DamagedFile, EncryptedFile, UnsupportedFormat

# What `zipfile` raises of an archive that is damaged, or packed in a way that it does not know.
ARCHIVE_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OSError,
)
MARKDOWN_SUFFIXES = (".md", ".markdown")
TEXT_SUFFIXES = (".txt", ".text", *MARKDOWN_SUFFIXES)
HTML_SUFFIXES = (".html", ".htm", ".xhtml")
ROW_SUFFIXES = (".jsonl", ".ndjson", ".csv", ".tsv")
READABLE_SUFFIXES = (*TEXT_SUFFIXES, *HTML_SUFFIXES, ".pdf", ".docx", *ROW_SUFFIXES)

# So much of a file says what it is.
HEAD_BYTES = 4096


class Kind(Enum):
    """What a file is read as. Files of the last two hold many documents, one a line or row."""

    TEXT = "text"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"
    JSON_LINES = "jsonl"
    CSV = "csv"

    @property
    def is_many(self) -> bool:
        """Whether a file of this kind holds many documents."""
        return self in (Kind.JSON_LINES, Kind.CSV)


_BY_NAME = {".jsonl": Kind.JSON_LINES, ".ndjson": Kind.JSON_LINES, ".csv": Kind.CSV, ".tsv": Kind.CSV}

# Beginnings of files that are known and not read, and what a person can do.
_OTHERS = (
    (b"{\\rtf", "an RTF file; save it as DOCX or PDF"),
    (b"\x89PNG", "a picture; recognise its text (OCR) and send that"),
    (b"\xff\xd8\xff", "a picture; recognise its text (OCR) and send that"),
    (b"GIF8", "a picture; recognise its text (OCR) and send that"),
    (b"II*\x00", "a picture; recognise its text (OCR) and send that"),
    (b"MM\x00*", "a picture; recognise its text (OCR) and send that"),
    (b"%!PS", "a PostScript file; convert it to PDF"),
    (b"\x1f\x8b", "a gzip archive; unpack it and send what is in it"),
    (b"BZh", "a bzip2 archive; unpack it and send what is in it"),
    (b"\xfd7zXZ\x00", "an xz archive; unpack it and send what is in it"),
    (b"(\xb5/\xfd", "a Zstandard archive; unpack it and send what is in it"),
    (b"7z\xbc\xaf'\x1c", "a 7z archive; unpack it and send what is in it"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it and send what is in it"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"SQLite format 3\x00", "a database"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a file of an old version of Office; save it as DOCX or PDF"),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
# Members of ZIP archives that say what they are.
_PACKAGES = (
    ("xl/workbook.xml", "an Excel file; save the sheets as CSV"),
    ("ppt/presentation.xml", "a PowerPoint file; save it as PDF"),
    ("META-INF/container.xml", "an EPUB file; convert it to HTML or PDF"),
    ("content.xml", "an OpenDocument file; save it as DOCX or PDF"),
)
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_HTML = re.compile(rb"(?:\s|<\?xml[^>]*>|<!--.*?-->)*<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(rb"<(?:[a-zA-Z][^<>]*|/[a-zA-Z][^<>]*|!--)>?")
_XML = re.compile(rb"\s*<\?xml\s")


def is_plain_text(head: bytes, name: str) -> bool:
    """Whether a file that begins with `head` may be read as text as it is, if it is UTF-8 or UTF-16 with a mark."""
    return _suffix(name) in TEXT_SUFFIXES and not _magic(head) and not _HTML.match(_unmarked(head))


def find_kind(path: Path, name: str) -> Kind:
    """Return what the file at `path`, which is called `name`, is to be read as.

    A PDF, DOCX or HTML file is read as what it is, whatever it is called.

    Raises:
        UnsupportedFormat: it is of a kind that is not read, or not what its name says.
        EncryptedFile: it is an Office file with a password.
        DamagedFile: it begins as an archive and is none.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if b"%PDF-" in head[:1024]:
        return Kind.PDF
    if head.startswith(_ZIP):
        return _kind_of_archive(path)
    if head.startswith(_OLD_OFFICE) and _ENCRYPTED_PACKAGE in path.read_bytes():
        raise EncryptedFile("The file is an Office file with a password; save it without one.")
    for magic, what in _OTHERS:
        if head.startswith(magic):
            raise UnsupportedFormat(f"The file is {what}.")
    return _kind_of_text(head, _suffix(name))


def _kind_of_text(head: bytes, suffix: str) -> Kind:
    text = _unmarked(head)
    if _HTML.match(text) or (suffix in HTML_SUFFIXES and _TAG.search(text)):
        return Kind.HTML
    if suffix in (".pdf", ".docx"):
        raise UnsupportedFormat(f"The file is called {suffix} and is none; send the file that was meant.")
    if b"\0" in text:
        raise UnsupportedFormat("The file is neither text nor of a kind that is read.")
    if suffix in _BY_NAME:
        return _BY_NAME[suffix]
    if suffix == ".json":
        raise UnsupportedFormat("A JSON file is not read; send one object a line, with 'text', in a .jsonl file.")
    if _XML.match(text):
        raise UnsupportedFormat("The file is XML, which is not read; convert it to HTML or text.")
    return Kind.TEXT


def _kind_of_archive(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except ARCHIVE_DAMAGE as error:
        raise DamagedFile(f"The file begins as a ZIP archive or DOCX file and is none: {error}.") from error
    if "word/document.xml" in names or ("[Content_Types].xml" in names and any(_is_word(name) for name in names)):
        return Kind.DOCX
    for member, what in _PACKAGES:
        if member in names:
            raise UnsupportedFormat(f"The file is {what}.")
    raise UnsupportedFormat("The file is a ZIP archive; unpack it and send what is in it.")


def _is_word(name: str) -> bool:
    return name.startswith("word/") and name.endswith(".xml")


def _magic(head: bytes) -> bool:
    return b"%PDF-" in head[:1024] or head.startswith((*_ZIP, *(magic for magic, _ in _OTHERS)))


def _unmarked(head: bytes) -> bytes:
    """Return the beginning of a text without its byte order mark, and of UTF-16 the bytes that are ASCII."""
    if head.startswith(_MARKS[1:]) or _looks_wide(head):
        return head.replace(b"\0", b"").lstrip(b"\xff\xfe")
    return head.removeprefix(_MARKS[0])


def _looks_wide(head: bytes) -> bool:
    """Whether every other byte of the beginning is NUL: English in UTF-16 without a mark."""
    sample = head[:256]
    half = len(sample) // 2
    return half > 1 and (sample[::2].count(0) >= 0.9 * half) != (sample[1::2].count(0) >= 0.9 * half)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()

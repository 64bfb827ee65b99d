"""DOCX: paragraphs, headings, lists, tables and notes of a Word file (mammoth makes HTML of them)."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

import mammoth

from index.errors import DamagedFile, EmptyFile, FileOverLimit, ScannedFile
from index.formats.draft import Draft, clean
from index.formats.html import parse, write
from index.formats.kinds import ARCHIVE_DAMAGE
from index.formats.limits import Limits

_MOST_MEMBERS = 5000
_DEEPEST = 200
_CHUNK = 65_536
_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='title'] => h1:fresh
p[style-name='heading 1'] => h1:fresh
p[style-name='heading 2'] => h2:fresh
p[style-name='heading 3'] => h3:fresh
p[style-name='heading 4'] => h4:fresh
p[style-name='heading 5'] => h5:fresh
p[style-name='heading 6'] => h6:fresh
p[style-name='Header'] => p.header
comment-reference =>
"""


def read_docx(path: Path, limits: Limits) -> Iterator[dict[str, Any]]:
    """Yield the document of a DOCX file.

    Raises:
        ScannedFile: it holds pictures and no text.
        EmptyFile: it holds neither.
        DamagedFile: it is no sound archive, or its XML is none that Word writes.
        FileOverLimit: unpacked, it is larger than it may be.
    """
    pictures = _check(path, limits)
    with path.open("rb") as file:
        try:
            made = mammoth.convert_to_html(file, style_map=_STYLES, convert_image=lambda _: [])
        except (FileOverLimit, MemoryError):
            raise
        except Exception as error:
            raise DamagedFile(f"The DOCX file is damaged: {type(error).__name__}.") from error
    draft = Draft(limits)
    if made.value.strip():
        write(_with_heads(parse(made.value)), draft)
    if draft.is_empty and pictures:
        raise ScannedFile("The DOCX file holds pictures and no text; recognise its text (OCR) and send it again.")
    if draft.is_empty:
        raise EmptyFile("The DOCX file holds no text.")
    yield draft.finish(title=draft.first_heading)


def _check(path: Path, limits: Limits) -> bool:
    """Check sizes and XML of an archive before anything else sees it, and return whether it holds pictures.

    What a member unpacks to is counted, whatever the archive says of it.

    Raises:
        DamagedFile: it is no sound archive; or a part declares a document type, which Word never does, and entities are
            declared there.
        FileOverLimit: it is too large, or nested too deeply.
    """
    room = limits.memory // 4
    pictures = False
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS or sum(each.file_size for each in members if _is_xml(each)) > room:
                raise _too_large(room)
            for member in members:
                pictures = pictures or member.filename.startswith("word/media/")
                if _is_xml(member):
                    room -= _checked_xml(archive, member, room)
    except ARCHIVE_DAMAGE as error:
        raise DamagedFile(f"The DOCX file is damaged: {error}.") from error
    return pictures


def _is_xml(member: zipfile.ZipInfo) -> bool:
    return member.filename.lower().endswith((".xml", ".rels"))


def _checked_xml(archive: zipfile.ZipFile, member: zipfile.ZipInfo, room: int) -> int:
    """Parse a part without keeping any of it, and return its size."""
    depth = size = 0
    parser = expat.ParserCreate()

    def declares(*_: Any) -> None:
        raise DamagedFile(f"The part {member.filename} declares a document type, which no Word file does.")

    def begins(*_: Any) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise FileOverLimit(f"The part {member.filename} is nested more than {_DEEPEST} elements deep.")

    def ends(*_: Any) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = declares
    parser.StartElementHandler = begins
    parser.EndElementHandler = ends
    try:
        with archive.open(member) as part:
            while chunk := part.read(_CHUNK):
                size += len(chunk)
                if size > room:
                    raise _too_large(room)
                parser.Parse(chunk)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise DamagedFile(f"The part {member.filename} is no XML: {error}.") from error
    return size


def _too_large(room: int) -> FileOverLimit:
    return FileOverLimit(f"Unpacked, the file has more than {room} bytes; send it in parts.")


def _with_heads(root: Any) -> Any:
    """Return a document in which the first row of every table with several columns is its head."""
    for table in root.iter("table"):
        rows = [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]
        first = [] if len(rows) < 3 else [cell for cell in rows[0] if cell.tag in ("td", "th")]
        words = [clean(cell.text_content()) for cell in first]
        if len(first) > 2 and all(words) and all(len(each) <= 40 for each in words):
            for cell in first:
                cell.tag = "th"
    return root

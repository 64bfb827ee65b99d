"""Formats: what every kind of file is read as, and what is said of those that cannot be read."""

import io
import json
import random
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from bombs import pdf_of, word_file
from make_formats import DATA, RECIPES

from index.errors import (
    DamagedFile,
    EmptyFile,
    EncryptedFile,
    FileOverLimit,
    InvalidDocument,
    ScannedFile,
    StoreError,
    UnsupportedFormat,
)
from index.formats.converter import convert
from index.formats.kinds import Kind
from index.formats.limits import Limits

QUESTIONS = [json.loads(line) for line in (DATA / "questions.jsonl").read_text(encoding="utf-8").splitlines()]


def read(path: Path, scratch: Path, *, limits: Limits | None = None, **said: Any) -> list[dict[str, Any]]:
    """Convert a file and return its documents; the lines that are none are left out."""
    output = scratch / "documents"
    convert(path, output, name=path.name, source=path.name, limits=limits or Limits(), said=said)
    lines = output.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


@cache
def kept(file: str) -> list[dict[str, Any]]:
    """Return the documents of one of the forty files, which is read once."""
    with tempfile.TemporaryDirectory() as scratch:
        return read(DATA / file, Path(scratch))


def reads(data: bytes, name: str, scratch: Path, **limits: Any) -> dict[str, Any]:
    path = scratch / name
    path.write_bytes(data)
    return read(path, scratch, limits=Limits(**limits))[0]


def place(document: dict[str, Any], at: int) -> tuple[str | None, int | None]:
    """Return heading above and page of an offset."""
    above = [each for each in document.get("headings", []) if each["start_char_index"] <= at]
    heading = document["text"][above[-1]["start_char_index"] : above[-1]["end_char_index"]] if above else None
    return heading, len([start for start in document.get("pages", []) if start <= at]) or None


def test_there_are_forty_files_of_every_format_with_three_questions_each() -> None:
    assert len(RECIPES) == 40
    assert {suffix for suffix, _, _ in RECIPES.values()} == {"txt", "md", "html", "pdf", "docx", "csv", "jsonl"}
    assert sorted(each["file"] for each in QUESTIONS) == sorted(
        f"{name}.{suffix}" for name, (suffix, _, _) in RECIPES.items() for _ in range(3)
    )


@pytest.mark.parametrize("file", sorted({each["file"] for each in QUESTIONS}))
def test_every_answer_stands_on_its_page_under_its_heading(file: str) -> None:
    documents = kept(file)
    for asked in (each for each in QUESTIONS if each["file"] == file):
        found = [
            place(document, at)
            for document in documents
            for at in range(len(document["text"]))
            if document["text"].startswith(asked["answer"], at)
        ]
        assert found, asked["answer"]
        if file.endswith((".txt", ".md")):
            continue  # their headings are told by the layout, or by Markdown, when they are cut
        assert (asked["section"], asked["page"]) in found


@pytest.mark.parametrize("file", ["rules-1.docx", "rules-2.pdf", "rules-3.html", "minutes-4.csv", "works-2.txt"])
def test_the_same_bytes_give_the_same_text(tmp_path: Path, file: str) -> None:
    assert read(DATA / file, tmp_path) == kept(file)


def test_no_text_holds_furniture_or_markup() -> None:
    for file in sorted({each["file"] for each in QUESTIONS}):
        text = "\n".join(document["text"] for document in kept(file))
        for words in (
            "cookies",
            "Related Articles",
            "Comments",
            "Newsletter",
            "All rights reserved",
            "Share",
            "Weather",
        ):
            assert words not in text, file
        for words in (
            "Collected Papers",
            "Second Edition",
            "Page 1",
            "Office of the Clerk",
            "File 2207",
            "\u00ad",
            "ﬁ",
        ):
            assert words not in text, file
        if not file.endswith(".md"):
            assert not any(mark in text for mark in ("**", "<p>", "</", "&amp;", "# ")), file


def test_columns_are_read_one_after_the_other_and_words_put_together() -> None:
    (typeset,) = kept("tower-3.pdf")
    assert "who had put up beacons along the whole of the northern coast before." in typeset["text"]
    assert "tells of strikes, shipwrecks and a winter without potatoes.\n\n" in typeset["text"]
    (columns,) = kept("tower-1.pdf")
    assert "tells of strikes, shipwrecks and a winter without potatoes.\n\n" in columns["text"]
    assert (
        "The first keeper of the lighthouse of Brattnes, Anders Molde, served for twenty-six years" in columns["text"]
    )


def test_rows_of_tables_name_their_columns() -> None:
    (word,) = kept("device-1.docx")
    assert "Code: E4 | Meaning: The pressure is too low | Remedy: Call the service" in word["text"]
    (pdf,) = kept("device-2.pdf")
    assert "E4 | The pressure is too low | Call the service" in pdf["text"]


def test_rows_are_documents_from_numbered_sources(tmp_path: Path) -> None:
    texts = kept("minutes-4.csv")
    assert [each["source"] for each in texts] == [f"minutes-4.csv#{number}" for number in (1, 2, 3)]
    assert texts[0]["metadata"] == {"Department": "Archive"}
    assert texts[0]["title"].endswith(": Attendance")
    topics = kept("device-5.csv")
    assert topics[1]["text"].startswith("Topic: Filters\nInformation: Clean the filters")
    lines = read(DATA / "ferry-5.jsonl", tmp_path, tags=["all"], date="2024-01-31")
    assert lines[1]["tags"] == ["ferry-5"]  # what a line says itself counts more
    assert lines[1]["date"] == "2024-01-31"


@pytest.mark.parametrize(
    ("data", "name", "text"),
    [
        ("Åse så øya.".encode(), "a.txt", "Åse så øya."),
        ("Åse så øya.".encode("utf-16"), "a.txt", "Åse så øya."),
        ("Åse så øya.".encode("utf-16-be"), "a.txt", None),
        ("Der Müller fährt über die Brücke, und es schneit.".encode("cp1252"), "a.txt", None),
        ("“Curly” quotes – and a dash…".encode("cp1252"), "a.txt", "“Curly” quotes – and a dash…"),
        (
            b"<html><meta charset=iso-8859-2><p>" + "Łódź leży w Polsce.".encode("iso-8859-2"),
            "a.html",
            "Łódź leży w Polsce.",
        ),
        (b"<html><meta charset=unicode_escape><p>a\\x41", "a.html", "a\\x41"),
        (b"<!-- x --><!DOCTYPE html><p>A page that is called a text.</p>", "a.txt", "A page that is called a text."),
        (b"no tag at all", "a.html", "no tag at all"),
        (b"a < b and c > d", "notes.rst", "a < b and c > d"),
    ],
)
def test_text_is_read_in_the_encoding_that_it_is_in(tmp_path: Path, data: bytes, name: str, text: str | None) -> None:
    expected = {"utf-16-be": "Åse så øya.", "cp1252": "Der Müller fährt über die Brücke, und es schneit."}
    known = text or next(each for encoding, each in expected.items() if each.encode(encoding) == data)
    assert reads(data, name, tmp_path)["text"].strip("\ufeff") == known


_LOCKED = pdf_of(
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
    b"<</Filter/Standard/V 1/R 2/P -4/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">>>",
).replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt 4 0 R/ID[<00><00>]")
_BLANK = pdf_of(
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
)
_SCANNED = pdf_of(
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 5 0 R/Resources<</XObject<</I 4 0 R>>>>>>",
    b"<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/Length 1>>"
    b"stream\n0\nendstream",
    b"<</Length 18>>stream\n9 0 0 9 0 0 cm /I Do\nendstream",
)
_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_W = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>%s</w:body></w:document>'


@pytest.mark.parametrize(
    ("data", "name", "error", "words"),
    [
        (_LOCKED, "a.pdf", EncryptedFile, "password"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "a.docx",
            EncryptedFile,
            "password",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "a.doc", UnsupportedFormat, "old version of Office"),
        (_SCANNED, "a.pdf", ScannedFile, "OCR"),
        (word_file(_W % b"<w:p/>", more={"word/media/a.png": b"\x89PNG"}), "a.docx", ScannedFile, "OCR"),
        (_BLANK, "a.pdf", EmptyFile, "no text"),
        (word_file(_W % b"<w:p/>"), "a.docx", EmptyFile, "no text"),
        (b"<html><body><nav>menu</nav></body></html>", "a.html", EmptyFile, "no text"),
        (b" \n\t", "a.html", EmptyFile, "no text"),
        (b"", "a.txt", EmptyFile, "no text"),
        (b"a,b\n", "a.csv", EmptyFile, "no row"),
        (b"\n \n", "a.jsonl", EmptyFile, "no line"),
        (b"%PDF-1.7\nand nothing else", "a.pdf", DamagedFile, "damaged"),
        (b"PK\x03\x04 and nothing else", "a.docx", DamagedFile, "is none"),
        (word_file(b"<w:document>"), "a.docx", DamagedFile, "no XML"),
        (b"a,,c\n1,2,3\n", "a.csv", DamagedFile, "name every column"),
        (b"a,b\n1,2,3\n", "a.csv", DamagedFile, "Row 1 has 3 cells"),
        (b"plain text\n", "a.jsonl", DamagedFile, "No line of the file is a JSON object"),
        (b"plain text, cut off", "a.pdf", UnsupportedFormat, "called .pdf and is none"),
        (b"plain text, cut off", "a.docx", UnsupportedFormat, "called .docx and is none"),
        (b"\x89PNG\r\n\x1a\n", "a.txt", UnsupportedFormat, "a picture"),
        (b"\x7fELF\x02\x01\x01", "a.md", UnsupportedFormat, "a program"),
        (b"\x00\x01\x02\x03" * 99, "a.txt", UnsupportedFormat, "neither text"),
        (b"{\\rtf1 hello}", "a.rtf", UnsupportedFormat, "RTF"),
        (b'{"text": "x"}', "a.json", UnsupportedFormat, ".jsonl"),
        (b'<?xml version="1.0"?><note/>', "a.xml", UnsupportedFormat, "XML"),
        (word_file(_W % b"").replace(b"word/document.xml", b"meta/document.xml"), "a.zip", UnsupportedFormat, "unpack"),
    ],
)
def test_what_cannot_be_read_says_why(
    tmp_path: Path, data: bytes, name: str, error: type[InvalidDocument], words: str
) -> None:
    with pytest.raises(error, match=words) as raised:
        reads(data, name, tmp_path)
    assert type(raised.value) is error


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_of_an_archive_is_told_however_it_is_packed(tmp_path: Path, compression: int) -> None:
    body = _W % (b"<w:p><w:r><w:t>" + random.Random(0).randbytes(2000).hex().encode() + b"</w:t></w:r></w:p>")
    data = bytearray(word_file(body, compression=compression))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        begin = archive.getinfo("word/document.xml").header_offset + 60
    data[begin : begin + 400] = bytes(each ^ 0xFF for each in data[begin : begin + 400])
    with pytest.raises(DamagedFile, match="damaged"):
        reads(bytes(data), "a.docx", tmp_path)


def test_a_file_is_read_as_what_it_is_whatever_it_is_called(tmp_path: Path) -> None:
    assert "lighthouse" in reads((DATA / "tower-1.pdf").read_bytes(), "tower.txt", tmp_path)["text"]
    assert "Handbook" in reads((DATA / "rules-1.docx").read_bytes(), "rules.pdf", tmp_path)["text"]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"pages": 2}, "CITESPAN_MAX_FILE_PAGES"),
        ({"characters": 100}, "CITESPAN_MAX_FILE_CHARACTERS"),
        ({"bytes": 100}, "CITESPAN_MAX_FILE_BYTES"),
        ({"seconds": 0.001}, "CITESPAN_MAX_FILE_SECONDS"),
    ],
)
def test_files_over_a_limit_are_refused_by_its_name(tmp_path: Path, limits: dict[str, Any], words: str) -> None:
    with pytest.raises(FileOverLimit, match=words):
        reads((DATA / "water-1.pdf").read_bytes(), "a.pdf", tmp_path, **limits)


def test_a_file_that_is_gone_and_a_place_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        convert(tmp_path / "gone.pdf", tmp_path / "out", name="gone.pdf", source="gone.pdf", limits=Limits())
    with pytest.raises(StoreError):
        convert(DATA / "works-2.txt", tmp_path / "no" / "out", name="a.txt", source="a.txt", limits=Limits())


def test_documents_of_rows_are_many_and_others_one() -> None:
    assert [kind for kind in Kind if kind.is_many] == [Kind.JSON_LINES, Kind.CSV]


@pytest.mark.skipif(sys.platform != "linux", reason="the limits of other systems are not the same")
def test_a_worker_that_takes_too_much_memory_ends_and_says_so(tmp_path: Path) -> None:
    page = b"<html><body>" + b"<p>word</p>" * 400_000
    with pytest.raises(FileOverLimit, match="CITESPAN_MAX_FILE_MEMORY"):
        reads(page, "a.html", tmp_path, memory=40_000_000)

"""Fuzzing: files that were damaged at random are read or refused, whatever the damage is, and nothing else happens."""

import json
import os
import random
from pathlib import Path

import pytest
from make_formats import DATA

from index.errors import InvalidDocument
from index.formats.converter import convert
from index.formats.limits import Limits
from service.files import document_of

# So many times each file is damaged; `make torture` does it more often.
MUTATIONS = int(os.environ.get("TORTURE_FILES", "2"))
FILES = ["ferry-1.html", "tower-1.pdf", "tower-2.pdf", "water-2.pdf", "rules-1.docx", "rules-5.docx"]
FILES += ["works-1.txt", "works-2.txt", "minutes-4.csv", "device-5.csv", "ferry-5.jsonl"]

_PIECES = [b"\0", b"\xff\xfe", b"<", b"<div>" * 50, b"<!DOCTYPE x [<!ENTITY y '", b'"' * 9, b"obj\nendobj", b"[" * 999]
_PIECES += [b"/Kids[1 0 R]", b"stream\n", b"PK\x03\x04", b"\xf0\x9f\x9a\x80", b"\r\r\n", b"-1", b"4294967295", b"%PDF-"]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with some of them flipped, cut out, doubled, or put between."""
    made = bytearray(data)
    for _ in range(chance.choice((1, 2, 8, 64))):
        at = chance.randrange(len(made) or 1)
        length = chance.choice((1, 4, 64, 1024))
        match chance.randrange(5):
            case 0 if made:
                made[at] = chance.randrange(256)
            case 1:
                del made[at : at + length]
            case 2:
                made[at:at] = made[at : at + length] * chance.choice((1, 2, 30))
            case 3:
                made[at:at] = chance.choice(_PIECES)
            case _:
                to = chance.randrange(len(made) or 1)
                made[to : to + length] = made[at : at + length]
    return bytes(made)


@pytest.mark.parametrize("file", FILES)
def test_damaged_files_are_read_or_refused(tmp_path: Path, file: str) -> None:
    data = (DATA / file).read_bytes()
    path, output = tmp_path / file, tmp_path / "documents"
    refused = []
    for number in range(MUTATIONS):
        path.write_bytes(damaged(data, random.Random(f"{file} {number}")))
        try:
            converted = convert(path, output, name=file, source=file, limits=Limits())
        except InvalidDocument as error:
            refused.append(str(error))
            continue
        lines = output.read_bytes().splitlines(keepends=True)
        assert len(output.read_bytes().split(b"\n")) - 1 == converted.lines
        for line in lines:
            try:
                document = document_of(line)
            except InvalidDocument:
                assert converted.kind.is_many or not json.loads(line)["text"].strip() or b"\\u0000" in line
                continue
            for heading in document.structure.headings if document.structure else ():
                assert document.text[heading.start : heading.end].strip()
    assert all(len(why) > 15 for why in refused)

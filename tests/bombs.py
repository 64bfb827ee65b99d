"""Hostile files, made when they are needed: small, and meant to take all time and memory of whoever reads them."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable

_TYPES = (
    b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    b'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    b'<Override PartName="/word/document.xml" ContentType='
    b'"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    b'Target="word/document.xml"/></Relationships>'
)
_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def word_file(body: bytes, *, more: dict[str, bytes] | None = None, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a DOCX file whose document.xml is `body`."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _RELATIONS)
        archive.writestr("word/document.xml", body)
        for name, data in (more or {}).items():
            archive.writestr(name, data)
    return made.getvalue()


def _document(inside: str, before: str = "") -> bytes:
    return f'<?xml version="1.0"?>{before}<w:document {_WORD}><w:body>{inside}</w:body></w:document>'.encode()


def zip_bomb() -> bytes:
    """A hundred megabytes of spaces in a document.xml."""
    return word_file(_document("<w:p/>") + b" " * 100_000_000)


def zip_bomb_that_lies() -> bytes:
    """The same, and the archive says that it holds a thousand bytes."""
    data = bytearray(word_file(_document("<w:p/>") + b" " * 100_000_000))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = archive.getinfo("word/document.xml")
    at = data.index(b"PK\x01\x02", member.header_offset)
    while data[at + 46 : at + 46 + len("word/document.xml")] != b"word/document.xml":
        at = data.index(b"PK\x01\x02", at + 4)
    struct.pack_into("<L", data, at + 24, 1000)
    struct.pack_into("<L", data, member.header_offset + 22, 1000)
    return bytes(data)


def zip_of_many() -> bytes:
    """A DOCX file of 20,000 parts."""
    return word_file(_document("<w:p/>"), more={f"word/part{number}.xml": b"<a/>" for number in range(20_000)})


def zip_of_the_same() -> bytes:
    """A DOCX file in which thousands of entries share the same large content."""
    block = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = block.compress(b"<a>" + b" " * 20_000_000 + b"</a>") + block.flush()
    size, crc = 20_000_007, zlib.crc32(b"<a>" + b" " * 20_000_000 + b"</a>")
    names = [b"word/document.xml", *(b"word/part%d.xml" % number for number in range(2000))]
    head = (
        struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0x21, crc, len(packed), size, len(names[0]), 0) + names[0]
    )
    central = b"".join(
        struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 0x21, crc, len(packed), size, len(name), 0, 0, 0, 0, 0, 0
        )
        + name
        for name in names
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(names), len(names), len(central), len(head + packed), 0)
    return head + packed + central + end


def billion_laughs() -> bytes:
    """Entities of entities of entities in a document.xml."""
    entities = "".join(
        f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' if number else '<!ENTITY l0 "lol">' for number in range(12)
    )
    inside = "<w:p><w:r><w:t>&l11;</w:t></w:r></w:p>"
    return word_file(_document(inside, f"<!DOCTYPE w:document [{entities}]>"))


def outside_entity() -> bytes:
    """An entity that is a file of the machine."""
    inside = "<w:p><w:r><w:t>&x;</w:t></w:r></w:p>"
    return word_file(_document(inside, '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'))


def deep_word() -> bytes:
    """A document.xml that is nested 300,000 deep."""
    deep = 300_000
    return word_file(_document("<w:tbl>" * deep + "</w:tbl>" * deep))


def many_runs() -> bytes:
    """A document.xml of 60 MB of runs in two packed hundred kB."""
    return word_file(_document("<w:p>" + "<w:r><w:t>a</w:t></w:r>" * 2_500_000 + "</w:p>"))


def deep_page() -> bytes:
    """A web page that is nested a million deep."""
    return b"<!doctype html><body>" + b"<div>" * 1_000_000 + b"deep"


def deep_inline() -> bytes:
    """A web page of a million open tags that no block holds."""
    return b"<html><body><p>" + b"<b><i>" * 500_000 + b"deep"


def wide_page() -> bytes:
    """A web page of millions of elements."""
    return b"<html><body>" + b"<p><b>a</b>" * 5_000_000


def one_attribute() -> bytes:
    """A web page that is one attribute of 40 MB."""
    return b'<html><body><p class="' + b"a " * 20_000_000 + b'">text</p>'


def pdf_of(*objects: bytes) -> bytes:
    """Return a PDF file of these objects, the first of them its catalogue."""
    made = io.BytesIO()
    made.write(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(made.tell())
        made.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    table = made.tell()
    made.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for place in places:
        made.write(b"%010d 00000 n \n" % place)
    made.write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table))
    return made.getvalue()


def _stream(data: bytes, filters: bytes) -> bytes:
    return b"<</Length %d/Filter[%s]>>stream\n%s\nendstream" % (len(data), filters, data)


def _pages(kids: bytes, count: int) -> tuple[bytes, bytes]:
    return b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count)


_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>"
_FORM = (
    b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X %d 0 R>>>>/Length %d>>stream\n%s\nendstream"
)
_FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def nested_flate() -> bytes:
    """A page whose content is packed three times over: four hundred megabytes of it."""
    data = b"BT /F 9 Tf (a) Tj ET\n" * 1000
    for size in (400_000_000, 0, 0):
        if size:
            packer = zlib.compressobj(9)
            chunk = data * 1000
            data = b"".join(packer.compress(chunk) for _ in range(size // len(chunk))) + packer.flush()
        else:
            data = zlib.compress(data, 9)
    return pdf_of(*_pages(b"3 0 R", 1), _PAGE, _stream(data, b"/FlateDecode/FlateDecode/FlateDecode"), _FONT)


def long_content() -> bytes:
    """A page on which three million words are printed."""
    data = zlib.compress(b"BT /F 9 Tf 9 700 Td (words) Tj ET\n" * 3_000_000, 9)
    return pdf_of(*_pages(b"3 0 R", 1), _PAGE, _stream(data, b"/FlateDecode"), _FONT)


def many_pages() -> bytes:
    """A PDF file of 300,000 pages, all of them the same object."""
    count = 300_000
    return pdf_of(*_pages(b"3 0 R " * count, count), _PAGE, _stream(zlib.compress(b""), b"/FlateDecode"), _FONT)


def circle_of_pages() -> bytes:
    """A PDF file whose tree of pages holds itself."""
    return pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 1000000>>")


def circle_of_forms() -> bytes:
    """A page that prints a form which prints itself, twice."""
    form = _FORM % (4, 11, b"/X Do /X Do")
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 5 0 R/Resources<</XObject<</X 4 0 R>>>>>>"
    return pdf_of(*_pages(b"3 0 R", 1), page, form, b"<</Length 5>>stream\n/X Do\nendstream")


def tree_of_forms() -> bytes:
    """A page that prints ten forms, each of which prints ten, nine times over."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 14 0 R/Resources<</XObject<</X 4 0 R>>>>>>"
    print_ten = b"/X Do " * 10
    forms = [_FORM % (number + 1, len(print_ten), print_ten) for number in range(4, 13)]
    last = b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 0>>stream\n\nendstream"
    return pdf_of(*_pages(b"3 0 R", 1), page, *forms, last, b"<</Length 5>>stream\n/X Do\nendstream")


def gzip_bomb() -> bytes:
    """A gigabyte of zeros in a gzip file."""
    return gzip.compress(bytes(20_000_000), 9) * 50


def wide_table() -> bytes:
    """A table of a million columns."""
    return b"a," * 1_000_000 + b"a\n" + b"b," * 1_000_000 + b"b\n"


def long_table() -> bytes:
    """A table of three million rows."""
    return b"name,value\n" + b"a,1\n" * 3_000_000


def open_quote() -> bytes:
    """A table whose only cell never ends."""
    return b'name,value\na,"' + b"b\n" * 10_000_000


def deep_json() -> bytes:
    """A line of JSON that is nested a million deep."""
    return b'{"text": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}\n"


def random_bytes() -> bytes:
    """Ten megabytes that are no text in any encoding."""
    return (zlib.compress(bytes(range(256)) * 400, 9)[2:] * 8000)[:10_000_000]


# Name of the file, what makes it, and the statuses that may answer it.
BOMBS: list[tuple[str, Callable[[], bytes]]] = [
    ("bomb.docx", zip_bomb),
    ("liar.docx", zip_bomb_that_lies),
    ("many.docx", zip_of_many),
    ("same.docx", zip_of_the_same),
    ("laughs.docx", billion_laughs),
    ("passwd.docx", outside_entity),
    ("deep.docx", deep_word),
    ("runs.docx", many_runs),
    ("deep.html", deep_page),
    ("inline.html", deep_inline),
    ("wide.html", wide_page),
    ("attribute.html", one_attribute),
    ("flate.pdf", nested_flate),
    ("long.pdf", long_content),
    ("pages.pdf", many_pages),
    ("circle.pdf", circle_of_pages),
    ("forms.pdf", circle_of_forms),
    ("tree.pdf", tree_of_forms),
    ("bomb.txt.gz", gzip_bomb),
    ("wide.csv", wide_table),
    ("long.csv", long_table),
    ("quote.csv", open_quote),
    ("deep.jsonl", deep_json),
    ("random.txt", random_bytes),
]

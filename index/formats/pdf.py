"""PDF: the lines of every page, from the characters and where they are printed (PDFium by way of pypdfium2)."""

import ctypes
import math
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from index.errors import DamagedFile, EmptyFile, EncryptedFile, FileOverLimit, ScannedFile
from index.formats.draft import Draft, clean
from index.formats.layout import SOFT_HYPHEN, Line, Page, flow
from index.formats.limits import Limits

# A gap this wide, in heights of the line, may be one between columns or cells. In a justified line it may be a space;
# what stands above and below tells (`layout.py`).
_WIDE_GAP = 0.7
# Of so many characters of a line the font is looked up.
_FONTS_SAMPLED = 3
_BOLD_WEIGHT = 600
_SPACES = {0x20, 0xA0, 0x09}
# What PDFium makes of a hyphen at the end of a line.
_HYPHENS = {0x02, 0xAD, 0xFFFE}


def read_pdf(path: Path, limits: Limits) -> Iterator[dict[str, Any]]:
    """Yield the document of a PDF file.

    Raises:
        EncryptedFile: it opens with a password only.
        ScannedFile: it holds pictures and no text.
        EmptyFile: it holds neither.
        DamagedFile: PDFium cannot open it.
        FileOverLimit: it has too many pages or characters.
    """
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise EncryptedFile("The PDF opens with a password only; save it without one.") from error
        raise DamagedFile("The PDF is damaged and cannot be opened; save or print it to PDF again.") from error
    if len(document) > limits.pages:
        raise FileOverLimit(
            f"The PDF has {len(document)} pages; at most {limits.pages} are read. Send it in parts, or raise "
            "CITESPAN_MAX_FILE_PAGES."
        )
    pages = []
    has_pictures = False
    characters = 0
    for number in range(len(document)):
        try:
            page = document[number]
            text_page = page.get_textpage()
        except pypdfium2.PdfiumError:
            pages.append(Page(0, ()))  # one that cannot be read does not hide the others
            continue
        lines = tuple(_lines(text_page))
        characters += sum(len(line.text) for line in lines)
        if characters > limits.characters:
            raise FileOverLimit(
                f"The PDF holds more than {limits.characters} characters of text; send it in parts, or raise "
                "CITESPAN_MAX_FILE_CHARACTERS."
            )
        if not lines and not has_pictures:
            has_pictures = any(True for _ in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3))
        pages.append(Page(page.get_height(), lines))
        text_page.close()
        page.close()
    if not any(page.lines for page in pages):
        if has_pictures:
            raise ScannedFile(
                "The PDF holds pictures of pages and no text; recognise its text (OCR) and send it again."
            )
        raise EmptyFile("The PDF holds no text.")
    draft = Draft(limits)
    flow(pages, draft)
    title = clean(document.get_metadata_value("Title")) if draft.first_heading is None else draft.first_heading
    yield draft.finish(title=title[:500] if title else None)


def _lines(text_page: Any) -> Iterator[Line]:
    """Yield the lines of a page as they come, cut where wide gaps are."""
    run: list[tuple[int, int, Any]] = []  # index, code point, box of each character
    height = 0.0
    for index in range(text_page.count_chars()):
        code = pdfium.FPDFText_GetUnicode(text_page, index)
        if code in (0x0D, 0x0A) or 0xD800 <= code <= 0xDBFF:
            continue
        box = pdfium.FS_RECTF()
        pdfium.FPDFText_GetLooseCharBox(text_page, index, ctypes.byref(box))
        is_space = code in _SPACES
        if run and not is_space:
            last = next((each for _, known, each in reversed(run) if known not in _SPACES), run[-1][2])
            tall = max(height, box.top - box.bottom)
            middle = (box.top + box.bottom) / 2
            leaves = not last.bottom - 0.1 * tall <= middle <= last.top + 0.1 * tall
            if leaves or box.left - last.right > _WIDE_GAP * tall or box.right < last.left - tall:
                yield from _line(text_page, run)
                run = []
        if not is_space:
            height = box.top - box.bottom
        run.append((index, code, box))
    yield from _line(text_page, run)


def _line(text_page: Any, run: list[tuple[int, int, Any]]) -> Iterator[Line]:
    words = "".join(_character(code) for _, code, _ in run).strip(" \t\xa0")
    printed = [(index, box) for index, code, box in run if code not in _SPACES and code not in _HYPHENS]
    if not printed or not clean(words):
        return
    # Cleaned but for a mark of a hyphen at its end, which says that the word goes on.
    text = clean(words) + (SOFT_HYPHEN if words.endswith(SOFT_HYPHEN) else "")
    if not all(math.isfinite(side) for _, box in printed for side in (box.left, box.right, box.bottom, box.top)):
        return
    step = max(1, len(printed) // _FONTS_SAMPLED)
    yield Line(
        text,
        min(box.left for _, box in printed),
        max(box.right for _, box in printed),
        min(box.bottom for _, box in printed),
        max(box.top for _, box in printed),
        median(box.top - box.bottom for _, box in printed),
        all(_is_bold(text_page, index) for index, _ in printed[::step]),
    )


def _character(code: int) -> str:
    return SOFT_HYPHEN if code in _HYPHENS else chr(code)


def _is_bold(text_page: Any, index: int) -> bool:
    if pdfium.FPDFText_GetFontWeight(text_page, index) >= _BOLD_WEIGHT:
        return True
    flags = ctypes.c_int()
    name = ctypes.create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(text_page, index, name, len(name), ctypes.byref(flags))
    return b"bold" in name.value.lower() or b"black" in name.value.lower()

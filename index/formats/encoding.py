"""Encodings: from bytes to text, whatever they were written in."""

import codecs
import re

from charset_normalizer import from_bytes

from index.errors import UnsupportedFormat

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(
    rb"""<meta\s[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)""", re.I
)
_DECLARED_WITHIN = 2048
# What pages may declare, of Python's codecs; others unpack, or take very long.
_KNOWN = re.compile(
    r"utf[-_]?8|utf[-_]?16([-_]?[lb]e)?|us-ascii|ascii|(iso[-_]?|latin[-_]?)[\d-]+|(windows-|cp)\d+|koi8[-_][ru]"
    r"|shift[-_]jis|sjis|euc[-_](jp|kr)|iso-2022-jp|gb2312|gbk|gb18030|big5(-hkscs)?|mac[-_]?(roman|intosh)",
    re.IGNORECASE,
)
# Browsers read these labels as Windows-1252 (WHATWG Encoding Standard, 4.2).
_AS_WINDOWS = {"ascii", "us-ascii", "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1"}
# What is tried where nothing is declared.
_CANDIDATES = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r", "mac_roman"),
    *("utf_16_le", "utf_16_be", "shift_jis", "euc_jp", "euc_kr", "gb18030", "big5"),
]
# So much of a file decides.
_SAMPLE = 200_000


def decoded(data: bytes, *, html: bool = False) -> str:
    """Return the text of bytes: by byte order mark, by what HTML declares, as UTF-8, or as it reads best.

    Raises:
        UnsupportedFormat: it is no text in any encoding that is tried.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = _strictly(data, encoding)
            if text is None:
                raise UnsupportedFormat(
                    f"The file says that it is {encoding.upper()} text and is not; save it as UTF-8."
                )
            return text
    declared = _declared(data) if html else None
    for encoding in filter(None, (declared, "utf-8")):
        text = _strictly(data, encoding)
        if text is not None and "\0" not in text:
            return text
    return _guessed(data)


def _declared(data: bytes) -> str | None:
    found = _DECLARED.search(data[:_DECLARED_WITHIN])
    if not found:
        return None
    label = (found[1] or found[2]).decode("ascii", "replace").lower()
    if not _KNOWN.fullmatch(label) or label.startswith(("utf-16", "utf16")):  # that could not have been read
        return None
    label = "cp1252" if label in _AS_WINDOWS else label
    try:
        return codecs.lookup(label).name
    except LookupError:
        return None


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeError:
        return None


def _guessed(data: bytes) -> str:
    matches = from_bytes(data[:_SAMPLE], cp_isolation=_CANDIDATES)
    best = matches.best()
    if best is None:
        raise UnsupportedFormat("The file is no text in an encoding that can be recognised; save it as UTF-8.")
    # Encodings of one alphabet can hardly be told apart; where nothing speaks against it, it is the most usual one.
    usual = next((each for each in matches if each.encoding == "cp1252"), None)
    encoding = usual.encoding if usual is not None and usual.chaos <= best.chaos else best.encoding
    text = _strictly(data, encoding)
    if text is None:
        text = data.decode(encoding, "replace")
    if "\0" in text:
        raise UnsupportedFormat("The file is neither text nor of a kind that is read.")
    return text

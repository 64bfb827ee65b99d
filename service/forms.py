"""Forms: `multipart/form-data` (RFC 7578) as it comes in. The file goes to the spool, never into memory."""

import json
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from fastapi.exceptions import RequestValidationError
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException

from service.limits import SMALL_BODY
from service.spool import Incoming, Spool, Spooled

FILE_FIELD = "file"

_MOST_PARTS = 200
_REPEATED = frozenset({"tags"})
# Characters that make a name look like another one: controls, and those that turn the direction of writing.
_DISGUISE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Form:
    """A form that came in whole. `name` is the file's bare name; a field that may be repeated is a list."""

    file: Spooled
    name: str
    fields: dict[str, Any]


@dataclass(slots=True)
class _Part:
    """A part that is coming in. The file's has no `value`."""

    headers: dict[str, str] = field(default_factory=dict)
    name: str = ""
    is_file: bool = False
    value: bytearray = field(default_factory=bytearray)


class FormReader:
    """Reads one form, some bytes at a time. Not thread-safe."""

    def __init__(self, content_type: str, spool: Spool, *, largest_file: int) -> None:
        """Read a form whose Content-Type header is this one. Its file may have `largest_file` bytes.

        Raises:
            RequestValidationError: the header names no boundary.
            StoreError: the disk does not take a file.
        """
        _, options = parse_options_header(content_type.encode("latin-1", "replace"))
        boundary = options.get(b"boundary", b"")
        if not 0 < len(boundary) <= 70:  # RFC 2046, 5.1.1
            raise _no_form("the header Content-Type names no boundary of 1 to 70 characters")
        callbacks: Any = {
            "on_part_begin": self._begin_part,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)
        self._largest_file = largest_file
        self._incoming: Incoming = spool.begin()
        self._file_name: str | None = None
        self._fields: dict[str, Any] = {}
        self._parts = 0
        self._small_bytes = 0
        self._part = _Part()
        self._header = (bytearray(), bytearray())
        self._is_whole = False

    def write(self, data: bytes) -> None:
        """Take in what came next.

        Raises:
            RequestValidationError: it is no form, or has fields that it may not have.
            HTTPException: it is too large (413).
            StoreError: the disk does not take it.
        """
        try:
            self._parser.write(data)
        except MultipartParseError as error:
            raise _no_form(str(error)) from None

    def end(self) -> Form:
        """Return the form, which is whole now.

        Raises:
            RequestValidationError: it is not whole, or holds no file.
            StoreError: the disk does not take it.
        """
        if not self._is_whole:
            raise _no_form("it ends before its last boundary")
        if self._file_name is None:
            raise _complaint(FILE_FIELD, "a file is needed: a part of this name, with a file name")
        return Form(self._incoming.end(), self._file_name, self._fields)

    def abandon(self) -> None:
        """Remove what has come in."""
        self._incoming.abandon()

    def _begin_part(self) -> None:
        self._part = _Part()
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise _no_form(f"it has more than {_MOST_PARTS} parts")

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _end_header(self) -> None:
        name, value = (bytes(each).decode("utf-8", "replace") for each in self._header)
        self._part.headers[name.strip().lower()] = value
        self._header = (bytearray(), bytearray())

    def _end_headers(self) -> None:
        kind, options = parse_options_header(self._part.headers.get("content-disposition", "").encode())
        if kind != b"form-data" or b"name" not in options:
            raise _no_form("a part of it has no name")
        if "content-transfer-encoding" in self._part.headers:  # RFC 7578, 4.7: not to be used
            raise _no_form("a part of it has a Content-Transfer-Encoding")
        self._part.name = options[b"name"].decode("utf-8", "replace")
        if self._part.name != FILE_FIELD:
            if b"filename" in options:
                raise _complaint(self._part.name, f"only {FILE_FIELD!r} may be a file")
            return
        if self._file_name is not None:
            raise _complaint(FILE_FIELD, "one file at a time: send the others in requests of their own")
        if b"filename" not in options:
            raise _complaint(FILE_FIELD, "this part needs a file name")
        self._part.is_file = True
        self._file_name = bare_name(options[b"filename"].decode("utf-8", "replace"))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if not self._part.is_file:
            self._small_bytes += end - start
            if self._small_bytes > SMALL_BODY:
                raise HTTPException(413, str(SMALL_BODY))
            self._part.value.extend(data[start:end])
            return
        if self._incoming.size + end - start > self._largest_file:
            raise HTTPException(413, str(self._largest_file))
        self._incoming.write(data[start:end])

    def _end_part(self) -> None:
        if self._part.is_file:
            return
        name = self._part.name
        try:
            value: Any = bytes(self._part.value).decode()
        except UnicodeDecodeError:
            raise _complaint(name, "the value is not UTF-8") from None
        if name in _REPEATED:
            self._fields.setdefault(name, []).append(value)
        elif name in self._fields:
            raise _complaint(name, "this field may stand once only")
        else:
            self._fields[name] = _object(value) if name == "metadata" else value

    def _end(self) -> None:
        self._is_whole = True


def bare_name(name: str) -> str:
    """Return a file's name without folders, and without characters that disguise it.

    Raises:
        RequestValidationError: nothing is left.
    """
    bare = _DISGUISE.sub("", PurePosixPath(name.replace("\\", "/")).name).strip()
    if bare in ("", ".", ".."):
        raise _complaint(FILE_FIELD, "this part needs a file name")
    return bare


def _object(value: str) -> Any:
    """Return the JSON value that a field holds, whatever it is: that it is an object is for the schema to ask."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise _complaint("metadata", "the value is not JSON") from None


def _no_form(why: str) -> RequestValidationError:
    return RequestValidationError([{"type": "form_invalid", "loc": ("body",), "msg": why}])


def _complaint(name: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"type": "value_error", "loc": ("body", name[:80]), "msg": message}])

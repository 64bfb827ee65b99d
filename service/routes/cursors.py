"""Cursors: where the next page of a list begins, as an opaque word."""

import base64
from typing import Annotated

from fastapi import Query
from fastapi.exceptions import RequestValidationError

_PREFIX = b"after:"

LimitQuery = Annotated[int, Query(ge=1, le=200, description="Items on a page.")]
CursorQuery = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")]


def cursor_after(place: object) -> str:
    """Return the cursor of the page that begins after `place`."""
    return base64.urlsafe_b64encode(_PREFIX + str(place).encode()).decode()


def place_of(cursor: str) -> str:
    """Return the place after which the page of a cursor begins.

    Raises:
        RequestValidationError: it is no cursor of ours.
    """
    try:
        decoded = base64.urlsafe_b64decode(cursor.encode())
        if not decoded.startswith(_PREFIX):
            raise ValueError
        return decoded.removeprefix(_PREFIX).decode()
    except ValueError:
        raise _not_ours() from None


def number_of(cursor: str | None, *, default: int) -> int:
    """Return the number after which the page of a cursor begins; `default` without a cursor.

    Raises:
        RequestValidationError: it is no cursor of ours.
    """
    if cursor is None:
        return default
    place = place_of(cursor)
    if not (place.isascii() and place.isdecimal()) or int(place) >= 2**63:
        raise _not_ours()
    return int(place)


def _not_ours() -> RequestValidationError:
    message = "not a cursor of this service; take next_cursor from the page before"
    return RequestValidationError([{"type": "cursor", "loc": ("query", "cursor"), "msg": message}])

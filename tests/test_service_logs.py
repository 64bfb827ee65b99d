"""Logs: one line an event, whatever a user wrote."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from service import logs

FORGED = "who?\n12:00:00 INFO    ready\x1b[31m"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Give the root logger its handlers back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize("form", ["text", "json", "auto"])
def test_what_a_user_wrote_cannot_begin_a_line(form: str) -> None:
    stream = io.StringIO()
    logs.configure("info", form, stream)
    token = logs.request_id.set("abc")
    try:
        logging.getLogger("service.test").info("question", extra={"fields": {"question": FORGED}})
        logging.getLogger("service.test").debug("not this")
    finally:
        logs.request_id.reset(token)
    (line,) = stream.getvalue().splitlines()
    assert "\x1b" not in line
    assert "abc" in line
    if form != "text":  # a stream that is no terminal gets JSON
        content = json.loads(line)
        assert (content["message"], content["question"], content["request_id"]) == ("question", FORGED, "abc")


def test_exception_is_part_of_its_line() -> None:
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("service.test").exception("unexpected error")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: broken" in json.loads(line)["exception"]

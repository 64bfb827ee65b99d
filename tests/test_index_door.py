"""Doors: shut when everybody is out, and shut for good."""

import threading

import pytest

from index.door import Door
from index.errors import NotReady, UnknownCollection


def test_who_is_inside_is_let_out_before_the_door_is_shut() -> None:
    door = Door()
    entered, leave, shut = threading.Event(), threading.Event(), threading.Event()

    def visit() -> None:
        with door.inside():
            entered.set()
            assert leave.wait(30)
            assert not shut.is_set()

    def close() -> None:
        door.shut(UnknownCollection("gone"))
        shut.set()

    threads = [threading.Thread(target=each) for each in (visit, close)]
    threads[0].start()
    assert entered.wait(30)
    threads[1].start()
    while True:  # until the door is shut for others
        try:
            with door.inside():
                pass
        except UnknownCollection:
            break
    assert not shut.is_set()
    leave.set()
    for thread in threads:
        thread.join()
    assert shut.is_set()


def test_the_first_reason_counts_and_who_fails_inside_is_out() -> None:
    door = Door()
    with pytest.raises(ZeroDivisionError), door.inside():
        raise ZeroDivisionError
    door.shut(UnknownCollection("gone"))
    door.shut(NotReady("closed"))
    for _ in range(2):
        with pytest.raises(UnknownCollection, match="gone"), door.inside():
            raise AssertionError("let in")

"""Doors: who uses something is let out before it is closed, and nobody is let in afterwards."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from index.errors import CitespanError


class Door:
    """Counts who is inside. Thread-safe."""

    def __init__(self) -> None:
        """Make a door that is open."""
        self._changed = threading.Condition()
        self._count = 0
        self._reason: CitespanError | None = None

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Be inside.

        Raises:
            CitespanError: the door is shut; the reason that was given for it.
        """
        with self._changed:
            if self._reason is not None:
                raise self._reason.with_traceback(None)
            self._count += 1
        try:
            yield
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def shut(self, reason: CitespanError) -> None:
        """Let nobody in any more, and return when everybody is out.

        Whoever comes later gets the reason of the first call.
        """
        with self._changed:
            self._reason = self._reason or reason
            self._changed.wait_for(lambda: self._count == 0)

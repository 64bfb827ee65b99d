"""The spool: batches and files on disk, between the moment that they come in and the one that they are worked on."""

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from index.disk import store_error

_COUNTED_AT_ONCE = 1_048_576


@dataclass(frozen=True, slots=True)
class Spooled:
    """A batch or a file as it came in. `size` is in bytes; `lines` counts blank ones, too."""

    path: Path
    size: int
    lines: int

    def read(self, *, longest: int) -> Iterator[bytes | None]:
        """Yield the lines in order; None for one of more than `longest` bytes, which is never held in memory."""
        with self.path.open("rb") as file:
            while line := file.readline(longest + 1):
                if len(line) <= longest or line.endswith(b"\n"):
                    yield line
                    continue
                while line and not line.endswith(b"\n"):
                    line = file.readline(longest + 1)
                yield None

    def discard(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)


class Spool:
    """A directory for what comes in. Nothing in it outlives the process: what was not worked on is sent again."""

    def __init__(self, directory: Path) -> None:
        """Use `directory`, and remove what an earlier process left there."""
        self._directory = directory
        self.clear()

    def clear(self) -> None:
        """Remove all that is there; nobody may be writing or reading it."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def begin(self) -> "Incoming":
        """Return a new file to write to.

        Raises:
            StoreError: the disk does not take it.
        """
        path = self._directory / f"{uuid.uuid4().hex}"
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            return Incoming(path, path.open("wb"))
        except OSError as error:
            raise store_error(path, error) from error


def spooled(path: Path) -> Spooled:
    """Return what another process has written to `path`."""
    size = lines = 0
    last = b"\n"
    with path.open("rb") as file:
        while chunk := file.read(_COUNTED_AT_ONCE):
            size += len(chunk)
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    return Spooled(path, size, lines + (last != b"\n"))


class Incoming:
    """A batch or a file that is coming in. Not thread-safe."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        """Write to `file`, which is open at `path`."""
        self._path = path
        self._file = file
        self._size = 0
        self._lines = 0
        self._ends_with_line = True

    @property
    def size(self) -> int:
        """How many bytes have come in."""
        return self._size

    def write(self, data: bytes) -> None:
        """Write some bytes, wherever the lines end.

        Raises:
            StoreError: the disk does not take them.
        """
        try:
            self._file.write(data)
        except OSError as error:
            raise store_error(self._path, error) from error
        self._size += len(data)
        self._lines += data.count(b"\n")
        if data:
            self._ends_with_line = data.endswith(b"\n")

    def end(self) -> Spooled:
        """Return what came in, which is whole now.

        Raises:
            StoreError: the disk does not take it.
        """
        try:
            self._file.close()
        except OSError as error:
            raise store_error(self._path, error) from error
        return Spooled(self._path, self._size, self._lines + (not self._ends_with_line))

    def abandon(self) -> None:
        """Remove what has come in."""
        try:
            self._file.close()
        except OSError:
            pass  # what could not be written is removed all the same
        finally:
            self._path.unlink(missing_ok=True)

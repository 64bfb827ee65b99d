"""What was acknowledged: the last generation that somebody was told of, in a small file beside the store.

SQLite ends its log at the first frame that is not whole. That is right after a power cut, since nobody was told of what
stood there; but where a disk loses or flips what was acknowledged, changes would be gone and nobody would know. So each
commit is followed by one write of its generation. It is not synced: it may fall behind the store, never go ahead of it.
"""

import os
import re
from pathlib import Path

from index.checksums import checksum

ACKNOWLEDGED_FILE = "store.acknowledged"

_FORM = re.compile(rb"(?P<store>[0-9a-f]{32}) (?P<generation>\d{20}) (?P<checksum>\d{10})\n")


class Acknowledged:
    """The file of one store. Its owner sees to it that one thread writes at a time."""

    def __init__(self, directory: Path, store_id: str) -> None:
        """Nothing is opened before something is written."""
        self._path = directory / ACKNOWLEDGED_FILE
        self.store_id = store_id
        self._file: int | None = None

    def read(self) -> tuple[str, int]:
        """Return the store that the file is of, and the last generation of it that was acknowledged.

        They are "" and 0 where there is no such file, or it is damaged itself.
        """
        try:
            found = _FORM.fullmatch(self._path.read_bytes())
        except OSError:
            return "", 0
        if found is None:
            return "", 0
        store_id, generation = found["store"].decode(), int(found["generation"])
        return (store_id, generation) if int(found["checksum"]) == checksum(store_id, generation) else ("", 0)

    def write(self, generation: int) -> None:
        """Say that `generation` is acknowledged. A file that cannot be written falls behind, and harms nothing."""
        line = f"{self.store_id} {generation:020} {checksum(self.store_id, generation):010}\n".encode()
        try:
            if self._file is None:
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644)
                if os.fstat(self._file).st_size > len(line):
                    os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
            os.write(self._file, line)
        except OSError:
            self.close()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

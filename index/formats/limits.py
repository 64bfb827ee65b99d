"""Limits: what reading one file may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take.

    `bytes` is the size of the file. `seconds` are of a processor and of the clock, and one more for each MiB of the
    file. `memory` is in bytes, the code of libraries not counted. `rows` are those of a file of many documents.
    """

    bytes: int = 67_108_864
    seconds: float = 4.0
    memory: int = 268_435_456
    pages: int = 2000
    characters: int = 5_000_000
    rows: int = 100_000

    def seconds_for(self, size: int) -> float:
        """Return how long reading a file of `size` bytes may take."""
        return self.seconds + size / 1_048_576

"""A writer to be killed: changes a collection as planned and acknowledges every change on standard output.

`python crash_writer.py DATA_DIR` loads what writing needs and then forks a writer for every seed that it reads from
standard input: so the next one is there at once when one was killed.
"""

import os
import random
import sys
from collections.abc import Iterable
from pathlib import Path

from word_embedder import WordEmbedder

from index.collection import Collection
from index.documents import document_id, make_document
from index.library import Library, write_lock
from index.passages import PassageSettings

COLLECTION = "default"
SETTINGS = PassageSettings(max_tokens=12)
SOURCES = tuple(f"{letter}.txt" for letter in "abcdefgh")
CHANGES = 40

# A source, and the text that it gets; None deletes it.
Change = tuple[str, str | None]


def plan(seed: int, present: Iterable[str]) -> list[Change]:
    """Return the changes that the writer of this seed makes when these sources are there."""
    chance = random.Random(seed)
    there = set(present)
    changes: list[Change] = []
    for number in range(CHANGES):
        source = chance.choice(SOURCES)
        if source in there and chance.random() < 0.3:
            there.remove(source)
            changes.append((source, None))
        else:
            there.add(source)
            paragraphs = chance.randint(1, 12)
            mark = f"mark{seed}x{number}"
            changes.append(
                (source, "\n\n".join(f"Paragraph {each} says {mark}, and more." for each in range(paragraphs)))
            )
    return changes


def apply(collection: Collection, change: Change) -> None:
    """Make one change."""
    source, text = change
    if text is None:
        collection.delete(document_id(source))
    else:
        collection.put(make_document(text, source=source))


def write(data_dir: Path, seed: int) -> None:
    """Make all changes, saying "open" first and then the number of every change when it is durable."""
    with write_lock(data_dir), Library(data_dir, WordEmbedder(), passage_settings=SETTINGS) as library:
        collection = library.create(COLLECTION)
        present = [record.source for record in collection.documents(limit=len(SOURCES))]
        say("open")
        for number, change in enumerate(plan(seed, present)):
            apply(collection, change)
            say(number)


def say(what: str | int) -> None:
    """Write a line to standard output at once."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main(data_dir: Path) -> None:
    """Fork a writer for a line with a seed; wait for its end at the next line, and say how it ended.

    Until then its process id is nobody else's, even if it has ended.
    """
    for line in iter(sys.stdin.readline, ""):
        process = os.fork()
        if process == 0:
            say(os.getpid())
            try:
                write(data_dir, int(line))
            finally:
                say("done")
            os._exit(0)
        sys.stdin.readline()
        _, status = os.waitpid(process, 0)
        say(f"ended {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

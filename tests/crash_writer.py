"""A writer to be killed: changes a collection as planned and acknowledges every change on standard output.

`python crash_writer.py DATA_DIR` loads what writing needs and then forks a writer for every seed that it reads from
standard input: so the next one is there at once when one was killed.
"""

import os
import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from word_embedder import WordEmbedder

from index.collection import Collection
from index.documents import document_id, make_document
from index.library import Library, write_lock
from index.passages import PassageSettings

COLLECTION = "default"
# How passages are cut; whoever opens the collection with the other settings indexes it anew.
SETTINGS = (PassageSettings(max_tokens=12), PassageSettings(max_tokens=9))
SOURCES = tuple(f"{letter}.txt" for letter in "abcdefgh")
CHANGES = 12

# A source, and the text that it gets; None deletes it.
Change = tuple[str, str | None]


def settings_of(seed: int) -> PassageSettings:
    """Return the settings that the writer of this seed asks for."""
    return SETTINGS[seed // 2 % 2]


def plan(seed: int, present: Iterable[str]) -> list[list[Change]]:
    """Return the steps that the writer of this seed makes when these sources are there; one step is one commit.

    A step without a change is one of upkeep.
    """
    chance = random.Random(seed)
    there = set(present)
    steps: list[list[Change]] = []
    for number in range(CHANGES):
        source = chance.choice(SOURCES)
        kind = chance.random()
        if kind < 0.1:
            steps.append([])
        elif source in there and kind < 0.35:
            there.remove(source)
            steps.append([(source, None)])
        else:
            sources = chance.sample(SOURCES, chance.choice((1, 1, 1, 3)))
            there.update(sources)
            mark = f"mark{seed}x{number}"
            paragraphs = [chance.randint(1, 12) for _ in sources]
            steps.append(
                [
                    (each, "\n\n".join(f"Paragraph {line} says {mark}{each[0]}, and more." for line in range(count)))
                    for each, count in zip(sources, paragraphs, strict=True)
                ]
            )
    return steps


def apply(collection: Collection, step: Sequence[Change]) -> None:
    """Make one step."""
    match list(step):
        case []:
            collection.compact()
        case [(source, None)]:
            collection.delete(document_id(source))
        case changes:
            collection.put_all([make_document(text or "", source=source) for source, text in changes])


def write(data_dir: Path, seed: int) -> None:
    """Open, index anew if that is due, and make all steps.

    Say "open", "indexed", and then the number of every step when it is durable.
    """
    with write_lock(data_dir), Library(data_dir, WordEmbedder(), passage_settings=settings_of(seed)) as library:
        collection = library.create(COLLECTION)
        present = [record.source for record in collection.documents(limit=len(SOURCES))]
        say("open")
        collection.reindex()
        say("indexed")
        for number, step in enumerate(plan(seed, present)):
            apply(collection, step)
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

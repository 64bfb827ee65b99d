"""Syncing: a collection is made to match a folder. What is to be done is planned first, and can be looked at."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from index.documents import Document, find_files
from index.errors import InvalidDocument
from index.formats.kinds import ROW_SUFFIXES
from index.formats.limits import Limits
from service.files import Found, in_groups, is_row_of, read_file
from service.keeper import Keeper, Outcome
from service.schemas import Document as Held

_ROW = re.compile(r"#[0-9]+$")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files, and documents, a sync is about.

    A source is `prefix` and the path below the folder. A path passes if it matches one of `include` (none: all do) and
    none of `exclude`; `*` stands for any characters, slashes included. A row goes with its file.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    prefix: str = ""

    def selects(self, source: str) -> bool:
        """Whether the document from a source is one that the sync is about."""
        if not source.startswith(self.prefix):
            return False
        path = _ROW.sub("", source.removeprefix(self.prefix))
        wanted = not self.include or any(fnmatchcase(path, pattern) for pattern in self.include)
        return wanted and not any(fnmatchcase(path, pattern) for pattern in self.exclude)


@dataclass(frozen=True, slots=True)
class File:
    """A file of the folder, and the source that it has in the collection."""

    source: str
    path: Path


@dataclass(frozen=True, slots=True)
class Put:
    """A document of a file that is to be put, in the place of `held` where that is not None."""

    source: str
    file: File
    held: Held | None


@dataclass(slots=True)
class Plan:
    """What makes a collection match a folder. `failed` are (source, why) of files and rows that cannot be read."""

    add: list[Put] = field(default_factory=list)
    update: list[Put] = field(default_factory=list)
    remove: list[Held] = field(default_factory=list)
    unchanged: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """How many documents are to be put or deleted."""
        return len(self.add) + len(self.update) + len(self.remove)


def plan(
    folder: Path,
    held: Iterable[Held],
    selection: Selection,
    *,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Plan:
    """Return what is to be done; this reads every file, within `limits`, and changes nothing.

    A document is up to date if its text, pages and headings are the file's, and a row if all that it says is. What
    cannot be read is left as it is; where that is a file of rows, which may have any source, nothing is removed.
    `progress` is told how many of how many files are read.

    Raises:
        InvalidDocument: the folder holds no file that is selected. To remove everything, delete the collection.
    """
    files = [File(f"{selection.prefix}{path}", file) for path, file in find_files(folder)]
    files = [file for file in files if selection.selects(file.source)]
    if not files:
        raise InvalidDocument(f"There is no file in {folder} that can be read and is selected; nothing is changed.")
    known = {each.source: each for each in held if selection.selects(each.source)}
    there: set[str] = set()
    rows_are_missing = False
    made = Plan()
    for number, file in enumerate(files, start=1):
        progress(number, len(files))
        try:
            for found in read_file(file.path, source=file.source, limits=limits or Limits()):
                there.add(found.source)
                _plan_one(made, file, found, known.get(found.source), selection)
        except InvalidDocument as error:
            made.failed.append((file.source, str(error)))
            there |= {file.source, *(source for source in known if is_row_of(source, file.source))}
            rows_are_missing = rows_are_missing or file.path.suffix.lower() in ROW_SUFFIXES
    if not rows_are_missing:
        made.remove = [each for source, each in known.items() if source not in there]
    return made


def _plan_one(made: Plan, file: File, found: Found, held: Held | None, selection: Selection) -> None:
    if found.document is None:
        made.failed.append((found.source, found.why))
    elif not found.source.startswith(selection.prefix):
        made.failed.append((found.source, f"{file.source}: the row's source does not begin with {selection.prefix!r}."))
    elif held is None:
        made.add.append(Put(found.source, file, None))
    elif not _is_up_to_date(found, held):
        made.update.append(Put(found.source, file, held))
    else:
        made.unchanged += 1


def _is_up_to_date(found: Found, held: Held) -> bool:
    document = found.document
    if document is None:
        return False
    structure = None if document.structure is None else document.structure.sha256
    if (document.content_sha256, structure) != (held.content_sha256, held.structure_sha256):
        return False
    if not found.is_row:
        return True
    said = (document.title, list(document.tags), document.date, json.dumps(dict(document.metadata), sort_keys=True))
    return said == (held.title, held.tags, held.date, json.dumps(held.metadata, sort_keys=True))


def carry_out(
    keeper: Keeper,
    collection: str,
    made: Plan,
    *,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Outcome:
    """Do what is planned, and return what became of the documents; what is to be removed goes last.

    `progress` is told how many of how many steps are done.
    """
    outcome = Outcome()
    done = 0
    for group in in_groups(_documents(made, outcome, limits or Limits())):
        outcome.add(keeper.put(collection, group))
        done += len(group)
        progress(done, made.steps)
    for held in made.remove:
        keeper.delete(collection, held.id)
        done += 1
        progress(done, made.steps)
    return outcome


def _documents(made: Plan, outcome: Outcome, limits: Limits) -> Iterator[Document]:
    """Yield the documents that are to be put; what cannot be read any more is noted in `outcome`.

    Tags, date and metadata stay as they are where the file does not say them: only rows do.
    """
    puts = {put.source: put for put in (*made.add, *made.update)}
    for file in dict.fromkeys(put.file for put in puts.values()):
        try:
            for found in read_file(file.path, source=file.source, limits=limits):
                put = puts.get(found.source)
                if put is None or found.document is None:
                    continue
                if put.held is None or found.is_row:
                    yield found.document
                else:
                    held = put.held
                    yield replace(found.document, metadata=held.metadata, tags=tuple(held.tags), date=held.date)
        except InvalidDocument as error:  # it was well when the plan was made
            outcome.failures.append((file.source, str(error)))

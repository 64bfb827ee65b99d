"""Syncing: a collection is made to match a folder. What is to be done is planned first, and can be looked at."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from index.documents import Document, find_files, read_document
from index.errors import InvalidDocument
from service.keeper import Keeper, Outcome
from service.schemas import Document as Held

# So many documents, or bytes of them, are put at once.
_AT_ONCE = 64
_BYTES_AT_ONCE = 262_144


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files, and documents, a sync is about.

    A source is `prefix` and the path below the folder. A path passes if it matches one of `include` (none: all do) and
    none of `exclude`; `*` stands for any characters, slashes included.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    prefix: str = ""

    def selects(self, source: str) -> bool:
        """Whether the document from a source is one that the sync is about."""
        if not source.startswith(self.prefix):
            return False
        path = source.removeprefix(self.prefix)
        wanted = not self.include or any(fnmatchcase(path, pattern) for pattern in self.include)
        return wanted and not any(fnmatchcase(path, pattern) for pattern in self.exclude)


@dataclass(frozen=True, slots=True)
class Put:
    """A file to be put, in the place of `held` where that is not None."""

    source: str
    file: Path
    held: Held | None

    def read(self) -> Document:
        """Return the document. Tags, date and metadata, which no file says, stay as they are.

        Raises:
            InvalidDocument: the file cannot be read.
        """
        document = read_document(self.file, source=self.source)
        if self.held is None:
            return document
        return replace(document, metadata=self.held.metadata, tags=tuple(self.held.tags), date=self.held.date)


@dataclass(slots=True)
class Plan:
    """What makes a collection match a folder. `failed` are (source, why) of files that cannot be read."""

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
    folder: Path, held: Iterable[Held], selection: Selection, *, progress: Callable[[int, int], None] = lambda *_: None
) -> Plan:
    """Return what is to be done; this reads every file and changes nothing.

    A document is up to date if its text is the file's. One whose file cannot be read is left as it is. `progress` is
    told how many of how many files are read.

    Raises:
        InvalidDocument: the folder holds no file that is selected. To remove everything, delete the collection.
    """
    files = [(f"{selection.prefix}{path}", file) for path, file in find_files(folder)]
    files = [(source, file) for source, file in files if selection.selects(source)]
    if not files:
        raise InvalidDocument(f"There is no .txt or .md file in {folder} that is selected; nothing is changed.")
    known = {each.source: each for each in held if selection.selects(each.source)}
    there = {source for source, _ in files}
    made = Plan(remove=[each for source, each in known.items() if source not in there])
    for number, (source, file) in enumerate(files, start=1):
        progress(number, len(files))
        try:
            sha256 = read_document(file, source=source).content_sha256
        except InvalidDocument as error:
            made.failed.append((source, str(error)))
            continue
        one = known.get(source)
        if one is None:
            made.add.append(Put(source, file, None))
        elif one.content_sha256 != sha256:
            made.update.append(Put(source, file, one))
        else:
            made.unchanged += 1
    return made


def carry_out(
    keeper: Keeper, collection: str, made: Plan, *, progress: Callable[[int, int], None] = lambda *_: None
) -> Outcome:
    """Do what is planned, and return what became of the files; what is to be removed goes last.

    `progress` is told how many of how many steps are done.
    """
    outcome = Outcome()
    done = 0
    for puts in in_groups([*made.add, *made.update]):
        documents = []
        for each in puts:
            try:
                documents.append(each.read())
            except InvalidDocument as error:  # it was well when the plan was made
                outcome.failures.append((each.source, str(error)))
        outcome.add(keeper.put(collection, documents))
        done += len(puts)
        progress(done, made.steps)
    for held in made.remove:
        keeper.delete(collection, held.id)
        done += 1
        progress(done, made.steps)
    return outcome


def in_groups(puts: Sequence[Put]) -> Iterator[list[Put]]:
    """Yield the files in groups that are put together; the size of a file stands for its characters."""
    group: list[Put] = []
    size = 0
    for each in puts:
        length = each.file.stat().st_size if each.file.exists() else 0
        if group and (len(group) == _AT_ONCE or size + length > _BYTES_AT_ONCE):
            yield group
            group, size = [], 0
        group.append(each)
        size += length
    if group:
        yield group

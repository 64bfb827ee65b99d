"""The commands that change and list what is kept, here or in a running service: add, sync, list, delete and others."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from index.documents import document_id
from index.errors import UnknownDocument
from index.filters import Days, Filters
from index.library import DEFAULT_COLLECTION
from service import KEY_VARIABLE, sync
from service.console import FAULTY, OK, command, err, out
from service.engine import open_library
from service.files import in_groups, read_file
from service.keeper import Keeper, LocalKeeper, Outcome
from service.settings import Settings

Report = Callable[[float, int], None]
F = TypeVar("F", bound=Callable[..., Any])


def in_collection(function: F) -> F:
    """Give a command the option `--collection`."""
    return click.option("--collection", default=DEFAULT_COLLECTION, show_default=True, help="The collection.")(function)


def at_url(function: F) -> F:
    """Give a command the option `--url`."""
    return click.option(
        "--url",
        help=f"Ask the running service at this address, with the key in {KEY_VARIABLE}. "
        "Without it, the command works on CITESPAN_DATA_DIR, and no service may be running there.",
    )(function)


@contextmanager
def open_keeper(url: str | None, *, read_only: bool = False, reindex: bool = False) -> Iterator[Keeper]:
    """Open the service at `url`, or the data directory of the settings.

    With `reindex`, what the settings want indexed otherwise is indexed anew first, here; a service does it by itself.

    Raises:
        ServiceRefused: `url` is no address of a service.
        StoreLocked: another process writes, and this one is not to read only.
    """
    if url is not None:
        from service.http_keeper import HttpKeeper  # an HTTP client, which the other commands need not load

        keeper = HttpKeeper(url, key=os.environ.get(KEY_VARIABLE))
        try:
            yield keeper
        finally:
            keeper.close()
        return
    settings = _settings()
    with progress_bar() as progress:
        loading = progress.add_task("Loading the model", total=None)
        with open_library(
            settings, read_only=read_only, reindex=reporter(progress, "Indexing anew") if reindex else None
        ) as library:
            progress.remove_task(loading)
            progress.stop()
            yield LocalKeeper(library)


def _settings() -> Settings:
    """Return the settings. The key is for services; it is none of them."""
    return Settings.from_environment({name: each for name, each in os.environ.items() if name != KEY_VARIABLE})


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@in_collection
@click.option("--source", help="What the document is called; of one file only. Default: the path as it is given.")
@click.option("--title", help="Its title; of one file only. Default: taken from the text.")
@click.option("--tag", "tags", multiple=True, help="A tag to filter by; may be repeated.")
@click.option("--date", help="The document's own date, as YYYY-MM-DD.")
@at_url
@command
def add(
    files: tuple[Path, ...],
    collection: str,
    source: str | None,
    title: str | None,
    tags: tuple[str, ...],
    date: str | None,
    url: str | None,
) -> int:
    """Add FILES, or replace the documents from the same sources; those that have not changed are left alone."""
    if len(files) > 1 and (source or title):
        raise click.UsageError("--source and --title are for one file only.")
    settings = _settings()
    given: dict[str, Any] = {"title": title, "tags": tags, "date": date}
    said = {name: each for name, each in given.items() if each}
    found = [
        each
        for file in files
        for each in read_file(file, source=source or file.as_posix(), limits=settings.file_limits, **said)
    ]
    outcome = Outcome(failures=[(each.source, each.why) for each in found if each.document is None])
    with open_keeper(url, reindex=True) as keeper:
        for group in in_groups(each.document for each in found if each.document is not None):
            outcome.add(keeper.put(collection, group))
    out.print(f"{outcome.added} added, {outcome.replaced} replaced, {outcome.unchanged} unchanged.")
    return _tell_failures(outcome.failures)


@click.command(name="sync")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@in_collection
@click.option("--include", multiple=True, metavar="GLOB", help="Only paths like this; may be repeated.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="No paths like this; may be repeated.")
@click.option("--prefix", default="", help="What every source begins with; documents from other sources are not seen.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@at_url
@command
def sync_folder(
    folder: Path,
    collection: str,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    prefix: str,
    dry_run: bool,
    url: str | None,
) -> int:
    """Make a collection match FOLDER: add new files, update changed ones, remove documents whose file is gone.

    A file's path below FOLDER is its source; of a row, with the row's number. In a GLOB, `*` stands for any characters,
    slashes included.
    """
    selection = sync.Selection(include, exclude, prefix)
    limits = _settings().file_limits
    with open_keeper(url, read_only=dry_run, reindex=not dry_run) as keeper:
        if not dry_run:
            keeper.create(collection)
        exists = collection in {each.name for each in keeper.collections()}
        with progress_bar() as progress:
            held = keeper.documents(collection) if exists else ()
            made = sync.plan(folder, held, selection, limits=limits, progress=reporter(progress, "Reading"))
            if dry_run:
                outcome = Outcome()
            else:
                report = reporter(progress, "Indexing")
                outcome = sync.carry_out(keeper, collection, made, limits=limits, progress=report)
    if dry_run:
        _show_plan(made)
    failures = [*made.failed, *outcome.failures]
    _show_summary(made, failures, dry_run=dry_run)
    return _tell_failures(failures)


@click.command(name="list")
@in_collection
@click.option("--source", multiple=True, help="Only the document from this source; may be repeated.")
@click.option("--title", multiple=True, help="Only documents with this title; may be repeated.")
@click.option("--tag", "tags", multiple=True, help="Only documents with this tag; may be repeated: with one of them.")
@click.option("--date-from", help="Only documents dated on this day or later, as YYYY-MM-DD.")
@click.option("--date-to", help="Only documents dated on this day or earlier, as YYYY-MM-DD.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, as GET /v1/documents shows them.")
@at_url
@command
def list_documents(
    collection: str,
    source: tuple[str, ...],
    title: tuple[str, ...],
    tags: tuple[str, ...],
    date_from: str | None,
    date_to: str | None,
    as_json: bool,
    url: str | None,
) -> int:
    """List documents: id, passages, source and title."""
    filters = Filters(
        source=source or None,
        title=title or None,
        tags=tags or None,
        date=Days(date_from, date_to) if date_from or date_to else None,
    )
    with open_keeper(url, read_only=True) as keeper:
        for each in keeper.documents(collection, filters):
            if as_json:
                click.echo(json.dumps(each.model_dump(), ensure_ascii=False))
            else:
                out.print(Text(f"{each.id}  {each.passages:>5}  {each.source}  {each.title}"), soft_wrap=True)
    return OK


@click.command()
@click.argument("ids", nargs=-1)
@in_collection
@click.option("--source", "sources", multiple=True, help="Delete the document from this source; may be repeated.")
@at_url
@command
def delete(ids: tuple[str, ...], collection: str, sources: tuple[str, ...], url: str | None) -> int:
    """Delete the documents with these IDS, or from these sources, for good."""
    if not ids and not sources:
        raise click.UsageError("Name what to delete: ids, or --source.")
    with open_keeper(url) as keeper:
        for each in dict.fromkeys((*ids, *(document_id(source) for source in sources))):
            try:
                keeper.delete(collection, each)
            except UnknownDocument as error:
                raise UnknownDocument(f"{error} `citespan list` shows those that there are.") from None
            out.print(Text(f"deleted {each}"))
    return OK


@click.group()
def collections() -> None:
    """List, create and delete collections."""


@collections.command(name="list")
@at_url
@command
def list_collections(url: str | None) -> int:
    """List the collections with their documents and passages."""
    with open_keeper(url, read_only=True) as keeper:
        for each in keeper.collections():
            outdated = "" if each.index == "current" else ", to be indexed anew"
            out.print(f"{each.name}: {each.documents} documents, {each.passages} passages{outdated}")
    return OK


@collections.command()
@click.argument("name")
@at_url
@command
def create(name: str, url: str | None) -> int:
    """Create an empty collection; one that is there already is left as it is."""
    with open_keeper(url) as keeper:
        out.print(f"created '{name}'." if keeper.create(name) else f"'{name}' was there already.")
    return OK


@collections.command(name="delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")
@at_url
@command
def delete_collection(name: str, yes: bool, url: str | None) -> int:
    """Delete a collection with all its documents, for good."""
    if not yes:
        click.confirm(f"Delete the collection '{name}' with all its documents, for good?", abort=True)
    with open_keeper(url) as keeper:
        keeper.delete_collection(name)
    out.print(f"deleted '{name}'.")
    return OK


@click.command()
@click.option("--collection", help="Only this one. Default: all that need it.")
@at_url
@command
def reindex(collection: str | None, url: str | None) -> int:
    """Index anew what was indexed with another embedder, or by other rules, than the settings ask for.

    What was done before goes on from there. A running service does this by itself, in the background.
    """
    with open_keeper(url) as keeper:
        names = [collection] if collection else [each.name for each in keeper.collections() if each.index == "outdated"]
        for name in names:
            with progress_bar() as progress:
                keeper.reindex(name, reporter(progress, f"Indexing '{name}' anew"))
            out.print(f"the index of '{name}' is current.")
        if not names:
            out.print("every index is current.")
    return OK


def progress_bar() -> Progress:
    """Return a bar on standard error."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=err,
    )


def reporter(progress: Progress, description: str) -> Report:
    """Return a function that shows how many of how many are done, from the first call on."""
    tasks: list[TaskID] = []

    def report(done: float, total: int) -> None:
        if not tasks:
            tasks.append(progress.add_task(description, total=total))
        progress.update(tasks[0], completed=done, total=total)

    return report


def _show_plan(made: sync.Plan) -> None:
    for word, sources in (
        ("add", [each.source for each in made.add]),
        ("update", [each.source for each in made.update]),
        ("remove", [each.source for each in made.remove]),
    ):
        for source in sources:
            out.print(Text(f"would {word} {source}"), soft_wrap=True)


def _show_summary(made: sync.Plan, failures: list[tuple[str, str]], *, dry_run: bool) -> None:
    failed = {source for source, _ in failures}
    table = Table("what", "documents", title="would be" if dry_run else None)
    for word, count in (
        ("added", sum(each.source not in failed for each in made.add)),
        ("updated", sum(each.source not in failed for each in made.update)),
        ("removed", len(made.remove)),
        ("unchanged", made.unchanged),
        ("failed", len(failures)),
    ):
        table.add_row(word, str(count))
    out.print(table)


def _tell_failures(failures: list[tuple[str, str]]) -> int:
    for source, why in failures:
        message = why if source in why else f"{source}: {why}"
        err.print(Text.assemble(("not indexed: ", "bold red"), message), soft_wrap=True)
    return FAULTY if failures else OK

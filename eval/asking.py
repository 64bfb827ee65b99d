"""Asking: which engine the commands ask, by their options, and a run of it with its progress shown."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from eval.cases import select
from eval.engines import DEFAULT_COLLECTION, Engine, Texts
from eval.folders import Folders, read_folder
from eval.http_engine import HttpEngine
from eval.run import Run, run_cases
from eval.sets import QuestionSet
from index.documents import Document
from service import KEY_VARIABLE

# Over HTTP, as many questions as keep a service of two workers busy. In process one after the other: each takes all
# cores, and would only wait for the others.
_JOBS_OVER_HTTP, _JOBS_HERE = 4, 1

_DEFAULT_FOLDER = Path("seeds")

# The type of arguments and options that name a file, there already or yet to be written.
FILE = click.Path(path_type=Path, dir_okay=False)

_OPTIONS = (
    click.option(
        "--documents",
        "folders",
        multiple=True,
        metavar="[NAME=]FOLDER",
        help="The folder that the questions are about, indexed afresh in a place of its own; once for each collection "
        f"that the set names. Default: {_DEFAULT_FOLDER}, or the documents that come with the set.",
    ),
    click.option("--url", help="Ask the service at this address instead, which must hold the documents already."),
    click.option(
        "--key",
        envvar=KEY_VARIABLE,
        show_envvar=True,
        help="The key for the service; better in the environment, where others do not see it.",
    ),
    click.option(
        "--collection",
        default=DEFAULT_COLLECTION,
        show_default=True,
        help="The collection of the service that is asked where a question names none.",
    ),
)


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that choose an engine: folders, url, key and collection."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@contextmanager
def open_engine(
    folders: Sequence[str],
    url: str | None,
    key: str | None,
    collection: str,
    *,
    documents: Sequence[Document] = (),
    err: Console,
) -> Iterator[Engine]:
    """Open the engine that the options name, with the `documents` of a set where no folder is named.

    Raises:
        CitespanError: it cannot be opened.
        click.UsageError: the options do not go together.
    """
    _check(folders, url, collection)
    if url is not None:
        with HttpEngine(url, key=key, collection=collection) as engine:
            yield engine
        return
    # These load models, which no service that is asked over HTTP needs.
    from eval.local_engine import open_local
    from service.settings import Settings

    with progress_bar(err) as progress:
        task = progress.add_task("Indexing", total=None)

        def report(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        environment = {name: value for name, value in os.environ.items() if name != KEY_VARIABLE}
        with open_local(
            Settings.from_environment(environment), _collections(folders, documents), progress=report
        ) as local:
            progress.stop()
            yield local


@contextmanager
def open_texts(folders: Sequence[str], url: str | None, key: str | None, collection: str) -> Iterator[Texts]:
    """Open the documents that the options name, without any model.

    Raises:
        CitespanError: they cannot be had.
        click.UsageError: the options do not go together.
    """
    _check(folders, url, collection)
    if url is None:
        yield Folders(_collections(folders, ()))
        return
    with HttpEngine(url, key=key, collection=collection) as engine:
        yield engine


def run_set(questions: QuestionSet, engine: Engine, *, split: str | None, jobs: int | None, err: Console) -> Run:
    """Put the cases of a split to an engine, and show how far it is."""
    cases = select(questions.cases, split)
    if not cases:
        raise click.UsageError(f"{questions.name} has no question{f' of the split {split}' if split else ''} to ask.")
    if jobs is None:
        jobs = _JOBS_OVER_HTTP if isinstance(engine, HttpEngine) else _JOBS_HERE
    with progress_bar(err) as progress:
        task = progress.add_task("Asking", total=len(cases))
        return run_cases(
            questions.name,
            cases,
            engine,
            split=split,
            jobs=jobs,
            progress=lambda done: progress.update(task, completed=done),
        )


def progress_bar(err: Console) -> Progress:
    """Return a bar that shows how many of how many are done, and how long the rest will take."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=err)


def _check(folders: Sequence[str], url: str | None, collection: str) -> None:
    if url is not None and folders:
        raise click.UsageError("--url and --documents do not go together: a service has documents of its own.")
    if url is None and collection != DEFAULT_COLLECTION:
        raise click.UsageError("--collection goes with --url; name folders with --documents NAME=FOLDER.")


def _collections(folders: Sequence[str], documents: Sequence[Document]) -> dict[str, Sequence[Document]]:
    if not folders and not documents and not _DEFAULT_FOLDER.is_dir():
        raise click.UsageError("Say what is asked: a folder with --documents FOLDER, or a service with --url.")
    if not folders:
        return {DEFAULT_COLLECTION: documents or read_folder(_DEFAULT_FOLDER)}
    found: dict[str, Sequence[Document]] = {}
    for each in folders:
        name, equals, rest = each.partition("=")
        name, folder = (name, Path(rest)) if equals and not Path(each).is_dir() else (DEFAULT_COLLECTION, Path(each))
        if name in found:
            raise click.UsageError(f"Two folders are for the collection {name!r}; name each: --documents NAME=FOLDER.")
        found[name] = read_folder(folder)
    return found

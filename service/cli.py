"""The command `citespan`: build, serve, mcp, ask, backup, restore, doctor, and those of `service/keeping_cli.py`."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import anyio
import click
from rich.text import Text

from index.backup import Entry, back_up
from index.backup import restore as restore_backup
from index.collection import Receipt
from index.documents import Document, find_files
from index.errors import InvalidDocument, UnknownCollection
from index.library import DEFAULT_COLLECTION, write_lock
from service import KEY_VARIABLE, VERSION, doctor, keeping_cli
from service.answering import Response
from service.answers import Answer
from service.console import FAULTY, OK, command, err, out
from service.engine import open_engine, open_library
from service.files import in_groups, read_file
from service.keeping_cli import progress_bar, reporter
from service.question import checked_question
from service.schemas import AskResponse
from service.settings import Settings

Report: TypeAlias = Callable[[float, int], None]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="citespan")
def main() -> None:
    """Ask your documents: their exact words and where they stand, or an honest "the documents do not say".

    Every setting is an environment variable CITESPAN_...; docs/configuration.md lists them.
    """


@main.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--collection", default=DEFAULT_COLLECTION, show_default=True, help="Where the documents go.")
@command
def build(folders: tuple[Path, ...], collection: str) -> int:
    """Index the files of FOLDERS that can be read (docs/formats.md): new and changed ones only.

    A file's path below its folder is its source; of a table or JSON lines, each row is a document, from the path and
    the row's number. A second build of the same files changes nothing. Documents that were
    indexed with another embedder or by other rules are indexed anew first, also without any FOLDERS.
    """
    found = [each for folder in folders for each in find_files(folder)]
    if folders and not found:
        raise InvalidDocument(f"There is no file that can be read in {', '.join(map(str, folders))}.")
    if twice := [source for source, count in Counter(source for source, _ in found).items() if count > 1]:
        raise InvalidDocument(f"Two files have the same path below their folders: {', '.join(sorted(twice))}.")
    settings = Settings.from_environment()
    receipts: list[Receipt] = []
    failed: list[str] = []
    with progress_bar() as progress:
        loading = progress.add_task("Loading the model", total=None)
        with open_library(settings, reindex=reporter(progress, "Indexing anew")) as library:
            progress.update(loading, visible=False)
            target = library.create(collection)
            report = reporter(progress, "Indexing")
            read = 0

            def documents() -> Iterator[Document]:
                nonlocal read
                for read, (source, path) in enumerate(found):  # noqa: B007 (what is reported)
                    try:
                        for each in read_file(path, source=source, limits=settings.file_limits):
                            if each.document is not None:
                                yield each.document
                            else:
                                failed.append(f"{path}: {each.source}: {each.why}")
                    except InvalidDocument as error:
                        failed.append(str(error))

            for group in in_groups(documents()):
                receipts += target.put_all(group, progress=lambda done, of: report(read + done / of, len(found)))
            report(len(found), len(found))
            documents_there, passages = target.counts()
    added = sum(receipt.created for receipt in receipts)
    changed = sum(receipt.changed for receipt in receipts) - added
    out.print(
        f"{added} added, {changed} replaced, {len(receipts) - added - changed} unchanged; "
        f"the collection '{collection}' has {documents_there} documents in {passages} passages."
    )
    for complaint in failed:
        err.print(Text.assemble(("not indexed: ", "bold red"), complaint), soft_wrap=True)
    return FAULTY if failed else OK


@main.command()
@click.option("--host", help="Address to listen on (CITESPAN_HOST).")
@click.option("--port", type=int, help="Port to listen on (CITESPAN_PORT).")
@command
def serve(host: str | None, port: int | None) -> int:
    """Serve the HTTP API until a signal comes."""
    from service.server import serve as run  # a web server, which the other commands need not load

    return run(Settings.from_environment(host=host, port=port))


@main.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The running service.")
@click.option("--key", envvar=KEY_VARIABLE, help=f"The service's key; better given as {KEY_VARIABLE}.")
@command
def mcp(url: str, key: str | None) -> int:
    """Serve MCP on standard input and output, for programs that start their MCP servers themselves.

    The tools search, fetch and ask go to the service at --url.
    """
    from service.mcp import serve_stdio  # an SDK, which the other commands need not load

    anyio.run(serve_stdio, url, key)
    return OK


@main.command()
@click.argument("question")
@click.option("--collection", default=DEFAULT_COLLECTION, show_default=True, help="Where to look.")
@click.option("--json", "as_json", is_flag=True, help="Print what POST /v1/ask would send.")
@command
def ask(question: str, collection: str, as_json: bool) -> int:
    """Answer QUESTION from the documents, or say that they do not say."""
    question = checked_question(question)
    settings = Settings.from_environment()
    with open_engine(settings, read_only=True) as engine:
        try:
            target = engine.library.collection(collection)
        except UnknownCollection as error:
            raise UnknownCollection(f"{error} Build one first: `citespan build FOLDER`.") from None
        response = engine.answerer.ask(target, question)
    if as_json:
        click.echo(AskResponse.of(response).model_dump_json(indent=2))
    else:
        _show(response)
    return OK


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--collection", "collections", multiple=True, help="Only this one; may be given several times.")
@command
def backup(file: Path, collections: tuple[str, ...]) -> int:
    """Write the collections to FILE, which must not be there yet; the service may run meanwhile."""
    _tell("Backed up", back_up(Settings.from_environment().data_dir, file, collections=collections))
    return OK


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--collection", "collections", multiple=True, help="Only this one; may be given several times.")
@command
def restore(file: Path, collections: tuple[str, ...]) -> int:
    """Put the collections of the backup FILE into the data directory, while no service runs there.

    Everything in FILE is checked first. A collection that has documents is never overwritten.
    """
    data_dir = Settings.from_environment().data_dir
    with write_lock(data_dir):
        _tell("Restored", restore_backup(data_dir, file, collections=collections))
    return OK


@main.command(name="doctor")
@click.option("--repair", is_flag=True, help="Make anew what can be made from the texts, while no service runs.")
@command
def diagnose(repair: bool) -> int:
    """Tell what is installed, which models answer, and whether the stores are healthy; exit code 1 if not."""
    settings = Settings.from_environment()
    if repair:
        doctor.repair(settings, out)
    return OK if doctor.report(settings, out) else FAULTY


def _tell(done: str, entries: Sequence[Entry]) -> None:
    for entry in entries:
        out.print(
            f"{done}: the collection '{entry.collection}', {entry.documents} documents in {entry.passages} passages."
        )


def _show(response: Response) -> None:
    if response.answer is None:
        out.print("The documents do not say.", style="bold")
        if response.alternatives:
            out.print("\nNearest to the question:", style="dim")
        for alternative in response.alternatives:
            _show_answer(alternative)
        return
    _show_answer(response.answer)
    out.print(Text(f"\nconfidence {response.answer.confidence:.2f}, {response.agreement}", style="dim"))


def _show_answer(answer: Answer) -> None:
    """Print every citation: the sentence with the cited words marked, and where it stands."""
    for citation in answer.citations:
        sentence, cited = citation.sentence, citation.cited
        words = Text(sentence.text)
        words.stylize("bold green", cited.start - sentence.start, cited.end - sentence.start)
        out.print()
        out.print(words, soft_wrap=True)
        place = f"  {citation.source} [{cited.start}:{cited.end}]"
        heading = citation.section or citation.document_title
        out.print(Text(f"{place}  {heading}", style="dim"), soft_wrap=True)


for _each in (
    keeping_cli.add,
    keeping_cli.sync_folder,
    keeping_cli.list_documents,
    keeping_cli.delete,
    keeping_cli.collections,
    keeping_cli.reindex,
):
    main.add_command(_each)

if __name__ == "__main__":
    main()

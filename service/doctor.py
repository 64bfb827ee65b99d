"""The doctor: what is installed, which models answer, and whether the stores are healthy."""

import platform
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version

from rich.console import Console
from rich.text import Text

from index.errors import CitespanError
from index.library import collection_names, write_lock
from index.store import Store
from service import VERSION
from service.engine import open_engine, open_library
from service.settings import Settings

PACKAGES = (
    "faiss-cpu",
    "sentence-transformers",
    "torch",
    "onnxruntime",
    "tokenizers",
    "pypdfium2",
    "lxml",
    "mammoth",
    "fastapi",
    "pydantic",
    "uvicorn",
)


_WAY_OUT = "stop the service and run `citespan doctor --repair`"


def report(settings: Settings, console: Console) -> bool:
    """Print everything and return whether all is well."""
    healthy = True
    for name, value, good in _examine(settings):
        mark = ("ok ", "green") if good else ("BAD", "bold red")
        console.print(Text.assemble(mark, f"  {name:<22}", value), soft_wrap=True)
        healthy = healthy and good
    return healthy


def repair(settings: Settings, console: Console) -> None:
    """Make anew what can be made from the texts, and print what was done.

    Raises:
        StoreError: a store is too damaged for that, or another process writes.
    """
    with write_lock(settings.data_dir):
        for name in collection_names(settings.data_dir):
            with closing(Store(settings.data_dir / name, accept_loss=True)) as store, store.writing() as change:
                if loss := store.loss:
                    console.print(f"{name}: {loss}; what is there is kept", soft_wrap=True)
                change.rebuild_indexes()
                change.rebuild_full_text()
                change.commit()
    with open_library(settings) as library:
        for name in library.names():
            indexed, lost = library.collection(name).repair()
            for source in indexed:
                console.print(f"{name}: {source} was indexed anew from its text", soft_wrap=True)
            for source in lost:
                console.print(f"{name}: {source} is lost; send it again, delete it, or restore it", soft_wrap=True)


def _examine(settings: Settings) -> Iterator[tuple[str, str, bool]]:
    """Yield (what, finding, whether it is well), reading everything and changing no document."""
    yield "citespan", VERSION, True
    yield "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}", True
    for name in PACKAGES:
        try:
            yield name, version(name), True
        except PackageNotFoundError:
            yield name, "is not installed; install the project again", False
    try:
        yield "openvino", version("openvino"), True
    except PackageNotFoundError:
        yield "openvino", "is not installed; the reader runs in ONNX Runtime, which takes longer", True
    yield "sqlite", sqlite3.sqlite_version, sqlite3.sqlite_version_info >= (3, 38)
    yield "data directory", str(settings.data_dir.absolute()), True
    try:
        with open_engine(settings, read_only=True) as engine:
            embedder = engine.library.embedder
            yield "embedder", f"{embedder.identity}, {embedder.dimension} dimensions, {embedder.engine}", True
            yield "reader", f"{engine.answerer.reader.identity}, silent below {engine.answerer.min_confidence}", True
            yield "read depth", f"at most {settings.read_depth} passages", True
            names = engine.library.names()
            if not names:
                yield "collections", "none yet; make one with `citespan build FOLDER`", True
            for name in names:
                collection = engine.library.collection(name)
                faults = collection.faults()
                documents, passages = collection.counts()
                finding = (
                    "; ".join([*faults, _WAY_OUT] if faults else [])
                    or f"{documents} documents, {passages} passages, consistent"
                )
                yield f"collection {name}", finding, not faults
    except CitespanError as error:
        yield type(error).__name__, str(error), False

"""The doctor: what is installed, which models answer, and whether the stores are healthy."""

import platform
import sqlite3
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from rich.console import Console
from rich.text import Text

from index.errors import CitespanError
from service import VERSION
from service.engine import open_engine
from service.settings import Settings

PACKAGES = (
    "faiss-cpu",
    "sentence-transformers",
    "torch",
    "onnxruntime",
    "tokenizers",
    "fastapi",
    "pydantic",
    "uvicorn",
)


def report(settings: Settings, console: Console) -> bool:
    """Print everything and return whether all is well."""
    healthy = True
    for name, value, good in _examine(settings):
        mark = ("ok ", "green") if good else ("BAD", "bold red")
        console.print(Text.assemble(mark, f"  {name:<22}", value), soft_wrap=True)
        healthy = healthy and good
    return healthy


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
                finding = "; ".join(faults) or f"{documents} documents, {passages} passages, consistent"
                yield f"collection {name}", finding, not faults
    except CitespanError as error:
        yield type(error).__name__, str(error), False

"""What all tests share: nothing is fetched, no setting of the caller's leaks in, and models are loaded once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from word_embedder import WordEmbedder

from eval.cases import SEEDS_SET, read_cases
from eval.local_engine import LocalEngine
from eval.run import Run, run_cases
from index.documents import find_files, read_document
from index.embedder import Embedder, load_embedder
from index.library import Library
from service.answering import Answerer
from service.engine import load_reader
from service.settings import Settings

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds"
MODEL_CACHE = ROOT / "data" / ".models"

# Timed limits fail on busy machines and say nothing about the code. Integration runs try the same examples every time;
# new ones are for those who develop.
settings.register_profile(
    "default", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("default")


def pytest_configure() -> None:
    """Let nothing be fetched, and none of the caller's settings leak in; before any model library is imported."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    for name in [name for name in os.environ if name.startswith("CITESPAN_")]:
        del os.environ[name]


@pytest.fixture
def words() -> WordEmbedder:
    """An embedder without a model."""
    return WordEmbedder()


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The real default embedder; its exported form is kept where the service keeps it by default."""
    return load_embedder(cache=MODEL_CACHE)


@pytest.fixture(scope="session")
def seeds_library(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The seed texts, indexed with the real embedder. Read only: it is shared."""
    with Library(tmp_path_factory.mktemp("seeds"), embedder) as library:
        collection = library.create("default")
        for source, path in find_files(SEEDS):
            collection.put(read_document(path, source=source))
        yield library


@pytest.fixture(scope="session")
def seeds_engine(seeds_library: Library) -> LocalEngine:
    """The service as it comes, in this process."""
    settings = Settings()
    answerer = Answerer(load_reader(settings), read_depth=settings.read_depth, min_confidence=settings.min_confidence)
    return LocalEngine(seeds_library, answerer, settings={"read depth": str(settings.read_depth)})


@pytest.fixture(scope="session")
def seeds_run(seeds_engine: LocalEngine) -> Run:
    """All questions about the seed texts, put to the service once."""
    return run_cases(SEEDS_SET.name, read_cases(SEEDS_SET), seeds_engine)

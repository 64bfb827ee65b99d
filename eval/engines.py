"""Engines: what can be asked and judged, here or over HTTP."""

from collections.abc import Container, Mapping
from typing import Protocol

from eval.cases import Case
from eval.replies import Reply
from index.errors import EngineUnavailable

# The collection that is asked where neither a case nor a person names one.
DEFAULT_COLLECTION = "default"

# How many passages an engine is asked to show, and so how deep rankings are looked at; the HTTP API allows no more.
RANKING_DEPTH = 20


class Texts(Protocol):
    """Where the documents that a case is asked of are looked up: an engine, or folders."""

    def documents(self, case: Case) -> Mapping[str, str]:
        """Return the `content_sha256` of every document that the case is asked of, by source.

        Raises:
            EngineUnavailable: the engine cannot be asked.
        """
        ...

    def text(self, case: Case, source: str) -> str | None:
        """Return the canonical text of a document that the case is asked of; None: there is no such document.

        Raises:
            EngineUnavailable: the engine cannot be asked.
        """
        ...

    def collection(self, case: Case) -> str:
        """Return the name of the collection that the case is asked of."""
        ...


class Engine(Texts, Protocol):
    """Something that answers questions from documents. Thread-safe."""

    def ask(self, case: Case) -> Reply:
        """Return what the engine says to the question of a case.

        Raises:
            QuestionFailed: it says nothing to this one.
            EngineUnavailable: it cannot be asked at all.
        """
        ...

    def description(self) -> dict[str, str]:
        """Return what is known of the engine, in words: where it runs, its models and settings."""
        ...


def collection_of(case: Case, known: Container[str]) -> str:
    """Return the collection that a case names, or the default one, which must be among those `known` here.

    Raises:
        EngineUnavailable: there are no documents for it.
    """
    name = case.collection or DEFAULT_COLLECTION
    if name not in known:
        raise EngineUnavailable(
            f"The case {case.id!r} is about the collection {name!r}; say where its documents are: "
            f"--documents {name}=FOLDER."
        )
    return name

"""The indexer: documents to rows of an index, with one embedder and one way to cut passages."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from index.documents import Document
from index.embedder import Embedder, Matrix
from index.passages import RULES_VERSION, Passage, PassageSettings, embedded_text, heading_above, split_passages

Progress = Callable[[int, int], None]

_EMBEDDED_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Rows:
    """What an index holds of one document, a row a passage. A heading is what is searched besides the text."""

    passages: list[Passage]
    headings: list[str]
    vectors: Matrix


@dataclass(frozen=True, slots=True)
class IndexIdentity:
    """All that decides which rows a document gets. Rows of different identities are not mixed."""

    embedder: str
    dimension: int
    passages: PassageSettings
    rules: int

    def to_json(self) -> str:
        """Return the identity as the store keeps it."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "IndexIdentity":
        """Return the identity that `to_json` made a text of."""
        content = json.loads(text)
        return cls(**content | {"passages": PassageSettings(**content["passages"])})


class Indexer:
    """Makes rows. Thread-safe."""

    def __init__(self, embedder: Embedder, settings: PassageSettings) -> None:
        """Cut passages by `settings`, and embed them with `embedder`."""
        self.embedder = embedder
        self.settings = settings

    @property
    def identity(self) -> IndexIdentity:
        """What decides the rows."""
        return IndexIdentity(self.embedder.identity, self.embedder.dimension, self.settings, RULES_VERSION)

    def index(self, documents: Sequence[Document], *, progress: Progress | None = None) -> list[Rows]:
        """Return the rows of every document. `progress` is told how many of how many passages are embedded.

        The passages of all of them are embedded together, which takes less time than one document after the other.
        """
        cut = [self.cut(document) for document in documents]
        headings = [
            [heading_above(document.title, passage.section) for passage in passages]
            for document, passages in zip(documents, cut, strict=True)
        ]
        texts = [
            embedded_text(heading, passage.text)
            for above, passages in zip(headings, cut, strict=True)
            for heading, passage in zip(above, passages, strict=True)
        ]
        vectors = np.empty((len(texts), self.embedder.dimension), np.float32)
        for start in range(0, len(texts), _EMBEDDED_AT_ONCE):
            part = texts[start : start + _EMBEDDED_AT_ONCE]
            vectors[start : start + len(part)] = self.embedder.embed_passages(part)
            if progress is not None:
                progress(start + len(part), len(texts))
        ends = np.cumsum([len(passages) for passages in cut]).tolist()
        return [
            Rows(passages, above, vectors[end - len(passages) : end])
            for passages, above, end in zip(cut, headings, ends, strict=True)
        ]

    def cut(self, document: Document) -> list[Passage]:
        """Return the passages of a document."""
        return split_passages(
            document.text,
            markdown=document.is_markdown,
            count_tokens=self.embedder.count_tokens,
            settings=self.settings,
            structure=document.structure,
        )

"""Folders of documents, read as they are: texts to look gold up in, without any model."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.cases import Case
from eval.engines import collection_of
from index.documents import Document, find_files
from index.errors import InvalidDocument
from index.formats.limits import Limits
from service.files import read_file


class Folders:
    """Documents of several collections, by source."""

    def __init__(self, collections: Mapping[str, Sequence[Document]]) -> None:
        self._documents = {name: {each.source: each for each in members} for name, members in collections.items()}

    def documents(self, case: Case) -> Mapping[str, str]:
        """Return the hashes of the documents of the case's collection, by source."""
        return {source: each.content_sha256 for source, each in self._documents[self.collection(case)].items()}

    def text(self, case: Case, source: str) -> str | None:
        """Return the canonical text of a document, None where there is none."""
        document = self._documents[self.collection(case)].get(source)
        return None if document is None else document.text

    def collection(self, case: Case) -> str:
        """Return the collection that the case names, or the default one.

        Raises:
            EngineUnavailable: there are no documents for it.
        """
        return collection_of(case, self._documents)


def read_folder(folder: Path) -> list[Document]:
    """Return the documents of a folder, sorted by source.

    Raises:
        InvalidDocument: one cannot be read, or there is none.
    """
    limits = Limits()
    found = [each for source, path in find_files(folder) for each in read_file(path, source=source, limits=limits)]
    if wrong := next((each for each in found if each.document is None), None):
        raise InvalidDocument(f"{wrong.source}: {wrong.why}")
    documents = [each.document for each in found if each.document is not None]
    if not documents:
        raise InvalidDocument(f"There is no file that can be read in {folder}; name the one that is asked about.")
    return documents

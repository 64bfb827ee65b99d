"""Writes `tests/data/store-vN.sqlite`, a small store of the present version of the schema, to be kept for good.

`python tests/make_store.py` before the schema changes: what is released once must open for ever.
"""

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

from word_embedder import WordEmbedder

from index import schema
from index.collection import Collection
from index.documents import Scalar, document_id, make_document
from index.passages import PassageSettings
from index.retriever import RetrievalSettings
from index.store import STORE_FILE

DATA = Path(__file__).parent / "data"

# Source and text of what each of these stores holds; the first document was replaced once, and one more was deleted.
TEXTS = {
    "notes/mill.md": "# The mill\n\nThe mill at Åby was built in 1742. 🚀 It ground rye until 1911.",
    "boats.txt": "Red trucks drove all of the way up there. Blue boats sailed all of the way down here.",
    "語.txt": "今日は。The harbour froze in March.",
}
METADATA: dict[str, dict[str, Scalar]] = {"notes/mill.md": {"year": 1742, "open": True, "by": "Åsa"}}
PASSAGES = PassageSettings(max_tokens=12)


def store_file(version: int) -> Path:
    """Return where the store of a version of the schema is kept."""
    return DATA / f"store-v{version}.sqlite"


def main() -> None:
    """Write the store of the present version."""
    with tempfile.TemporaryDirectory() as folder:
        with closing(
            Collection(Path(folder), WordEmbedder(), passage_settings=PASSAGES, retrieval_settings=RetrievalSettings())
        ) as collection:
            collection.put(make_document("The mill was never built.", source="notes/mill.md"))
            collection.put(make_document("Gone, and forgotten.", source="gone.txt"))
            for source, text in TEXTS.items():
                collection.put(make_document(text, source=source, metadata=METADATA.get(source, {})))
            collection.delete(document_id("gone.txt"))
        DATA.mkdir(exist_ok=True)
        shutil.copy(Path(folder) / STORE_FILE, store_file(schema.VERSION))


if __name__ == "__main__":
    main()

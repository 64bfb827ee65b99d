"""Mining: the passages that our own retriever brings up for every question, found once and kept.

They are the negatives of training: passages met in use that do not hold the answer.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.progress import Progress

from eval.paragraphs import index_paragraphs, paragraph_of, retrieve_all
from eval.squad import Corpus
from index.embedder import load_embedder
from index.model_folder import DEFAULT_MODEL
from index.passages import PassageSettings
from index.retriever import RetrievalSettings

DEPTH = 20


@dataclass(frozen=True, slots=True)
class Found:
    """`paragraphs[paragraph].text[start:end]` is a passage that was found."""

    paragraph: int
    start: int
    end: int


def mine(corpus: Corpus, work: Path) -> list[list[Found]]:
    """Return the `DEPTH` best passages for every question of the corpus, in the order of its questions.

    What was found is kept in `work` and read from there the next time.
    """
    paragraphs = [(each.title, each.text) for each in corpus.paragraphs]
    rules = [DEPTH, asdict(PassageSettings()), asdict(RetrievalSettings())]
    content = json.dumps([paragraphs, [each.text for each in corpus.questions], rules])
    path = work / f"mined-{hashlib.sha256(content.encode()).hexdigest()[:16]}.jsonl"
    if path.exists():
        return [[Found(*each) for each in json.loads(line)] for line in path.read_text().splitlines()]
    model_cache = work / ".models"
    with Progress() as progress:
        task = progress.add_task("Indexing paragraphs")
        embedder = load_embedder(DEFAULT_MODEL, cache=model_cache)
        data_dir = index_paragraphs(
            corpus.paragraphs, work, embedder, lambda done, total: progress.update(task, completed=done, total=total)
        )
        task = progress.add_task("Finding passages")
        questions = [each.text for each in corpus.questions]
        hits = retrieve_all(
            data_dir,
            questions,
            depth=DEPTH,
            model=DEFAULT_MODEL,
            model_cache=model_cache,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
        found = [[(paragraph_of(hit), hit.found.passage.start, hit.found.passage.end) for hit in each] for each in hits]
    scratch = path.with_suffix(".tmp")
    scratch.write_text("".join(json.dumps(each) + "\n" for each in found))
    scratch.replace(path)
    return [[Found(*each) for each in passages] for passages in found]

"""Stories: documents of our own with questions; `training/stories/README.md` says how they are made.

Most are trained on. One of eight is kept out, to choose settings by: these documents have paragraphs, headings and
lists as people's documents have them, which public data sets do not.
"""

import hashlib
import json
from collections.abc import Collection
from pathlib import Path

from eval.squad import Corpus, Gold, Paragraph, Question

STORIES = Path(__file__).parents[1] / "training" / "stories"
_STORIES_FOR_ONE_HELD_OUT = 8


def load_stories(folder: Path = STORIES, only: Collection[str] = ()) -> Corpus:
    """Read documents with questions that were written for this project, each document a paragraph.

    `only` names the files to read, without their ending; where it names none, all are read.

    One of eight is kept out of training, by the hash of its title. The members of a list are answers of equal weight.

    Raises:
        ValueError: an answer lies outside its document, or there is no file of a name in `only`.
    """
    missing = set(only) - {path.stem for path in folder.glob("*.jsonl")}
    if missing:
        raise ValueError(f"{folder} has no stories named {', '.join(sorted(missing))}")
    paragraphs: list[Paragraph] = []
    questions: list[Question] = []
    for path in sorted(folder.glob("*.jsonl")):
        if only and path.stem not in only:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            content = json.loads(line)
            name, title, text = f"{path.stem}#{number}", content["title"], content["text"]
            digest = hashlib.sha256(title.encode()).digest()
            paragraphs.append(Paragraph(name, title, text, digest[0] % _STORIES_FOR_ONE_HELD_OUT == 0))
            for place, asked in enumerate(content["questions"]):
                spans = asked["answers"]
                if not all(0 <= start < end <= len(text) for start, end in spans):
                    raise ValueError(f"{path}, line {number + 1}, question {place}: an answer lies outside the text")
                gold = tuple(Gold(start, end, 1 / len(spans)) for start, end in spans)
                accepted = tuple(text[each.start : each.end] for each in gold)
                questions.append(Question(f"{name}:{place}", asked["question"], len(paragraphs) - 1, gold, accepted))
    return Corpus(tuple(paragraphs), tuple(questions))

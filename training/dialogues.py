"""Dialogues about the stories: follow-ups as the service reads them, to train on."""

import hashlib
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from eval.squad import Corpus, Gold, Question
from service.conversation import Turn, last_exchange, meanings

DIALOGUES = Path(__file__).parent / "stories" / "dialogues"


def load_dialogues(stories: Corpus, folder: Path = DIALOGUES, only: Collection[str] = ()) -> Corpus:
    """Read the follow-ups about those of `stories` that are trained on, as questions about them.

    `only` names the files to read, without their ending; where it names none, all are read.

    Each is asked as a person wrote it out, and as the service reads it first; where it has no answer, also as all that
    it may mean.

    Raises:
        ValueError: an answer lies outside its document, or there is no file of a name in `only`.
    """
    missing = set(only) - {path.stem for path in folder.glob("*.jsonl")}
    if missing:
        raise ValueError(f"{folder} has no dialogues named {', '.join(sorted(missing))}")
    numbers = {(each.source.partition("#")[0], each.title): number for number, each in enumerate(stories.paragraphs)}
    questions: list[Question] = []
    for path in sorted(folder.glob("*.jsonl")):
        if only and path.stem not in only:
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            content = json.loads(line)
            number = numbers.get((content["story"], content["title"]))
            if number is None or stories.paragraphs[number].held_out:
                continue
            text = stories.paragraphs[number].text
            spans = content["answers"]
            if not all(0 <= start < end <= len(text) for start, end in spans):
                raise ValueError(f"{path}: an answer to {content['question']!r} lies outside the text")
            gold = tuple(Gold(start, end, 1 / len(spans)) for start, end in spans)
            accepted = tuple(text[each.start : each.end] for each in gold)
            for asked in dict.fromkeys(_forms(content)):
                name = hashlib.sha256(f"{content['title']}{asked}".encode()).hexdigest()[:16]
                questions.append(Question(f"dialogue:{name}", asked, number, gold, accepted))
    return Corpus(stories.paragraphs, tuple(questions))


def _forms(content: dict[str, Any]) -> Iterator[str]:
    """Yield what the reader gets to read for a follow-up."""
    yield content["written"]
    turns = [
        turn for question, answer in content["history"] for turn in (Turn("user", question), Turn("assistant", answer))
    ]
    meant = meanings(content["question"], last_exchange(turns))
    for each in meant[:1] if content["answers"] else meant:
        yield each.question

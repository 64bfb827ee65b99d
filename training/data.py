"""The data to train and to choose on, and which articles of it are kept out of training."""

import hashlib
import re
from pathlib import Path

from eval.squad import (
    SQUAD_FILES,
    Corpus,
    CorpusBuilder,
    Gold,
    Paragraph,
    Question,
    held_out_titles,
    read_articles,
    read_data,
)
from eval.stories import STORIES

# SQuADShifts gives no titles for these two; every paragraph is a document of its own.
SHIFTS_FILES = {"reddit.json": "Reddit", "amazon_reviews.json": "Amazon review"}
QAMR_FILES = ("qamr/dev.tsv", "qamr/test.tsv")


def load_corpus(folder: Path) -> Corpus:
    """Read the paragraphs and questions of the SQuAD and SQuADShifts files that may be trained and chosen on.

    Raises:
        FileNotFoundError: a file is missing; the message says where the data is to be had.
    """
    held_out = held_out_titles(folder)
    builder = CorpusBuilder()
    for name in SQUAD_FILES:
        builder.add(read_articles(folder / name), held_out=held_out)
    for name, title in SHIFTS_FILES.items():
        builder.add(read_articles(folder / name), title=title)
    return builder.corpus()


def load_qamr(folder: Path) -> Corpus:
    """Read QAMR (Michael et al. 2018, the readable form): questions about the words of single sentences.

    Answers have no offsets there, so those count that stand in the sentence once; and those on which the second person
    who was asked agrees by half of the words.

    Raises:
        FileNotFoundError: a file is missing; the message says where the data is to be had.
    """
    paragraphs: list[Paragraph] = []
    questions: list[Question] = []
    for name in QAMR_FILES:
        for block in re.split(r"^#", read_data(folder / name), flags=re.MULTILINE)[1:]:
            head, sentence, *lines = (line for line in block.split("\n") if line.strip())
            paragraphs.append(Paragraph(head, "", sentence))
            for number, line in enumerate(lines):
                text, answer, second = _fields(line)
                if answer and sentence.count(answer) == 1 and _agree(answer, second):
                    start = sentence.index(answer)
                    gold = Gold(start, start + len(answer), 1.0)
                    place = len(paragraphs) - 1
                    questions.append(Question(f"{head}:{number}", text, place, (gold,), (answer,)))
    return Corpus(tuple(paragraphs), tuple(questions))


def trained_on(corpus: Corpus) -> list[Question]:
    """Return the questions to train on."""
    return [each for each in corpus.questions if not corpus.paragraphs[each.paragraph].held_out]


def is_shifted(corpus: Corpus, question: Question) -> bool:
    """Whether a question is one of SQuADShifts, and not of SQuAD."""
    return corpus.paragraphs[question.paragraph].title in SHIFTS_FILES.values()


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that is trained and chosen on, by name."""
    paths = [folder / name for name in (*SQUAD_FILES, *SHIFTS_FILES, *QAMR_FILES)] + sorted(STORIES.rglob("*.jsonl"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _fields(line: str) -> tuple[str, str, str]:
    """Return question, answer and second answer: padded with spaces the first, after a tab the other."""
    first, *others = line.split("\t")
    match = re.match(r"(.*?\S)(?:\s{2,}|(?<=\?)\s+)(\S.*)$", first)
    if match is None:
        return first.strip(), "", ""
    return match[1], match[2].strip(" ,.;"), others[0].strip(" ,.;") if others else ""


def _agree(answer: str, second: str) -> bool:
    words, others = set(answer.casefold().split()), set(second.casefold().split())
    return bool(words & others) and len(words & others) >= 0.5 * max(len(words), len(others))

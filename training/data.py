"""The data to train and to choose on, and which articles of it are kept out of training."""

import hashlib
import json
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

# SQuADShifts gives no titles for these two; every paragraph is a document of its own.
SHIFTS_FILES = {"reddit.json": "Reddit", "amazon_reviews.json": "Amazon review"}
QAMR_FILES = ("qamr/dev.tsv", "qamr/test.tsv")

# Documents and questions of our own; training/stories/README.md says how they are made.
STORIES = Path(__file__).with_name("stories")
_STORIES_FOR_ONE_HELD_OUT = 8


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


def load_stories(folder: Path = STORIES) -> Corpus:
    """Read documents with questions that were written for this project, each document a paragraph.

    One of eight is kept out of training, by the hash of its title. The members of a list are answers of equal weight.

    Raises:
        ValueError: an answer lies outside its document.
    """
    paragraphs: list[Paragraph] = []
    questions: list[Question] = []
    for path in sorted(folder.glob("*.jsonl")):
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


def held_out(corpus: Corpus) -> list[Question]:
    """Return the questions about articles that are kept out of training."""
    return [each for each in corpus.questions if corpus.paragraphs[each.paragraph].held_out]


def trained_on(corpus: Corpus) -> list[Question]:
    """Return the questions to train on."""
    return [each for each in corpus.questions if not corpus.paragraphs[each.paragraph].held_out]


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that is trained and chosen on, by name."""
    paths = [folder / name for name in (*SQUAD_FILES, *SHIFTS_FILES, *QAMR_FILES)] + sorted(STORIES.glob("*.jsonl"))
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

"""Paragraphs, and questions about them with the answers that people gave: data sets in the format of SQuAD.

The format: SQuAD 1.1 (Rajpurkar et al. 2016) and 2.0 (Rajpurkar, Jia & Liang 2018); SQuADShifts (Miller et al. 2020)
is given in it too.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

SQUAD_FILES = ("squad_dev_v1.1.json", "squad_dev_v2.0.json")
# So many of the articles that both SQuAD files hold are kept out of training, for choosing and calibrating.
HELD_OUT_ARTICLES = 6

_WHERE_TO_GET = (
    "SQuAD 1.1 and 2.0 (dev), SQuADShifts (new_wiki, reddit, amazon_reviews) and QAMR (dev, test) are public; put the "
    "files into one folder under these names, and name the folder."
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of an article. `source` names it; `title` is what stands above it."""

    source: str
    title: str
    text: str
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class Gold:
    """`paragraph.text[start:end]` was given as the answer by the share `weight` of the people who were asked."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Question:
    """A question about the paragraph number `paragraph`; without answers, that paragraph does not answer it.

    `accepted` are the answers as they were given, of which any one is right.
    """

    id: str
    text: str
    paragraph: int
    answers: tuple[Gold, ...]
    accepted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Paragraphs, and questions about them."""

    paragraphs: tuple[Paragraph, ...]
    questions: tuple[Question, ...]

    def joined(self, other: "Corpus") -> "Corpus":
        """Return the paragraphs and questions of both, those of `other` behind."""
        shift = len(self.paragraphs)
        moved = (replace(each, paragraph=each.paragraph + shift) for each in other.questions)
        return Corpus(self.paragraphs + other.paragraphs, (*self.questions, *moved))


def held_out(corpus: Corpus) -> list[Question]:
    """Return the questions about articles that are kept out of training."""
    return [each for each in corpus.questions if corpus.paragraphs[each.paragraph].held_out]


class CorpusBuilder:
    """Puts files together. A paragraph that two files hold is there once, and so is a question about it."""

    def __init__(self) -> None:
        self._paragraphs: list[Paragraph] = []
        self._questions: list[Question] = []
        self._numbers: dict[str, int] = {}
        self._asked: set[tuple[int, str]] = set()

    def add(self, articles: list[dict[str, Any]], *, title: str | None = None, held_out: Collection[str] = ()) -> None:
        """Add the articles of a file; `title` takes the place of titles that say nothing."""
        for article in articles:
            name = article["title"]
            heading = title or name.replace("_", " ")
            for number, content in enumerate(article["paragraphs"]):
                paragraph = Paragraph(f"{name}#{number}", heading, content["context"], name in held_out)
                known = self._number(paragraph)
                for question in content["qas"]:
                    self._add_question(question, known)

    def corpus(self) -> Corpus:
        """Return what was added."""
        return Corpus(tuple(self._paragraphs), tuple(self._questions))

    def _number(self, paragraph: Paragraph) -> int:
        if paragraph.text not in self._numbers:
            self._numbers[paragraph.text] = len(self._paragraphs)
            self._paragraphs.append(paragraph)
        return self._numbers[paragraph.text]

    def _add_question(self, content: dict[str, Any], paragraph: int) -> None:
        text = " ".join(content["question"].split())
        context = self._paragraphs[paragraph].text
        places = Counter(
            (each["answer_start"], each["answer_start"] + len(each["text"]))
            for each in content["answers"]
            if each["text"].strip() and context.startswith(each["text"], each["answer_start"])
        )
        if (paragraph, text) in self._asked or not (places or content.get("is_impossible", False)):
            return
        self._asked.add((paragraph, text))
        answers = tuple(Gold(*place, count / places.total()) for place, count in sorted(places.items()))
        accepted = tuple(dict.fromkeys(each["text"] for each in content["answers"]))
        self._questions.append(Question(content["id"], text, paragraph, answers, accepted))


def read_articles(path: Path) -> list[dict[str, Any]]:
    """Return the articles of a file in the format of SQuAD.

    Raises:
        FileNotFoundError: there is no such file; the message says where the data sets are to be had.
    """
    articles: list[dict[str, Any]] = json.loads(read_data(path))["data"]
    return articles


def read_data(path: Path) -> str:
    """Return the text of a file of a data set.

    Raises:
        FileNotFoundError: there is no such file; the message says where the data sets are to be had.
    """
    try:
        return path.read_text()
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no {path}. {_WHERE_TO_GET}") from None


def held_out_titles(folder: Path) -> list[str]:
    """Return the titles of the articles that nothing is trained on, so that settings can be chosen by them.

    Raises:
        FileNotFoundError: a file is missing; the message says where the data sets are to be had.
    """
    first, second = ({each["title"] for each in read_articles(folder / name)} for name in SQUAD_FILES)
    return sorted(first & second, key=lambda title: hashlib.sha256(title.encode()).digest())[:HELD_OUT_ARTICLES]


def load_squad(*paths: Path) -> Corpus:
    """Read files in the format of SQuAD, as they are.

    Raises:
        FileNotFoundError: there is no such file.
    """
    builder = CorpusBuilder()
    for path in paths:
        builder.add(read_articles(path))
    return builder.corpus()

"""Question sets: cases from a file in one of three formats, with the documents that come with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.cases import Case, GoldSpan, read_cases
from eval.squad import read_articles
from eval.trec import read_topics
from index.documents import Document, make_document
from index.errors import InvalidCase, InvalidDocument


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Cases, and the documents that they are about where these come with them; else there are none."""

    name: str
    cases: tuple[Case, ...]
    documents: tuple[Document, ...] = ()


def read_set(path: Path, *, qrels: Path | None = None) -> QuestionSet:
    """Read a set of questions.

    With `qrels`, the file holds TREC topics; else, one that ends in .json is a data set in the format of SQuAD 1.1 or
    2.0, of which every paragraph is a document; any other has a case on every line.

    Raises:
        InvalidCase: the file is not what it should be; the message says where.
    """
    if qrels is not None:
        return QuestionSet(path.name, tuple(read_topics(path, qrels)))
    if path.suffix.lower() == ".json":
        return _read_squad(path)
    return QuestionSet(path.name, tuple(read_cases(path)))


def _read_squad(path: Path) -> QuestionSet:
    if not path.is_file():
        raise InvalidCase(f"{path} cannot be read: there is no such file.")
    cases: dict[str, Case] = {}
    documents: dict[str, Document] = {}
    try:
        for document, paragraph in _paragraphs(read_articles(path)):
            if document.source in documents:
                raise InvalidCase(f"{path}: two articles are called {paragraph['title']!r}")
            documents[document.source] = document
            for content in paragraph["qas"]:
                case = _squad_case(content, paragraph["context"], document)
                if case.id in cases:
                    raise InvalidCase(f"{path}: the id {case.id!r} stands twice")
                cases[case.id] = case
    except (OSError, ValueError, TypeError, LookupError, InvalidDocument) as error:
        raise InvalidCase(
            f"{path} cannot be read as SQuAD ({type(error).__name__}: {error}); cases of our own are in a .jsonl file."
        ) from error
    return QuestionSet(path.name, tuple(cases.values()), tuple(documents.values()))


def _paragraphs(articles: list[dict[str, Any]]) -> Iterator[tuple[Document, dict[str, Any]]]:
    for article in articles:
        title = str(article["title"])
        for number, paragraph in enumerate(article["paragraphs"]):
            document = make_document(paragraph["context"], source=f"{title}#{number}", title=title.replace("_", " "))
            yield document, {**paragraph, "title": title}


def _squad_case(content: dict[str, Any], context: str, document: Document) -> Case:
    """Return a case with every accepted answer; one that is not where it is said to stand is looked for."""
    answers = () if content.get("is_impossible") else tuple(each["text"] for each in content["answers"])
    places = set()
    for each in content["answers"] if answers else ():
        # The canonical text has no byte order mark and no carriage returns.
        start = len(context[: each["answer_start"]].lstrip("\ufeff").replace("\r\n", "\n"))
        words = each["text"].replace("\r\n", "\n")
        if not document.text.startswith(words, start):
            start = document.text.find(words)
        if start < 0 or not words:
            raise InvalidCase(f"the answer {words!r} of the question {content['id']!r} is not in its paragraph")
        places.add((start, start + len(words)))
    return Case(
        id=str(content["id"]),
        question=" ".join(content["question"].split()),
        answers=tuple(dict.fromkeys(answers)),
        spans=tuple(GoldSpan(document.source, *place) for place in sorted(places)),
        answerable=bool(answers),
        tags=(),
        split="test",
    )

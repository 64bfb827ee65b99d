"""The forty files, indexed and asked by the models that come with the project: answers, citations, pages, sections."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from make_formats import DATA

from index.collection import Collection
from index.documents import find_files
from index.embedder import Embedder
from index.formats.limits import Limits
from index.library import Library
from service.answering import Answerer, Response
from service.citations import Citation
from service.engine import load_reader
from service.files import in_groups, read_file
from service.settings import Settings

# As measured when the files were made, less a few questions: another machine rounds otherwise.
LEAST_RIGHT = 0.9


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, what is expected, and what came of it."""

    file: str
    answer: str
    section: str | None
    page: int | None
    response: Response

    @property
    def citation(self) -> Citation | None:
        """The citation of the answer that holds the words expected, or is within them, from the right file."""
        given = self.response.answer.citations if self.response.answer else ()
        return next((each for each in given if self._is_right(each)), None)

    def _is_right(self, each: Citation) -> bool:
        words = each.cited.text
        return each.source.partition("#")[0] == self.file and (self.answer in words or words in self.answer)


@pytest.fixture(scope="module")
def collection(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    with Library(tmp_path_factory.mktemp("formats"), embedder) as library:
        made = library.create("default")
        files = [each for each in find_files(DATA) if each[0] != "questions.jsonl"]
        found = (each.document for source, path in files for each in read_file(path, source=source, limits=Limits()))
        for group in in_groups(each for each in found if each is not None):
            made.put_all(group)
        yield made


@pytest.fixture(scope="module")
def asked(collection: Collection) -> list[Asked]:
    """All questions, asked once, over all files."""
    settings = Settings()
    answerer = Answerer(load_reader(settings), read_depth=settings.read_depth)
    lines = (DATA / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        Asked(each["file"], each["answer"], each["section"], each["page"], answerer.ask(collection, each["question"]))
        for each in map(json.loads, lines)
    ]


def test_the_questions_are_answered(asked: list[Asked]) -> None:
    wrong = [f"{each.file}: {each.answer}" for each in asked if each.citation is None]
    assert len(wrong) <= (1 - LEAST_RIGHT) * len(asked), wrong


def test_every_citation_stands_in_the_text_that_is_returned(asked: list[Asked], collection: Collection) -> None:
    for each in asked:
        answers = [*filter(None, [each.response.answer]), *each.response.alternatives]
        for citation in (citation for answer in answers for citation in answer.citations):
            text = collection.text(citation.document_id)
            for excerpt in (citation.cited, citation.sentence):
                assert text[excerpt.start : excerpt.end] == excerpt.text


def test_right_answers_name_the_right_page_and_section(asked: list[Asked]) -> None:
    for each in asked:
        if each.citation is not None:
            assert each.citation.page == each.page, each.file
            if each.section is not None:
                assert each.citation.section == each.section, each.file


def test_pages_and_headings_survive_a_new_index(collection: Collection) -> None:
    file = Path("water-1.pdf")
    record = next(each for each in collection.documents(limit=999) if each.source == file.name)
    assert record.pages == 3
    assert record.structure_sha256 is not None

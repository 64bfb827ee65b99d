"""Anything in any order: collections that change, crash, are reopened, built anew, backed up and deleted hold what a
simple model of them holds, and answer from nothing else.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from word_embedder import WordEmbedder

from index.backup import back_up, restore
from index.change import Change
from index.collection import Collection
from index.documents import document_id, make_document
from index.errors import UnknownCollection, UnknownDocument
from index.library import Library
from index.passages import PassageSettings

# `make torture` asks for more.
OPERATIONS = int(os.environ.get("TORTURE_OPERATIONS", "2000"))
# An example has at most 100 steps, of which some find nothing to do, and some are short.
_OPERATIONS_OF_AN_EXAMPLE = 55

EMBEDDERS = (WordEmbedder(), WordEmbedder("others@test"))
PASSAGES = (PassageSettings(max_tokens=12), PassageSettings(max_tokens=7))

NAMES = st.sampled_from(("default", "one", "two"))
SOURCES = st.sampled_from(("a.txt", "b.md", "c d.txt", "語.txt"))
SENTENCES = st.lists(
    st.sampled_from(
        (
            "The mill grinds rye.",
            "# A heading\n\n",
            "Nobody sailed the blue boats. 🚀",
            "It froze in March, and thawed again in May of the next year.",
            "word " * 30,
            "\n\nShare on Facebook\n3 comments\n\n",
            "e\u0301 今日は。",
        )
    ),
    max_size=6,
)


class Killed(BaseException):
    """Ends a change as a kill does, as far as what is on the disk goes."""


class Collections(RuleBasedStateMachine):
    """Does things to a library, and to a model of it: texts by source, by collection."""

    done = 0  # operations, over all examples

    def __init__(self) -> None:
        super().__init__()
        shared = Path("/dev/shm")
        self._folder = Path(tempfile.mkdtemp(prefix="citespan-", dir=shared if os.access(shared, os.W_OK) else None))
        self._lives = 0
        self._marks = 0
        self._settings = 0
        self._touched: set[str] = set()
        self._gone: dict[str, list[str]] = {}
        self.model: dict[str, dict[str, str]] = {}
        self.data_dir = self._folder / "0"
        self.library = self._open()

    @initialize()
    def begin(self) -> None:
        for name in ("default", "one", "two"):
            self.library.create(name)
            self.model[name] = {}

    def teardown(self) -> None:
        self.library.close()
        shutil.rmtree(self._folder)

    @rule(name=NAMES)
    def create(self, name: str) -> None:
        self._count(name)
        self.library.create(name)
        self.model.setdefault(name, {})

    @rule(name=NAMES)
    def delete_collection(self, name: str) -> None:
        self._count(name)
        if name not in self.model:
            with pytest.raises(UnknownCollection):
                self.library.delete(name)
            return
        self.library.delete(name)
        del self.model[name]
        self._gone.pop(name, None)

    @rule(name=NAMES, source=SOURCES, sentences=SENTENCES)
    def put(self, name: str, source: str, sentences: list[str]) -> None:
        self._put(name, {source: self._text(sentences)})

    @rule(name=NAMES, texts=st.dictionaries(SOURCES, SENTENCES, min_size=1))
    def put_all(self, name: str, texts: dict[str, list[str]]) -> None:
        self._put(name, {source: self._text(sentences) for source, sentences in texts.items()})

    @rule(name=NAMES, source=SOURCES)
    def put_again(self, name: str, source: str) -> None:
        if source in self.model.get(name, {}):
            self._count(name)
            collection = self.library.collection(name)
            before = collection.generation()
            receipt = collection.put(make_document(self.model[name][source], source=source))
            assert (receipt.changed, collection.generation()) == (False, before)

    @rule(name=NAMES, source=SOURCES)
    def delete(self, name: str, source: str) -> None:
        if name not in self.model:
            return
        self._count(name)
        collection = self.library.collection(name)
        if source not in self.model[name]:
            with pytest.raises(UnknownDocument):
                collection.delete(document_id(source))
            return
        collection.delete(document_id(source))
        self._forget(name, source)

    @rule(name=NAMES)
    def compact(self, name: str) -> None:
        if name in self.model:
            self._count(name)
            self.library.collection(name).compact()

    @rule()
    def reopen(self) -> None:
        self._count()
        self.library.close()
        self.library = self._open()

    @rule()
    def crash(self) -> None:
        """Go on with what is on the disk at this moment."""
        self._count()
        self._leave(self._left_behind())

    @rule(
        name=NAMES,
        source=SOURCES,
        sentences=SENTENCES,
        moment=st.sampled_from(("before", "after")),
        delete=st.booleans(),
    )
    def crash_in_a_change(self, name: str, source: str, sentences: list[str], moment: str, delete: bool) -> None:
        """Go on with what is on the disk right before a commit, or right after it and before anybody was told."""
        if name not in self.model or (delete and source not in self.model[name]):
            return
        self._count(name)
        text = self._text(sentences)
        document = make_document(text, source=source)
        collection = self.library.collection(name)
        change: Callable[[], object] = partial(collection.put, document)
        if delete:
            change = partial(collection.delete, document_id(source))
        left: list[Path] = []
        commit = Change.commit

        def killed(change: Change) -> None:
            if moment == "after":
                commit(change)
            left.append(self._left_behind())
            raise Killed

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Change, "commit", killed)
            with pytest.raises(Killed):
                change()
        if moment == "after":
            self._forget(name, source)
            if not delete:
                self.model[name][source] = text
        elif not delete:
            self._gone.setdefault(name, []).append(_mark(text))
        self._leave(left[0])

    @rule(settings=st.integers(0, 3), finish=st.booleans())
    def build_anew(self, settings: int, finish: bool) -> None:
        """Ask for another index: it is built at once, or is begun and given up."""
        self._count()
        self.library.close()
        self._settings = settings
        self.library = self._open()
        for name in self.model:
            collection = self.library.collection(name)
            # Given up after the first step.
            told = iter([False])
            stopped = partial(next, iter(()), False) if finish else partial(next, told, True)
            assert collection.reindex(stopped=stopped) == collection.is_current
            assert collection.is_current or not finish

    @rule()
    def back_up_and_restore(self) -> None:
        if not self.model:
            return
        self._count()
        file = self._folder / f"{self._lives}.backup"
        # An index that lost its last document while another one was asked for is that other one from the next start on.
        self.library.close()
        self.library = self._open()
        before = {name: self.library.collection(name).fingerprint() for name in self.model}
        back_up(self.data_dir, file)
        self._lives += 1
        target = self._folder / str(self._lives)
        restore(target, file)
        self._leave(target)
        assert {name: self.library.collection(name).fingerprint() for name in self.model} == before

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        """Look at those collections that the last operation may have changed, and at all after a new start."""
        assert self.library.names() == sorted(self.model)
        touched, self._touched = self._touched & self.model.keys(), set()
        for name in touched:
            texts, collection = self.model[name], self.library.collection(name)
            assert collection.faults() == []
            records = {record.source: record for record in collection.documents(limit=99)}
            assert {source: collection.text(record.id) for source, record in records.items()} == texts
            assert collection.counts() == (len(texts), sum(record.passages for record in records.values()))
            for source, text in texts.items():
                assert source in self._sources(collection, _mark(text), texts)
            for mark in self._gone.get(name, [])[-2:]:
                assert mark not in str(collection.retrieve(mark, top_k=20).hits)

    def _sources(self, collection: Collection, question: str, texts: dict[str, str]) -> set[str]:
        """Return where the words of a question were found; every hit stands where it says."""
        found = set()
        for hit in collection.retrieve(question, top_k=20).hits:
            passage = hit.found.passage
            assert texts[hit.found.source][passage.start : passage.end] == passage.text
            if question in passage.text:
                found.add(hit.found.source)
        return found

    def _put(self, name: str, texts: dict[str, str]) -> None:
        self.library.create(name)
        self.model.setdefault(name, {})
        self._count(name)
        receipts = self.library.collection(name).put_all(
            [make_document(text, source=source) for source, text in texts.items()]
        )
        assert [receipt.created for receipt in receipts] == [source not in self.model[name] for source in texts]
        for source, text in texts.items():
            self._forget(name, source)
            self.model[name][source] = text

    def _forget(self, name: str, source: str) -> None:
        if text := self.model[name].pop(source, None):
            self._gone.setdefault(name, []).append(_mark(text))

    def _text(self, sentences: list[str]) -> str:
        """Return a text that ends with a word that no other text has."""
        self._marks += 1
        return f"{' '.join(sentences)}\n\nmark{self._marks}x"

    def _open(self) -> Library:
        return Library(
            self.data_dir,
            EMBEDDERS[self._settings % 2],
            passage_settings=PASSAGES[self._settings // 2],
            find_embedder=lambda identity: next(each for each in EMBEDDERS if each.identity == identity),
        )

    def _left_behind(self) -> Path:
        """Copy the data directory as a process that is killed now would leave it."""
        self._lives += 1
        target = self._folder / str(self._lives)
        shutil.copytree(self.data_dir, target)
        return target

    def _leave(self, target: Path) -> None:
        self.library.close()
        shutil.rmtree(self.data_dir)
        self.data_dir = target
        self.library = self._open()

    def _count(self, *names: str) -> None:
        """Count an operation that may have changed the collections of these names; all where none is given."""
        type(self).done += 1
        self._touched.update(names or self.model)


def _mark(text: str) -> str:
    return text.rsplit(maxsplit=1)[-1]


def test_collections_hold_what_a_simple_model_holds_after_anything() -> None:
    Collections.done = 0
    machine: Any = Collections
    examples = -(-OPERATIONS // _OPERATIONS_OF_AN_EXAMPLE)
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=100, deadline=None))
    assert Collections.done >= OPERATIONS

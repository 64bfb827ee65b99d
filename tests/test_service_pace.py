"""The pace: questions go before documents, and documents come in all the same."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from word_embedder import WordEmbedder

from index.embedder import Matrix
from service import pace
from service.pace import Pace, PacedEmbedder


class Watched(WordEmbedder):
    """Notes how many texts it embeds at once, and in how many threads."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self.inside = self.most_inside = 0
        self.began = threading.Event()

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.sizes.append(len(texts))
        self.began.set()
        found = super().embed_passages(texts)
        self.inside -= 1
        return found


TEXTS = [f"{'many ' * (number * 7 % 5)}words {number}" for number in range(11)]


def test_vectors_come_in_the_order_of_the_texts_and_are_those_of_the_embedder() -> None:
    watched = Watched()
    paced = PacedEmbedder(watched, Pace())
    assert np.array_equal(paced.embed_passages(TEXTS), WordEmbedder().embed_passages(TEXTS))
    assert paced.embed_passages([]).shape == (0, watched.dimension)
    assert np.array_equal(paced.embed_question("words"), watched.embed_question("words"))
    assert paced.count_tokens(TEXTS) == watched.count_tokens(TEXTS)
    assert (paced.identity, paced.engine) == (watched.identity, watched.engine)


def test_batches_are_small_while_questions_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    watched, turn = Watched(), Pace()
    paced = PacedEmbedder(watched, turn)
    paced.embed_passages(TEXTS)
    assert watched.sizes == [8, 3]
    with turn.question():
        pass
    watched.sizes.clear()
    paced.embed_passages(TEXTS)
    assert watched.sizes == [2, 2, 2, 2, 2, 1]
    monkeypatch.setattr(pace, "_ALONE_AFTER_S", -1)
    watched.sizes.clear()
    paced.embed_passages(TEXTS)
    assert watched.sizes == [8, 3]


def test_documents_wait_for_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_LONGEST_WAIT_S", 3600)
    watched, turn = Watched(), Pace()
    thread = threading.Thread(target=PacedEmbedder(watched, turn).embed_passages, args=(TEXTS,))
    with turn.question(), turn.question():
        thread.start()
        assert not watched.began.wait(0.2)
    thread.join()
    assert sum(watched.sizes) == len(TEXTS)


def test_documents_do_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_LONGEST_WAIT_S", 0.01)
    watched, turn = Watched(), Pace()
    with turn.question():
        PacedEmbedder(watched, turn).embed_passages(TEXTS)
    assert sum(watched.sizes) == len(TEXTS)


def test_documents_that_come_in_together_take_turns() -> None:
    watched = Watched()
    paced = PacedEmbedder(watched, Pace())
    threads = [threading.Thread(target=paced.embed_passages, args=(TEXTS,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert watched.most_inside == 1
    assert sum(watched.sizes) == 4 * len(TEXTS)

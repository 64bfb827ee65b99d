"""What texts are cut into may only change together with the version of the rules, which is part of every index."""

import hashlib
import json
from dataclasses import asdict

from conftest import SEEDS
from word_embedder import WordEmbedder

from index.documents import find_files, read_document
from index.passages import RULES_VERSION, PassageSettings, split_passages

MARKDOWN = "# Fares\n\nA ticket costs 12 euros.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n"

EXPECTED = {3: "ed747921303f3505350c4e17a2681af673a79fc75b21ce933e4f2823d8b36fc0"}


def test_seeds_are_cut_as_the_version_of_the_rules_says() -> None:
    texts = [(read_document(path, source=source).text, False) for source, path in find_files(SEEDS)]
    cut = [
        asdict(passage)
        for text, markdown in [*texts, (MARKDOWN, True)]
        for passage in split_passages(
            text, markdown=markdown, count_tokens=WordEmbedder().count_tokens, settings=PassageSettings()
        )
    ]
    assert hashlib.sha256(json.dumps(cut).encode()).hexdigest() == EXPECTED[RULES_VERSION]

"""Features: what the reader reads, and that every token leads back to its characters."""

import pytest
from hypothesis import given
from texts import raw_texts
from tokenizers import Tokenizer, models

from service.reader.artifact import DEFAULT_READER, TOKENIZER_FILE
from service.reader.features import MAX_HEADING_TOKENS, MAX_QUESTION_TOKENS, MAX_TOKENS, FeatureMaker

MAKER = FeatureMaker(Tokenizer.from_file(str(DEFAULT_READER / TOKENIZER_FILE)))


def test_layout() -> None:
    question, heading, passage = MAKER.tokens(["Who wrote it?", "Notes", "Ada wrote it."])
    features = MAKER.features(question, heading, passage)
    begin, separator = features.ids[0], features.ids[-1]
    assert features.ids == (begin, *question.ids, separator, *heading.ids, separator, *passage.ids, separator)
    assert features.ids[features.begin : features.begin + features.length] == passage.ids
    assert features.type_ids() == [0] * (len(question.ids) + 2) + [1] * (len(heading.ids) + len(passage.ids) + 2)


def test_what_is_too_long_is_cut_at_its_end() -> None:
    long = "word " * 2000
    features = MAKER.features(*MAKER.tokens([long, long, long]))
    assert len(features.ids) == MAX_TOKENS
    assert features.begin == MAX_QUESTION_TOKENS + MAX_HEADING_TOKENS + 3


@given(raw_texts)
def test_offsets_are_within_the_text_and_in_order(text: str) -> None:
    (tokens,) = MAKER.tokens([text])
    assert len(tokens.ids) == len(tokens.offsets)
    assert all(0 <= start < end <= len(text) for start, end in tokens.offsets)
    assert list(tokens.offsets) == sorted(tokens.offsets)


def test_tokenizer_without_special_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[CLS\]"):
        FeatureMaker(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")))

"""Features: a question and a passage as the tokens that the reader reads, and back from tokens to characters.

The sequence is `[CLS] question [SEP] heading [SEP] passage [SEP]`. Training and service make it here, and only here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

MAX_TOKENS = 512
MAX_QUESTION_TOKENS = 64
MAX_HEADING_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as token ids; token i stands for `text[offsets[i][0]:offsets[i][1]]`."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Features:
    """One sequence. Token `begin + i` of it is token i of the passage, of which the first `length` are in it."""

    ids: tuple[int, ...]
    segment: int
    begin: int
    length: int

    def type_ids(self) -> list[int]:
        """Return the segment of every token: 0 for the question, 1 for heading and passage."""
        return [0] * self.segment + [1] * (len(self.ids) - self.segment)


class FeatureMaker:
    """Makes features with a WordPiece tokenizer that has `[CLS]` and `[SEP]`. Thread-safe."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Use `tokenizer`, which is set not to cut and not to pad.

        Raises:
            ValueError: the tokenizer lacks one of the special tokens.
        """
        begin, separator = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
        if begin is None or separator is None:
            raise ValueError("the reader's tokenizer has no [CLS] or no [SEP]")
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._begin, self._separator = begin, separator

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of texts, special tokens left out."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [Tokens(tuple(each.ids), tuple(each.offsets)) for each in encodings]

    def features(self, question: Tokens, heading: Tokens, passage: Tokens) -> Features:
        """Return one sequence; what is longer than the reader can read is cut at its end."""
        asked = [self._begin, *question.ids[:MAX_QUESTION_TOKENS], self._separator]
        above = [*heading.ids[:MAX_HEADING_TOKENS], self._separator]
        begin = len(asked) + len(above)
        length = min(len(passage.ids), MAX_TOKENS - begin - 1)
        return Features((*asked, *above, *passage.ids[:length], self._separator), len(asked), begin, length)

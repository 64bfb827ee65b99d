"""Batches: groups as tensors, their sequences sorted by length so that little is computed for padding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from index.batching import batches as padded_together
from service.reader.features import FeatureMaker, Features, Tokens
from training.groups import Group, Window

# A forward pass computes at most so many tokens, padding included.
_TOKENS_AT_ONCE = 4096
# Small batches cost more than some padding does.
_LARGEST_PADDING = 1.2


@dataclass(frozen=True, slots=True)
class Part:
    """Sequences of similar length: int64 tensors of shape (sequences, tokens)."""

    rows: tuple[int, ...]
    input_ids: Tensor
    attention_mask: Tensor
    token_type_ids: Tensor
    readable: Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """The sequences of some groups. `group` is the group of every sequence.

    A target says that an answer begins (or ends) at a token of a sequence, for some share of the people asked: the
    four tensors of equal length say in which sequence, at which first and last token, and for which share.
    """

    parts: tuple[Part, ...]
    group: Tensor
    groups: int
    target_rows: Tensor
    target_starts: Tensor
    target_ends: Tensor
    target_weights: Tensor


def batches(groups: Sequence[Group], sequences: int) -> Iterator[list[Group]]:
    """Yield groups that have about so many sequences together."""
    batch: list[Group] = []
    size = 0
    for group in groups:
        batch.append(group)
        size += len(group.windows)
        if size >= sequences:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def collate(groups: Sequence[Group], maker: FeatureMaker) -> Batch:
    """Return groups as tensors."""
    windows = [(number, group.question, window) for number, group in enumerate(groups) for window in group.windows]
    questions = maker.tokens([question for _, question, _ in windows])
    titles = maker.tokens([window.title for *_, window in windows])
    passages = maker.tokens([window.text for *_, window in windows])
    features = [maker.features(*each) for each in zip(questions, titles, passages, strict=True)]
    targets = [
        (row, *target)
        for row, ((_, _, window), feature, passage) in enumerate(zip(windows, features, passages, strict=True))
        for target in _targets(window, feature, passage)
    ]
    rows, starts, ends, weights = zip(*targets, strict=True) if targets else ((), (), (), ())
    return Batch(
        tuple(_parts(features)),
        torch.tensor([number for number, *_ in windows]),
        len(groups),
        torch.tensor(rows, dtype=torch.int64),
        torch.tensor(starts, dtype=torch.int64),
        torch.tensor(ends, dtype=torch.int64),
        torch.tensor(weights, dtype=torch.float32),
    )


def _targets(window: Window, feature: Features, passage: Tokens) -> Iterator[tuple[int, int, float]]:
    for start, end, weight in window.targets:
        inside = [
            number
            for number, (first, last) in enumerate(passage.offsets[: feature.length])
            if first < end and last > start
        ]
        if inside:
            yield feature.begin + inside[0], feature.begin + inside[-1], weight


def _parts(features: Sequence[Features]) -> Iterator[Part]:
    lengths = [len(each.ids) for each in features]
    for rows in padded_together(lengths, most_tokens=_TOKENS_AT_ONCE, largest_padding=_LARGEST_PADDING):
        yield _part(rows, features)


def _part(rows: list[int], features: Sequence[Features]) -> Part:
    shape = (len(rows), max(len(features[row].ids) for row in rows))
    input_ids, mask, types = (torch.zeros(shape, dtype=torch.int64) for _ in range(3))
    readable = torch.zeros(shape, dtype=torch.bool)
    for place, row in enumerate(rows):
        feature = features[row]
        length = len(feature.ids)
        input_ids[place, :length] = torch.tensor(feature.ids)
        mask[place, :length] = 1
        types[place, :length] = torch.tensor(feature.type_ids())
        readable[place, feature.begin : feature.begin + feature.length] = True
    return Part(tuple(rows), input_ids, mask, types, readable)

"""The loss: the answer against every other span of every passage of its question, and against silence."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from training.batches import Batch
from training.model import PAIR_SIZE, SpanModel


def batch_marks(model: SpanModel, batch: Batch) -> Tensor:
    """Return the marks of all sequences of a batch, of shape (sequences, tokens, marks).

    The logits are -inf where no answer may be.
    """
    longest = max(part.input_ids.shape[1] for part in batch.parts)
    device = next(model.parameters()).device
    marks = []
    with torch.autocast(device.type, torch.bfloat16):
        # All at once: the gradient of every look-up is as large as the vocabulary.
        words = model.embed(torch.cat([part.input_ids.flatten() for part in batch.parts]).to(device))
        sizes = [part.input_ids.numel() for part in batch.parts]
        for part, own in zip(batch.parts, torch.split(words, sizes), strict=True):
            rows, tokens = part.input_ids.shape
            mask, types = part.attention_mask.to(device), part.token_type_ids.to(device)
            raw = model.encode(own.view(rows, tokens, -1), mask, types).float()
            logits = raw[..., :2].masked_fill(~part.readable.to(device)[:, :, None], -torch.inf)
            left = longest - tokens
            marks.append(
                torch.cat([pad(logits, (0, 0, 0, left), value=-torch.inf), pad(raw[..., 2:], (0, 0, 0, left))], dim=-1)
            )
    order = torch.tensor([row for part in batch.parts for row in part.rows]).argsort()
    return torch.cat(marks)[order.to(marks[0].device)]


def reading_loss(marks: Tensor, batch: Batch, *, alone: float = 0.0, joint: bool = True) -> Tensor:
    """Return the loss of the passages of every question read together, and with weight `alone` that of each by itself.

    Together they learn to compare; by itself each learns whether it answers at all, whatever is beside it. `joint`
    scores whole spans; otherwise beginnings and ends are scored apart, as if one said nothing of the other.
    """
    evidence, marked = (joint_scores if joint else end_scores)(marks, batch)
    together = negative_log_likelihood(evidence, marked, batch, batch.group, batch.groups)
    if not alone:
        return together
    each = torch.arange(len(marks))
    return (1 - alone) * together + alone * negative_log_likelihood(evidence, marked, batch, each, len(marks))


def joint_scores(marks: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the log of the sum over the spans of every sequence, and the scores of the marked spans.

    They have the shapes (sequences, 1) and (targets, 1).
    """
    starts, ends = marks[..., 0], marks[..., 1]
    begin, end = torch.split(marks[..., 2:], PAIR_SIZE, dim=-1)
    scores = starts[:, :, None] + ends[:, None, :] + torch.matmul(begin, end.transpose(1, 2))
    tokens = scores.shape[1]
    backwards = torch.ones(tokens, tokens, dtype=torch.bool, device=scores.device).tril(-1)
    scores = scores.masked_fill(backwards, -torch.inf)
    rows, firsts, lasts = (
        each.to(scores.device) for each in (batch.target_rows, batch.target_starts, batch.target_ends)
    )
    return torch.logsumexp(scores, dim=(1, 2))[:, None], scores[rows, firsts, lasts][:, None]


def end_scores(marks: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the same of beginnings and ends apart: shapes (sequences, 2) and (targets, 2)."""
    logits = marks[..., :2]
    rows, firsts, lasts = (
        each.to(logits.device) for each in (batch.target_rows, batch.target_starts, batch.target_ends)
    )
    return torch.logsumexp(logits, dim=1), torch.stack([logits[rows, firsts, 0], logits[rows, lasts, 1]], dim=1)


def negative_log_likelihood(evidence: Tensor, marked: Tensor, batch: Batch, group: Tensor, groups: int) -> Tensor:
    """Return the mean over groups of the negative log-likelihood of what people marked.

    `evidence` is of every sequence, `marked` the score of every target, both in as many columns as there are choices
    to make. `group` is the group of every sequence. The probabilities of a group are normalised over all choices in all
    its passages and silence, whose score is 0 (the shared normalisation of Clark & Gardner 2018, with a no-answer
    option).
    """
    device = evidence.device
    rows, group = batch.target_rows.to(device), group.to(device)
    weights = batch.target_weights.to(device)
    columns = evidence.shape[1]
    whole = torch.full((groups, len(group) + 1, columns), -torch.inf, device=device)
    whole = whole.index_put((group, torch.arange(len(group), device=device)), evidence)
    whole = torch.cat([whole[:, :-1], torch.zeros(groups, 1, columns, device=device)], dim=1)
    normaliser = torch.logsumexp(whole, dim=1)  # (groups, columns)
    total = torch.zeros(groups, device=device).index_add(0, group[rows], weights)
    share = weights / total[group[rows]].clamp(min=1e-9)
    likelihood = torch.zeros(groups, columns, device=device).index_add(0, group[rows], share[:, None] * marked)
    return (normaliser - likelihood).mean()

"""The loss: the answer against every other token of every passage of its question, and against silence."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from training.batches import Batch
from training.model import SpanModel


def batch_logits(model: SpanModel, batch: Batch) -> Tensor:
    """Return the logits of all sequences of a batch, of shape (sequences, tokens, 2); -inf where no answer may be."""
    longest = max(part.input_ids.shape[1] for part in batch.parts)
    device = next(model.parameters()).device
    logits = []
    with torch.autocast(device.type, torch.bfloat16):
        # All at once: the gradient of every look-up is as large as the vocabulary.
        words = model.embed(torch.cat([part.input_ids.flatten() for part in batch.parts]).to(device))
        sizes = [part.input_ids.numel() for part in batch.parts]
        for part, own in zip(batch.parts, torch.split(words, sizes), strict=True):
            rows, tokens = part.input_ids.shape
            mask, types = part.attention_mask.to(device), part.token_type_ids.to(device)
            raw = model.encode(own.view(rows, tokens, -1), mask, types).float()
            masked = raw.masked_fill(~part.readable.to(device)[:, :, None], -torch.inf)
            logits.append(pad(masked, (0, 0, 0, longest - tokens), value=-torch.inf))
    order = torch.tensor([row for part in batch.parts for row in part.rows]).argsort()
    return torch.cat(logits)[order.to(logits[0].device)]


def reading_loss(logits: Tensor, batch: Batch, alone: float = 0.0) -> Tensor:
    """Return the loss of the passages of every question read together, and with weight `alone` that of each by itself.

    Together they learn to compare; by itself each learns whether it answers at all, whatever is beside it.
    """
    together = negative_log_likelihood(logits, batch, batch.group, batch.groups)
    if not alone:
        return together
    each = torch.arange(len(logits))
    return (1 - alone) * together + alone * negative_log_likelihood(logits, batch, each, len(logits))


def negative_log_likelihood(logits: Tensor, batch: Batch, group: Tensor, groups: int) -> Tensor:
    """Return the mean over groups and over start and end of the negative log-likelihood of what people marked.

    `group` is the group of every sequence. The probabilities of a group are normalised over all tokens of all its
    passages and silence, whose logit is 0 (the shared normalisation of Clark & Gardner 2018, with a no-answer option).
    """
    device = logits.device
    rows, group = batch.target_rows.to(device), group.to(device)
    weights = batch.target_weights.to(device)
    evidence = torch.logsumexp(logits, dim=1)  # (sequences, 2)
    whole = torch.full((groups, len(group) + 1, 2), -torch.inf, device=device)
    whole = whole.index_put((group, torch.arange(len(group), device=device)), evidence)
    whole = torch.cat([whole[:, :-1], torch.zeros(groups, 1, 2, device=device)], dim=1)
    normaliser = torch.logsumexp(whole, dim=1)  # (groups, 2)
    marked = torch.stack(
        [logits[rows, batch.target_starts.to(device), 0], logits[rows, batch.target_ends.to(device), 1]], dim=1
    )
    total = torch.zeros(groups, device=device).index_add(0, group[rows], weights)
    share = weights / total[group[rows]].clamp(min=1e-9)
    likelihood = torch.zeros(groups, 2, device=device).index_add(0, group[rows], share[:, None] * marked)
    return (normaliser - likelihood).mean()

"""The model: a BERT encoder with a span head, and a head at `[CLS]` that says how well the passage answers at all."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import BertConfig, BertModel

CONFIG = {
    "vocab_size": 30522,
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "max_position_embeddings": 512,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}

# The size of the vectors by which the beginning and the end of an answer are matched.
PAIR_SIZE = 64
# So many numbers tell of a token: a logit to begin, one to end, a vector as a beginning, a vector as an end.
MARKS = 2 + 2 * PAIR_SIZE

# Added to the scores of padding: it gets no attention.
_MASKED = -10_000.0


class SpanModel(nn.Module):
    """Reads question and passage; gives every token what `span_scores` makes the scores of spans of.

    These are a logit to begin an answer, a logit to end one, and two vectors: the product of the first of one token and
    the second of another says how well an answer begins and ends there. Spans scored as such, and not by their ends
    alone, are those of Lee et al. (2016).

    The logits have the passage's own added, read off `[CLS]`, so that spans compare between passages. The score of
    silence is 0, for all passages of a question together: the shared no-answer logit of a global normalisation
    (Clark & Gardner 2018).
    """

    def __init__(self, layers: int = 6) -> None:
        super().__init__()
        config = BertConfig(**{**CONFIG, "num_hidden_layers": layers}, attn_implementation="eager")
        self.encoder = BertModel(config, add_pooling_layer=True)
        self.span_head = nn.Linear(config.hidden_size, 2)
        self.passage_head = nn.Linear(config.hidden_size, 2)
        self.pair_head = nn.Linear(config.hidden_size, 2 * PAIR_SIZE)
        nn.init.normal_(self.span_head.weight, std=0.02)
        nn.init.normal_(self.passage_head.weight, std=0.02)
        nn.init.zeros_(self.span_head.bias)
        nn.init.zeros_(self.passage_head.bias)
        # The products begin at nothing, but the first vectors do not: otherwise neither would ever learn.
        nn.init.normal_(self.pair_head.weight[:PAIR_SIZE], std=0.02)
        nn.init.zeros_(self.pair_head.weight[PAIR_SIZE:])
        nn.init.zeros_(self.pair_head.bias)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Return the marks of tokens (`MARKS` of each), for int64 inputs of shape (batch, tokens)."""
        return self.encode(self.embed(input_ids), attention_mask, token_type_ids)

    def embed(self, input_ids: Tensor) -> Tensor:
        """Return the vectors of tokens, of one dimension more than `input_ids`."""
        words: Tensor = self.encoder.embeddings.word_embeddings(input_ids)
        return words

    def encode(self, words: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Return the marks of tokens (`MARKS` of each), for the vectors of tokens, of shape (batch, tokens, size)."""
        hidden = self.encoder.embeddings(inputs_embeds=words, token_type_ids=token_type_ids)
        bias = (1.0 - attention_mask[:, None, None, :].to(hidden.dtype)) * _MASKED
        for layer in self.encoder.encoder.layer:
            attention = layer.attention
            hidden = attention.output(_attend(attention.self, hidden, bias), hidden)
            hidden = layer.output(layer.intermediate(hidden), hidden)
        pooled = self.encoder.pooler(hidden)
        logits: Tensor = self.span_head(hidden) + self.passage_head(pooled)[:, None]
        return torch.cat([logits, self.pair_head(hidden)], dim=-1)

    def freeze(self, layers: int) -> None:
        """Keep the embeddings and so many of the layers above them from being trained; none of them for 0 layers."""
        if layers:
            for part in (self.encoder.embeddings, *self.encoder.encoder.layer[:layers]):
                part.requires_grad_(False)

    def fold_scaling(self) -> None:
        """Scale the weights of the queries instead of the queries: the same scores, one product less."""
        for layer in self.encoder.encoder.layer:
            attention = layer.attention.self
            with torch.no_grad():
                attention.query.weight.mul_(attention.scaling)
                attention.query.bias.mul_(attention.scaling)
            attention.scaling = 1.0

    def save(self, path: Path, but: Collection[str] = ()) -> None:
        """Write the weights as half-precision safetensors, all but those named in `but`."""
        kept = {name: each for name, each in self.state_dict().items() if name not in but}
        save_file({name: each.to(torch.float16).contiguous() for name, each in kept.items()}, path)

    @classmethod
    def load(cls, path: Path) -> "SpanModel":
        """Read weights that `save` wrote, all of them, into single precision."""
        return cls.of({name: each.to(torch.float32) for name, each in load_file(path).items()})

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> "SpanModel":
        """Return a model with these weights, and as many layers as they are of."""
        layers = 1 + max(int(name.split(".")[3]) for name in weights if name.startswith("encoder.encoder.layer."))
        model = cls(layers)
        model.load_state_dict(weights)
        return model


def _attend(attention: Any, hidden: Tensor, bias: Tensor) -> Tensor:
    """Return the heads' findings, side by side.

    Written out, since PyTorch's fused attention takes three times as long on CPUs, backwards (2.13, bf16), and since
    plain products are what runtimes for inference recognise and quantise.
    """
    batch, tokens, size = hidden.shape
    width = attention.attention_head_size
    query, key, value = (
        product(hidden).view(batch, tokens, -1, width).transpose(1, 2)
        for product in (attention.query, attention.key, attention.value)
    )
    if attention.scaling != 1.0:
        query = query * attention.scaling
    scores = torch.matmul(query, key.transpose(2, 3))
    # In the precision of the products: autocast would compute it in float32.
    with torch.autocast(hidden.device.type, enabled=False):
        shares = torch.softmax(scores + bias.to(scores.dtype), dim=-1)
    return torch.matmul(shares, value).transpose(1, 2).reshape(batch, tokens, size)

"""Fitting: the weights of the model from groups, with checkpoints from which a run that was cut short goes on."""

import hashlib
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service.reader.features import FeatureMaker
from training.batches import Batch, batches, collate
from training.groups import Group
from training.loss import batch_marks, reading_loss
from training.model import SpanModel


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the weights are fitted. `batch` counts sequences; `average` is the decay of the averaged weights."""

    number: int = 0
    """Tells the passes apart: what each draws from the data is drawn by its number and the seed."""
    batch: int = 32
    learning_rate: float = 1.5e-4
    warm_up: float = 0.06
    weight_decay: float = 0.01
    average: float = 0.998
    clip: float = 1.0
    alone: float = 0.0
    """Weight of the loss of every passage by itself, against that of the passages of a question together."""
    alone_from: float = 0.0
    """The share of the run after which it counts."""
    joint_from: float = 1.0
    """The share of the run after which spans are scored as such, instead of their beginnings and ends apart."""
    frozen: int = 0
    """So many layers, from the bottom, and the embeddings below them stay as they are; with 0, none does."""
    seed: int = 1
    checkpoint_every: int = 50


# The share of a run over which its learning rate comes down at the latest.
_COOL_DOWN = 0.1

# How much faster than the encoder a part of the model learns. Pairs are learned last, at a low rate.
_SCALES = {"encoder": 1.0, "span_head": 3.0, "passage_head": 3.0, "pair_head": 10.0}

DEEP = Recipe(number=3, learning_rate=1e-4, alone=0.5, alone_from=0.3, joint_from=0.5, frozen=2)
DEEPER = replace(DEEP, number=4, learning_rate=7e-5, warm_up=0.03, alone_from=0.0, joint_from=0.0)
TOLD = replace(DEEPER, number=5, learning_rate=6e-5)
RETOLD = replace(TOLD, number=6)
AGAIN = replace(TOLD, number=7)
MISLED = replace(TOLD, number=8)
FOLLOWED = replace(TOLD, number=9)
SETTLED = replace(TOLD, number=10, learning_rate=4.5e-5)
MISSED = replace(SETTLED, number=11)
WIDENED = replace(SETTLED, number=12)


def fit(
    model: SpanModel,
    groups: Sequence[Group],
    maker: FeatureMaker,
    recipe: Recipe,
    folder: Path,
    *,
    device: str = "cpu",
    until: int | None = None,
) -> int:
    """Fit `model` in one pass over `groups`, give it the averaged weights, return the steps taken.

    `folder` keeps the checkpoint and a log, one JSON object a line; a run that is begun again there goes on. With
    `until`, the run ends after so many steps, and the learning rate comes down before.

    Raises:
        ValueError: the checkpoint in `folder` comes from another recipe, other data or another start.
    """
    torch.manual_seed(recipe.seed)
    folder.mkdir(parents=True, exist_ok=True)
    plan = list(batches(groups, recipe.batch))
    model.freeze(recipe.frozen)
    origin = _origin(model, groups)
    model.to(device).train()
    optimizer = torch.optim.AdamW(_parameters(model, recipe), lr=recipe.learning_rate, betas=(0.9, 0.98), fused=True)
    averaged = {name: each.detach().clone() for name, each in model.state_dict().items()}
    checkpoint = folder / "checkpoint.pt"
    step = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["recipe"] != asdict(recipe) or state.get("origin") != origin:
            raise ValueError(
                f"{checkpoint} comes from another recipe, other data or another start; "
                "choose another folder or delete it"
            )
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        averaged, step = state["averaged"], state["step"]

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress, (folder / "log.jsonl").open("a") as log:
        task = progress.add_task("Fitting", total=len(plan), completed=step)
        begin = time.perf_counter()
        last = min(len(plan), until or len(plan))
        for batch, number in _prepared(plan[:last], step, maker):
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * group["scale"] * _rate(number, len(plan), last, recipe)
            alone = recipe.alone if number >= round(recipe.alone_from * len(plan)) else 0.0
            joint = number >= round(recipe.joint_from * len(plan))
            loss = reading_loss(batch_marks(model, batch), batch, alone=alone, joint=joint)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            decay = min(recipe.average, (1 + number) / (10 + number))
            with torch.no_grad():
                for name, each in model.state_dict().items():
                    averaged[name].lerp_(each, 1 - decay)
            seconds = time.perf_counter() - begin
            log.write(
                json.dumps({"step": number + 1, "loss": round(loss.item(), 4), "seconds": round(seconds, 1)}) + "\n"
            )
            log.flush()
            progress.update(task, completed=number + 1, description=f"Fitting, loss {loss.item():.3f}")
            step = number + 1
            if step % recipe.checkpoint_every == 0 or step == last:
                _write(checkpoint, model, optimizer, averaged, step, recipe, origin)
    model.load_state_dict(averaged)
    model.eval()
    return step


def _origin(model: SpanModel, groups: Sequence[Group]) -> str:
    """Return a hash of the weights that a run begins with and of what it learns from."""
    digest = hashlib.sha256()
    for each in model.state_dict().values():
        digest.update(each.cpu().numpy().tobytes())
    for group in groups:
        digest.update(repr(group).encode())
    return digest.hexdigest()


def _prepared(plan: list[list[Group]], begin: int, maker: FeatureMaker) -> Iterator[tuple[Batch, int]]:
    for number in range(begin, len(plan)):
        yield collate(plan[number], maker), number


def _parameters(model: SpanModel, recipe: Recipe) -> list[dict[str, object]]:
    """Return groups of parameters: no decay for vectors; the heads, which begin at nothing, learn faster."""
    chosen: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
        scale = _SCALES[name.partition(".")[0]]
        chosen.setdefault((decay, scale), []).append(parameter)
    return [{"params": each, "weight_decay": decay, "scale": scale} for (decay, scale), each in chosen.items()]


def _rate(step: int, steps: int, last: int, recipe: Recipe) -> float:
    """Return the share of the learning rate at a step: up in a line, down in half a cosine.

    A run that ends after `last` of its `steps` comes down in a line over the last of those.
    """
    warm = max(1, round(recipe.warm_up * steps))
    if step < warm:
        return (step + 1) / warm
    left = min(1.0, (last - step) / max(1.0, _COOL_DOWN * last))
    return left * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _write(
    path: Path,
    model: SpanModel,
    optimizer: torch.optim.Optimizer,
    averaged: dict[str, torch.Tensor],
    step: int,
    recipe: Recipe,
    origin: str,
) -> None:
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "averaged": averaged,
        "step": step,
        "origin": origin,
        "recipe": asdict(recipe),
    }
    scratch = path.with_suffix(".tmp")
    torch.save(state, scratch)
    scratch.replace(path)

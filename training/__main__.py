"""`python -m training`: from a folder of public data sets to a reader's artifact."""

import json
from dataclasses import asdict
from pathlib import Path

import click
import torch
from rich.console import Console
from tokenizers import Tokenizer

from index.embedder import load_embedder
from index.model_folder import DEFAULT_MODEL, find_model
from service.reader.artifact import ARTIFACTS
from service.reader.features import FeatureMaker
from training.choosing import measure
from training.data import file_hashes, load_corpus, load_qamr
from training.finish import NAME, finish
from training.fit import Recipe, fit
from training.groups import Groups, Mix
from training.mining import mine
from training.start import START_LAYERS, from_cross_encoder

err = Console(stderr=True, highlight=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Train the reader."""


@main.command(name="fit")
@click.argument("data", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Folder for what is kept between runs.")
@click.option(
    "--start", type=click.Path(path_type=Path, exists=True), required=True, help="The cross-encoder's ONNX file."
)
@click.option("--name", default="run", show_default=True, help="Name of the run; its folder below --work.")
@click.option("--passes", default=1, show_default=True, help="Passes over the data.")
@click.option("--seed", default=1, show_default=True)
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
def fit_command(data: Path, work: Path, start: Path, name: str, passes: int, seed: int, device: str) -> None:
    """Fit the weights on DATA; a run that was cut short goes on from its last checkpoint."""
    corpus, sentences = load_corpus(data), load_qamr(data)
    found = mine(corpus, work)
    embedder = load_embedder(cache=work / ".models")
    mix, recipe = Mix(), Recipe(passes=passes, seed=seed)
    err.print("Cutting paragraphs into passages")
    groups = Groups(corpus, found, sentences, embedder.count_tokens, mix)
    tokenizer = Tokenizer.from_file(str(find_model(DEFAULT_MODEL).path / "tokenizer.json"))
    maker = FeatureMaker(tokenizer)
    folder = work / name
    model = fit(
        from_cross_encoder(start, START_LAYERS),
        lambda number: groups.draw(number, seed),
        maker,
        recipe,
        folder,
        device=device,
    )
    model.save(folder / "weights.safetensors")
    err.print("Measuring on the articles kept out")
    figures = measure(model, maker, corpus, found, groups.passages)
    record = {
        "data": file_hashes(data),
        "start": start.name,
        "layers": START_LAYERS,
        "mix": asdict(mix),
        "recipe": asdict(recipe),
        "torch": torch.__version__,
        "held_out": asdict(figures),
    }
    (folder / "training.json").write_text(json.dumps(record, indent=2) + "\n")
    err.print(figures.line())


@main.command(name="finish")
@click.argument("data", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Folder for what is kept between runs.")
@click.option("--name", default="run", show_default=True, help="Name of the run; its folder below --work.")
@click.option("--version", default="1", show_default=True, help="Version of the artifact.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Default: among the artifacts of the service.")
def finish_command(data: Path, work: Path, name: str, version: str, output: Path | None) -> None:
    """Make an artifact of fitted weights: export, quantise, calibrate on the articles of DATA kept out of training."""
    corpus, sentences = load_corpus(data), load_qamr(data)
    embedder = load_embedder(cache=work / ".models")
    groups = Groups(corpus, mine(corpus, work), sentences, embedder.count_tokens, Mix(sample=0.02))
    target = output or ARTIFACTS / f"{NAME}-{version}"
    artifact = finish(work / name, corpus, groups.draw(0, 1), work, target, version, err.print)
    err.print(f"{artifact.identity}: {artifact.calibration}", soft_wrap=True)


if __name__ == "__main__":
    main()

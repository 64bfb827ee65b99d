"""`python -m training`: from a folder of public data sets to a reader's artifact."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import click
import torch
from tokenizers import Tokenizer

from eval.stories import load_stories
from index.embedder import load_embedder
from index.model_folder import DEFAULT_MODEL, find_model
from service.console import err
from service.reader.artifact import (
    ARTIFACTS,
    DEFAULT_READER,
    MODEL_FILE,
    WEIGHTS_FILE,
    Artifact,
    load_artifact,
)
from service.reader.features import FeatureMaker
from service.reader.runtime import load_runtime
from service.reader.span_reader import SpanReader
from training.average import average
from training.choosing import measure
from training.data import file_hashes, load_corpus, load_qamr
from training.dialogues import load_dialogues
from training.finish import NAME, calibrate_again, finish
from training.fit import AGAIN, DEEP, DEEPER, FOLLOWED, MISLED, MISSED, RETOLD, SETTLED, TOLD, WIDENED, fit
from training.groups import (
    DEEP_MIX,
    DEEPER_MIX,
    FOLLOWED_MIX,
    MISLED_MIX,
    MISSED_MIX,
    RETOLD_MIX,
    SETTLED_MIX,
    TOLD_MIX,
    WIDENED_MIX,
    Groups,
    Mix,
)
from training.mining import mine
from training.misses import misses
from training.model import SpanModel
from training.record import write_record
from training.rivals import rivals
from training.start import from_cross_encoder, from_embedder, from_reader

# What `--start` names instead of a file.
EMBEDDER = "embedder"
PASSES = {
    "deep": (DEEP_MIX, DEEP),
    "deeper": (DEEPER_MIX, DEEPER),
    "told": (TOLD_MIX, TOLD),
    "retold": (RETOLD_MIX, RETOLD),
    "again": (RETOLD_MIX, AGAIN),
    "misled": (MISLED_MIX, MISLED),
    "followed": (FOLLOWED_MIX, FOLLOWED),
    "settled": (SETTLED_MIX, SETTLED),
    "missed": (MISSED_MIX, MISSED),
    "widened": (WIDENED_MIX, WIDENED),
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Train the reader."""


_data = click.argument("data", type=click.Path(path_type=Path, exists=True, file_okay=False))
_work = click.option(
    "--work", type=click.Path(path_type=Path), required=True, help="Folder for what is kept between runs."
)
_version = click.option("--version", required=True, help="Version of the artifact.")
_output = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Default: among the artifacts of the service."
)
_name = click.option("--name", default="run", show_default=True, help="Name of the run; its folder below --work.")


@main.command(name="fit")
@_data
@_work
@_name
@click.option("--pass", "which", type=click.Choice(list(PASSES)), default="deep", show_default=True)
@click.option(
    "--start",
    required=True,
    help="What to begin with: the cross-encoder's ONNX file, the word embedder, or the name of a run to go on from.",
)
@click.option("--stories", multiple=True, help="Only the stories of this file, named without its ending. Default: all.")
@click.option(
    "--misleads",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of a finished reader: the passages that it takes for answers come first of those that do not answer.",
)
@click.option("--until", type=int, help="End the run after so many steps; for trials, too.")
def fit_command(
    data: Path,
    work: Path,
    name: str,
    which: str,
    start: str,
    stories: Sequence[str],
    misleads: Path | None,
    until: int | None,
) -> None:
    """Fit the weights on DATA, in one pass, on a GPU where there is one.

    A run that was cut short goes on from its last checkpoint.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    corpus, sentences = load_corpus(data), load_qamr(data)
    found = mine(corpus, work)
    embedder = load_embedder(cache=work / ".models")
    mix, recipe = PASSES[which]
    if mix.misled and misleads is None:
        raise click.UsageError(f"--pass {which} goes by what misleads a reader; name its folder with --misleads.")
    reader = _finished(misleads) if misleads else None
    misleading = rivals(reader, corpus, work) if reader else None
    everything, told = load_stories(), load_stories(only=stories)
    if reader and mix.missed:
        told = told.joined(misses(reader, everything, work, but=stories))
    if mix.dialogues:
        told = told.joined(load_dialogues(everything, only=mix.dialogues))
    err.print("Cutting paragraphs into passages")
    groups = Groups(corpus, found, sentences, told, embedder.count_tokens, mix, misleading)
    maker = _maker()
    folder = work / name
    torch.manual_seed(recipe.seed)  # heads that are new begin at random
    model, origin, earlier = _started(start, work)
    steps = fit(model, groups.draw(recipe.number, recipe.seed), maker, recipe, folder, device=device, until=until)
    model.save(folder / WEIGHTS_FILE)
    record = {
        "data_sha256": file_hashes(data),
        "start": origin,
        "stories": stories or "all",
        "misleads": misleads and load_artifact(misleads).identity,
        "mix": asdict(mix),
        "recipe": asdict(recipe),
        "steps": steps,
        "torch": torch.__version__,
    }
    write_record(folder, record, earlier)


@main.command(name="restore")
@click.argument("reader", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_work
@_name
def restore_command(reader: Path, work: Path, name: str) -> None:
    """Make a run of the published reader in the folder READER, to go on from."""
    artifact, folder = load_artifact(reader), work / name
    if folder.exists():
        raise click.ClickException(f"{folder} exists; choose another --name, or delete it.")
    folder.mkdir(parents=True)
    from_reader(artifact).save(folder / WEIGHTS_FILE)
    write_record(folder, {"reader": artifact.identity, "sha256": artifact.sha256}, [artifact.path])


@main.command(name="average")
@_work
@_name
@click.argument("runs", nargs=-1, required=True)
def average_command(work: Path, name: str, runs: Sequence[str]) -> None:
    """Take the mean of the weights of RUNS, each gone on from the one before."""
    average([work / run for run in runs], work / name)


@main.command(name="measure")
@_data
@_work
@_name
@click.option("--limit", default=400, show_default=True, help="Questions of each kind.")
def measure_command(data: Path, work: Path, name: str, limit: int) -> None:
    """Measure fitted weights, before they are quantised, on the articles of DATA kept out of training."""
    corpus = load_corpus(data)
    found = mine(corpus, work)
    embedder = load_embedder(cache=work / ".models")
    groups = Groups(corpus, found, load_qamr(data), load_stories(), embedder.count_tokens, Mix())
    model = SpanModel.load(work / name / WEIGHTS_FILE).eval()
    figures = measure(model, _maker(), corpus, found, groups.passages, limit=limit)
    click.echo(json.dumps(asdict(figures), indent=2))


@main.command(name="finish")
@_data
@_work
@_name
@_version
@_output
def finish_command(data: Path, work: Path, name: str, version: str, output: Path | None) -> None:
    """Make an artifact of fitted weights: export, quantise, calibrate on what is kept out of training."""
    target = _target(output, version)
    corpus = load_corpus(data)
    found, stories = mine(corpus, work), load_stories()
    _say(finish(work / name, corpus, found, stories, work, target, version, err.print))


@main.command(name="calibrate")
@_data
@_work
@click.option(
    "--reader",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=DEFAULT_READER,
    help="The reader's folder; default: the one in service.",
)
@_version
@_output
def calibrate_command(data: Path, work: Path, reader: Path, version: str, output: Path | None) -> None:
    """Calibrate a finished reader anew, after a change of how passages are cut and found."""
    target = _target(output, version)
    _say(calibrate_again(load_artifact(reader), load_corpus(data), load_stories(), work, target, version, err.print))


def _target(output: Path | None, version: str) -> Path:
    """Return the folder for a new artifact, which must not exist."""
    target = output or ARTIFACTS / f"{NAME}-{version}"
    if target.exists():
        raise click.ClickException(f"{target} exists; choose another --version, or delete it.")
    return target


def _say(artifact: Artifact) -> None:
    err.print(f"{artifact.identity}: {artifact.calibration}", soft_wrap=True)


def _started(start: str, work: Path) -> tuple[SpanModel, object, list[Path]]:
    """Return the weights that `--start` names, what the record says of them, and the runs that they are of."""
    if (work / start / WEIGHTS_FILE).exists():
        return SpanModel.load(work / start / WEIGHTS_FILE), start, [work / start]
    if start == EMBEDDER:
        return from_embedder(), EMBEDDER, []
    digest = sha256(Path(start).read_bytes()).hexdigest()
    return from_cross_encoder(Path(start)), {"sha256": digest}, []


def _finished(folder: Path) -> SpanReader:
    artifact = load_artifact(folder)
    return SpanReader(artifact, load_runtime(artifact.path / MODEL_FILE))


def _maker() -> FeatureMaker:
    return FeatureMaker(Tokenizer.from_file(str(find_model(DEFAULT_MODEL).path / "tokenizer.json")))


if __name__ == "__main__":
    main()

"""`python -m eval.bench`: latency in process, then load over HTTP, printed and written to `eval/out/bench.json`."""

import json
import sys
from pathlib import Path

import click

from eval.bench.latency import measure_latency
from eval.bench.load import faults, measure_load
from eval.cases import SEEDS_SET, read_cases, select
from service.engine import open_engine
from service.settings import Settings

OUTPUT = Path("eval/out/bench.json")


@click.command()
@click.option("--clients", default=64, show_default=True)
@click.option("--seconds", default=20.0, show_default=True)
def main(clients: int, seconds: float) -> None:
    """Measure the service on the questions about the seeds (the dev half)."""
    settings = Settings.from_environment()
    questions = [case.question for case in select(read_cases(SEEDS_SET), "dev")]
    click.echo("Latency ...", err=True)
    with open_engine(settings, read_only=True) as engine:
        result = {"latency": measure_latency(engine, questions)}
    click.echo(f"Load: {clients} clients for {seconds:g} s ...", err=True)
    result["load"] = measure_load(settings.data_dir, questions, clients=clients, seconds=seconds)
    for part, figures in result.items():
        click.echo(part)
        for name, value in figures.items():
            click.echo(f"  {name:<22}{value}")
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    if complaints := faults(result["load"]):
        click.echo("; ".join(complaints), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

"""The summary of a check on the terminal: whether it passed, counts, then each regression in the documents' words."""

from collections.abc import Iterable, Sequence
from itertools import islice

from rich.console import Console
from rich.text import Text

from eval.regression import Change, Comparison
from eval.wording import SILENCE, Quote, cited_quotes, expected, gold_quotes, one_line, said

# More than these are not read in ten seconds.
_SHOWN = 10
_QUOTES = 2


def print_summary(
    comparison: Comparison | None, breaches: Sequence[str], out: Console, *, everything: bool = False
) -> None:
    """Print what came of a check; `everything`: every regression, not only the first ones."""
    for line in headline(comparison, breaches):
        out.print(Text(line, style="bold red" if breaches else "bold"), soft_wrap=True)
    if comparison is None:
        return
    for warning in comparison.warnings:
        out.print(Text.assemble(("warning: ", "bold yellow"), one_line(warning)), soft_wrap=True)
    found = [*comparison.regressions, *comparison.errors]
    shown = found if everything else found[:_SHOWN]
    for change in shown:
        out.print()
        _print_change(change, out)
    if len(found) > len(shown):
        out.print(f"\nand {len(found) - len(shown)} more; --all shows them.")


def headline(comparison: Comparison | None, breaches: Sequence[str]) -> list[str]:
    """Return the first lines of a summary: whether it passed and why not, counts, and how sure that is."""
    errors = len(comparison.errors) if comparison else 0
    if breaches:
        lines = ["FAILED: " + "; ".join(breaches)]
    elif errors:
        lines = [f"INCOMPLETE: {errors} questions got no reply; nothing is known of them. Run again."]
    else:
        lines = ["passed"]
    if comparison is None:
        return lines
    lines.append(", ".join(f"{count} {kind}" for kind, count in comparison.counts.items()))
    if comparison.verdicts:
        lines.append("now: " + ", ".join(f"{count} {verdict}" for verdict, count in comparison.verdicts.items()))
    both = comparison.both
    before, now = sum(each for each, _ in both), sum(each for _, each in both)
    if before != now:
        lines.append(f"right: {before} of {len(both)} before, {now} now (McNemar's exact p = {comparison.p_value:.2g})")
    value, low, high = comparison.f1_difference
    if value:
        lines.append(f"F1: {value:+.3f} (95 % interval {low:+.3f} to {high:+.3f})")
    return lines


def _print_change(change: Change, out: Console) -> None:
    out.print(Text.assemble((f"{change.kind}  ", "bold red"), (one_line(f"{change.id}  {change.question}"), "bold")))
    record = change.after
    if record is None:
        return
    _print_line("expected", expected(record), gold_quotes(record), out)
    before = change.before
    if before is not None:
        out.print(Text(f"  before    {one_line(before.answer) or SILENCE}  ({before.verdict})"), soft_wrap=True)
    _print_line("now", f"{said(record)}  ({record.verdict})", cited_quotes(record), out)


def _print_line(name: str, words: str, quotes: Iterable[Quote], out: Console) -> None:
    out.print(Text(f"  {name:10}{words}"), soft_wrap=True)
    for quote in islice(quotes, _QUOTES):
        sentence = Text.assemble(quote.before, (quote.words, "bold green"), quote.after)
        out.print(Text.assemble("            ", sentence, (f"  {quote.where}", "dim")), soft_wrap=True)

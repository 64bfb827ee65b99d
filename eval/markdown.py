"""Markdown: a check as a comment on a pull request.

What comes from questions and documents stands in code spans, where nothing is markup, no name is called and no link is
made (CommonMark 0.31, 6.1).
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from eval.regression import Change, Comparison
from eval.summary import headline
from eval.wording import SILENCE, Quote, cited_quotes, expected, gold_quotes, said

# A comment on GitHub holds 65,536 characters.
_SHOWN = 30
_LONGEST = 400


def markdown(comparison: Comparison | None, breaches: Sequence[str]) -> str:
    """Return the summary of a check in Markdown."""
    verdict, *lines = headline(comparison, breaches)
    parts = ["### Answers of the documents", f"**{code(verdict) if breaches else verdict}**", *lines]
    if comparison is not None:
        parts += [f"⚠️ {code(each)}" for each in comparison.warnings]
        found = [*comparison.regressions, *comparison.errors]
        parts += [_change(each) for each in found[:_SHOWN]]
        if len(found) > _SHOWN:
            parts.append(f"And {len(found) - _SHOWN} more.")
    return "\n\n".join(parts) + "\n"


def code(text: str) -> str:
    """Return a text as a code span: shown as it is, on one line, cut where it is very long."""
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    if not text:
        return ""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    # A space on both sides is dropped by whoever reads the span, and keeps a backtick at an end apart from the fence.
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _change(change: Change) -> str:
    lines = [f"- **{change.kind}** {code(change.id)} {code(change.question)}"]
    record = change.after
    if record is not None:
        lines += [f"  - expected {_words(expected(record))}", *_quotes(gold_quotes(record))]
        if change.before is not None:
            lines.append(f"  - before {_words(change.before.answer)} ({change.before.verdict})")
        lines += [f"  - now {_words(said(record))} ({record.verdict})", *_quotes(cited_quotes(record))]
    return "\n".join(lines)


def _words(words: str) -> str:
    return "*silence*" if words in ("", SILENCE) else code(words)


def _quotes(quotes: Iterable[Quote], most: int = 2) -> list[str]:
    return [f"    - {code(each.text)} {code(each.where)}" for each in islice(quotes, most)]

"""The commands `citespan-eval new` and `citespan-eval lint`: write questions, and keep them true."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from eval import authoring
from eval.asking import FILE, engine_options, open_engine, open_texts
from eval.cases import Case, GoldSpan, read_cases
from eval.engines import Engine
from eval.lint import Fault, faults
from eval.replies import Proposal, Reply
from eval.run import ask_one
from eval.texts import sentence_around
from eval.wording import Quote, one_line, quote
from index.errors import InvalidCase, QuestionFailed
from service.console import FAULTY, OK, command, err, out

_CHOICES = "a number to accept it, e for other words of the documents, u if they do not say, q to leave"


@click.command()
@click.argument("question")
@click.option("--set", "set_file", type=FILE, required=True, help="The set to add to; it is made where there is none.")
@engine_options
@click.option("--accept", type=click.IntRange(1), help="The number of the proposal that is right.")
@click.option("--answer", "answers", multiple=True, help="The documents' words that are right; again: other wordings.")
@click.option("--at", metavar="SOURCE:START", help="Where the words of --answer stand, if they stand several times.")
@click.option("--unanswerable", is_flag=True, help="The documents do not say.")
@click.option("--tag", "tags", multiple=True, help="A tag of the case; again: another one.")
@click.option("--split", type=click.Choice(["dev", "test"]), default="dev", show_default=True, help="Its half.")
@command
def new(
    question: str,
    set_file: Path,
    accept: int | None,
    answers: tuple[str, ...],
    at: str | None,
    tags: tuple[str, ...],
    split: str,
    *,
    unanswerable: bool,
    **engine_named: Any,
) -> int:
    """Ask QUESTION, say what is right, and add it to a set.

    Without --accept, --answer or --unanswerable, the proposals are shown and you choose.
    """
    if sum((accept is not None, bool(answers), unanswerable)) > 1:
        raise click.UsageError("Give one of --accept, --answer and --unanswerable.")
    known = authoring.existing_cases(set_file)
    case = Case(authoring.new_id(set_file, known), question, (), (), False, tags, split)
    with open_engine(**engine_named, err=err) as engine:
        reply = ask_one(engine, case).reply
        if reply is None:
            raise QuestionFailed(f"The engine has no reply to this question; ask another one: {question!r}.")
        proposals = _proposals(reply)
        if unanswerable:
            chosen: Case | None = case
        elif accept is not None:
            chosen = _accepted(case, proposals, accept)
        elif answers:
            chosen = _written(engine, case, reply, answers, at)
        else:
            chosen = _choose(engine, case, reply)
        if chosen is None:
            return OK
        authoring.append_case(set_file, chosen)
        out.print(Text(f"{chosen.id} added to {set_file}", style="bold"), soft_wrap=True)
        for span in chosen.spans:
            _print_quote(_quoted(engine, case, span))
    return OK


@click.command()
@click.argument("set_file", metavar="SET", type=FILE)
@engine_options
@click.option("--fix", is_flag=True, help="Write where gold stands now, where that is sure.")
@command
def lint(set_file: Path, *, fix: bool, **engine_named: Any) -> int:
    """Find gold of SET that no longer stands in the documents, and say where it has moved; needs no model.

    Exit codes: 0, all gold stands; 1, some does not; 2, it could not be looked up.
    """
    cases = read_cases(set_file)
    with open_texts(**engine_named) as texts:
        found = list(faults(cases, texts))
        for fault in found:
            _print_fault(fault)
            if fault.moved is not None:
                text = texts.text(fault.case, fault.moved.document) or ""
                around = sentence_around(text, fault.moved.start, fault.moved.end, source=fault.moved.document)
                name = "moved to" if fault.is_sure else "perhaps"
                _print_quote(quote(fault.moved.document, fault.moved.start, fault.moved.end, around), name)
    fixed = authoring.write_fixes(set_file, found) if fix else 0
    sure = sum(each.is_sure for each in found)
    left = len(found) - fixed
    out.print(f"{len(cases)} cases, {len(found)} faults" + (f", {fixed} fixed" if fix else ""))
    if sure and not fix:
        out.print(f"--fix writes the {sure} that are sure.")
    return FAULTY if left else OK


def _proposals(reply: Reply) -> list[Proposal]:
    return [*([reply.answer] if reply.answer else []), *reply.alternatives]


def _accepted(case: Case, proposals: Sequence[Proposal], number: int) -> Case:
    if number > len(proposals):
        raise InvalidCase(
            f"There are {len(proposals)} proposals, and no number {number}; give --answer or another number."
        )
    return authoring.accepted(case, proposals[number - 1])


def _written(engine: Engine, case: Case, reply: Reply, answers: Sequence[str], at: str | None) -> Case:
    places = authoring.places_of(engine, case, answers[0], reply)
    if at is not None:
        places = [each for each in places if f"{each.document}:{each.start}" == at]
    if not places:
        where = f" at {at}" if at else ""
        raise InvalidCase(f"{answers[0]!r} does not stand in the documents{where}; give their exact words.")
    if len(places) > 1:
        listed = ", ".join(f"{each.document}:{each.start}" for each in places)
        raise InvalidCase(f"{answers[0]!r} stands at {len(places)} places; choose with --at: {listed}.")
    return authoring.written(case, answers, places[0])


def _choose(engine: Engine, case: Case, reply: Reply) -> Case | None:
    """Let the author choose, until a case comes of it or the author leaves."""
    proposals = _proposals(reply)
    _print_proposals(reply, proposals)
    while True:
        choice = click.prompt(_CHOICES, prompt_suffix="\n> ").strip()
        if choice == "q":
            return None
        if choice == "u":
            return case
        if choice == "e":
            words = click.prompt("the documents' exact words", prompt_suffix="\n> ").strip()
            places = authoring.places_of(engine, case, words, reply)
            if place := _choose_place(engine, case, places):
                return authoring.written(case, [words], place)
        elif choice.isdecimal() and 1 <= int(choice) <= len(proposals):
            return authoring.accepted(case, proposals[int(choice) - 1])
        else:
            out.print("That is none of these.")


def _choose_place(engine: Engine, case: Case, places: Sequence[GoldSpan]) -> GoldSpan | None:
    if not places:
        out.print("These words do not stand in the documents.")
        return None
    if len(places) == 1:
        return places[0]
    for number, place in enumerate(places, start=1):
        _print_quote(_quoted(engine, case, place), str(number))
    chosen = click.prompt("which of these", type=click.IntRange(1, len(places)), prompt_suffix="\n> ")
    return places[chosen - 1]


def _print_proposals(reply: Reply, proposals: Sequence[Proposal]) -> None:
    if reply.answer is None:
        out.print("The engine abstains." + (" Nearest to the question:" if proposals else ""), style="bold")
    for number, proposal in enumerate(proposals, start=1):
        out.print(
            Text.assemble((f"{number}  {one_line(proposal.text)}", "bold"), (f"  {proposal.confidence:.2f}", "dim"))
        )
        for each in proposal.citations:
            _print_quote(quote(each.source, each.start, each.end, each.sentence))


def _quoted(engine: Engine, case: Case, span: GoldSpan) -> Quote:
    text = engine.text(case, span.document) or ""
    around = sentence_around(text, span.start, span.end, source=span.document)
    return quote(span.document, span.start, span.end, around)


def _print_fault(fault: Fault) -> None:
    out.print(
        Text.assemble((f"{fault.case.id}  ", "bold red"), (one_line(fault.case.question), "bold")), soft_wrap=True
    )
    out.print(Text(f"    {one_line(fault.message)}"), soft_wrap=True)


def _print_quote(shown: Quote, name: str = "") -> None:
    sentence = Text.assemble(shown.before, (shown.words, "bold green"), shown.after)
    out.print(
        Text.assemble(f"    {name:10}" if name else "    ", sentence, (f"  {shown.where}", "dim")), soft_wrap=True
    )

"""Conversations: what a question may mean after what was said before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from index.words import words_of
from service.followups.antecedents import thing
from service.followups.exchange import Exchange
from service.followups.resolution import NEUTRAL
from service.followups.rewriting import Meaning, rewrites
from service.followups.utterance import heard

Role = Literal["user", "assistant", "system"]

# More turns, and longer ones, are refused: what so many say together tells nothing about a follow-up.
MAX_TURNS = 50
MAX_TURN_LENGTH = 10_000

# What was said longer ago than so many questions is not meant, nor a text that was pasted.
_QUESTIONS = 4
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that was said before the question. It helps to understand the question, and is never evidence."""

    role: Role
    content: str


def meanings(question: str, before: Exchange | None) -> tuple[Meaning, ...]:
    """Return what a question may mean after the last exchange before it, the most likely first; never none.

    A question that stands alone means what it says, and nothing else; so does any question with nothing before it.
    """
    return (Meaning(question),) if before is None else rewrites(question, before)


def last_exchange(history: Sequence[Turn]) -> Exchange | None:
    """Return the last question before, made to stand alone by those before it, and what was answered.

    System prompts are no part of a conversation.
    """
    found: Exchange | None = None
    for question, answer in _exchanges(history)[-_QUESTIONS:]:
        if len(question) > _LONGEST or not heard(question).text:
            continue
        meant = question if found is None else rewrites(question, replace(found, words=""))[0].question
        focus = thing(found) if found is not None and NEUTRAL.intersection(words_of(question)) else ""
        found = Exchange.of(heard(meant[: 2 * _LONGEST]).text, answer, found, focus=focus)
    return found


def _exchanges(history: Sequence[Turn]) -> list[tuple[str, str]]:
    """Return what users asked, each with what was answered; "" where nothing was."""
    found: list[tuple[str, str]] = []
    for turn in history:
        if turn.role == "user":
            found.append((turn.content, ""))
        elif turn.role == "assistant" and found:
            found[-1] = (found[-1][0], turn.content)
    return found

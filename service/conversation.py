"""Conversations: what was said before a question."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["user", "assistant", "system"]

# More turns, and longer ones, are refused: what so many say together tells nothing about a follow-up.
MAX_TURNS = 50
MAX_TURN_LENGTH = 10_000


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that was said before the question. It helps to understand the question, and is never evidence."""

    role: Role
    content: str

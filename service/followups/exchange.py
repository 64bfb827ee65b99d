"""Exchanges: a question that stands alone and what was answered, as the ground on which the next one is understood."""

import re
from dataclasses import dataclass, replace

from index.words import content_words
from service.followups.mentions import answer_words, is_person, looks_like_a_person, names, reply_words
from service.followups.utterance import Question, parts

_ANY_NUMBER = re.compile(
    r"(?:[a-z]+ )*\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundreds?|thousands?"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-\w+)?)\b",
    re.IGNORECASE,
)
_FEW_WORDS = 5
_NO_THING = re.compile(r"\b(?:how|when|why)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """The last question of a conversation and its answer; "" where there was none that helps.

    `question` stands alone, and `asked` is the same in its parts. `reply` is what was said to it, one line without
    markup, and `answer` the same if it is short. `names` are those that users named in the whole conversation, the
    latest first; `people` are persons that were named or answered with. `words` are those of the exchange that may help
    to understand what follows, `earlier` is the exchange before it, and `focus` what "it" has meant in the question; it
    likely means it again.
    """

    question: str
    asked: Question
    answer: str
    names: tuple[str, ...]
    people: tuple[str, ...]
    words: str = ""
    reply: str = ""
    earlier: "Exchange | None" = None
    focus: str = ""

    @classmethod
    def of(cls, question: str, answer: str, earlier: "Exchange | None" = None, *, focus: str = "") -> "Exchange":
        """Return what was asked and answered, after what was said `earlier`."""
        asked, reply = parts(question), reply_words(answer)
        words = answer_words(reply)
        own = own_names = names(question)
        people = [words] if is_person(words, asked) else []
        people += [each for each in own if looks_like_a_person(each, question)]
        if earlier is not None:
            own = [*own, *earlier.names]
            people += earlier.people
        found = cls(
            question,
            asked,
            words,
            tuple(dict.fromkeys(own)),
            tuple(dict.fromkeys(people)),
            reply=reply,
            earlier=earlier,
            focus=focus,
        )
        known = words if words in people else found.thing
        said = f"{known} {asked.noun} {asked.rest}"
        # Who says little goes on from what was said before.
        if earlier is not None and not own_names and len(set(content_words(said))) <= _FEW_WORDS:
            said = f"{said} {earlier.words}"
        return replace(found, words=said)

    @property
    def counted(self) -> str:
        """What was asked for with "how many"; else ""."""
        return self.asked.noun if self.asked.word.lower().endswith("how many") else ""

    @property
    def thing(self) -> str:
        """The answer where it names or describes a thing or a place, not a number, a day or a person; else ""."""
        if _NO_THING.search(self.asked.word) or _ANY_NUMBER.match(self.answer) or is_person(self.answer, self.asked):
            return ""
        return self.answer

    @property
    def told(self) -> str:
        """The answer, with what was counted where it is only the number: "42 fire trucks"."""
        is_number = self.answer.replace(",", "").isalnum() and bool(_ANY_NUMBER.match(self.answer))
        return f"{self.answer} {self.counted}" if self.counted and is_number else self.answer

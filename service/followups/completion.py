"""Completion: a fragment put into the question before, in the place of what is like it."""

import re

from service.followups.exchange import Exchange
from service.followups.phrases import NounPhrase, extended, noun_phrases
from service.followups.utterance import DETERMINERS, PREPOSITIONS, WORD, Question, bare, has_verb, is_verb, parts

_CONTRAST = re.compile(
    r"(?P<right>.+?),? (?:not|instead of|rather than) (?P<wrong>[^.?!]+)(?:[.?!] .*)?", re.IGNORECASE | re.DOTALL
)
_DENIAL = re.compile(r"not (?P<wrong>[^,;.]+)[,;.] (?:but )?(?P<right>.+)", re.IGNORECASE)
_THE_ONE = re.compile(r"(?:only )?(?:the )?ones? ", re.IGNORECASE)
_SUCH_A_ONE = re.compile(r"(?:the )?(\w+) ones?", re.IGNORECASE)
_TWO_PHRASES = re.compile(
    r"(?P<first>.+?)(?:, | (?=in (?:1[5-9]|20)))(?P<second>(?:in|on|at|for|from|during|to|of) .+)", re.I
)
_WHOSE = re.compile(r"\b(?:the [a-z]+(?: [a-z]+)?|[A-Z][\w-]*(?: [A-Z][\w-]*)*)(?:['’]s\b|(?<=s)['’])")
_WHOSE_END = re.compile(r"['’]s?$")
_LONGEST_ANSWER = 60
# What is longer is no fragment of a few phrases.
_LONGEST_PHRASES = 200
_IDENTITY = frozenset(("who", "which", "what"))
_BEING = frozenset(("is", "was", "are", "were"))
_TIMES = frozenset("before after during since until".split())
# Phrases with these prepositions say where something is.
_PLACES = frozenset("in on at over near within across under outside inside around above behind".split())


def completed(text: str, before: Exchange) -> list[str]:
    """Return what a fragment may ask: "and how many fire trucks", "what about Japan", "since when", "in 2024"."""
    asked = parts(text)
    return [asking(asked, before)] if asked.word else _substituted(text, before)


def corrected(text: str, before: Exchange) -> list[str]:
    """Return the question before with what was corrected: "I meant the one in Japan", "mechanics, not helicopters"."""
    contrast = contrasted(text)
    if contrast is None:
        return completed(text, before)
    wrong = re.compile(rf"\b{re.escape(bare(contrast['wrong']))}\b", re.IGNORECASE)
    if wrong.search(before.question):
        return [wrong.sub(lambda _: bare(contrast["right"]), before.question, count=1)]
    return _substituted(contrast["right"], before)


def contrasted(text: str) -> re.Match[str] | None:
    """Return what is `right` and what is `wrong` in "mechanics, not helicopters"; None where nothing is set apart."""
    return _DENIAL.fullmatch(text) or _CONTRAST.fullmatch(text)


def asking(asked: Question, before: Exchange) -> str:
    """Return the question before, asking for something else: "how many blankets", "since when", "which minister"."""
    old, phrase = before.asked, f"{asked.phrase} {asked.rest}".strip()
    is_same_kind = asked.word.lower() == old.word.lower() and (asked.noun or not old.noun)
    if is_same_kind or (asked.noun and asked.word.split()[0].lower() not in PREPOSITIONS):
        return f"{phrase} {old.rest}"
    # What was asked for before is part of what is known now, or at least its kind is.
    known = before.answer if 0 < len(before.answer) < _LONGEST_ANSWER else old.noun
    if old.asks_subject:
        return f"{phrase} {known} {old.rest}"
    being, _, described = old.rest.partition(" ")
    if old.word.lower() in _IDENTITY and being.lower() in _BEING and not has_verb(described):
        return f"{phrase} {being} {known} {described}"
    first = WORD.match(described)
    if old.noun and first is not None and (is_verb(first[0]) or first[0].lower() in PREPOSITIONS):
        # "At what price were / copies of the book / printed?", "from where are / the monitors / on the spot?"
        return f"{phrase} {being} {old.noun} {described}"
    return f"{phrase} {old.rest} {known if before.thing else old.noun}"


def _substituted(text: str, before: Exchange) -> list[str]:
    """Return the question before with these words in the place of what is like them, or added to it."""
    words = _THE_ONE.sub("", text) if _THE_ONE.match(text) else text
    first = words.split()[0]
    if first.lower() in DETERMINERS:
        words = f"{first.lower()}{words[len(first) :]}"
    two = _TWO_PHRASES.fullmatch(words) if len(words) <= _LONGEST_PHRASES else None
    if two is not None:
        # "The previous time, in 2021", "in Japan in 2011": each takes its place.
        halfway = Exchange.of(_substituted(two["first"], before)[0], before.answer, before)
        return _substituted(two["second"], halfway)
    question = before.question
    if words.split()[0].lower() in PREPOSITIONS and " " in words:
        return _with_phrase(words, before)
    return _replaced(words, before) or [f"{question} {words}"]


def _with_phrase(words: str, before: Exchange) -> list[str]:
    """Return the question before with a prepositional phrase in the place of one that is like it, or added to it."""
    question, (preposition, _, rest) = before.question, words.partition(" ")
    if preposition.lower() == "to" and (infinitive := re.search(r"\bto [a-z]+ (?:it|them|the \w+)\b", question)):
        return [f"{question[: infinitive.start()]}{words}{question[infinitive.end() :]}"]
    new = next(iter(noun_phrases(words)), None)
    alike = [each for each in noun_phrases(question) if each.preposition and _is_like_phrase(each, new, preposition)]
    same = [each for each in alike if each.preposition == preposition.lower()]
    if same:
        begin, end = _where(same[-1], question, words)
        return [f"{question[:begin]}{words}{question[end:]}"]
    added = f"{question} {words}"
    if alike:
        begin, end = _where(alike[-1], question, words)
        return [f"{question[:begin]}{words}{question[end:]}", added]
    return [added, *_replaced(rest, before)]


def _is_like_phrase(old: NounPhrase, new: NounPhrase | None, preposition: str) -> bool:
    """Whether a phrase of the question before may give its place to one with this preposition and noun phrase."""
    if new is None:
        return old.preposition == preposition.lower()
    if old.is_year != new.is_year:
        return False
    both = {old.preposition, preposition.lower()}
    return len(both) == 1 or new.is_year or both <= _PLACES or both <= _TIMES


def _where(phrase: NounPhrase, question: str, put: str) -> tuple[int, int]:
    """Return where a noun phrase with its preposition begins and ends in a question, for what is put there."""
    begin = question.lower().rindex(phrase.preposition, 0, phrase.start)
    whole = extended(phrase, noun_phrases(question), question, only="of") if " of " in put else phrase.words
    return begin, phrase.start + len(whole)


def _replaced(words: str, before: Exchange) -> list[str]:
    """Return the question before with a noun phrase in the place of what is like it, the most likely first."""
    question, asked = before.question, before.asked
    phrases = noun_phrases(words)
    if not phrases:
        return [f"{asked.word} {words} {asked.rest}"] if asked.noun else []
    new, one = phrases[0], _SUCH_A_ONE.fullmatch(words)
    if new.is_possessive and len(phrases) == 1:
        return [_owned(new, before)]
    scored: list[tuple[float, str]] = []
    if asked.noun and not new.is_year:
        chosen = 0.5 if before.counted else 2.5
        scored.append((_likeness(new, _first(asked.noun)) + chosen, f"{asked.word} {bare(words)} {asked.rest}"))
    found = noun_phrases(question)
    for each in found:
        if asked.noun and each.end <= question.find(asked.rest):
            continue
        put, score = words, _likeness(new, each)
        if one is not None:
            put, score = f"{each.determiner} {one[1]} {each.head}".strip(), score + 2 * (len(each.words.split()) > 2)
        whole = extended(each, found, question, only="of") if len(phrases) > 1 else each.words
        scored.append((score, f"{question[: each.start]}{put}{question[each.start + len(whole) :]}"))
    scored.sort(key=lambda each: -each[0])
    best = scored[0][0] if scored else 0.0
    return [text for score, text in scored if score > 0 and score >= best - _CLOSE]


# Likeness that differs by less leaves it open what a fragment takes the place of.
_CLOSE = 1.5


def _first(noun: str) -> NounPhrase:
    return next(iter(noun_phrases(noun)), NounPhrase(0, len(noun), noun))


def _likeness(new: NounPhrase, old: NounPhrase) -> float:
    """Return how likely it is that a noun phrase takes the place of another one: by head, spelling, article, number."""
    if new.is_year or old.is_year or old.is_number:
        return 6.0 if new.is_year and old.is_year else -6.0
    score = 5.0 if new.head.lower() == old.head.lower() else 0.0
    score += 3.0 if new.is_name and old.is_name else -2.0 * (new.is_name != old.is_name)
    score += 1.5 if new.determiner == old.determiner else 0.0
    score += 1.0 if new.is_plural == old.is_plural else -1.0
    return score - (1.0 if old.preposition and not new.is_name else 0.0)


def _owned(new: NounPhrase, before: Exchange) -> str:
    """Return the question before, about what is somebody else's, as after "No, I meant Mongolia's"."""
    question = before.question
    if whose := _WHOSE.search(question):
        return f"{question[: whose.start()]}{new.words}{question[whose.end() :]}"
    named = [each for each in noun_phrases(question) if each.is_name and not each.is_year]
    if named:
        last = named[-1]
        return f"{question[: last.start]}{_WHOSE_END.sub('', new.words)}{question[last.end :]}"
    described = next((each for each in noun_phrases(question) if not each.is_name and not each.is_year), None)
    if described is None:
        return f"{question} {new.words}"
    return f"{question[: described.start]}{new.words} {bare(described.words)}{question[described.end :]}"

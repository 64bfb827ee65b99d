"""Utterances: what a person says in a conversation, taken apart by the closed classes of English words.

There is no tagger and no model. English says by its small words (auxiliaries, prepositions, question words) where the
parts of a question begin and end; what these do not tell is left as it is.
"""

import re
from dataclasses import dataclass

AUXILIARIES = frozenset(
    "is are was were am be been do does did has have had can could will would shall should may might must".split()
)
PREPOSITIONS = frozenset(
    "of in on at by to from with for under during after before between among about through over against since until"
    " near within without into across toward towards besides".split()
)
DETERMINERS = frozenset("the a an this that these those its his her their our my your some any each every all".split())
QUESTION_WORDS = frozenset("how which what who whom whose when where why".split())
# What stands before a comma and begins with one of these is a clause, or an adverb.
_CLAUSES = frozenset(
    "if although though because while as once unless whether finally today now then here there".split()
)
# Past tenses and participles that do not end in -ed; those that are nouns or adjectives as a rule are left out.
_IRREGULAR = frozenset(
    "agreed decreed disagreed freed guaranteed"
    " arisen arose ate awoke awoken beaten became become been began begun beheld bent bet bitten bled blew blown"
    " bore borne bought bound bred broke broken brought built burnt burst came caught chose chosen clung cost crept"
    " cut dealt did done drank drawn dreamt drew driven drove drunk dug dwelt eaten fallen fed fell felt fled flew"
    " flown flung forbade forbidden forgave forgiven forgot forgotten forsaken fought found froze frozen gave given"
    " went gone got gotten grew grown ground had heard held hid hidden hit hung hurt kept knelt knew known laid lain"
    " led leapt learnt left lent let lit lost made meant met mistaken mistook outbid outgrew overcame overcome"
    " oversaw overseen overtaken overthrew overthrown overtook paid proven put quit ran rang read rebuilt redone"
    " repaid ridden risen rode rose rung said sang sank sat saw seen sent set sewn shaken shed shone shook shot"
    " shown shrank shrunk shut slain slept slew slid slung snuck sold sought sown spat sped spent spilt split"
    " spoiled spoke spoken spread sprang sprung spun stole stolen stood strewn strode struck strung stuck stung"
    " stunk sung sunk swam swelled swept swollen swore sworn swum swung taken taught thought threw thrown thrust"
    " told took tore torn trod trodden undergone understood undertaken undertook underwent undone upheld wept"
    " withdrawn withdrew withheld withstood woke woken won wore worn wound wove woven written wrote wrung".split()
)
# Verbs that often stand behind "who" or "what", and behind "to".
_VERBS = _IRREGULAR | frozenset(
    "means comes goes makes takes gives leads hosts works lives builds costs covers pays owns runs says signs happens"
    " come go make take give lead host work live build cover pay own run say sign happen need leads heads supports"
    " holds contains includes belongs wants says plans".split()
)
_CHAT = re.compile(
    r"(?:(?:ok(?:ay|ey)?|k|thanks?(?: you)?(?: (?:a lot|so much|very much))?|thx|ty|great|cool|nice|interesting|perfect"
    r"|awesome|amazing|wonderful"
    r"|brilliant|excellent|impressive|fascinating|seriously|really|question|out of curiosity"
    r"|good(?: to know)?|got it|i see|all? ?right|right|sure|wow|hm+|oh(?: (?:no|dear))?|o+h|a+h|(?:ha){2,}|lol|well"
    r"|yes|yeah|yep|fine|hi|hello|hey|please|by the way|btw|excuse me|pardon(?: me)?|never ?mind|my bad|just curious"
    r"|let me (?:rephrase(?: that| it)?|(?:try|ask) again|put it differently)"
    r"|i (?:expressed|put) (?:myself|that|it) (?:badly|wrongly)"
    r"|(?:(?:one|a) (?:more|last|final)|another|quick|follow-?up) (?:thing|question)"
    r"|that(?:['’]s| is) (?:interesting|good|great|helpful|bad|sad|nice))\b[\s,.!:;…–—-]*)+",
    re.IGNORECASE,
)
# "Quite young. How old is the boy": what stands before the question may be a remark.
_REMARK = re.compile(r"(?P<words>[A-Za-z'’]+(?: [a-z'’]+){0,2})(?P<mark>[.!…]+)\s+(?=\S+\s+\S)")
_NO_REMARK = frozenset("and but or so no not sorry oops".split())
_JOINED = re.compile(r"(?:(?:and|but|so|also|then|or|n|&|plus|whereas)\b[\s,]+)+", re.IGNORECASE)
_ABOUT = re.compile(r"(?:(?:what|how) about|(?:the )?same (?:thing )?(?:for|with))\b\s*", re.IGNORECASE)
# "No, I meant ...", "that is the plan, I only wanted to know ...", "no, ...".
_PARTICLES = r"(?:(?:but|no|nope|not that|sorry|wait|actually|rather|oops|i know)\b[\s,.!–—-]*)*"
_CORRECTION = re.compile(
    rf"{_PARTICLES}"
    r"(?:i (?:(?:really |actually )?meant?|should have (?:said|asked)|mixed (?:them|that|it|the two) up)"
    r"|i['’]d (?:really |actually )?meant|i was (?:asking (?:about|for)|looking for|talking about|after))\b"
    r"[\s,:]*(?:only\b\s*)?"
    rf"|{_PARTICLES}(?:no|nope|sorry|not|wrong \w+|that(?:['’]s| is| was)|(?:is|was)n['’]t that|i did(?:n['’]t| not))\b"
    r".{0,80}?[,.;?–—-]\s*"
    r"(?:but )?i(?:['’]m| am)? (?:only |just |really |actually )?"
    r"(?:meant?|want(?:ed)?(?: to know)?|(?:was )?(?:asking(?: about| for)?|looking for|after))\b"
    r"[\s,:]*"
    r"|(?:(?:no|nope|sorry|oops)\b\s*)+(?:[,.!–—-]+\s*(?:rather\b|actually\b)?[\s,]*|(?=not\b)|i['’]m after\b\s*)",
    re.IGNORECASE,
)
# "Can you tell me where ...": a question in another one.
_INDIRECT = re.compile(
    r"(?:(?:can|could|would) you (?:please )?(?:tell|remind) me|(?:please )?tell me|do you (?:happen to )?know"
    r"|(?:does|do) any(?:one|body) know"
    r"|i(?:['’]d| would) (?:like|love) to know|i want(?:ed)? to know|any idea)\b[\s,:]*"
    r"(?=(?:\w+ )?(?:how|which|what|who|whom|whose|when|where|why)\b)",
    re.IGNORECASE,
)
# "And the divers, what are they offering": what is spoken of stands before the question.
_DISLOCATED = re.compile(
    r"(?P<topic>[^,.:?]{2,60})[,.:?] (?P<before>(?:\w+ )?(?:how|which|what|who|when|where|why|is|are|was|were|do"
    r"|does|did|has|have|had|will|would|can|could)\b[^,?]*?)"
    r"\b(?P<pronoun>they|them|he|him|she|her|it|that(?=$)|those|his|its|their)\b(?P<after>.*)",
    re.IGNORECASE | re.DOTALL,
)
_TAIL = re.compile(
    r"(?:(?<![\s,])[\s,]+"
    r"(?:please|pls|plz|thanks|thank you|thx|sorry|though|tho|anyway|actually|too|as well|either))+$",
    re.IGNORECASE,
)
# "Their food I mean, not the journey".
_ASIDE = re.compile(
    r",? (?:i meant?|(?:is|was) (?:what|who|which) i (?:meant|asked|want(?:ed)?)(?: (?:to know|about|for))?)\b"
    r"(?=,? (?:and )?not\b|$)",
    re.IGNORECASE,
)
# "Roughly how many".
_HEDGE = re.compile(r"(?:roughly|approximately|about|around|exactly|precisely|just)\s+(?=how\b)", re.IGNORECASE)
_CONTRACTED = re.compile(
    r"(?:^(how|what|when|where|who|why)s|\b(how|what|when|where|who|why)['’]s)\b(?! (?:been|done|had|got|become)\b)",
    re.IGNORECASE,
)
# "When they met, not when they parted".
_SET_ASIDE = re.compile(r",? (?:and )?not (?:how|which|what|who|when|where|why)\b[^,?]*$", re.IGNORECASE)
# "Back to the first one: ...", "in the district you named, ...".
_POINTER = re.compile(
    r"(?:(?:(?:going |coming )?back to|returning to|as for|regarding)\s+(?P<about>[^,:;?]{1,80})"
    r"|(?:for|in|on|at|with|of|about)\s+"
    r"(?P<said>[^,:;?]{1,60}?\b(?:ones?|you (?:just )?(?:named|mentioned|said|gave)|from before|earlier)))"
    r"\s*[,:;–—-]\s*(?=\S)",
    re.IGNORECASE,
)
_PLACE = r"(?:in|on|at|by|to|from|with|for|of|under|during|after|before|since|until|till|through|about|over)"
_ASKED = re.compile(
    rf"(?:{_PLACE} )?(?P<word>how (?:many|much|long|high|old|fast|far|often|big|large|tall|deep|heavy|wide)|"
    r"which|what|wat|whom?|whose|when|where|why|how)\b(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
POSSESSIVE = frozenset("his her its their".split())
_ADVERBS = frozenset("yesterday today now then there here again first last before afterwards away back".split())
_SHORTEST_REMARK = 4
_SUBJECTS = frozenset("he she it they we i you".split())
_WITH_NOUN = ("how many", "how much", "which", "what", "wat", "whose")
_LONGEST_NOUN = 7
WORD = re.compile(r"\w+(?:['’.-]\w+)*")


@dataclass(frozen=True, slots=True)
class Question:
    """A question in its parts: "Which prime minister" + "signed it" has the noun "prime minister".

    `word` is the question word with what belongs to it ("since when", "how many"), `noun` what it asks for, `rest` all
    behind it; a question without a question word is all rest.
    """

    word: str
    noun: str
    rest: str

    @property
    def phrase(self) -> str:
        """The question word with its noun."""
        return f"{self.word} {self.noun}".strip()

    @property
    def asks_subject(self) -> bool:
        """Whether what is asked for is the subject: no auxiliary follows ("who signed it", but "when did it end")."""
        first = WORD.match(self.rest)
        return bool(self.word) and first is not None and first[0].lower() not in AUXILIARIES


@dataclass(frozen=True, slots=True)
class Utterance:
    """What a person says, without chat around it.

    `is_joined`: it goes on from what was said before ("and ..."); `is_about`: it asks "what about ..."; `corrects`: it
    says what was meant; `points_to` is what it goes back to: "the first one". `text` has none of these words, and no
    question mark. `is_turned`: what is spoken of stood before the question, and stands in it in `text`.
    """

    text: str
    is_joined: bool
    is_about: bool
    corrects: bool
    points_to: str = ""
    is_turned: bool = False
    is_indirect: bool = False


def heard(said: str) -> Utterance:
    """Return what is said without what is said around it: thanks, "and", "what about", "I meant"; it may be nothing."""
    text = " ".join(said.split())
    joined = about = corrects = indirect = False
    points_to = ""
    for pattern in (_CHAT, _REMARK, _CHAT, _CORRECTION, _CHAT, _JOINED, _INDIRECT, _POINTER, _ABOUT, _HEDGE):
        found = pattern.match(text)
        if found is None or (pattern is _REMARK and not _is_remark(found)):
            continue
        text = text[found.end() :]
        joined |= pattern is _JOINED
        about |= pattern is _ABOUT
        corrects |= pattern is _CORRECTION
        indirect |= pattern is _INDIRECT
        points_to = (found["about"] or found["said"]) if pattern is _POINTER else points_to
    text, asides = _ASIDE.subn("", _TAIL.sub("", text.rstrip(" ?!.…")).strip())
    corrects |= bool(asides)
    text = _SET_ASIDE.sub("", text) if corrects else text
    text = _CONTRACTED.sub(lambda found: f"{found[1] or found[2]} is", text)
    turned = _turned(text, is_joined=joined)
    return Utterance(
        turned or text, joined, about, corrects, points_to, is_turned=turned is not None, is_indirect=indirect
    )


def _is_remark(found: re.Match[str]) -> bool:
    """Whether these words are no part of what is asked, as "Quite young." is, and "Mr." or "In Ghent." is not."""
    words = found["words"].lower().split()
    is_long = len(words[-1]) >= _SHORTEST_REMARK or "!" in found["mark"]
    opens = DETERMINERS | PREPOSITIONS | _NO_REMARK
    is_name = len(words) == 1 and found["words"][0].isupper()
    return (
        is_long
        and not is_name
        and words[0] not in opens
        and not any(each in QUESTION_WORDS or is_verb(each) for each in words)
    )


def _turned(text: str, *, is_joined: bool) -> str | None:
    """Return "what are the divers offering" for "the divers, what are they offering", None for other forms."""
    found = _DISLOCATED.fullmatch(text)
    if found is None:
        return None
    first = found["topic"].split()[0].lower()
    if first not in DETERMINERS and (not is_joined or first in PREPOSITIONS | QUESTION_WORDS | AUXILIARIES | _CLAUSES):
        return None
    if has_verb(found["topic"]):
        return None
    behind = WORD.search(found["after"])
    owns = (
        found["pronoun"].lower() in POSSESSIVE
        and behind is not None
        and not (is_verb(behind[0]) or behind[0].lower() in PREPOSITIONS | _ADVERBS)
    )
    topic = f"{found['topic']}'s" if owns else found["topic"]
    return f"{found['before']}{topic}{found['after']}"


def parts(text: str) -> Question:
    """Return the parts of a question."""
    found = _ASKED.match(text)
    if found is None:
        return Question("", "", text)
    word, rest = text[: found.start("rest")].strip(), found["rest"].strip(" ,:")
    if found["word"].lower() not in _WITH_NOUN:
        return Question(word, "", rest)
    end, last = len(rest), ""
    for number, each in enumerate(WORD.finditer(rest)):
        # "How many lives", "which works": a noun, though it may be a verb elsewhere.
        is_noun = not number and found["word"].lower() != "what" and each[0].lower() in _VERBS and each[0].endswith("s")
        if (is_verb(each[0]) and not is_noun) or number >= _LONGEST_NOUN:
            end = each.start()
            break
        if number == 0 and each[0].lower() in PREPOSITIONS:
            end = 0
            break
        # "How many people the company employs": a clause of its own.
        if number and each[0].lower() in DETERMINERS | _SUBJECTS and last not in PREPOSITIONS | {"and", "or"}:
            end = each.start()
            break
        last = each[0].lower()
    return Question(word, rest[:end].strip(), rest[end:].strip())


def is_verb(word: str) -> bool:
    """Whether a word is taken to be a verb: an auxiliary, a past tense, or a frequent one; May is a month."""
    lower = word.lower().replace("’", "'")
    if word == "May":
        return False
    if lower.endswith("n't"):
        return True
    is_past = lower.endswith("ed") and not lower.endswith(("eed", "dred")) and len(lower) > 3 and word.islower()
    return is_past or lower in AUXILIARIES or lower in _VERBS


def has_verb(text: str) -> bool:
    """Whether any word of a text is taken to be a verb."""
    return any(is_verb(each) for each in WORD.findall(text))


def bare(phrase: str) -> str:
    """Return a noun phrase without its determiner."""
    first, _, rest = phrase.partition(" ")
    return rest if rest and first.lower() in DETERMINERS else phrase

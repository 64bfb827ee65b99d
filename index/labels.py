"""Labels: lines that web pages carry besides what they say, told by what English pages write on them everywhere.

"Related articles" is one wherever it stands. "Email" and "a day ago" may as well be words of the text: such lines are
labels only in the company of others, which is for `index/furniture.py` to see.
"""

import re
from enum import Enum

_LONGEST_LINE = 300
_MOST_LINES = 50
# So many lines that are labels only in company make each other's company.
BAR = 3

_MARKS = re.compile(r"^(?:[-*+•‣–—>|#]+\s+)+|[*_`]{1,3}|!?\[(?=[^\]]*\]\()|(?<=[^\]])\]\([^)]*\)")
_FRAME = " \t.:…!?|»«›‹→←▼▲•·-–—()[]✕×"

_PLACES = (
    r"(?:facebook|twitter|x|linkedin|whats ?app|pinterest|reddit|telegram|instagram|tiktok|youtube|tumblr|threads"
    r"|bluesky|mastodon|flipboard|pocket|snapchat|messenger|e-?mail|sms)"
)
_THING = r"(?:article|post|story|page|video|news|recipe|thread|content|author|piece|site|website)"
_MORE = r"(?:articles?|posts?|stories|story|topics?|content|news|links?|reading|coverage|videos?|items|searches|pages)"
_LIST = rf"{_PLACES}(?:\s*(?:,|/|\||&|and|or|·|•)?\s*{_PLACES})*"
_COUNT = r"(?:\d[\d.,]*\s?[km]?|no|one|a few)"

# Lines that stand on pages and nowhere else.
_CERTAIN = re.compile(
    "|".join(
        (
            r"(?:[#＃][^\W_][\w-]*[\s,]*)+",  # nothing but hashtags
            r"hash ?tags",
            rf"(?:related|similar|recommended|popular|trending|latest|more|most read|top) {_MORE}",
            r"(?:you (?:may|might) (?:also )?(?:like|enjoy|be interested in)|people also (?:read|viewed|ask)"
            r"|recommended for you|most (?:read|popular|viewed|shared|commented)|trending now|what to read next"
            r"|more (?:from|in|on|by) (?:this (?:author|section|category|topic|series)|the web|around the web))",
            rf"(?:share|tweet|like|print|save|bookmark|e-?mail|report|listen to|rate) this(?: {_THING})?"
            rf"(?: (?:on|via|with|to|by) .{{1,40}})?",
            rf"(?:share|follow us|find us|like us|join us|connect with us|pin it|post|send)(?: (?:it|this))? "
            rf"(?:on|via|to|by) {_LIST}",
            r"follow (?:us|me|him|her|them|@\w+)(?: (?:on|at) .{1,60})?",
            r"(?:copy|get) (?:the )?(?:link|url)|link copied(?: to clipboard)?|copied to clipboard",
            rf"{_COUNT} comments?(?: yet)?|{_COUNT} (?:likes|shares|retweets|reactions|upvotes|claps"
            rf"|followers|replies)",
            rf"be the first to (?:comment|reply|like this|share)|(?:leave|post|add|write) a (?:comment|reply|review)"
            rf"|(?:show|hide|view|load|see|read|all)(?: all)?(?: {_COUNT})?(?: more)? (?:comments|replies)"
            r"|(?:log|sign) in to (?:comment|reply|leave a comment)|join the (?:conversation|discussion)"
            r"|comments (?:are|have been) (?:closed|disabled|turned off).{0,40}",
            r"(?:load|show|view|see|read) (?:more|less|all)|continue reading(?: below)?|read (?:the )?full "
            rf"{_THING}|back to (?:the )?top|(?:return|go) to (?:the )?top"
            rf"|skip to (?:the )?(?:main )?(?:content|navigation)",
            r"(?:read|watch|listen) (?:more|also|next|now)\s*:\s.{3,160}|also read\s*:\s.{3,160}"
            r"|(?:read|see) (?:more|also|next)",
            r"advertisements?|ad choices|sponsored(?: (?:content|post|by .{1,40}))?|promoted(?: content)?"
            r"|article continues (?:below|after).{0,40}|advertisement\W+.{0,60}",
            r"(?:please )?(?:subscribe|sign up|register)(?: (?:now|today|here))? (?:to|for|and get) .{0,60}"
            r"\b(?:newsletters?|updates|alerts|channel|podcast|e-?mails?|inbox|free|feed)\b.{0,60}"
            r"|(?:get|receive) (?:our|the) .{0,60}(?:newsletters?|in your inbox).{0,60}"
            r"|(?:enter|your) e-?mail(?: address)?|manage (?:your )?(?:subscription|preferences|cookies)|unsubscribe",
            r"(?:this (?:web)?site|we)(?: and our (?:partners|vendors))? (?:uses?|stores?"
            r"|may use) (?:\w+ )?cookies.{0,200}"
            r"|by (?:continuing|clicking|using|browsing|visiting).{0,120}"
            r"(?:you (?:agree|accept|consent)|cookies|terms).{0,120}"
            r"|(?:accept|reject|allow|decline|necessary)(?: all)?(?: (?:the )?cookies)|cookie (?:settings|preferences)",
            r"(?:©|\(c\)|copyright\s*(?:©|\(c\)|\d{4}))\s.{0,120}|all rights reserved.{0,160}",
            r"(?:previous|next|newer|older) (?:article|post|story|page|entry)s?(?:\s*[:»›→].{0,120})?",
            r"\d{1,2}[- ]min(?:ute)?s?(?: of)? read|reading time.{0,30}|estimated reading time.{0,30}",
            r"ページの(?:トップ|先頭)へ(?:戻る|移動)?|(?:この記事を)?シェア(?:する)?|トップへ戻る",
        )
    ),
    re.IGNORECASE,
)

# Lines that may be furniture, in the company of others.
_POSSIBLE = re.compile(
    "|".join(
        (
            _LIST,
            r"(?:share|tweet|print|save|bookmark|like|reply|report|comments?|replies|discussion|login|log ?in|sign ?in"
            r"|sign ?up|log ?out|register|subscribe|menu|search|home|contact(?: us)?|about(?: us)?|help|faq|rss|close"
            r"|more|next|previous|prev|tags?|topics?|filed under.{0,80}|categor(?:y|ies)(?:\s*:.{0,80})?|archives?"
            r"|language|english|follow|feedback|careers|jobs|shop|cart|checkout|account|my account|settings"
            r"|privacy|terms"
            r"|cookies|trending|popular|latest|recommended|related|featured|editor'?s picks?|up next|watch|listen|video"
            r"|photos?|gallery)",
            r"(?:\d{1,3}|an?|one) (?:second|minute|min|hour|hr|day|week|month|year)s? ago|just now|yesterday",
            r"(?:terms (?:of|and) (?:use|service|conditions|sale)|(?:privacy|cookie)(?: policy| notice"
            r"| statement)|legal notice"
            r"|imprint|do not sell my (?:personal )?(?:info|information)|accessibility(?: statement)?|site ?map"
            r"|advertis(?:e|ing)|(?:our )?newsletters?|further reading)",
            r"(?:read|watch|listen)\s*:\s.{3,160}",
            rf"{_COUNT} (?:views|reads|points|votes|likes?)",
            r"@\w{2,30}",
            r"(?:by )?[\w.' -]{3,40}\s+@\w{2,30}",
            r"(?:try|explore|discover|download|get|join|click|tap|unlock|upgrade)\b.{0,60}\b(?:our|us|app|apps|here|now"
            r"|free|features?|for you|premium|account)\b.{0,30}",
        )
    ),
    re.IGNORECASE,
)


class Likeness(Enum):
    """How much like a label a line is."""

    CERTAIN = "certain"
    POSSIBLE = "possible"
    NONE = "none"


def likeness_of(words: str) -> Likeness:
    """Return how much like labels some lines are, each of them, Markdown's marks and the signs around them aside.

    Where all may be labels and one is for certain, or there are as many as make a bar, they are for certain.
    """
    lines = [line for line in words.splitlines() if line.strip()]
    found = [_likeness(line) for line in lines[: _MOST_LINES + 1]]
    if not found or len(lines) > _MOST_LINES or Likeness.NONE in found:
        return Likeness.NONE
    return Likeness.CERTAIN if Likeness.CERTAIN in found or len(found) >= BAR else Likeness.POSSIBLE


def _likeness(line: str) -> Likeness:
    if len(line) > _LONGEST_LINE:
        return Likeness.NONE
    plain = " ".join(_MARKS.sub("", line).split())
    bare = plain.strip(_FRAME)
    if any(each and _CERTAIN.fullmatch(each) for each in (plain, bare)):
        return Likeness.CERTAIN
    return Likeness.POSSIBLE if _POSSIBLE.fullmatch(bare) else Likeness.NONE

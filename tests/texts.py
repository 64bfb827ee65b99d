"""Texts for property tests: what people send, and what breaks things."""

from hypothesis import strategies as st

# Prose, layout, Markdown, every line end, scripts without spaces, astral and combining characters, joiners.
PIECES = (
    "The delegation arrived on 5 March 2025. ",
    "How many trucks? Forty-two, he said! ",
    "Ts. Byambajav and Gen. Alexus met at 6 a.m. Residents slept. ",
    "A line that a mail program has wrapped because the page was no wider than this",
    "word ",
    "word",
    ".",
    "...",
    "?!\u201d ",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\n\r\n\r",
    "\t",
    "\v\f",
    "\x1c",
    "\x85",
    "\u00a0",
    "\u2028",
    "\u3000",
    "# Heading\n",
    "Heading\n=======\n",
    "- item\n",
    "1. ",
    "> quoted\n",
    "    code\n",
    "```\n",
    "| a | b |\n|---|---|\n| c | d |\n",
    "[label]: https://example.org\n",
    "<div>\n",
    "---\n",
    "\ufeff",
    "\u200b",
    "\u200d",
    "e\u0301",
    "\u0301",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1f2\U0001f1f3",
    "\U00020000",
    "x" * 90,
    "語" * 40,
    "今日は。明日も！",
    "ภาษาไทยไม่มีช่องว่าง",
    "עברית",
    "\x07",
)

_ANY_CHARACTER = st.characters(codec="utf-8", exclude_characters="\0")

# Decoded text as it may come in; it always holds something that is not white space.
raw_texts: st.SearchStrategy[str] = st.lists(
    st.sampled_from(PIECES) | st.text(_ANY_CHARACTER, max_size=8), min_size=1, max_size=30
).map("".join)
raw_texts = raw_texts.filter(lambda text: text.lstrip("\ufeff").strip() != "")

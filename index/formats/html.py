"""HTML: the text of a page, its headings, lists and tables as lines, without navigation and the like (lxml)."""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree, html

from index.errors import DamagedFile, EmptyFile, FileOverLimit
from index.formats.draft import Draft, clean
from index.formats.limits import Limits

# Deeper than people nest, and less deep than Python's stack.
_DEEPEST = 400

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_NEVER = {
    *(
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math",
        "iframe",
        "object",
        "embed",
        "audio",
        "video",
        "canvas",
    ),
    *("head", "select", "textarea", "datalist", "map", "area", "dialog"),
}
_BLOCKS = {
    *(
        "html",
        "body",
        "div",
        "section",
        "article",
        "main",
        "header",
        "footer",
        "nav",
        "aside",
        "p",
        "blockquote",
        "pre",
    ),
    *("figure", "figcaption", "address", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr"),
    *("td", "th", "caption", "form", "fieldset", "legend", "details", "summary", "hr", "center", "menu", "hgroup"),
    *_HEADINGS,
}
_CELLS = ("td", "th")
# What holds text of the page, whatever it is called.
_TEXT_TAGS = {
    "p",
    "tr",
    "td",
    "th",
    "caption",
    "tbody",
    "thead",
    "tfoot",
    "html",
    "body",
    "main",
    "article",
    *_HEADINGS,
}

_ROLES = {"navigation", "banner", "contentinfo", "complementary", "search", "dialog", "alertdialog", "menu", "menubar"}
_NAME = re.compile(r"[^a-z0-9]+")
# Words in the classes and ids of what is no text of a page, wherever it stands.
_FURNITURE = {
    *("nav", "navbar", "navigation", "breadcrumb", "breadcrumbs", "cookie", "cookies", "consent", "gdpr", "newsletter"),
    *("subscribe", "advert", "advertisement", "adsense", "sponsored", "comments", "disqus", "popup", "modal", "skip"),
    *("sharing", "sharebar", "sharebuttons", "addtoany", "noprint", "paywall", "pagination", "pager", "editsection"),
}
# The same, where it is short or made of links.
_LIKELY = {
    *(
        "menu",
        "share",
        "social",
        "related",
        "recommended",
        "recommendations",
        "trending",
        "popular",
        "promo",
        "sidebar",
    ),
    *("footer", "header", "toc", "ad", "ads", "tags", "banner", "toolbar", "widget", "byline", "reference"),
}
# Links that lead back from a note, or to the heading that they stand in.
_ARROWS = {"↑", "↩", "↩︎", "^", "¶", "#", "§"}
_SHORT = 120
_LINKED = 0.6
_ALL_LINKED = 0.85
# Nothing that holds so much of a page's text is taken for furniture by its name.
_MOST_OF_PAGE = 0.5
_OF_LINKS = re.compile(
    r"(?:related|more|read|recommended|popular|trending|latest|share|follow|see also|you may|newsletter"
    r"|\d* ?comments?)",
    re.IGNORECASE,
)


def read_html(text: str, limits: Limits) -> Iterator[dict[str, Any]]:
    """Yield the document of a web page.

    Raises:
        EmptyFile: it holds no text.
        DamagedFile: it cannot be parsed.
        FileOverLimit: it is nested too deeply, or holds too many characters.
    """
    root = parse(text)
    title = clean(root.findtext(".//title") or "")
    _Pruning(root).prune()
    draft = Draft(limits)
    main = _main(root)
    if main.find(".//h1") is None and (heading := root.find(".//h1")) is not None:
        draft.add_heading(clean(_text(heading)), 1)
    write(main, draft)
    yield draft.finish(title=(draft.first_heading or title or None) and (draft.first_heading or title)[:500])


def parse(text: str) -> Any:
    """Return the root element of a page.

    Raises:
        EmptyFile: there is nothing in it.
        DamagedFile: it cannot be parsed.
        FileOverLimit: it is nested too deeply.
    """
    if not text.strip():
        raise EmptyFile("The page holds no text.")
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=False, no_network=True)
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError as error:
        raise EmptyFile("The page holds no text.") from error
    except etree.XMLSyntaxError as error:
        if error.code == etree.ErrorTypes.ERR_NO_MEMORY or not len(parser.error_log):  # nothing is wrong with the page
            raise MemoryError from error
        raise DamagedFile(f"The page cannot be parsed: {error}.") from error
    depth = 0
    deepest = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    if deepest > _DEEPEST or any("depth" in entry.message for entry in parser.error_log):
        raise FileOverLimit(f"The page is nested more than {_DEEPEST} elements deep; send its text.")
    return root


def write(element: Any, draft: Draft) -> None:
    """Write what stands in an element to a draft, line by line."""
    _Writer(draft).write(element)


class _Pruning:
    """Takes out of a page what is no text of its own."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._size = len(_text(root)) or 1

    def prune(self) -> None:
        """Take it out."""
        for element in list(self._root.iter()):
            if not isinstance(element.tag, str) or element is self._root or element.tag == "body":
                continue
            if element.getparent() is not None and self._is_furniture(element):
                _drop(element)
        for heading in self._root.xpath("//h2 | //h3 | //h4 | //h5 | //h6"):
            if _OF_LINKS.match(clean(_text(heading))) and not _has_text_below(heading):
                _drop(heading)

    def _is_furniture(self, element: Any) -> bool:
        if _is_unseen(element):
            return True
        if element.tag in _TEXT_TAGS:
            return False
        if element.find(".//h1") is not None:
            return False
        inside = any(True for _ in element.iterancestors("article", "main", "blockquote"))
        if (
            element.tag in ("nav", "button", "aside")
            or (element.tag in ("header", "footer") and not inside)
            or (element.get("role") or "").lower() in _ROLES
        ):
            return True
        words = clean(_text(element))
        if len(words) > _MOST_OF_PAGE * self._size:
            return False
        links = [clean(_text(link)) for link in element.iter("a")]
        linked = sum(map(len, links)) / (len(words) or 1)
        names = set(_NAME.split(f"{element.get('class') or ''} {element.get('id') or ''}".lower()))
        return (
            not names.isdisjoint(_FURNITURE)
            or (not names.isdisjoint(_LIKELY) and (len(words) < _SHORT or linked >= _LINKED))
            or (element.tag in ("ul", "ol", "div") and len(links) >= 3 and linked >= _ALL_LINKED and not inside)
        )


def _is_unseen(element: Any) -> bool:
    style = (element.get("style") or "").replace(" ", "").lower()
    return (
        element.tag in _NEVER
        or element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or "display:none" in style
        or "visibility:hidden" in style
    )


def _main(root: Any) -> Any:
    """Return the element that holds what a page is about."""
    for path in ("//main | //*[@role='main']", "//article[not(ancestor::article)]"):
        found = root.xpath(path)
        if len(found) == 1 and len(clean(_text(found[0]))) >= 0.3 * len(clean(_text(root))):
            return found[0]
    body = root.find("body")
    return root if body is None else body


def _has_text_below(heading: Any) -> bool:
    following = heading.getnext()
    return following is not None and following.tag not in _HEADINGS and bool(clean(_text(following)))


def _drop(element: Any) -> None:
    """Take an element out of its tree, but not the text behind it."""
    parent, before, tail = element.getparent(), element.getprevious(), element.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + " " + tail
    else:
        parent.text = (parent.text or "") + " " + tail
    parent.remove(element)


def _text(element: Any) -> str:
    return "".join(element.itertext())


class _Writer:
    """Writes elements as lines. Text that no block holds gathers in `_words` until the next one begins."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._words: list[str] = []
        self._mark = ""
        self._is_close = False

    def write(self, element: Any) -> None:
        self._children(element)
        self._flush()

    def _flush(self) -> None:
        words = clean("".join(self._words))
        self._words.clear()
        if words:
            self._draft.add_line(self._mark + words, close=self._is_close)
            self._mark = ""

    def _children(self, element: Any) -> None:
        self._words.append(element.text or "")
        for child in element:
            if isinstance(child.tag, str):
                self._element(child)
            self._words.append(child.tail or "")

    def _element(self, element: Any) -> None:
        tag = element.tag
        if tag in _NEVER or (tag == "a" and clean(_text(element)) in _ARROWS):
            return
        if tag == "br":
            self._flush()
            self._is_close = self._is_close or not self._draft.is_empty
        elif tag not in _BLOCKS:
            self._children(element)
        else:
            self._flush()
            self._block(element, tag)
            self._flush()

    def _block(self, element: Any, tag: str) -> None:
        if tag in _HEADINGS:
            for link in [each for each in element.iter("a") if clean(_text(each)) in _ARROWS]:
                _drop(link)
            self._draft.add_heading(clean(_text(element)), _HEADINGS[tag])
        elif tag in ("ul", "ol", "menu"):
            self._list(element, ordered=tag == "ol")
        elif tag == "dl":
            self._definitions(element)
        elif tag == "table":
            self._table(element)
        elif tag == "pre":
            for line in _text(element).splitlines():
                self._draft.add_line(clean(line), close=True)
        else:
            was_close, self._is_close = self._is_close, False
            self._children(element)
            self._flush()
            self._is_close = was_close

    def _list(self, element: Any, *, ordered: bool) -> None:
        first = element.get("start") or "1"
        number = int(first) if first.isdecimal() and len(first) < 7 else 1
        for item in element:
            if item.tag != "li":
                if isinstance(item.tag, str):
                    self._element(item)
                continue
            self._mark = f"{number}. " if ordered else "- "
            number += 1
            was_close, self._is_close = self._is_close, True
            self._children(item)
            self._flush()
            self._is_close, self._mark = was_close, ""

    def _definitions(self, element: Any) -> None:
        term = ""
        for child in element.iter("dt", "dd"):
            words = clean(_text(child))
            if child.tag == "dt":
                if term:
                    self._draft.add_line(term, close=True)
                term = words
            else:
                self._draft.add_line(f"{term}: {words}" if term else words, close=True)
                term = ""
        if term:
            self._draft.add_line(term, close=True)

    def _table(self, table: Any) -> None:
        """Write a table as a line a row; in each, a cell is named by the head of its column."""
        if table.find(".//table") is not None or any(
            cell.find(f".//{tag}") is not None for cell in table.iter(*_CELLS) for tag in _HEADINGS
        ):
            for cell in table.iter(*_CELLS):  # a table for the sake of the layout
                if not any(True for _ in cell.iterdescendants(*_CELLS)):
                    self._block(cell, "div")
            return
        heads: list[str] = []
        for caption in table.findall("caption"):
            self._draft.add_line(clean(_text(caption)))
        for row in table.iter("tr"):
            cells = [cell for cell in row if cell.tag in _CELLS]
            words = [clean(" ".join(cell.itertext())) for cell in cells]
            if not any(words):
                continue
            is_head = all(cell.tag == "th" for cell in cells) and len(cells) > 1
            if is_head:
                heads = heads or words
            named = len(words) == len(heads) and not is_head
            shown = (
                [f"{head}: {each}" if head and each else each for head, each in zip(heads, words, strict=True)]
                if named
                else words
            )
            self._draft.add_line(" | ".join(each for each in shown if each), close=True)

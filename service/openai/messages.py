"""Messages: a response as a chat shows it, in Markdown, with the citations that its marks stand for."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.answering import Response, Shown
from service.answers import Answer, disagrees
from service.citations import Citation, Excerpt
from service.followups.mentions import READ_AS
from service.openai.markdown import bold, escape, link, plain

# More sentences are not quoted: what says the same once more is named, and linked, without its words.
_QUOTES = 3
_NEAREST = 3
_EXCERPT = 200

_PARAGRAPH_ENDS = re.compile(r"(?<=\n\n)")


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a message refers to a citation: `content[start:end]` is the mark, in Unicode code points."""

    start: int
    end: int
    citation: Citation

    @property
    def title(self) -> str:
        """The title of the cited document, never empty."""
        return title_of(self.citation)


@dataclass(frozen=True, slots=True)
class Source:
    """A citation that a message refers to, and the confidence of the answer that it belongs to."""

    citation: Citation
    confidence: float


@dataclass(frozen=True, slots=True)
class Message:
    """What is said, in Markdown, and where it refers to what. The first of the `sources` has the number 1."""

    content: str
    marks: tuple[Mark, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def paragraphs(self) -> list[str]:
        """The content in pieces that a stream may send one after the other."""
        return [piece for piece in _PARAGRAPH_ENDS.split(self.content) if piece]


def title_of(citation: Citation) -> str:
    """Return a document's title in one line of plain text, or its source where it has none."""
    return plain(citation.document_title).strip() or plain(citation.source)


def make_message(
    response: Response, *, min_confidence: float, url_of: Callable[[str, int, int], str], linked: bool = True
) -> Message:
    """Say what came of a question: the answer in the documents' words, the sentences that hold it, and the sources.

    Answers that contradict each other stand side by side, as far as they reach `min_confidence`. Without an answer, the
    nearest passages are named; `url_of` returns the address of a document (its id) at some words (start and end).
    With `linked`, marks are links, and the sources are listed; without, marks are bare numbers, for front ends that
    show the sources themselves.
    """
    writer = _Writer(linked=linked)
    if response.standalone_question is not None:
        writer.write(f"*{READ_AS}* “{escape(response.standalone_question)}”\n\n")
    if response.answer is None:
        _write_silence(writer, response.passages, url_of)
        return writer.message()
    answers = [response.answer]
    if response.agreement == "conflicting":
        answers += [each for each in response.alternatives if disagrees(response.answer, each, min_confidence)]
        writer.write("The documents say different things:\n\n")
    for answer in answers:
        _write_answer(writer, answer)
    writer.write_sources()
    return writer.message()


class _Writer:
    """Writes a message and numbers what it cites in the order in which it is cited."""

    def __init__(self, *, linked: bool) -> None:
        self._linked = linked
        self._content = ""
        self._marks: list[Mark] = []
        self._sources: dict[tuple[str, int, int], Source] = {}

    def write(self, markdown: str) -> None:
        self._content += markdown

    def mark(self, citation: Citation, confidence: float) -> None:
        """Refer to a citation."""
        key = (citation.document_id, citation.cited.start, citation.cited.end)
        self._sources.setdefault(key, Source(citation, confidence))
        number = list(self._sources).index(key) + 1
        mark = link(f"[{number}]", citation.url) if self._linked else f"[{number}]"
        self._content += " "
        self._marks.append(Mark(len(self._content), len(self._content) + len(mark), citation))
        self._content += mark

    def write_sources(self) -> None:
        if not self._linked:
            return
        self.write("Sources:\n\n")
        for number, source in enumerate(self._sources.values(), start=1):
            citation = source.citation
            section = citation.section if citation.section != citation.document_title else None
            page = None if citation.page is None else f"page {citation.page}"
            place = "".join(f", {escape(each)}" for each in (section, page) if each)
            self.write(f"{number}. {link(escape(title_of(citation)), citation.url)}{place}\n")

    def message(self) -> Message:
        return Message(self._content.rstrip(), tuple(self._marks), tuple(self._sources.values()))


def _write_answer(writer: _Writer, answer: Answer) -> None:
    quotes: dict[str, list[Citation]] = {}
    for citation in answer.citations:
        quotes.setdefault(citation.sentence.text, []).append(citation)
    if answer.text not in quotes:  # else the sentence is the answer
        writer.write(f"**{escape(answer.text)}**\n\n")
    for sentence, citations in list(quotes.items())[:_QUOTES]:
        writer.write(f"> {_quote(sentence, citations)}")
        for citation in citations:
            writer.mark(citation, answer.confidence)
        writer.write("\n\n")
    if rest := [each for citations in list(quotes.values())[_QUOTES:] for each in citations]:
        writer.write("Also:")
        for citation in rest:
            writer.mark(citation, answer.confidence)
        writer.write("\n\n")


def _quote(sentence: str, citations: Sequence[Citation]) -> str:
    """Return a sentence with the cited words in bold, unless all of it is cited."""
    spans = sorted({_within(each.cited, each.sentence) for each in citations})
    shown, end = "", 0
    for start, stop in spans:
        if start >= end and (start, stop) != (0, len(sentence)):
            after = escape(sentence[stop : stop + 1])
            before = shown + escape(sentence[end:start])
            shown = bold(before, escape(sentence[start:stop]), after).removesuffix(after)
            end = stop
    return shown + escape(sentence[end:])


def _within(cited: Excerpt, sentence: Excerpt) -> tuple[int, int]:
    return cited.start - sentence.start, cited.end - sentence.start


def _write_silence(writer: _Writer, passages: Sequence[Shown], url_of: Callable[[str, int, int], str]) -> None:
    writer.write("The documents do not say.\n\n")
    if not passages:
        return
    writer.write("The nearest passages:\n\n")
    for number, shown in enumerate(passages[:_NEAREST], start=1):
        found, passage = shown.hit.found, shown.hit.found.passage
        title = plain(found.document_title).strip() or plain(found.source)
        url = url_of(found.document_id, passage.start, passage.end)
        writer.write(f"{number}. {link(escape(title), url)}: “{escape(_beginning(passage.text))}”\n")


def _beginning(text: str) -> str:
    """Return the first words of a text."""
    line = plain(text).strip()
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT].rsplit(' ', 1)[0]} …"

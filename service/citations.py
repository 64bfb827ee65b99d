"""Citations: where in which document an answer stands, checked before it is shown."""

from dataclasses import dataclass
from urllib.parse import quote

from index.errors import UnresolvableCitation
from index.library import DEFAULT_COLLECTION
from index.retriever import Hit
from service.reader.reader import Span


@dataclass(frozen=True, slots=True)
class Excerpt:
    """`document.text[start:end] == text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A cited span of a document, with the sentence around it. Offsets are code points of the canonical text."""

    document_id: str
    document_title: str
    section: str | None
    source: str
    content_sha256: str
    cited: Excerpt
    sentence: Excerpt
    page: int | None
    """The page on which the cited words begin, counted from 1; None where the document has no pages."""
    url: str


def cite(hit: Hit, span: Span, *, base_url: str, collection: str = DEFAULT_COLLECTION) -> Citation:
    """Return the citation of a span of a hit's passage.

    Raises:
        UnresolvableCitation: the span does not stand in the passage.
    """
    found, passage = hit.found, hit.found.passage
    if not passage.start <= span.start < span.end <= passage.end:
        raise UnresolvableCitation(
            f"Span {span.start}-{span.end} is not within passage {passage.start}-{passage.end} of {found.document_id}."
        )

    def excerpt(start: int, end: int) -> Excerpt:
        return Excerpt(start, end, passage.words(start, end))

    around = [each for each in passage.sentences if each.start < span.end and span.start < each.end]
    if not around:
        raise UnresolvableCitation(f"Span {span.start}-{span.end} of {found.document_id} lies between two sentences.")
    return Citation(
        found.document_id,
        found.document_title,
        passage.section,
        found.source,
        found.content_sha256,
        excerpt(span.start, span.end),
        excerpt(min(span.start, around[0].start), max(span.end, around[-1].end)),
        found.page_at(span.start),
        span_url(found.document_id, span.start, span.end, base_url=base_url, collection=collection),
    )


def page_url(document_id: str, *, base_url: str, collection: str = DEFAULT_COLLECTION) -> str:
    """Return the URL of a document for people. The collection is named where it is not the default one."""
    query = "" if collection == DEFAULT_COLLECTION else f"?collection={quote(collection)}"
    return f"{base_url}/documents/{quote(document_id)}{query}"


def span_url(document_id: str, start: int, end: int, *, base_url: str, collection: str = DEFAULT_COLLECTION) -> str:
    """Return the URL that opens a document at some of its words: RFC 5147's syntax, `char=start,end`."""
    return f"{page_url(document_id, base_url=base_url, collection=collection)}#char={start},{end}"

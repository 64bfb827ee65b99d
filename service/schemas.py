"""Schemas: the JSON of the HTTP edge. Unknown fields are an error: they are nearly always typing errors."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from index import collection as collections
from index.collection import Receipt
from index.documents import (
    MAX_SOURCE_LENGTH,
    MAX_TAG_LENGTH,
    MAX_TAGS,
    MAX_TITLE_LENGTH,
    Scalar,
    checked_day,
    make_document,
)
from index.documents import Document as NewDocument
from index.errors import InvalidDocument
from index.filters import Days as StoreDays
from index.filters import Filters as StoreFilters
from index.jobs import FAILURES_KEPT, JobKind, JobState, Tally
from index.jobs import Failure as LineFailure
from index.jobs import Job as JobRecord
from index.library import COLLECTION_NAME_PATTERN, DEFAULT_COLLECTION
from index.records import DocumentRecord
from index.retriever import Hit
from index.structure import MAX_HEADINGS, MAX_LEVEL, MAX_PAGES, Heading, Structure
from service import answering, answers, citations
from service.question import MAX_QUESTION_LENGTH

MAX_FIELDS = 100
MAX_TOP_K = 20
MAX_FILTER_VALUES = 1000


def _few_fields(value: Any) -> Any:
    """Refuse objects of thousands of fields before each of them is looked at and complained of."""
    if isinstance(value, dict) and len(value) > MAX_FIELDS:
        raise ValueError(f"at most {MAX_FIELDS} fields are allowed")
    return value


def _day(value: str) -> str:
    try:
        return checked_day(value)
    except InvalidDocument as error:
        raise ValueError(str(error)) from None


def body_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a body that a route parses itself, without references: it stands in another schema."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def inlined(value: Any) -> Any:
        if isinstance(value, list):
            return [inlined(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return inlined(parts[value["$ref"].rpartition("/")[2]])
        return {name: inlined(each) for name, each in value.items()}

    found: dict[str, Any] = inlined(schema)
    return found


CollectionName = Annotated[str, Field(pattern=COLLECTION_NAME_PATTERN, description="The collection's name.")]
Question = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_QUESTION_LENGTH,
        pattern=r"\S",
        examples=["How many fire trucks did the 2019 loan secure?"],
    ),
]
FilterValues = Annotated[list[str], Field(max_length=MAX_FILTER_VALUES)]
Day = Annotated[str, AfterValidator(_day), Field(examples=["2025-01-31"], description="A day as YYYY-MM-DD.")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    _check_size = model_validator(mode="before")(_few_fields)


def _values(given: list[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(given)


class Days(_Request):
    """The days from one to another, both included; an end that is not given is open."""

    first: Day | None = Field(None, alias="from")
    last: Day | None = Field(None, alias="to")

    def to_store(self) -> StoreDays:
        """Return the same days for the index."""
        return StoreDays(self.first, self.last)


class Filters(_Request):
    """Limits a search to some documents: those that pass every filter given. A list is passed by any of its values."""

    document_id: FilterValues | None = None
    source: FilterValues | None = None
    title: FilterValues | None = None
    tags: FilterValues | None = Field(None, description="Documents that have one of these tags.")
    date: Days | None = Field(None, description="The document's own date; one without a date does not pass.")
    created_at: Days | None = Field(None, description="When it first came, in UTC.")
    updated_at: Days | None = Field(None, description="When it last changed, in UTC.")

    def to_store(self) -> StoreFilters:
        """Return the same filters for the index."""
        return StoreFilters(
            document_id=_values(self.document_id),
            source=_values(self.source),
            title=_values(self.title),
            tags=_values(self.tags),
            date=None if self.date is None else self.date.to_store(),
            created_at=None if self.created_at is None else self.created_at.to_store(),
            updated_at=None if self.updated_at is None else self.updated_at.to_store(),
        )


class SearchRequest(_Request):
    """A question to find passages for."""

    question: Question
    top_k: int = Field(5, ge=1, le=MAX_TOP_K, description="How many passages to show.")
    collection: CollectionName = DEFAULT_COLLECTION
    filters: Filters | None = None

    @property
    def store_filters(self) -> StoreFilters | None:
        """The filters for the index."""
        return None if self.filters is None else self.filters.to_store()


class AskRequest(SearchRequest):
    """A question to answer."""

    min_confidence: float | None = Field(
        None, ge=0, le=1, description="Abstain below this confidence; default: the service's own threshold."
    )


class _Described(_Request):
    """What is said of a document besides its text."""

    title: str | None = Field(None, max_length=MAX_TITLE_LENGTH, description="Default: taken from the text.")
    source: str | None = Field(
        None, max_length=MAX_SOURCE_LENGTH, description="Unique in the collection; default: `upload:<content_sha256>`."
    )
    metadata: Annotated[dict[str, Scalar], BeforeValidator(_few_fields)] = Field(
        default_factory=dict, description="Kept with the document and shown with it."
    )
    tags: list[str] = Field(
        default_factory=list,
        description=f"What to filter by: at most {MAX_TAGS} of at most {MAX_TAG_LENGTH} characters.",
    )
    date: str | None = Field(None, description="The document's own date, a day as YYYY-MM-DD.")


class HeadingSpan(_Request):
    """A heading: a line of the text, or a part of one."""

    start_char_index: int = Field(ge=0)
    end_char_index: int = Field(ge=0)
    level: int = Field(ge=1, le=MAX_LEVEL, description="1 is the highest.")


class DocumentLine(_Described):
    """A document to add, or to replace the one from the same source with; one line of a batch."""

    text: str = Field(description="Plain text; Markdown where the source ends in .md and no headings are given.")
    pages: Annotated[list[int], Field(max_length=MAX_PAGES)] | None = Field(
        None, description="Where each page begins in the text, from 0; citations name them."
    )
    headings: Annotated[list[HeadingSpan], Field(max_length=MAX_HEADINGS)] | None = Field(
        None, description="The headings; citations name the nearest above as section. Without: told by the layout."
    )

    def to_document(self) -> NewDocument:
        """Return the document.

        Raises:
            InvalidDocument: it cannot be taken.
        """
        return make_document(
            self.text,
            source=self.source,
            title=self.title,
            metadata=self.metadata,
            tags=self.tags,
            date=self.date,
            structure=self._structure(),
        )

    def _structure(self) -> Structure | None:
        if self.pages is None and self.headings is None:
            return None
        headings = (Heading(each.start_char_index, each.end_char_index, each.level) for each in self.headings or ())
        return Structure(tuple(self.pages or ()), tuple(headings))


class DocumentRequest(DocumentLine):
    """A document to add, or to replace the one from the same source with."""

    collection: CollectionName = DEFAULT_COLLECTION


class FileFields(_Described):
    """The fields of a form besides its file."""

    source: str | None = Field(
        None, max_length=MAX_SOURCE_LENGTH, description="Unique in the collection; default: the file's name."
    )
    collection: CollectionName = DEFAULT_COLLECTION


class Excerpt(BaseModel):
    """`document[start_char_index:end_char_index] == text`, in Unicode code points of the document's text."""

    start_char_index: int
    end_char_index: int
    text: str


class Citation(BaseModel):
    """A place in a document: `text[start_char_index:end_char_index] == cited_text`."""

    type: Literal["char_location"] = "char_location"
    document_id: str
    document_title: str
    section: str | None
    source: str
    content_sha256: str
    start_char_index: int
    end_char_index: int
    cited_text: str
    sentence: Excerpt
    page: int | None = Field(description="Where the cited words begin, from 1; null where there are no pages.")
    url: str

    @classmethod
    def of(cls, citation: citations.Citation) -> Self:
        """Return a citation as JSON shows it."""
        return cls(
            document_id=citation.document_id,
            document_title=citation.document_title,
            section=citation.section,
            source=citation.source,
            content_sha256=citation.content_sha256,
            start_char_index=citation.cited.start,
            end_char_index=citation.cited.end,
            cited_text=citation.cited.text,
            sentence=Excerpt(
                start_char_index=citation.sentence.start,
                end_char_index=citation.sentence.end,
                text=citation.sentence.text,
            ),
            page=citation.page,
            url=citation.url,
        )


class Answer(BaseModel):
    """Words of the documents, with every place where they stand."""

    text: str
    confidence: float = Field(ge=0, le=1)
    citations: list[Citation]

    @classmethod
    def of(cls, answer: answers.Answer) -> Self:
        """Return an answer as JSON shows it."""
        shown = [Citation.of(citation) for citation in answer.citations]
        return cls(text=answer.text, confidence=round(answer.confidence, 4), citations=shown)


class Passage(BaseModel):
    """A retrieved passage; `score` is the retriever's: at most 1, and it compares passages of one response only."""

    document_id: str
    document_title: str
    source: str
    start_char_index: int
    end_char_index: int
    text: str
    score: float

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """Return a hit as JSON shows it."""
        found, passage = hit.found, hit.found.passage
        return cls(
            document_id=found.document_id,
            document_title=found.document_title,
            source=found.source,
            start_char_index=passage.start,
            end_char_index=passage.end,
            text=passage.text,
            score=round(hit.score, 4),
        )


class ReadPassage(Passage):
    """A passage near the question. The order is the reader's: the one that answers it most likely comes first."""

    relevance: float | None = Field(
        description="How likely the passage answers the question, as the reader sees it; null where it was not read."
    )

    @classmethod
    def shown(cls, shown: answering.Shown) -> Self:
        """Return a shown passage as JSON shows it."""
        relevance = None if shown.relevance is None else round(shown.relevance, 4)
        return cls(**Passage.of(shown.hit).model_dump(), relevance=relevance)


class Timings(BaseModel):
    """Milliseconds that the parts of an answer took; waiting in the queue is not among them."""

    retrieve: float
    read: float
    total: float


class AskResponse(BaseModel):
    """The answer, or null where the documents do not say; the nearest passages and alternatives show either way."""

    id: str
    question: str
    answerable: bool
    answer: Answer | None
    alternatives: list[Answer]
    agreement: answers.Agreement | None
    passages: list[ReadPassage]
    fingerprint: str = Field(description="Same fingerprint and same request: same answer.")
    timings_ms: Timings

    @classmethod
    def of(cls, response: answering.Response) -> Self:
        """Return a response as JSON shows it."""
        timings = response.timings
        return cls(
            id=response.id,
            question=response.question,
            answerable=response.answer is not None,
            answer=None if response.answer is None else Answer.of(response.answer),
            alternatives=[Answer.of(each) for each in response.alternatives],
            agreement=response.agreement,
            passages=[ReadPassage.shown(each) for each in response.passages],
            fingerprint=response.fingerprint,
            timings_ms=Timings(
                retrieve=round(timings.retrieve, 2), read=round(timings.read, 2), total=round(timings.total, 2)
            ),
        )


class SearchResponse(BaseModel):
    """The passages nearest to a question."""

    question: str
    passages: list[Passage]
    fingerprint: str

    @classmethod
    def of(cls, question: str, hits: Sequence[Hit], fingerprint: str) -> Self:
        """Return hits as JSON shows them."""
        return cls(question=question, passages=[Passage.of(hit) for hit in hits], fingerprint=fingerprint)


class DocumentReceipt(BaseModel):
    """What became of a document; it is durable when this is sent."""

    id: str
    title: str
    source: str
    generation: int = Field(description="The change of the collection that last wrote the document.")
    passages: int
    content_sha256: str

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """Return a receipt as JSON shows it."""
        record = receipt.record
        return cls(
            id=record.id,
            title=record.title,
            source=record.source,
            generation=record.generation,
            passages=record.passages,
            content_sha256=record.content_sha256,
        )


class Document(BaseModel):
    """A document without its text, which stands at `/v1/documents/{id}/text`."""

    id: str
    title: str
    source: str
    generation: int
    passages: int
    characters: int
    content_sha256: str
    metadata: dict[str, Any]
    tags: list[str]
    date: str | None
    created_at: str
    updated_at: str
    structure_sha256: str | None = Field(description="A hash of its pages and headings; null where it has none.")
    pages: int | None = Field(description="How many pages it has; null where it has none.")

    @classmethod
    def of(cls, record: DocumentRecord) -> Self:
        """Return a stored document as JSON shows it."""
        return cls.model_validate(asdict(record) | {"tags": list(record.tags)})


class DocumentList(BaseModel):
    """A page of documents; `next_cursor` asks for the next one and is null on the last."""

    items: list[Document]
    next_cursor: str | None


class CollectionRequest(_Request):
    """A collection to create."""

    name: CollectionName


class Collection(BaseModel):
    """A set of documents that is searched together."""

    name: str
    documents: int
    passages: int
    generation: int = Field(description="The number of its last change.")
    index: Literal["current", "outdated"] = Field(
        description="`outdated`: it was built by other settings, and serves until another one is built."
    )

    @classmethod
    def of(cls, collection: collections.Collection) -> Self:
        """Return a collection as JSON shows it."""
        documents, passages = collection.counts()
        return cls(
            name=collection.name,
            documents=documents,
            passages=passages,
            generation=collection.generation(),
            index="current" if collection.is_current else "outdated",
        )


class CollectionList(BaseModel):
    """A page of collections; `next_cursor` asks for the next one and is null on the last."""

    items: list[Collection]
    next_cursor: str | None


class Failure(BaseModel):
    """A line of a batch that was not taken."""

    line: int = Field(description="Counted from 1, blank lines included.")
    detail: str


class BatchReport(BaseModel):
    """What became of the lines of a batch. What was taken is durable when this is sent."""

    lines: int = Field(description="How many lines there were, blank ones included.")
    added: int
    replaced: int
    unchanged: int
    failed: int
    failures: list[Failure] = Field(description=f"The first {FAILURES_KEPT} of them.")

    @classmethod
    def of(cls, tally: Tally) -> Self:
        """Return a tally as JSON shows it."""
        content = asdict(tally)
        return cls.model_validate({**content, "lines": content.pop("done"), "failures": list(content["failures"])})


class JobRequest(_Request):
    """A job to begin."""

    kind: Literal["reindex"]
    collection: CollectionName = DEFAULT_COLLECTION


class Job(BaseModel):
    """A long piece of work: how far it has come, and what became of it."""

    id: str
    kind: JobKind
    collection: str
    state: JobState
    total: int | None = Field(description="Lines of a batch, documents of an index; null while it is not known.")
    done: int = Field(description="How many are through. What they changed is durable.")
    added: int
    replaced: int
    unchanged: int
    failed: int
    error: str | None = Field(description="Why it did not come to its end, and what to do.")
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, job: JobRecord, collection: str) -> Self:
        """Return a job as JSON shows it."""
        return cls.model_validate(asdict(job) | {"collection": collection})


class JobDetails(Job):
    """A job with the lines that failed."""

    failures: list[Failure] = Field(description=f"The first {FAILURES_KEPT} of them.")

    @classmethod
    def with_failures(cls, job: JobRecord, failures: Sequence[LineFailure], collection: str) -> Self:
        """Return a job and what failed as JSON shows them."""
        lines = [asdict(each) for each in failures]
        return cls.model_validate(asdict(job) | {"collection": collection, "failures": lines})


class JobList(BaseModel):
    """A page of jobs, the newest first; `next_cursor` asks for the next one and is null on the last."""

    items: list[Job]
    next_cursor: str | None


class Health(BaseModel):
    """A sign of life."""

    status: Literal["alive", "ready"]

"""Ground: the documents that a conversation is about."""

from collections.abc import Sequence
from dataclasses import replace

from index.collection import Collection
from index.filters import NO_FILTERS, Filters
from index.retriever import Hit
from index.words import holds_phrase, words_of
from service.answers import JOINED
from service.followups.exchange import Exchange


def documents_spoken_of(
    collection: Collection, before: Exchange, *, depth: int, filters: Filters | None
) -> tuple[str, ...]:
    """Return the ids of the documents in which the last answer stands, of those that its question finds.

    That was itself asked of the documents spoken of before, as far as the last but one exchange tells; it is looked up
    there first. `depth` is how many passages are looked at. An answer that stands in none of them has no document.
    """
    if before.earlier is not None and (known := _holding(collection, before.earlier, depth, filters)):
        among = replace(filters or NO_FILTERS, document_id=known)
        if found := _holding(collection, before, depth, among):
            return found
    return _holding(collection, before, depth, filters)


def _holding(collection: Collection, exchange: Exchange, depth: int, filters: Filters | None) -> tuple[str, ...]:
    """Return the ids of the documents that the question of an exchange finds and that hold its answer, best first."""
    told = [each for each in exchange.reply.split(JOINED) if words_of(each)]
    if not told:
        return ()
    hits = collection.retrieve(exchange.question, top_k=depth, filters=filters).hits
    found = tuple(each for each in dict.fromkeys(hit.found.document_id for hit in hits) if _tells(each, told, hits))
    # A word by itself, a number above all, stands in many a document.
    return found if len(words_of(exchange.reply)) > 1 else found[:1]


def _tells(document_id: str, told: Sequence[str], hits: Sequence[Hit]) -> bool:
    """Whether everything that was told stands in the passages of a document that were found."""
    texts = [hit.found.passage.text for hit in hits if hit.found.document_id == document_id]
    return all(any(holds_phrase(text, each) for text in texts) for each in told)

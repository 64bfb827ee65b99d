"""Ground: the documents that a conversation is about."""

from index.collection import Collection
from index.filters import Filters
from index.words import holds_phrase, words_of
from service.followups.exchange import Exchange

# What joins the members of a list in an answer.
_JOINED = "; "


def documents_spoken_of(
    collection: Collection, before: Exchange, *, depth: int, filters: Filters | None
) -> tuple[str, ...]:
    """Return the ids of the documents in which the last answer stands, of those that its question finds.

    `depth` is how many passages are looked at. An answer that stands in none of them, or none at all, has no document.
    """
    told = [each for each in before.reply.split(_JOINED) if words_of(each)]
    if not told:
        return ()
    hits = collection.retrieve(before.question, top_k=depth, filters=filters).hits
    found = (hit.found for hit in hits)
    return tuple(
        dict.fromkeys(each.document_id for each in found if all(holds_phrase(each.passage.text, part) for part in told))
    )

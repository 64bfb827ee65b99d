"""A batch: lines of JSON, each a document, put into a collection some at a time. A bad line stops no other."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from index.change import Change
from index.collection import Collection, Receipt
from index.documents import Document
from index.errors import InvalidDocument
from index.jobs import FAILURES_KEPT, Failure, Tally
from service.schemas import DocumentLine

# So many documents, or characters of them, go into one transaction: enough to embed them together and to sync the disk
# seldom, little enough that nobody waits long.
_AT_ONCE = 64
_CHARACTERS_AT_ONCE = 65_536
# Lines that change nothing are noted at the latest after so many.
_NOTED_EVERY = 1000

logger = logging.getLogger(__name__)


# Is told how far a batch has come, and the transaction that writes it, where there is one.
Note = Callable[[Tally, Change | None], None]


@dataclass(slots=True)
class _Group:
    """Lines that are put together. A line that holds no document has None."""

    lines: int = 0
    characters: int = 0
    documents: dict[str, Document] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return len(self.documents) >= _AT_ONCE or self.characters >= _CHARACTERS_AT_ONCE or self.lines >= _NOTED_EVERY

    def add(self, document: Document) -> None:
        self.documents[document.source] = document
        self.characters += len(document.text)


class Batch:
    """Puts lines into a collection. What `tally` counts is durable."""

    def __init__(self, collection: Collection, *, longest: int, note: Note = lambda *_: None) -> None:
        """Put lines of at most `longest` bytes into `collection`, and tell `note` of every step."""
        self.tally = Tally()
        self._collection = collection
        self._longest = longest
        self._note = note

    def run(self, lines: Iterable[bytes | None], *, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Put all lines (None: too long), some at a time, and return whether that came to its end.

        It does not where `stopped` told to stop. Sending the same lines again is harmless: what has not changed is left
        alone.

        Raises:
            UnknownCollection: the collection was deleted meanwhile.
            StoreError: the store does not take some of them; what the tally counts is taken.
        """
        group = _Group()
        for number, line in enumerate(lines, start=1):
            document = self._document(line, number, group)
            # The same source twice: each line counts, in its turn.
            if document is not None and document.source in group.documents:
                self._put(group)
                group = _Group()
            if document is not None:
                group.add(document)
            group.lines += 1
            if group.is_full:
                self._put(group)
                group = _Group()
                if stopped():
                    return False
        self._put(group)
        return True

    def _document(self, line: bytes | None, number: int, group: _Group) -> Document | None:
        """Return the document of a line; where it holds none, note why, unless it is blank."""
        if line is None:
            group.failures.append(Failure(number, f"The line has more than {self._longest} bytes."))
            return None
        if not line.strip():
            return None
        try:
            return DocumentLine.model_validate_json(line).to_document()
        except ValidationError as error:
            group.failures.append(Failure(number, complaint(error)))
        except InvalidDocument as error:
            group.failures.append(Failure(number, str(error)))
        return None

    def _put(self, group: _Group) -> None:
        written: list[Tally] = []

        def along(change: Change, receipts: Sequence[Receipt]) -> None:
            written.append(self._after(group, receipts))
            self._note(written[0], change)

        receipts = self._collection.put_all(list(group.documents.values()), along=along)
        if not written and group.lines:
            written.append(self._after(group, receipts))
            self._note(written[0], None)
        self.tally = written[0] if written else self.tally

    def _after(self, group: _Group, receipts: Sequence[Receipt]) -> Tally:
        """Return the tally as it is when `group` is put."""
        tally = self.tally
        added = sum(receipt.created for receipt in receipts)
        changed = sum(receipt.changed for receipt in receipts)
        return replace(
            tally,
            done=tally.done + group.lines,
            added=tally.added + added,
            replaced=tally.replaced + changed - added,
            unchanged=tally.unchanged + len(receipts) - changed,
            failed=tally.failed + len(group.failures),
            failures=(*tally.failures, *group.failures)[:FAILURES_KEPT],
        )


def complaint(error: ValidationError) -> str:
    """Return what is wrong with a line, without its content."""
    details = error.errors(include_url=False, include_input=False)
    first = details[0]
    if first["type"] == "json_invalid":
        return f"The line cannot be parsed as JSON: {first.get('ctx', {}).get('error', '')}."
    where = "".join(f"/{part}" for part in first["loc"])
    more = f" ({len(details) - 1} more)" if len(details) > 1 else ""
    return f"{where or 'The line'}: {first['msg'].removeprefix('Value error, ')}{more}."[:500]

"""The whole tree of errors.

Every message is one or two sentences that a person can act on. The HTTP edge turns each class into one kind of
problem (`service/problems.py`), the command line into one line on standard error.
"""


class CitespanError(Exception):
    """Base of every error that Citespan raises on purpose."""


class InvalidDocument(CitespanError):
    """A document cannot be taken as it is: no text, undecodable bytes, NUL characters, a bad title or source."""


class UnsupportedFormat(InvalidDocument):
    """A file is of a kind that is not read, or is not what its name says."""


class EncryptedFile(InvalidDocument):
    """A file is encrypted: it opens with a password only."""


class ScannedFile(InvalidDocument):
    """A file holds pictures, and no text."""


class EmptyFile(InvalidDocument):
    """A file is sound and holds no text."""


class DamagedFile(InvalidDocument):
    """A file is not as its format says: cut short, or put together wrongly."""


class FileOverLimit(InvalidDocument):
    """Reading a file takes more time, memory, pages or characters than it may."""


class InvalidCollectionName(CitespanError):
    """A collection's name does not fit the form that a directory and a URL both allow."""


class InvalidQuestion(CitespanError):
    """A question cannot be asked as it is: blank, too long, or no text."""


class UnknownDocument(CitespanError):
    """No document has this id in this collection."""


class UnknownCollection(CitespanError):
    """No collection has this name."""


class UnknownJob(CitespanError):
    """No job has this id in this collection."""


class UnknownModel(CitespanError):
    """No collection that the key opens has this name for clients of OpenAI."""

    parameter = "model"


class UnsupportedParameter(CitespanError):
    """A client asks for something that another service can do, and this one cannot."""

    def __init__(self, message: str, parameter: str) -> None:
        super().__init__(message)
        self.parameter = parameter


class StoreError(CitespanError):
    """The store on disk cannot be used."""


class StoreLocked(StoreError):
    """Another process holds the write lock of the data directory."""


class StoreFull(StoreError):
    """The disk has no room for a change. What is stored can still be read."""


class StoreReadOnly(StoreError):
    """The system does not let the store be written to. What is stored can still be read."""


class StoreDamaged(StoreError):
    """The store's file is not a healthy store."""


class FullTextDamaged(StoreDamaged):
    """The full text does not agree with the passages; it can be built anew from them."""


class StoreTooNew(StoreError):
    """The store was written by a newer version of Citespan."""


class IndexOutdated(StoreError):
    """The index was built with another embedder or other passage settings than the ones asked for."""


class BackupError(CitespanError):
    """A backup cannot be made, or a file is no sound backup, or it must not be restored there."""


class ModelError(CitespanError):
    """A model cannot be loaded: it is missing, incomplete, or not the one its name promises."""


class UnresolvableCitation(CitespanError):
    """A span does not stand in its document where it says it does. Always a bug; never shown as an answer."""


class Forbidden(CitespanError):
    """The key of a request does not allow it."""


class NotReady(CitespanError):
    """The service is starting or shutting down."""


class Overloaded(CitespanError):
    """The queue in front of the reader is full."""

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeadlineExceeded(CitespanError):
    """A request took longer than its deadline allows."""


class ServiceRefused(CitespanError):
    """A running service does not do what a command asks of it, or cannot be reached."""


class InvalidCase(CitespanError):
    """A line of a set of cases cannot be read as a case."""


class SettingsError(CitespanError):
    """A setting is unknown, malformed or contradicts another one."""


class InvalidReply(CitespanError):
    """What an engine sent is no reply to a question."""


class InvalidRun(CitespanError):
    """A file of a run or of a baseline cannot be read as one."""


class QuestionFailed(CitespanError):
    """An engine that answers other questions did not answer this one."""


class EngineUnavailable(CitespanError):
    """The engine that is to be judged cannot be asked at all; what it would have answered is not known."""

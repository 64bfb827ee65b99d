"""Questions: what may be asked, the same on every edge of the service."""

from index.errors import InvalidQuestion

MAX_QUESTION_LENGTH = 1000


def checked_question(text: str) -> str:
    """Return a question that can be answered, as it is.

    Raises:
        InvalidQuestion: it is blank, too long, or holds characters that no text can hold.
    """
    if not text.strip():
        raise InvalidQuestion("The question is blank.")
    if len(text) > MAX_QUESTION_LENGTH:
        raise InvalidQuestion(f"The question has {len(text)} characters; at most {MAX_QUESTION_LENGTH} are allowed.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidQuestion("The question is not text: it holds bytes that could not be decoded.")
    return text

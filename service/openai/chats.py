"""Chats: what clients of OpenAI send, and the question in it. What does not apply here is ignored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from markdown_it import MarkdownIt
from pydantic import BaseModel, ConfigDict, Field

from index.errors import InvalidQuestion
from service.conversation import MAX_TURN_LENGTH, MAX_TURNS, Role, Turn
from service.question import checked_question

_TEXT_PARTS = ("text", "input_text", "output_text")
_MARKDOWN = MarkdownIt("commonmark", {"html": False})


class _Sent(BaseModel):
    """Clients send many fields; those that mean nothing here are left alone."""

    model_config = ConfigDict(extra="ignore")


class Part(_Sent):
    """A part of a message; only text is read."""

    type: str = ""
    text: str | None = None


class ChatMessage(_Sent):
    """One turn of a chat."""

    role: str = ""
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """What it says; images and files say nothing."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(each.text or "" for each in self.content or () if each.type in _TEXT_PARTS)


class StreamOptions(_Sent):
    """How a stream is to be sent."""

    include_usage: bool | None = Field(None, description="End with a chunk that has the numbers of tokens.")


class ChatRequest(_Sent):
    """A chat to go on with: the last message of the user is the question."""

    model: str = Field(description="A model of `GET /v1/models`: `citespan`, or `citespan/` and a collection.")
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool | None = Field(None, description="Send the answer as server-sent events.")
    stream_options: StreamOptions | None = None

    @property
    def wants_usage(self) -> bool:
        """Whether a stream is to end with the numbers of tokens."""
        return bool(self.stream_options and self.stream_options.include_usage)


class ResponsesRequest(_Sent):
    """The same for the Responses API."""

    model: str = Field(description="A model of `GET /v1/models`: `citespan`, or `citespan/` and a collection.")
    input: str | list[ChatMessage]
    stream: bool | None = Field(None, description="Not possible here.")
    previous_response_id: str | None = Field(None, description="Not possible here: nothing of a chat is kept.")
    conversation: Any = Field(None, description="Not possible here: nothing of a chat is kept.")

    @property
    def messages(self) -> list[ChatMessage]:
        """The input as the turns of a chat."""
        return [ChatMessage(role="user", content=self.input)] if isinstance(self.input, str) else self.input


@dataclass(frozen=True, slots=True)
class Conversation:
    """A question and what was said before it."""

    question: str
    history: tuple[Turn, ...]


def read_conversation(messages: Sequence[ChatMessage]) -> Conversation:
    """Return the last message of the user as the question, and the turns of user and assistant before it.

    What systems, developers and tools say is left out: it must not change what the documents say.

    Raises:
        InvalidQuestion: there is no message of the user, or it is no question that can be asked.
    """
    last = max((number for number, each in enumerate(messages) if each.role == "user"), default=None)
    if last is None:
        raise InvalidQuestion("No message has the role 'user'; the last one of them is the question.")
    question = messages[last].text
    if not question.strip() and isinstance(messages[last].content, list):
        raise InvalidQuestion("The last message of the user holds no text; images, files and sounds are not read.")
    turns = [
        Turn(cast("Role", each.role), _said(each)[:MAX_TURN_LENGTH])
        for each in messages[:last]
        if each.role in ("user", "assistant") and each.text.strip()
    ]
    return Conversation(checked_question(question.strip()), tuple(turns[-MAX_TURNS:]))


def _said(message: ChatMessage) -> str:
    """Return what a turn says. Our own turns come back as Markdown, with links and references in it."""
    if message.role == "user":
        return message.text
    inlines = [token for token in _MARKDOWN.parse(message.text[:MAX_TURN_LENGTH]) if token.type == "inline"]
    return "\n".join(
        "".join(
            "\n" if each.type in ("softbreak", "hardbreak") else each.content
            for each in token.children or ()
            if each.type != "html_inline"
        )
        for token in inlines
    )

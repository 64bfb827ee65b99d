"""Completions: a message as the objects and events of the Chat Completions and Responses APIs.

Indices of citations count Unicode code points of the content, from 0, with the end excluded: in Python,
`content[start_index:end_index]` is the mark.
"""

import json
import logging
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from index.errors import CitespanError
from service.openai.messages import Mark, Message
from service.problems import INTERNAL, problem_of

DONE = b"data: [DONE]\n\n"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of what was sent and of what is said, as the reader's tokenizer cuts them."""

    sent: int
    said: int


@dataclass(frozen=True, slots=True)
class Completion:
    """A message, ready to be sent.

    `sources` are Open WebUI's, who wants them as events of their own and the message without annotations.
    """

    model: str
    message: Message
    usage: Usage
    fingerprint: str | None = None
    sources: tuple[dict[str, Any], ...] | None = None
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self) -> dict[str, Any]:
        """Return the `chat.completion` object."""
        message = {"role": "assistant", "content": self.message.content, "refusal": None}
        choice = {
            "index": 0,
            "message": message | ({} if self.sources is not None else {"annotations": self._annotations()}),
            "logprobs": None,
            "finish_reason": "stop",
        }
        content = self._head("chat.completion") | {"choices": [choice], "usage": self._usage()}
        return content if self.sources is None else content | {"sources": list(self.sources)}

    def chunks(self, *, with_usage: bool) -> Iterator[dict[str, Any]]:
        """Yield the `chat.completion.chunk` objects, all with the same id."""
        head = self._head("chat.completion.chunk") | ({"usage": None} if with_usage else {})

        def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
            return head | {"choices": [choice]}

        yield chunk({"role": "assistant", "content": ""})
        for source in self.sources or ():
            yield head | {"choices": [], "event": {"type": "source", "data": source}}
        for piece in self.message.paragraphs:
            yield chunk({"content": piece})
        if self.sources is None and self.message.marks:
            yield chunk({"annotations": self._annotations()})
        yield chunk({}, "stop")
        if with_usage:
            yield head | {"choices": [], "usage": self._usage()}

    def response(self) -> dict[str, Any]:
        """Return the `response` object of the Responses API."""
        text = {
            "type": "output_text",
            "text": self.message.content,
            "annotations": [{"type": "url_citation"} | _citation(mark) for mark in self.message.marks],
            "logprobs": [],
        }
        return {
            "id": f"resp_{self.name}",
            "object": "response",
            "created_at": self.created,
            "completed_at": self.created,
            "status": "completed",
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "max_output_tokens": None,
            "metadata": {},
            "model": self.model,
            "output": [
                {
                    "id": f"msg_{self.name}",
                    "type": "message",
                    "role": "assistant",
                    "status": "completed",
                    "content": [text],
                }
            ],
            "parallel_tool_calls": False,
            "previous_response_id": None,
            "store": False,
            "temperature": None,
            "text": {"format": {"type": "text"}},
            "tool_choice": "none",
            "tools": [],
            "top_p": None,
            "truncation": "disabled",
            "usage": {
                "input_tokens": self.usage.sent,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": self.usage.said,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": self.usage.sent + self.usage.said,
            },
        }

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.name}",
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }

    def _annotations(self) -> list[dict[str, Any]]:
        return [{"type": "url_citation", "url_citation": _citation(mark)} for mark in self.message.marks]

    def _usage(self) -> dict[str, int]:
        sent, said = self.usage.sent, self.usage.said
        return {"prompt_tokens": sent, "completion_tokens": said, "total_tokens": sent + said}


async def as_events(chunks: Iterable[dict[str, Any]]) -> AsyncIterator[bytes]:
    """Yield objects as server-sent events, and the end mark; an error ends the stream as an event of its own."""
    try:
        for chunk in chunks:
            yield _event(chunk)
        yield DONE
    except CitespanError as error:
        yield _event(problem_of(error).openai_error())
    except Exception:
        # The status is sent already: this is the only way left to tell the client.
        logger.exception("unexpected error in a stream")
        yield _event(INTERNAL.openai_error())


def _event(content: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(content, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def _citation(mark: Mark) -> dict[str, Any]:
    return {"start_index": mark.start, "end_index": mark.end, "title": mark.title, "url": mark.citation.url}

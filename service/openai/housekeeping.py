"""Housekeeping: prompts that front ends send by themselves, for titles, tags, suggestions and the like.

They are no questions to the documents. Each is known by its beginning and gets a short reply in the form that its
sender reads, always the same. The beginnings are those of Open WebUI 0.5 to 0.12, LibreChat, NextChat and Chatbox.
"""

import json
import re
from collections.abc import Callable, Sequence

from service.openai.chats import ChatMessage

_LONGEST_TITLE = 50
_NO_TITLE = "Questions to the documents"

# What the user said, in transcripts as Open WebUI ("USER: …") and LibreChat ("User: …") write them.
_HISTORY = re.compile(r"<chat_history>\n?(.*)</chat_history>", re.DOTALL)
_SAID = re.compile(r"^(?:USER|User): (.*?)(?=^(?:USER|ASSISTANT|SYSTEM|TOOL|AI|User): |\Z)", re.DOTALL | re.MULTILINE)


def reply_to(messages: Sequence[ChatMessage]) -> str | None:
    """Return the reply to a housekeeping prompt, or None where the chat ends in a question."""
    asked = next((number for number in reversed(range(len(messages))) if messages[number].role == "user"), None)
    if asked is None:
        return None
    system = next((each.text.lstrip() for each in messages if each.role == "system"), "")
    if system.startswith("Available Tools:"):
        return json.dumps({"tool_calls": []})
    prompt = messages[asked].text.lstrip()
    reply = next((reply for beginning, reply in _REPLIES if prompt.startswith(beginning)), None)
    if reply is None:
        return None
    earlier = [each.text for each in messages[:asked] if each.role == "user"]
    return reply(_questions_in(prompt) or earlier)


def _questions_in(prompt: str) -> list[str]:
    """Return what the user says in the transcript that a prompt holds."""
    history = _HISTORY.search(prompt)
    return [said.strip() for said in _SAID.findall(history[1] if history else prompt)]


def _title(questions: Sequence[str]) -> str:
    """Return the first question as a title."""
    words = " ".join(questions[0].split()).rstrip("?!. ") if questions else ""
    if len(words) > _LONGEST_TITLE:
        words = f"{words[:_LONGEST_TITLE].rsplit(' ', 1)[0]} …"
    return words or _NO_TITLE


def _as_json(key: str, value: Callable[[Sequence[str]], object]) -> Callable[[Sequence[str]], str]:
    return lambda questions: json.dumps({key: value(questions)}, ensure_ascii=False)


_REPLIES: tuple[tuple[str, Callable[[Sequence[str]], str]], ...] = (
    ("### Task:\nGenerate a concise", _as_json("title", _title)),
    ("### Task:\nGenerate 1-3 broad tags", _as_json("tags", lambda _: ["General"])),
    ("### Task:\nPredict 3-5 useful messages", _as_json("follow_ups", lambda _: [])),
    ("### Task:\nSuggest 3-5 relevant follow-up", _as_json("follow_ups", lambda _: [])),
    ("### Task:\nAnalyze the chat history to determine", _as_json("queries", lambda questions: questions[-1:])),
    ("### Task:\nGenerate a detailed prompt", _as_json("prompt", lambda _: "")),
    ("### Task:\nYou are an autocompletion system", _as_json("text", lambda _: "")),
    ("Your task is to reflect the speaker's likely facial expression", lambda _: "🙂"),
    ("Provide a concise, 5-word-or-less title", _title),
    ("Please generate a concise, 5-word-or-less title", _title),
    ("Analyze this conversation and provide:\n1. The detected language", _as_json("title", _title)),
    ("Please generate a four to five word title", _title),
    ("Based on the chat history, give this conversation a name", _title),
)

"""Housekeeping: prompts of front ends get a quick reply, always the same, and touch no index."""

import json
from pathlib import Path
from typing import Any

import pytest
from applications import application

from service.openai.chats import ChatMessage
from service.openai.housekeeping import reply_to

TRANSCRIPT = (
    "### Chat History:\n<chat_history>\n"
    "USER: How many fire trucks did the 2019 loan secure in the end, and for which towns of the country?\n"
    "ASSISTANT: **42**\n\n> In 2019 …\nUSER: And who paid?\nASSISTANT: **France**\n</chat_history>"
)
TITLE = "How many fire trucks did the 2019 loan secure in …"


def prompt(task: str) -> str:
    return f"### Task:\n{task}\n### Guidelines:\n- Some.\n{TRANSCRIPT}"


REPLIES = [
    (prompt("Generate a concise title summarizing the chat history."), {"title": TITLE}),
    (prompt("Generate a concise, 3-5 word title with an emoji summarizing the chat history."), {"title": TITLE}),
    (prompt("Generate 1-3 broad tags categorizing the main themes of the chat history, along"), {"tags": ["General"]}),
    (prompt("Predict 3-5 useful messages this user might naturally send next to advance"), {"follow_ups": []}),
    (prompt("Suggest 3-5 relevant follow-up questions or prompts that the user might"), {"follow_ups": []}),
    (
        prompt("Analyze the chat history to determine the necessity of generating search queries, in the"),
        {"queries": ["And who paid?"]},
    ),
    (prompt("Generate a detailed prompt for am image generation task based on the given"), {"prompt": ""}),
    (prompt("You are an autocompletion system. Continue the text in `<text>` based on the"), {"text": ""}),
]
WORDS = [
    ("Your task is to reflect the speaker's likely facial expression through a fitting emoji. Interpret", "🙂"),
    (
        "Provide a concise, 5-word-or-less title for the conversation, using title case conventions. Only return the "
        "title itself.\n\nConversation:\nUser: Who paid?\nAI: **France**",
        "Who paid",
    ),
    ("Please generate a four to five word title summarizing our conversation without any lead-in", "What is it"),
    ("Based on the chat history, give this conversation a name.\nKeep it short", "What is it"),
]


def said(text: str, *before: tuple[str, str]) -> list[ChatMessage]:
    return [ChatMessage(role=role, content=content) for role, content in (*before, ("user", text))]


@pytest.mark.parametrize(("text", "expected"), REPLIES)
def test_front_ends_get_the_json_that_they_read(text: str, expected: dict[str, Any]) -> None:
    assert json.loads(reply_to(said(text)) or "") == expected


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_front_ends_get_the_words_that_they_show(text: str, expected: str) -> None:
    assert reply_to(said(text, ("user", "What is it?"), ("assistant", "**It**"))) == expected


def test_call_of_tools_is_declined() -> None:
    chat = said("Query: Who paid?", ("system", 'Available Tools: [{"name": "x"}]\n\nYour task is to choose'))
    assert json.loads(reply_to(chat) or "") == {"tool_calls": []}


@pytest.mark.parametrize(
    "question",
    ["Who paid?", "What is the task?", "Generate a concise title", "### Task:\nWho paid?", "Provide a title", ""],
)
def test_questions_are_no_housekeeping(question: str) -> None:
    assert reply_to(said(question, ("system", "You are helpful."))) is None


def test_title_of_a_chat_without_a_question() -> None:
    assert reply_to(said("Please generate a four to five word title summarizing our")) == "Questions to the documents"
    assert reply_to([]) is None
    assert reply_to([ChatMessage(role="assistant", content="x")]) is None


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/openwebui/v1/chat/completions"])
def test_no_index_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("the index was asked")

    with application(tmp_path) as client:
        monkeypatch.setattr("index.collection.Collection.retrieve", fail)
        monkeypatch.setattr("service.limits.Gate.run", fail)
        for text, expected in REPLIES:
            body = {"model": "citespan", "messages": [{"role": "user", "content": text}]}
            first = client.post(path, json=body).json()["choices"][0]["message"]["content"]
            assert json.loads(first) == expected
            assert client.post(path, json=body).json()["choices"][0]["message"]["content"] == first

"""What OpenAI's chat completions send, as its API reference shows it."""

from __future__ import annotations

import json
from typing import Any

# https://platform.openai.com/docs/api-reference/chat/create, "Default"
WHOLE: dict[str, Any] = {
    "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
    "object": "chat.completion",
    "created": 1741569952,
    "model": "gpt-5.4",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hello! How can I assist you today?",
                "refusal": None,
                "annotations": [],
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 19,
        "completion_tokens": 10,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    },
    "service_tier": "default",
}

# The same page, "Functions"
CALLS_A_TOOL: dict[str, Any] = {
    "id": "chatcmpl-abc123",
    "object": "chat.completion",
    "created": 1699896916,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_abc123",
                        "type": "function",
                        "function": {
                            "name": "get_current_weather",
                            "arguments": '{\n"location": "Boston, MA"\n}',
                        },
                    }
                ],
            },
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 82, "completion_tokens": 17, "total_tokens": 99},
}


def chunk(delta: Any = None, finish: Any = None, **more: Any) -> str:
    """https://platform.openai.com/docs/api-reference/chat-streaming"""
    choice = {"index": 0, "delta": delta or {}, "logprobs": None, "finish_reason": finish}
    return json.dumps(
        {
            "id": "chatcmpl-123",
            "object": "chat.completion.chunk",
            "created": 1694268190,
            "model": "gpt-4o-mini",
            "system_fingerprint": "fp_44709d6fcb",
            "choices": [choice],
            **more,
        }
    )


def piece(index: int | None = None, **more: Any) -> dict[str, Any]:
    """A delta with one piece of a tool call."""
    at = {} if index is None else {"index": index}
    names = {key: more.pop(key) for key in ("name", "arguments") if key in more}
    return {"tool_calls": [{**at, **more, "function": names}]}


USAGE_CHUNK = json.dumps(
    {
        "id": "chatcmpl-123",
        "object": "chat.completion.chunk",
        "choices": [],
        "usage": {"prompt_tokens": 19, "completion_tokens": 2, "total_tokens": 21},
    }
)


def answer_with(content: Any, reason: Any) -> dict[str, Any]:
    """A whole answer of one choice."""
    message = {"role": "assistant", "content": content}
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}

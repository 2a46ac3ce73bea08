"""Errors as the providers send them, each with the page that shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tests.providers.error_bodies import (
    anthropic,
    azure,
    gemini,
    groq,
    llamacpp,
    mistral,
    ollama,
    openai,
    openrouter,
    vllm,
)
from tests.providers.error_bodies.case import Case

BY_PROVIDER: Final[Mapping[str, Sequence[Case]]] = {
    "openai": openai.CASES,
    "azure": azure.CASES,
    "anthropic": anthropic.CASES,
    "gemini": gemini.CASES,
    "groq": groq.CASES,
    "mistral": mistral.CASES,
    "openrouter": openrouter.CASES,
    "vllm": vllm.CASES,
    "llama.cpp": llamacpp.CASES,
    "ollama": ollama.CASES,
}

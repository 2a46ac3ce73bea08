from __future__ import annotations

from engine.suggest import nearest


def test_the_likest_name_comes_first() -> None:
    assert nearest("suport", ["drafts", "reports", "support"])[0] == "support"


def test_case_does_not_count_and_the_known_spelling_is_given() -> None:
    assert nearest("OPENAI", ["OpenAI", "Ollama"]) == ("OpenAI",)


def test_nothing_is_suggested_for_a_name_like_no_other() -> None:
    assert nearest("zzz", ["support", "drafts"]) == ()


def test_names_of_absurd_length_are_not_compared() -> None:
    assert nearest("a" * 101, ["a" * 101]) == ()


def test_no_more_are_given_than_asked_for() -> None:
    assert len(nearest("model", [f"model{n}" for n in range(9)], most=2)) == 2

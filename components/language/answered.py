"""Which languages the assistant answers in: read here by whoever wants to know."""

from __future__ import annotations

ENGLISH, HINGLISH, HINDI, PORTUGUESE, SPANISH = "en", "hinglish", "hi", "pt", "es"

WRITTEN = {
    ENGLISH: "English",
    HINGLISH: "Hinglish",
    HINDI: "हिन्दी",
    PORTUGUESE: "português",
    SPANISH: "español",
}
"""The languages that responses, phrases and dates are written in, each by its own name."""


def answered() -> tuple[str, ...]:
    """The languages that this shop answers in, its default first."""
    return tuple(WRITTEN)


def by_name(languages: tuple[str, ...]) -> str:
    """Names for a customer who speaks none of them: `English, Hinglish, português`."""
    return ", ".join(WRITTEN[language] for language in languages)

"""Which languages the assistant answers in: read here by whoever wants to know."""

from functools import lru_cache

import shop

ENGLISH, HINGLISH, HINDI, PORTUGUESE, SPANISH = "en", "hinglish", "hi", "pt", "es"

WRITTEN = {
    ENGLISH: "English",
    HINGLISH: "Hinglish",
    HINDI: "हिन्दी",
    PORTUGUESE: "português",
    SPANISH: "español",
}
"""The languages that responses, phrases and dates are written in, each by its own name."""


_OTHER_SCRIPT = {HINDI: HINGLISH, HINGLISH: HINDI}


@lru_cache(maxsize=1)
def answered() -> tuple[str, ...]:
    """The languages that this shop answers in, its default first (`languages` in shop.yml)."""
    return shop.load().languages or (ENGLISH,)


def written_as(language: str) -> str:
    """The language in a script that this shop answers in: of Hindi's two, readers of one can mostly read the other."""
    other = _OTHER_SCRIPT.get(language, language)
    return other if language not in answered() and other in answered() else language


def by_name(languages: tuple[str, ...]) -> str:
    """Names for a customer who speaks none of them: `English, Hinglish, português`."""
    return ", ".join(WRITTEN[language] for language in languages)

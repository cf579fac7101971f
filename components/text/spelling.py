"""Typos corrected: an unknown word that is one slip from a word that customers often use becomes that word.

Real words are left alone even when the phrases do not have them ("cancer" is not "cancel"): the embedding model's
tokenizer knows many real words as one piece and cuts a slip into several.
"""

from collections.abc import Callable, Container, Mapping

from components.text.message_text import words

MIN_CHARS = 5  # letters; shorter words are too close to each other
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Speller:
    """`known`: every word of the training phrases; `frequent`: those worth mending to, with their counts."""

    def __init__(self, known: Container[str], frequent: Mapping[str, int], is_word: Callable[[str], bool]) -> None:
        self._known, self._frequent, self._is_word = known, frequent, is_word

    def correct(self, text: str) -> str:
        """The text with its slips corrected; whatever is not a longer unknown word stays."""
        for word in set(words(text)):
            if len(word) >= MIN_CHARS and word.isascii() and word.isalpha() and word not in self._known:
                better = self._mend(word)
                if better != word:
                    text = " ".join(better if part == word else part.replace(word, better) for part in text.split(" "))
        return text

    def _mend(self, word: str) -> str:
        candidates = [near for near in _one_slip(word) if near in self._frequent]
        if not candidates or self._is_word(word):
            return word
        return max(candidates, key=lambda near: (self._frequent[near], near))


def _one_slip(word: str) -> set[str]:
    """Everything one letter dropped, doubled, swapped or mistyped away; the first letter is seldom wrong."""
    splits = [(word[:at], word[at:]) for at in range(1, len(word) + 1)]
    dropped = {a + b[1:] for a, b in splits if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1}
    mistyped = {a + letter + b[1:] for a, b in splits if b for letter in _LETTERS}
    added = {a + letter + b for a, b in splits for letter in _LETTERS}
    return dropped | swapped | mistyped | added

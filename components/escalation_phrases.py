"""The designers' small language for phrases, and finding many of them in one pass over a message.

    consumer court            these words in a row
    refund|money back         one of several words at a place
    cheat*                    any word that begins so
    want my? refund           a word that may be missing
    give .. money back        up to three words in between, never across the end of a sentence

Phrases are folded like messages (`message_text.folded`), so "paisa" finds "pese" and "complain" finds "complaint".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.message_text import folded

GAP = ".."
LONGEST_GAP = 3
SENTENCE_END = "."
_PREFIX_KEY = 3


class PhraseError(ValueError):
    """A phrase that cannot be read; the message quotes it and says what to change."""


@dataclass(frozen=True)
class Word:
    """One place of a phrase: the words, and beginnings of words, that fit there."""

    exact: frozenset[str]
    prefixes: tuple[str, ...]

    def fits(self, token: str) -> bool:
        return token in self.exact or token.startswith(self.prefixes)


Piece = Word | None  # None is a gap


@dataclass(frozen=True)
class Found:
    """A phrase in a message: whose it is, as its designer wrote it, and its tokens from `start` to before `end`."""

    owner: str
    phrase: str
    start: int
    end: int

    def overlaps(self, other: Found) -> bool:
        return self.start < other.end and other.start < self.end


def split_phrases(block: str) -> list[str]:
    """The phrases of a block of text: one a line, or several between commas."""
    return [phrase for phrase in (part.strip() for part in re.split(r"[,\n]", block)) if phrase]


class PhraseIndex:
    """All phrases of all owners by their first word, so that a message costs one look-up a word."""

    def __init__(self, phrases_by_owner: Mapping[str, Iterable[str]]) -> None:
        self._by_word: dict[str, list[tuple[str, str, tuple[Piece, ...]]]] = {}
        self._by_prefix: dict[str, list[tuple[str, str, tuple[Piece, ...]]]] = {}
        for owner, phrases in phrases_by_owner.items():
            for phrase in phrases:
                for pieces in _parse(phrase):
                    self._add(owner, phrase, pieces)

    def find(self, tokens: Sequence[str]) -> Iterator[Found]:
        """Every phrase that stands somewhere in `tokens`, in order of its first word."""
        for at, token in enumerate(tokens):
            for owner, phrase, pieces in self._by_word.get(token, ()):
                end = _end(pieces[1:], tokens, at + 1)
                if end is not None:
                    yield Found(owner, phrase, at, end)
            for owner, phrase, pieces in self._by_prefix.get(token[:_PREFIX_KEY], ()):
                end = _end(pieces, tokens, at)
                if end is not None:
                    yield Found(owner, phrase, at, end)

    def _add(self, owner: str, phrase: str, pieces: tuple[Piece, ...]) -> None:
        first = pieces[0]
        if first is None:
            raise PhraseError(f"{phrase!r} begins with a gap or an optional word. Begin it with a word.")
        for word in first.exact:
            self._by_word.setdefault(word, []).append((owner, phrase, pieces))
        for prefix in first.prefixes:
            if len(prefix) < _PREFIX_KEY:
                raise PhraseError(f"{phrase!r}: write at least {_PREFIX_KEY} letters before the first *.")
            only = (Word(frozenset(), (prefix,)), *pieces[1:])
            self._by_prefix.setdefault(prefix[:_PREFIX_KEY], []).append((owner, phrase, only))


def _end(pieces: Sequence[Piece], tokens: Sequence[str], at: int) -> int | None:
    """Where the pieces end when they begin at token `at`, or None when they do not fit there."""
    for index, piece in enumerate(pieces):
        if piece is None:
            return _end_after_gap(pieces[index + 1 :], tokens, at)
        if at >= len(tokens) or not piece.fits(tokens[at]):
            return None
        at += 1
    return at


def _end_after_gap(rest: Sequence[Piece], tokens: Sequence[str], at: int) -> int | None:
    for start in range(at, min(at + LONGEST_GAP, len(tokens) - 1) + 1):
        end = _end(rest, tokens, start)
        if end is not None:
            return end
        if tokens[start] == SENTENCE_END:
            return None
    return None


def _parse(phrase: str) -> Iterator[tuple[Piece, ...]]:
    """The phrase with and without each of its optional words."""
    variants: list[tuple[Piece, ...]] = [()]
    for part in phrase.split():
        if part == GAP:
            variants = [(*variant, None) for variant in variants]
            continue
        optional = part.endswith("?")
        words = _word(part.removesuffix("?"), phrase)
        longer = [(*variant, *words) for variant in variants]
        variants = [*variants, *longer] if optional else longer
    for pieces in variants:
        if not pieces or pieces[-1] is None:
            raise PhraseError(f"{phrase!r} is empty or ends with a gap. End it with a word.")
        yield pieces


def _word(part: str, phrase: str) -> tuple[Word, ...]:
    options = [option for option in part.split("|") if option]
    if not options or any("*" in option[:-1] for option in options):
        raise PhraseError(f"{phrase!r}: {part!r} is not a word, a|b or begin*.")
    folds = [folded(option).split() for option in options if not option.endswith("*")]
    if len(options) == 1 and folds and len(folds[0]) > 1:  # one spelling of two words, "thankyou"
        return tuple(Word(frozenset({word}), ()) for word in folds[0])
    exact = frozenset(words[0] for words in folds if len(words) == 1)
    return (Word(exact, tuple(option[:-1].lower() for option in options if option.endswith("*"))),)

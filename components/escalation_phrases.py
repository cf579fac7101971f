"""The designers' small language for phrases, and finding many of them in one pass over a message.

    consumer court            these words in a row
    refund|money back         one of several words at a place
    order .. again|from_you   ... or of several runs of words
    cheat*                    any word that begins so
    want my? refund           a word that may be missing
    give .. {money} back      one of the words that `words` calls so
    give .. money back        up to three words in between, never across the end of a sentence

Phrases are folded like messages (`message_text.folded`), so "paisa" finds "pese" and "complain" finds "complaint".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.text.message_text import folded

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
    """A phrase in a message: whose it is, and the tokens that it fits, in order."""

    owner: str
    places: tuple[int, ...]

    @property
    def start(self) -> int:
        return self.places[0]

    @property
    def end(self) -> int:
        """The token after the last one."""
        return self.places[-1] + 1

    def overlaps(self, other: Found) -> bool:
        return self.start < other.end and other.start < self.end

    def shown(self, tokens: Sequence[str]) -> str:
        """The words that fit, with gaps as dots: what stands in a gap is not repeated."""
        words = [tokens[self.start]]
        for before, place in zip(self.places, self.places[1:], strict=False):
            words += [tokens[place]] if place == before + 1 else [GAP, tokens[place]]
        return " ".join(words)


def filled_in(block: str, words: Mapping[str, str]) -> str:
    """The block with each {name} replaced by the alternatives of that name. Raises PhraseError for an unknown name."""

    def alternatives(match: re.Match[str]) -> str:
        try:
            return words[match.group(1)]
        except KeyError:
            known = ", ".join(sorted(words)) or "none"
            raise PhraseError(f"{match.group()} is not among `words`. Known: {known}.") from None

    return re.sub(r"{(\w+)}", alternatives, block)


def split_phrases(block: str) -> list[str]:
    """The phrases of a block of text: one a line, or several between commas."""
    return [phrase for phrase in (part.strip() for part in re.split(r"[,\n]", block)) if phrase]


@dataclass(frozen=True)
class _Candidate:
    """A phrase to try where its first word stands, when the message has a word for each of its places (`needs`)."""

    owner: str
    pieces: tuple[Piece, ...]
    needs: frozenset[int]


class PhraseIndex:
    """All phrases of all owners by their first word; a phrase is tried only where all of its words can be found."""

    def __init__(self, phrases_by_owner: Mapping[str, Iterable[str]]) -> None:
        self._beginning: dict[str, list[_Candidate]] = {}  # by first word, or by the first letters of a prefix
        self._beginning_so: dict[str, list[_Candidate]] = {}
        self._number: dict[Word, int] = {}
        self._fitting: dict[str, set[int]] = {}  # word -> numbers of the places where it fits
        self._prefixed: dict[str, list[Word]] = {}  # first letters -> places with such a prefix
        for owner, phrases in phrases_by_owner.items():
            for phrase in phrases:
                for pieces in _parse(phrase):
                    self._add(owner, phrase, pieces)

    def find(self, tokens: Sequence[str]) -> Iterator[Found]:
        """Every phrase that stands somewhere in `tokens`, in order of its first word."""
        present = self._present(tokens)
        for at, token in enumerate(tokens):
            for beginning in (self._beginning.get(token), self._beginning_so.get(token[:_PREFIX_KEY])):
                for candidate in beginning or ():
                    if candidate.needs <= present:
                        places = _fit(candidate.pieces, tokens, at)
                        if places is not None:
                            yield Found(candidate.owner, tuple(places))

    def _present(self, tokens: Sequence[str]) -> set[int]:
        """Numbers of the places for which the message has a word, wherever it stands."""
        present: set[int] = set()
        for token in set(tokens):
            present |= self._fitting.get(token, set())
            present |= {self._number[word] for word in self._prefixed.get(token[:_PREFIX_KEY], ()) if word.fits(token)}
        return present

    def _add(self, owner: str, phrase: str, pieces: tuple[Piece, ...]) -> None:
        first = pieces[0]
        if first is None:
            raise PhraseError(f"{phrase!r} begins with a gap. Begin it with a word.")
        needs = frozenset(self._numbered(word, phrase) for word in pieces if word is not None)
        candidate = _Candidate(owner, pieces, needs)
        for word in first.exact:
            self._beginning.setdefault(word, []).append(candidate)
        for key in {prefix[:_PREFIX_KEY] for prefix in first.prefixes}:
            self._beginning_so.setdefault(key, []).append(candidate)

    def _numbered(self, word: Word, phrase: str) -> int:
        if word not in self._number:
            number = self._number[word] = len(self._number)
            for exact in word.exact:
                self._fitting.setdefault(exact, set()).add(number)
            for prefix in word.prefixes:
                if len(prefix) < _PREFIX_KEY:
                    raise PhraseError(f"{phrase!r}: write at least {_PREFIX_KEY} letters before a *.")
                self._prefixed.setdefault(prefix[:_PREFIX_KEY], []).append(word)
        return self._number[word]


def _fit(pieces: Sequence[Piece], tokens: Sequence[str], at: int) -> list[int] | None:
    """The tokens that the pieces fit when they begin at token `at`, or None."""
    places: list[int] = []
    for index, piece in enumerate(pieces):
        if piece is None:
            rest = _fit_after_gap(pieces[index + 1 :], tokens, at)
            return None if rest is None else places + rest
        if at >= len(tokens) or not piece.fits(tokens[at]):
            return None
        places.append(at)
        at += 1
    return places


def _fit_after_gap(rest: Sequence[Piece], tokens: Sequence[str], at: int) -> list[int] | None:
    for start in range(at, min(at + LONGEST_GAP, len(tokens) - 1) + 1):
        places = _fit(rest, tokens, start)
        if places is not None:
            return places
        if tokens[start] == SENTENCE_END:
            return None
    return None


def _parse(phrase: str) -> Iterator[tuple[Piece, ...]]:
    """The phrase in each of its forms: with and without optional words, with each alternative of several words."""
    forms: list[tuple[Piece, ...]] = [()]
    parts = phrase.split()
    if parts and parts[0].endswith("?"):
        raise PhraseError(f"{phrase!r}: the first word is optional. Begin with a word that must be there.")
    for part in parts:
        choices = [(None,)] if part == GAP else list(_choices(part.removesuffix("?"), phrase))
        longer = [(*form, *choice) for form in forms for choice in choices]
        forms = [*forms, *longer] if part.endswith("?") else longer
    for pieces in forms:
        if not pieces or pieces[-1] is None:
            raise PhraseError(f"{phrase!r} is empty or ends with a gap. End it with a word.")
        yield pieces


def _choices(part: str, phrase: str) -> Iterator[tuple[Piece, ...]]:
    """What may stand at one place: all single words together, and each run of words (`from_you`) for itself."""
    exact: set[str] = set()
    prefixes: list[str] = []
    for option in part.split("|"):
        if not option or "*" in option[:-1]:
            raise PhraseError(f"{phrase!r}: {part!r} is not a word, a|b, two_words or begin*.")
        if option.endswith("*"):
            prefixes.append(option[:-1].lower())
            continue
        words = folded(option.replace("_", " ")).split()
        if len(words) == 1:
            exact.add(words[0])
        else:
            yield tuple(Word(frozenset({word}), ()) for word in words)
    if exact or prefixes:
        yield (Word(frozenset(exact), tuple(prefixes)),)

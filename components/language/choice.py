"""In which language a customer is answered: the language they write plainly, unless they said which one they want.

Pure functions. Customers mix, and much of what they write belongs to no language: "ok", "10234", "theek hai", "refund
status". So only a message with grammar of its own moves a conversation to another language, and a wish ("english
please", "hindi mein baat karo") holds until the customer wishes for something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from components.language.detection import ENGLISH, HINDI, HINGLISH, detect_language, hindi_score
from components.text.message_text import readable, words

OTHER = "other"  # a language that nobody has written the answers in


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAMES = {
    **dict.fromkeys(_set("english inglish englis angrezi angreji अंग्रेजी अंग्रेज़ी इंग्लिश"), ENGLISH),
    **dict.fromkeys(_set("hindi हिंदी हिन्दी"), HINDI),
    "hinglish": HINGLISH,
    **dict.fromkeys(
        _set("tamil telugu marathi bengali bangla gujarati kannada malayalam punjabi urdu odia assamese"), OTHER
    ),
    **dict.fromkeys(_set("bhojpuri konkani nepali arabic french german spanish chinese russian japanese"), OTHER),
}
# Said in any language, as "ok" is: they tell nothing of the one that the customer writes.
_COURTESIES = _set("""
    haan ha han nahi na theek thik accha achha ji bas chalo bhai yaar ok okay namaste namaskar shukriya dhanyavad
    dhanyawad alvida
""")
# Score of Hindi words, courtesies left out: "order kaha hai" 2, "cancel kar do" 1.5, "theek hai" 1.
_PLAIN_HINGLISH = 1.5
_ENGLISH_GRAMMAR = _set("""
    where what when why how who which is are was were am be been does did have has had can could will would should
    my your our their his her its it this that these those the an i we they he she you not don't doesn't didn't
    haven't hasn't isn't can't won't wasn't aren't i'm it's what's where's still yet until if because but and or
    with from for of on at by about than into after before since any some want need like get got tell show give know
""")
_PLAIN_ENGLISH = 2  # such words: "where is my order" 3, "order not delivered" 1, "thank you" 1

# What a message may hold beside a language's name and still be nothing but a wish for that language.
_WISHING = _set("""
    in into to me mein main mai please pls plz kindly only speak speaking talk talking reply replying write writing
    chat answer respond type tell say explain continue switch change use prefer language lang the your my can could
    you u we i do does know understand don't dont not can't cant cannot want would like it this is are why let's
    lets from now on ok okay hi hello sorry no yes better sir madam with a bit little stop instead of and bolo
    boliye bol baat baatein karo kar kare karen karein karte kariye kijiye sakte sakta sakti ho hai hain kya aap tum
    mujhe mujhse hum samajh samjha samjhao aati aata ati ata nahi nhi se batao bataiye bata likho likhiye likhe
    jawab dijiye de dena dein chahiye ji bhai yaar haan bhasha zara thoda ab में मे बात करो करें कीजिए करिए बोलो
    बोलिए बताओ बताइए जवाब दो दीजिए लिखो प्लीज कृपया मुझे नहीं आती समझ
""")
_SAYING = (
    r"(?:speak|talk|reply|write|chat|answer|respond|explain|tell|type|say|switch|continue)"
    r"(?: (?:me|us|back|it|this|that|please|only|to|with|kindly|everything))*(?: (?:in|into))?"
)
_HINDI_SAYING = r"(?:bolo|boliye|bol|baat|batao|bataiye|bata|likho|likhiye|jawab|samjhao|reply|answer)"
_NAME = rf"(?:{'|'.join(sorted(_NAMES, key=len, reverse=True))})"
_ASKED_FOR = re.compile(
    rf"\b(?:{_SAYING} {_NAME}|{_NAME} (?:me|mein|main|mai|में|मे) (?:(?:hi|zara|please) )*{_HINDI_SAYING}"
    rf"|(?:in )?{_NAME} (?:please|pls|plz|only))(?!\S)"
)
_REFUSED_BEFORE = _set("not don't dont can't cant cannot stop why instead")
_REFUSED_AFTER = _set("nahi nhi नहीं")
_LONGEST = 1500  # characters in which a wish is looked for, counted from the end
_REACH = 5  # words between a language's name and the word that refuses it


@dataclass(frozen=True)
class Reading:
    """What one message tells: `plain` language, or None; the language wished for (perhaps OTHER); whether that is all.

    `hint` is a language too weakly marked to change a conversation, enough to begin one.
    """

    plain: str | None = None
    hint: str | None = None
    wish: str | None = None
    only_a_wish: bool = False


@dataclass(frozen=True)
class Spoken:
    """The language of a conversation, and whether the customer chose it in so many words."""

    language: str | None = None
    wished: bool = False


def read(text: str) -> Reading:
    """Read a message as the customer typed it."""
    wish, only = _wish(words(text[-_LONGEST:].lower().replace("’", "'")))
    only = only and not any(char.isdigit() for char in text)
    found = [word for word in words(readable(text)) if word not in _COURTESIES]
    detected, score = detect_language(text), hindi_score(found)
    if detected == HINGLISH:
        return Reading(HINGLISH if score >= _PLAIN_HINGLISH else None, HINGLISH if score >= 1 else None, wish, only)
    if detected == ENGLISH:
        grammar = sum(word in _ENGLISH_GRAMMAR for word in found)
        return Reading(ENGLISH if grammar >= _PLAIN_ENGLISH and not score else None, None, wish, only)
    return Reading(detected, detected, wish, only)


def choose(before: Spoken, message: Reading) -> Spoken:
    """The language after a message. None as long as nothing told."""
    if message.wish and message.wish != OTHER:
        return Spoken(message.wish, wished=True)
    if before.wished or message.only_a_wish:
        return before
    return Spoken(message.plain or before.language or message.hint)


def _wish(found: list[str]) -> tuple[str | None, bool]:
    """(the language wished for, whether the message says nothing else)."""
    named = [at for at, word in enumerate(found) if word in _NAMES]
    if not named:
        return None, False
    only = all(word in _WISHING or word in _NAMES for word in found)
    if not only and not _ASKED_FOR.search(" ".join(found)):
        return None, False
    wanted = [at for at in named if not _refused(found, at)]
    if wanted:
        return _NAMES[found[wanted[-1]]], only
    return HINDI if _NAMES[found[named[-1]]] == ENGLISH else ENGLISH, only  # "i don't know hindi"


def _refused(found: list[str], at: int) -> bool:
    """Whether the language named at this place is the one that the customer does not want."""
    before, after = found[max(0, at - _REACH) : at], found[at + 1 : at + 3]
    return any(word in _REFUSED_BEFORE for word in _since_last_name(before)) or any(
        word in _REFUSED_AFTER for word in after
    )


def _since_last_name(before: list[str]) -> list[str]:
    for at in range(len(before) - 1, -1, -1):
        if before[at] in _NAMES:
            return before[at + 1 :]
    return before

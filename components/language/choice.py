"""In which language a customer is answered: the language they write plainly, unless they said which one they want.

Pure functions. Customers mix, and much of what they write belongs to no language: "ok", "10234", "theek hai", "refund
status". So only a message with grammar of its own moves a conversation to another language at once, one with a word or
two of it when the next is like it, and a wish ("english please", "em português") holds until the customer has another.
"""

import re
from dataclasses import dataclass

from components.language.answered import ENGLISH, HINDI, HINGLISH, PORTUGUESE, SPANISH, answered, written_as
from components.language.detection import ONE_WORD, detect
from components.text.message_text import words

OTHER = "other"  # a language that is wished for and not answered in


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAMES = {
    **dict.fromkeys(_set("english inglish englis angrezi angreji अंग्रेजी अंग्रेज़ी इंग्लिश inglés ingles inglês"), ENGLISH),
    # Who writes its name in Latin script is answered in it; whoever writes its own script gets that at once.
    **dict.fromkeys(_set("हिंदी हिन्दी हिंदि हिन्दि देवनागरी devanagari devnagari devanagri"), HINDI),
    **dict.fromkeys(_set("hindi hinglish हिंग्लिश"), HINGLISH),
    **dict.fromkeys(_set("portuguese portugese português portugues portugués brazilian"), PORTUGUESE),
    **dict.fromkeys(_set("spanish español espanol espanhol castellano"), SPANISH),
    **dict.fromkeys(
        _set("tamil telugu marathi bengali bangla gujarati kannada malayalam punjabi urdu odia assamese"), OTHER
    ),
    **dict.fromkeys(_set("bhojpuri konkani nepali arabic french german chinese russian japanese italian dutch"), OTHER),
    **dict.fromkeys(_set("तमिल तेलुगु मराठी बंगाली बांग्ला गुजराती कन्नड़ मलयालम पंजाबी उर्दू भोजपुरी नेपाली"), OTHER),
    **dict.fromkeys(_set("turkish indonesian francês francés alemão alemán italiano árabe deutsch français"), OTHER),
}
# Said in any language, as "ok" is: they tell nothing of the one that the customer writes.
_COURTESIES = _set("""
    haan ha han nahi na theek thik accha achha ji bas chalo bhai yaar ok okay namaste namaskar shukriya dhanyavad
    dhanyawad alvida
""")
_PLAIN = 4.5  # evidence ahead of the runner-up: more than one word that no other language has (3 each)

# What a message may hold beside a language's name and still be nothing but a wish for that language.
_WISHING = _set("""
    in into to me mein main mai please pls plz kindly only speak speaking talk talking reply replying write writing
    chat answer respond type tell say explain continue switch change use prefer language lang the your my can could
    you u we i do does know understand don't dont not can't cant cannot want would like it this is are why let's
    lets from now on ok okay hi hello sorry no yes better sir madam with a bit little stop instead of and bolo
    boliye bol baat baatein karo kar kare karen karein karte kariye kijiye sakte sakta sakti ho hai hain kya aap tum
    mujhe mujhse hum samajh samjha samjhao aati aata ata ati nahi nhi se batao bataiye bata likho likhiye likhe
    jawab dijiye de dena dein chahiye ji bhai yaar haan bhasha zara thoda ab में मे बात करो करें कीजिए करिए बोलो
    बोलिए बताओ बताइए जवाब दो दीजिए लिखो लिखिए प्लीज प्लीज़ कृपया मुझे मुझसे हमसे हमें नहीं नही आती आता समझ समझाओ समझाइए
    क्या आप तुम सकते सकता सकती हो हैं है हूँ हूं केवल सिर्फ सिर्फ़ बस ही अब से भाषा बदलो बदलिए चाहिए जी भाई यार ज़रा जरा थोड़ा
    हाँ हां ठीक नमस्ते लिपि को की का भी बात कर दें देना em por favor pf pfv fala falar fale falo falam
    falem conversar escreve escrever escreva responde responder responda pode podem podemos poderia você voce vc vcs
    eu não nao entendo só so quero prefiro gostaria o a oi olá ola língua sim en favor porfa habla hablas hablar
    hablan hablame háblame hablo hablamos escribe escribir escríbeme escribeme contesta contestar puedes puede
    pueden podrías podrias usted tú tu yo entiendo solo sólo quiero prefiero hola idioma el sí si
""")
_NEGATED = _set("no não nao")
_UNABLE = _set("hablo entiendo falo entendo hablar falar sé sei")
_SAYING = (
    r"(?:speak|talk|reply|write|chat|answer|respond|explain|tell|type|say|switch|continue)"
    r"(?: (?:me|us|back|it|this|that|please|only|to|with|kindly|everything))*(?: (?:in|into))?"
)
_HINDI_SAYING = (
    r"(?:bolo|boliye|bol|baat|batao|bataiye|bata|likho|likhiye|jawab|samjhao|reply|answer"
    r"|बोलो|बोलिए|बात|बताओ|बताइए|लिखो|लिखिए|जवाब|समझाओ|समझाइए)"
)
_NAME = rf"(?:{'|'.join(sorted(_NAMES, key=len, reverse=True))})"
_ROMANCE_SAYING = (
    r"(?:fala|fale|falar|conversar|escreve|escreva|responde|responda|responder|habla|háblame|hablame|hablar|escribe"
    r"|escríbeme|contesta|contéstame|contestame)(?: (?:me|por|favor|comigo|conmigo))*(?: (?:em|en))"
)
_ASKED_FOR = re.compile(
    rf"\b(?:{_SAYING} {_NAME}|{_NAME} (?:me|mein|main|mai|में|मे) (?:(?:hi|zara|please|ही|ज़रा|जरा) )*{_HINDI_SAYING}"
    rf"|{_ROMANCE_SAYING} {_NAME}|(?:em|en) {_NAME} (?:por favor|pf|porfa)"
    rf"|(?:in )?{_NAME} (?:please|pls|plz|only))(?!\S)"
)
_REFUSED_BEFORE = _set("not don't dont can't cant cannot stop why instead")
_REFUSED_AFTER = _set("nahi nhi नहीं नही")
_MAX_CHARS = 1500  # characters in which a wish is looked for, counted from the end
_REACH = 5  # words between a language's name and the word that refuses it


@dataclass(frozen=True)
class Reading:
    """What one message tells: `plain` language, or None; the language wished for (perhaps OTHER); whether that is all.

    `hint` is a language too weakly marked to change a conversation alone, enough to begin one.
    """

    plain: str | None = None
    hint: str | None = None
    wish: str | None = None
    only_a_wish: bool = False

    @property
    def language(self) -> str | None:
        """What the message is written in, as far as it tells."""
        return self.plain or self.hint


@dataclass(frozen=True)
class Spoken:
    """The language of a conversation, and whether the customer chose it in so many words."""

    language: str | None = None
    wished: bool = False


def read(text: str) -> Reading:
    """Read a message as the customer typed it."""
    wish, only = _wish(words(text[-_MAX_CHARS:].lower().replace("’", "'")), text)
    only = only and not any(char.isdigit() for char in text)
    found = detect(_without_courtesies(text))
    # A customer who writes Hindi mixes English into it, the other way round a borrowed word stays one.
    mixed = found.language == ENGLISH and found.evidence.get(HINGLISH, 0) >= ONE_WORD
    plain = found.language if found.margin >= _PLAIN and not mixed else None
    told = found.margin >= ONE_WORD or found.language not in (ENGLISH, HINGLISH)  # or shared with a sibling only
    return Reading(plain, found.language if told and not mixed else None, wish, only)


def choose(before: Spoken, message: Reading, earlier: Reading | None = None) -> Spoken:
    """The language after a message; None as long as nothing told. `earlier` is the customer's message before it."""
    if message.wish and message.wish != OTHER:
        return Spoken(message.wish, wished=True)
    if before.wished and before.language == HINGLISH and message.plain == HINDI:
        return Spoken(HINDI, wished=True)  # the language that they wished for, in its other script
    if before.wished or message.only_a_wish:
        return before
    twice = message.hint if earlier and message.hint == earlier.language else None
    stays = before.language if before.language in answered() else None
    return Spoken(message.plain or twice or stays or message.hint)


def _without_courtesies(text: str) -> str:
    return " ".join(word for word in text.split() if word.lower().strip(".,!?") not in _COURTESIES)


def _wish(found: list[str], text: str) -> tuple[str | None, bool]:
    """(the language wished for, whether the message says nothing else)."""
    named = [at for at, word in enumerate(found) if word in _NAMES]
    if not named:
        return None, False
    only = all(word in _WISHING or word in _NAMES for word in found)
    if not only and not _ASKED_FOR.search(" ".join(found)):
        return None, False
    wanted = [at for at in named if not _refused(found, at)]
    if wanted:
        language = written_as(_NAMES[found[wanted[-1]]])
        return language if language in answered() else OTHER, only
    if _NAMES[found[named[-1]]] != ENGLISH:
        return ENGLISH, only  # "i don't know hindi"
    own = detect(text).language  # "no hablo inglés"
    return own if own in (PORTUGUESE, SPANISH) else written_as(HINDI if own == HINDI else HINGLISH), only


def _refused(found: list[str], at: int) -> bool:
    """Whether the language named at this place is the one that the customer does not want."""
    before, after = found[max(0, at - _REACH) : at], found[at + 1 : at + 3]
    before = _since_last_name(before)
    unable = bool(_NEGATED & set(before) and _UNABLE & set(before))
    return unable or bool(_REFUSED_BEFORE & set(before) or _REFUSED_AFTER & set(after))


def _since_last_name(before: list[str]) -> list[str]:
    for at in range(len(before) - 1, -1, -1):
        if before[at] in _NAMES:
            return before[at + 1 :]
    return before

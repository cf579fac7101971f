"""Which language a message is written in: English, Hindi in Latin script (Hinglish), or Hindi in Devanagari.

A pure function over function words. Customers mix; a message counts as Hinglish when its grammar is Hindi, whatever its
nouns are ("order cancel kar do"), and as English when only a word or two is borrowed ("where is my kurta ji").
"""

from __future__ import annotations

from collections.abc import Iterable

from components.text.message_text import readable, words

ENGLISH, HINGLISH, HINDI = "en", "hinglish", "hi"

# Words of Hindi grammar and of complaints, in the spelling that `message_text` folds to.
_HINDI_WORDS = frozenset(
    """
    aaj aana aap aapka aapke aapki aata aaya aaye aayega aayegi aayi abhi accha achha agar apna apne
    apni aur baat bahut bakwas bas bata batao bekar bhai bhej bheja bhejna bhejo bhi bilkul bola bolo
    chahiye chahta chalo dedo dekho dena dene dhanyavad dhanyawad dijiye din diya diye fir galat gaya
    gaye gayi ghar ghatiya haan hafta hai hoga hogi honge hoon hota hote hoti hu hua hue hui hum hume
    humko idhar iska iske isko isme itna itni jab jaldi jana jao ka kab kaha kaise kal kar karao kardo
    kare karke karna karne karni karo karta karte karu karwana karwao kaun ke kharab ki kidhar kijiye
    kis kisi kisne kitna kitne kitni ko koi kuch kya kyu kyunki lekin lena liya lo madad magar mahina
    mat matlab mera mere meri mila mile milega milegi mili milta mujhe nahi namaskar namaste nikla nikli
    paisa paise pareshan parso phata phir raha rahe rahi rehne rehno rupaye sahi samaan shukriya sirf
    tab tak tera tere tha theek thi toh toota tum tumhara tuta udhar uska uske usko utna waha wala wale
    wali wapas woh yaar yaha ye yeh zyada
    aane badal badlo bada badi bhaiya chhota chhoti daal dusra dusre hata hatao kariye karoge lagega lagta lagi
    pata pura puri sakta sakte sakti
    """.split()  # noqa: SIM905
)
_SHARED = frozenset("aa ab do hi ho ji kam par pe se".split())  # noqa: SIM905  English words or abbreviations too: half
_MIXED_SHARE = 0.3


def detect_language(text: str) -> str | None:
    """`en`, `hinglish` or `hi`; None when nothing tells (a number, an emoji, a name)."""
    found = words(readable(text))
    if not found:
        return None
    if sum(1 for word in found if word[0] >= "ऀ") * 2 >= len(found):
        return HINDI
    score = hindi_score(found)
    if score >= 1 and (score >= 3 or score / len(found) >= _MIXED_SHARE):
        return HINGLISH
    return ENGLISH if any(word.isascii() for word in found) else None


def hindi_score(found: Iterable[str]) -> float:
    """How much Hindi grammar is in these words (of a readable text): 1 a word, half for words that English has too."""
    return sum(1.0 if word in _HINDI_WORDS else 0.5 if word in _SHARED else 0.0 for word in found)

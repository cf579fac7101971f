"""Which language a message is written in: English, Hindi in Latin script (Hinglish), or Hindi in Devanagari.

A pure function over function words. Shops' customers mix; a message counts as Hinglish when its grammar is Hindi, whatever its nouns are
("order cancel kar do"), and as English when only a word or two is borrowed ("where is my kurta ji").
"""

from __future__ import annotations

from components.message_text import readable, words

ENGLISH, HINGLISH, HINDI = "en", "hinglish", "hi"

# Words of Hindi grammar and of complaints, in the spelling that `message_text` folds to. None of them is a common English word.
_HINDI_WORDS = frozenset(
    """
    hai hu hoon tha thi nahi kab kaha kaise kyu kya kaun kis kisi kisne koi kuch kitna kitne kitni mera mere meri mujhe hum hume humko apna
    apne apni aap aapka aapke aapki tum tumhara tera tere ye yeh woh isko isme iska iske usko uska uske ka ki ke ko se par pe aur bhi
    hi tak abhi ab phir fir jaldi kal aaj parso karo karna karne karni kardo kar karke karu kare karta karte karwana karwao karao kijiye
    dijiye dedo dena dene diya diye do lo lena liya raha rahi rahe gaya gayi gaye hua hui hue hoga hogi honge ho hota hoti hote aaya aayi
    aaye aayega aayegi aana aa aata mila mile mili milega milegi milta chahiye chahta wapas paise paisa rupaye theek achha accha haan
    bilkul matlab bahut zyada kam sirf bas wala wale wali yaha waha idhar udhar yaar bhai ji sahi galat kharab batao bata bolo bola bheja
    bhejo bhej bhejna dekho samaan namaste namaskar dhanyavad dhanyawad shukriya lekin magar toh agar jab tab kyunki din mahina hafta ghar
    baat madad pareshan itna itni utna kidhar rehne rehno mat nikla nikli toota tuta phata ghatiya bekar bakwas jao jana chalo
    """.split()
)
_SHARED = frozenset("do hi par me to so is par kam ho ji pe se ab aa".split())  # English or abbreviations as well: they count half
_MIXED_SHARE = 0.3


def detect_language(text: str) -> str | None:
    """`en`, `hinglish` or `hi`; None when nothing tells (a number, an emoji, a name)."""
    found = words(readable(text))
    if not found:
        return None
    if sum(1 for word in found if word[0] >= "ऀ") * 2 >= len(found):
        return HINDI
    score = sum(0.5 if word in _SHARED else 1.0 for word in found if word in _HINDI_WORDS)
    if score >= 1 and (score >= 3 or score / len(found) >= _MIXED_SHARE):
        return HINGLISH
    return ENGLISH if any(word.isascii() for word in found) else None

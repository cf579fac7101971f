"""A customer's message made comparable: one spelling for what people write in ten.

Two forms. `folded` is for n-grams: lower case, placeholders for numbers and links, emoji as words, Hinglish and the commonest typos in one
spelling. `readable` is for the sentence embedding: the same without placeholders that no language model has seen.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from components.order_number import DEFAULT_PATTERN, ascii_digits, find_order_numbers, look_alikes

_INVISIBLE = re.compile("[\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "…": "...", "–": "-", "—": "-"})
_ELONGATED = re.compile(r"([^\W\d])\1{2,}")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[a-zÀ-ɏऀ-ॿ]+(?:'[a-z]+)?")

_EMOJI = {
    "angryemoji": "😡🤬😠👿😤🖕💢",
    "sademoji": "😢😭😞😔😟🙁☹😩😫💔😓😥",
    "laughemoji": "😂🤣😆😹",
    "yesemoji": "👍👌✅☑✔💯🆗",
    "noemoji": "👎❌🚫✖🙅",
    "prayemoji": "🙏",
    "happyemoji": "😊😀😃😄😁🙂😍🥰😘❤💕💖💐🌹😇☺🤗👏",
    "waveemoji": "👋",
    "parcelemoji": "📦🚚🛵",
    "phoneemoji": "📞☎📱🤙",
    "moneyemoji": "💰💵💸",
    "botemoji": "🤖",
}
_EMOJI_WORD = {symbol: word for word, symbols in _EMOJI.items() for symbol in symbols}

# canonical spelling: what people write instead
_SPELLINGS = {
    "please": "pls plz plzz pleas plese plss pleasee",
    "you": "u yu", "your": "ur yr", "are": "r", "you're": "youre", "why": "y whyy", "because": "bcoz coz bcz cuz becoz",
    "thanks": "thx thnx tnx thanx thks", "thank you": "thankyou thanku tq ty tysm thnku", "okay": "ok k kk okk okey okie oky oke okz",
    "what": "wat wht wt", "when": "wen whn", "where": "whr wher were's", "message": "msg mesg", "number": "num nmbr numbr nbr",
    "with": "wid wth", "have": "hav hv", "that": "dat tht", "this": "dis ths", "and": "nd", "not": "nt", "the": "d da",
    "good": "gud gd", "morning": "mrng mrning mornin", "night": "nyt nite", "tomorrow": "tmrw tmrow tomorow tommorow tommorrow",
    "don't": "dont dnt", "can't": "cant cannot", "didn't": "didnt", "doesn't": "doesnt", "isn't": "isnt", "haven't": "havent",
    "hasn't": "hasnt", "won't": "wont", "wasn't": "wasnt", "couldn't": "couldnt", "i'm": "im iam", "i've": "ive", "it's": "itz",
    "order": "ordr oder odr ordar ordre ordeer", "ordered": "orderd orded odered ordred", "delivery": "delivry delevery dilivery delivary delivey dlvry "
    "deliviry delevary", "delivered": "deliverd delivred delverd deliverd delivedred delvered", "receive": "recieve recive receve",
    "received": "recieved recived receivd recvd rcvd recd receved", "refund": "refnd refand rfund refud refunf", "return": "retrun retun rturn ritarn",
    "replacement": "replacment replecement", "cancel": "cancle cancl cancell cancil canel cncl", "cancelled": "canceled cancled canceld cancelld",
    "cancellation": "cancelation cancalation", "address": "adress addres adrress addr adres", "tracking": "traking trackng", "track": "trak",
    "exchange": "exchnge exchang xchange", "product": "prodct produt prduct prdct", "parcel": "parcl parsel percel", "damaged": "damagd dammaged damged",
    "complaint": "complain complant complent complints", "customer": "custmer cust costumer costomer", "service": "servic servise srvc",
    "policy": "polcy plicy", "payment": "paymnt pymt pament", "quality": "quallity qualty", "amount": "amnt amt", "account": "acount accnt acct",
    "shipped": "shiped", "dispatched": "despatched dispached", "status": "stats statuss", "available": "avl availble avlbl",
    "colour": "color clr colr", "pathetic": "pathatic pathetik", "worst": "wrost", "package": "packge pkg pakage",
    "hai": "h hain hei hy hay", "nahi": "nhi nahin nai nahee nhai nehi ni nahii", "kya": "kia kyaa", "kab": "kb", "kaha": "kha kahan kahaan khan kidhar kidr",
    "kaise": "kese kaisay kse kaisey", "kyu": "kyo kyun kyon kiu kyoon q", "kar": "kr", "karo": "kro", "karna": "krna karnaa", "karne": "krne", "kardo": "krdo",
    "karwana": "krwana karvana", "karni": "krni", "mera": "mra", "mere": "mre", "meri": "mri", "mujhe": "mjhe muje mujhy mujhko mujko", "abhi": "abi", "tak": "tk",
    "aayega": "aaega ayega aega ayga aayga aaiga aayegaa", "aaya": "aya ayaa", "aaye": "aye", "paise": "paisa pese pesa paisay paese paiso", "wapas": "wapis vapas vapis wapus "
    "waapas wapsi vapsi", "bahut": "bht bohot bhot bohut bahot boht", "theek": "thik tik thk teek", "achha": "acha accha", "kharab": "khrab kharaab",
    "galat": "glat galt", "samaan": "saman samman", "bhai": "bhaiya bhaiyya bro", "raha": "rha", "rahi": "rhi", "rahe": "rhe", "gaya": "gya", "gaye": "gye", "gayi": "gyi",
    "ho": "hoo", "hua": "huwa hwa", "chahiye": "chaiye chahie chahye chaie chayie", "batao": "btao bataao bta", "baat": "bat bt", "karao": "krao karwao krwao",
    "milega": "mlega milga", "mila": "mla", "din": "dino", "haan": "han haa hn haanji hanji", "liya": "lia", "diya": "dia", "kiya": "kia",
}
_CANONICAL = {variant: word for word, variants in _SPELLINGS.items() for variant in variants.split()}
_PLACEHOLDER = {
    "url": "linktoken", "email": "mailtoken", "upi": "mailtoken", "handle": "", "money": "moneytoken", "date": "datetoken", "time": "timetoken",
    "pin": "pintoken", "phone": "phonetoken", "tracking": "tracking idtoken", "quantity": None, "number": "numtoken",
}
_NUMBER = re.compile(r"\d+")


@lru_cache(maxsize=4096)
def folded(text: str, pattern: str = DEFAULT_PATTERN) -> str:
    """The n-gram form of a message; empty only for a message without any sign."""
    return _squeeze(_spell(_emoji(_with_placeholders(_plain(text), pattern).lower())))


@lru_cache(maxsize=4096)
def readable(text: str, pattern: str = DEFAULT_PATTERN) -> str:
    """The sentence-embedding form: handles and links gone, spelling folded, numbers kept short."""
    plain = _plain(text)
    for span in sorted(look_alikes(plain), key=lambda s: -s.start):
        if span.kind in ("url", "email", "upi", "handle"):
            plain = plain[: span.start] + " " + plain[span.end :]
    return _squeeze(_spell(plain.replace("#", " ").lower()))


def words(text: str) -> list[str]:
    """The words of a folded or readable text."""
    return _WORD.findall(text)


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    return _INVISIBLE.sub("", ascii_digits(text))


def _with_placeholders(text: str, pattern: str) -> str:
    orders = find_order_numbers(text, pattern)
    spans = [(s.start, s.end, "ordernumber") for s in orders]
    for span in look_alikes(text):
        token = _PLACEHOLDER.get(span.kind)
        if token is not None and not any(start < span.end and span.start < end for start, end, _ in spans):
            spans.append((span.start, span.end, token))
    for start, end, token in sorted(spans, reverse=True):
        text = f"{text[:start]} {token} {text[end:]}"
    return _CAMEL.sub(" ", _NUMBER.sub(" numtoken ", text)) if "#" in text else _NUMBER.sub(" numtoken ", text)


def _emoji(text: str) -> str:
    out = []
    for char in text:
        if char in _EMOJI_WORD:
            out.append(f" {_EMOJI_WORD[char]} ")
        elif unicodedata.category(char) == "So":
            out.append(" emojitoken ")
        else:
            out.append(char)
    return "".join(out)


def _spell(text: str) -> str:
    text = _ELONGATED.sub(r"\1\1", text)
    return _WORD.sub(lambda m: _CANONICAL.get(m.group(), m.group()), text)


def _squeeze(text: str) -> str:
    return " ".join(text.split())

"""What counts as a yes to something that will be done: a closed list of words, and nothing else beside them.

Learnt readings are right nearly always; an order must not be cancelled on "nearly". A yes that is not of the list
costs the customer one more tap: it need not hold every yes, only no "yes, but" (docs/decisions/08-a-yes-that-acts.md).
"""

import re
import unicodedata

from actions.self_service.acts import ADDRESS, CANCEL, RETURNS

MAX_CHARS = 100
# Each language in turn: English, Hindi in both scripts, Portuguese, Spanish.
_YES = """yes yeah yep yup yea yess sure absolutely definitely certainly confirm confirmed
haan han haa haanji hanji bilkul zaroor zarur kardo kijiye
हाँ हां हा जी हाँजी हांजी बिल्कुल बिलकुल ज़रूर जरूर पक्का कन्फर्म
sim claro confirmo pode podem confirmado sí si confirma dale adelante"""
# Beside a yes they change nothing of it.
_BESIDE = """please pls plz kindly thanks thank you ty ok okay okey okk k ji sir madam mam maam bhai bhaiya bro dear
go ahead do it that this the my order now right correct all good i am im is its want to
kar do dijiye dein karo karna dena hai mera meri ise isko theek thik sahi
कर दो दीजिए दें करो करें कीजिए करना है मेरा मेरी यह ये इसे इसको प्लीज प्लीज़ कृपया धन्यवाद शुक्रिया भाई भैया सर मैडम ओके
ठीक सही अभी ऑर्डर
s thats
por favor obrigado obrigada isso meu o pedido agora certo correto está esta faça fazer
gracias porfa porfavor mi el la lo correcto eso es así ahora hazlo que of course com certeza de acuerdo"""
_YES_TOGETHER = ("go ahead", "do it", "please do", "of course", "kar do", "kar dijiye", "kar dein",
                 "कर दो", "कर दीजिए", "कर दें", "com certeza", "de acuerdo", "hazlo")  # fmt: skip
_OF_THE_ACT = {
    CANCEL: "cancel cancelar cancela cancele cancelalo cancélalo cancelem anular रद्द कैंसल कैंसिल कैन्सिल",
    ADDRESS: "change update address mudar mude endereço endereco cambiar cambia cámbiala dirección direccion badal "
             "पता पते एड्रेस बदल",
    RETURNS: "return devolver devolva devolverlo wapas wapis वापस रिटर्न",
}
# The same words (squeezed here) say something else of an order than that the act be done: "mera order confirm kar do",
# "yes i want my order", "is it confirmed", "isko theek kar do". Beside the act's own name, the order may be named.
_OF_THE_ORDER = re.compile(r" (?:order|pedido|want (?!to )|de (?:do|dijiye|dena|dein) |ऑर्डर |(?<!कर )(?:दो|दीजिए|दें) )")
_MENDS_OR_ASKS = re.compile(
    r"^ (?:is|am) | (?:thek|thik|sahi|corect|right|ठीक|सही) "
    r"(?:kar|karo|kardo|karna|kijiye|do|it|this|that|the|my|mera|meri|isko|कर|करो|करें|कीजिए) "
)
_SEPARATORS = re.compile(r"[\s.,!…\-–—'’\"“”👍👌✅🙏❤️\U0001F3FB-\U0001F3FF\u2060]+")


def is_yes(text: str, action: str, order: str) -> bool:
    """Whether a typed message agrees to `action` on this order and says nothing else. The order may be named."""
    plain = unicodedata.normalize("NFC", text[:MAX_CHARS + 1]).casefold()
    for name in (f"#{order}".casefold(), order.casefold()):
        plain = plain.replace(name, " ")
    words = [word for word in _SEPARATORS.split(plain) if word]
    said = [_squeezed(word) for word in words]
    if len(plain) > MAX_CHARS or not all(word in _KNOWN[action] for word in said):
        return False
    together = f" {' '.join(words)} "
    drawn_in, names_the_act = f" {' '.join(said)} ", any(word in _OWN[action] for word in said)
    if _MENDS_OR_ASKS.search(drawn_in) or (_OF_THE_ORDER.search(drawn_in) and not names_the_act):
        return False
    return any(word in _YES_WORDS for word in said) or any(f" {yes} " in together for yes in _YES_TOGETHER)


def _squeezed(word: str) -> str:
    """'yesss' → 'yes', 'haaan' → 'han': letters are drawn out."""
    return re.sub(r"(.)\1+", r"\1", word)


def _words(text: str) -> frozenset[str]:
    return frozenset(_squeezed(unicodedata.normalize("NFC", word).casefold()) for word in text.split())


_YES_WORDS = _words(_YES)
_OWN = {action: _words(own) for action, own in _OF_THE_ACT.items()}
_KNOWN = {action: _YES_WORDS | _words(_BESIDE) | own for action, own in _OWN.items()}

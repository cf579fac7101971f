"""The verifier lets nothing through that the cited passages do not say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.knowledge.grounding.facts import Fact, facts_in
from actions.knowledge.grounding.verification import verify
from actions.knowledge.pages.documents import load_pages
from tests.examples import examples

PAGES = load_pages(Path(__file__).resolve().parents[3] / "policy_kb")
SECTIONS = PAGES.sections
WINDOW = "You have 30 days from delivery to return clothing, footwear and home goods. Furniture and rugs have 14 days."
FEES = (
    "Pick-up is free for exchanges. For other returns we deduct ₹99 from the refund. "
    "There is no restocking fee, except 10 % of the price for furniture that was assembled."
)
HYGIENE = "Innerwear, lingerie and socks cannot be returned, for hygiene reasons."
TIMES = "It takes 1 to 3 working days for UPI and wallets, 3 to 5 for net banking, and 5 to 7 for cards."


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("You have 30 days from delivery to return clothing.", WINDOW),
        ("You can return clothing within thirty days of delivery.", WINDOW),
        ("Furniture has 14 days.", WINDOW),
        ("Sure! You have 30 days from delivery to return your kurta or other clothing.", WINDOW),
        ("We deduct ₹99 from the refund for other returns.", FEES),
        ("We deduct Rs 99 from the refund.", FEES),
        ("There is no restocking fee.", FEES),
        ("Innerwear and socks can't be returned for hygiene reasons.", HYGIENE),
        ("No, lingerie cannot be returned, for hygiene reasons.", HYGIENE),
        ("UPI refunds take 1 to 3 working days.", TIMES),
    ],
)
def test_what_the_passage_says_passes_in_other_words(answer: str, passage: str) -> None:
    assert verify(answer, [passage], "can I return a kurta or socks?").reason == "supported"


@pytest.mark.parametrize(
    ("answer", "passage", "reason"),
    [
        ("You have 45 days from delivery to return clothing.", WINDOW, "unsupported_fact"),
        ("You have ninety days from delivery to return clothing.", WINDOW, "unsupported_fact"),
        ("You have 30 working days from delivery to return clothing.", WINDOW, "unsupported_fact"),
        ("You have 30 weeks from delivery to return clothing.", WINDOW, "unsupported_fact"),
        ("You have ३५ days from delivery to return clothing.", WINDOW, "unsupported_fact"),
        ("You have ４５ days from delivery to return clothing.", WINDOW, "unsupported_fact"),
        ("Return clothing in 30 days from delivery, until 5 March.", WINDOW, "unsupported_fact"),
        ("Half of the refund is deducted for returns.", FEES, "unsupported_fact"),
        ("We deduct ₹999 from the refund for other returns.", FEES, "unsupported_fact"),
        ("We deduct 99 % from the refund for other returns.", FEES, "unsupported_fact"),
        ("UPI refunds take 1 to 3 days.", TIMES, "unsupported_fact"),
        ("You have 30 days to return clothing, see https://evil.example/x.", WINDOW, "unsupported_fact"),
        ("You have 30 days to return clothing, write to a@evil.example.", WINDOW, "unsupported_fact"),
        ("You have 30 days to return clothing, call +91 98765 43210.", WINDOW, "unsupported_fact"),
        ("Innerwear, lingerie and socks can be returned.", HYGIENE, "opposite_claim"),
        ("Yes, lingerie can be returned for hygiene reasons.", HYGIENE, "opposite_claim"),
        ("There is a restocking fee.", FEES, "opposite_claim"),
        ("With its tag an item is sent back to you.", "Without its tag an item is sent back to you.", "opposite_claim"),
        ("Swimwear can be returned without its hygiene strip.",
         "Swimwear with its hygiene strip in place can be returned.", "opposite_claim"),
        ("Innerwear and earrings for pierced ears can be returned.",
         "Innerwear, swimwear without its strip, and earrings for pierced ears cannot be returned.", "opposite_claim"),
        ("Clothing, footwear and home goods cannot be returned.", WINDOW, "opposite_claim"),
        ("Returns of clothing and home goods are always free.", WINDOW, "unsupported_promise"),
        ("Delivery of clothing comes with a refund guarantee.", WINDOW, "unsupported_promise"),
        ("Our founder started the shop in Jaipur with old friends.", WINDOW, "unsupported_claim"),
        ("Bring the invoice and your passport to the warehouse counter.", WINDOW, "unsupported_claim"),
        ("", WINDOW, "empty"),
        ("Yes.", WINDOW, "says_nothing"),
        ("Happy to help you!", WINDOW, "says_nothing"),
        ("clothing " * 200, WINDOW, "too_long"),
    ],
)
def test_what_the_passage_does_not_say_is_turned_down(answer: str, passage: str, reason: str) -> None:
    verdict = verify(answer, [passage])
    assert not verdict.supported
    assert verdict.reason == reason


TABLE = [
    "Germany — Return fee: €4,90; Refund after arrival: 5 days",
    "Brazil — Return fee: R$ 27,40; Refund after arrival: 12 days",
    "United Kingdom — Return fee: £3.60; Refund after arrival: 7 days",
]


@pytest.mark.parametrize(("answer", "question", "reason"), [
    ("The return fee for Brazil is R$ 27,40.", "", "supported"),
    ("The return fee is R$ 27,40.", "return fee from Brazil?", "supported"),
    ("In Germany the return fee is €4,90 and the refund takes 5 days after arrival.", "", "supported"),
    ("Brazil: return fee €4,90, 5 days refund after arrival.", "", "fact_out_of_place"),
    ("The refund takes 5 days after arrival for Brazil.", "", "fact_out_of_place"),
    ("The return fee is €4,90.", "return fee from Brazil?", "fact_out_of_place"),
    ("The return fee for Brazil is R$ 2740.", "", "unsupported_fact"),
    ("The return fee for Brazil is €27,40.", "", "unsupported_fact"),
])
def test_a_claim_is_held_by_its_own_row_of_a_table(answer: str, question: str, reason: str) -> None:
    assert verify(answer, TABLE, question).reason == reason


@pytest.mark.parametrize(("answer", "passage"), [
    ("Las plantas se pueden devolver.", "Las plantas no se pueden devolver."),
    ("Las plantas no se pueden devolver.", "Las plantas se pueden devolver en 30 días."),
    ("Dá para trocar peças em promoção.", "Não dá para trocar peças em promoção."),
    ("Earrings wapas ho sakte hain.", "Earrings wapas nahi ho sakte."),
    ("Velas se devuelven con etiqueta.", "Velas se devuelven sin etiqueta."),
])
def test_a_no_is_heard_in_every_answering_language(answer: str, passage: str) -> None:
    assert verify(answer, [passage]).reason == "opposite_claim"
    assert verify(passage, [passage]).supported


TERMS = [
    "You can return clothes within 30 days of delivery.", "Furniture has 14 days.",
    "Refunds are paid to the original payment method within 5 working days.",
    "Shipping costs ₹99 for orders below ₹999.", "We deliver on Saturdays until 6 pm.",
    "Devoluciones hasta 20 días, después no.", "Sale ka saman 10 din ke andar wapas hota hai.",
]


@pytest.mark.parametrize("answer", [
    "You have 30 days from delivery to return furniture.",
    "Clothes can be returned within 14 days.",
    "You can return clothes within 14 days, and furniture within 30 days.",
    "Refunds are paid within 30 days of delivery.",
    "You can return clothes within 5 working days.",
    "You can return clothes after 30 days of delivery.",
    "Clothes can be returned for at least 30 days.",
    "Shipping costs ₹999.",
    "Orders below ₹99 cost ₹999 shipping.",
    "We deliver on Saturdays from 6 pm.",
    "We deliver on Saturdays until 6 am.",
    "We deliver on Sundays until 6 pm.",
    "Devoluciones después de 20 días.",
    "Sale ka saman 10 din ke baad wapas hota hai.",
])
def test_a_number_keeps_its_thing_its_side_and_its_day(answer: str) -> None:
    assert not verify(answer, TERMS).supported


@pytest.mark.parametrize("answer", [
    "Clothes can be returned within thirty days of delivery.", "Clothes have 30 days, and furniture has 14 days.",
    "Refunds are paid in 5 working days to the original payment method.",
    "For orders below ₹999 shipping costs ₹99.",
    "We deliver on Saturdays until 6 pm.",
    "Sale ka saman 10 din tak wapas hota hai.",
])
def test_what_keeps_them_passes(answer: str) -> None:
    assert verify(answer, TERMS).reason == "supported"


PARALLELS = [
    "Pick-up is free for exchanges.", "For other returns we deduct ₹99 from the refund.",
    "Gift cards cannot be returned.",
    "Cash on delivery orders are refunded to a bank account.", "Prepaid orders are refunded to the original card.",
    "Damaged items are replaced free of charge.", "Delivery to islands takes 7 days, elsewhere it takes 3 days.",
    "Shoes are returned in their box.",
]


@pytest.mark.parametrize("answer", [
    "Pick-up is free for returns.",
    "Exchanges: we deduct ₹99 from the refund.",
    "Cash on delivery orders are refunded to the original card.",
    "Prepaid orders are refunded to a bank account.",
    "Gift cards are refunded to a bank account.",
    "Shoes are replaced free of charge.",
    "Damaged items are refunded free of charge.",
    "Delivery to islands takes 3 days.",
])
def test_what_is_said_of_one_thing_is_not_said_of_another(answer: str) -> None:
    assert not verify(answer, PARALLELS).supported


@pytest.mark.parametrize("answer", [
    "Pick-up for exchanges is free, and for other returns we deduct ₹99 from the refund.",
    "Prepaid orders are refunded to the original card, cash on delivery orders to a bank account.",
    "It takes 3 days elsewhere.",
    "Yes, shoes can be returned in their box.",
])
def test_what_is_said_of_each_thing_may_be_said_together(answer: str) -> None:
    assert verify(answer, PARALLELS).reason == "supported"


def test_nothing_cited_nothing_said() -> None:
    assert verify("You have 30 days.", []).reason == "nothing_cited"


def test_a_number_of_another_thing_is_out_of_place() -> None:
    text = "Gift cards are valid for 12 months. Late requests from hospital patients are looked at by a person."
    verdict = verify("Late requests from hospital patients are looked at by a person for 12 months.", [text])
    assert not verdict.supported


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.key)
def test_the_shops_own_sentences_are_supported_by_themselves(section: object) -> None:
    text = section.text  # type: ignore[attr-defined]
    assert verify(text, [text]).reason == "supported"


UNITS = ["", " days", " hours", " working days", " weeks", " months", " %", " rupees", " items", " times"]


@pytest.mark.slow
@settings(max_examples=examples(300))
@given(
    st.sampled_from(SECTIONS), st.integers(0, 10**7), st.sampled_from(UNITS), st.sampled_from(["", "₹", "Rs. "]),
    st.data(),
)
def test_inserting_a_number_never_passes(
    section: object, number: int, unit: str, before: str, data: st.DataObject
) -> None:
    text = section.text  # type: ignore[attr-defined]
    words = text.split()
    # Between words, not inside a number: "30" before "days" would make another unit of the page's own number.
    at = data.draw(st.integers(0, len(words)))
    changed = " ".join([*words[:at], f"{before}{number}{unit},", *words[at:]])
    if facts_in(changed) <= facts_in(text):
        return
    assert not verify(changed, [text]).supported


@given(st.sampled_from(SECTIONS), st.data())
def test_changing_a_number_never_passes(section: object, data: st.DataObject) -> None:
    text = section.text  # type: ignore[attr-defined]
    numbers = sorted({fact.value for fact in facts_in(text) if fact.value.isdigit() and fact.value in text.split()})
    if not numbers:
        return
    old = data.draw(st.sampled_from(numbers))
    new = str(data.draw(st.integers(0, 5000)))
    changed = " ".join(new if word == old else word for word in text.split())
    if facts_in(changed) <= facts_in(text):
        return
    assert not verify(changed, [text]).supported


@given(st.text(max_size=1200))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert verify(text, [WINDOW]).reason


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("thirty days", {Fact("30", "day")}),
        ("twenty-one days", {Fact("21", "day")}),
        ("two hundred rupees", {Fact("200", "inr")}),
        ("₹1,299.00 and Rs. 1299", {Fact("1299", "inr")}),
        ("€25,90 or 25.90 EUR", {Fact("25.9", "eur")}),
        ("R$ 25,90", {Fact("25.9", "brl")}),
        ("$1,299.00", {Fact("1299", "$")}),
        ("1.299,00 €", {Fact("1299", "eur")}),
        ("CHF 1'299.00", {Fact("1299", "chf")}),
        ("MX$ 640 o 640 pesos", {Fact("640", "mxn")}),
        ("£3.60", {Fact("3.6", "gbp")}),
        ("₹1,29,999", {Fact("129999", "inr")}),
        ("5 días hábiles, 5 dias úteis", {Fact("5", "working day")}),
        ("quince días", {Fact("15", "day")}),
        ("duas semanas ou 24 horas", {Fact("2", "week"), Fact("24", "hour")}),
        ("10 por ciento", {Fact("10", "percent")}),
        ("once you have paid", set()),
        ("1.5 lakh", {Fact("150000", "")}),
        ("until 31 January", {Fact("31", "january")}),
        ("January 31st", {Fact("31", "january")}),
        ("1 to 3 working days", {Fact("1", "working day"), Fact("3", "working day")}),
        ("10 % or ten percent", {Fact("10", "percent")}),
        ("one of them", set()),
        ("one day", {Fact("1", "day")}),
        ("https://a.example/b.", {Fact("https://a.example/b", "address")}),
    ],
)
def test_the_same_fact_written_otherwise_is_the_same(text: str, facts: set[Fact]) -> None:
    assert facts_in(text) == facts

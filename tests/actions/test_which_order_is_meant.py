"""Numbers of another shape, parts of numbers, tracking numbers, numbers on pictures."""

from __future__ import annotations

import pytest

from actions.order_choice import ActionOtherOrder
from actions.order_status import ActionCheckOrderStatus, OrderAction
from actions.orders.models import Order, OrderStatus
from actions.orders.naming import may_name_in_part, named_in_part
from tests.actions.order_answers import FakeOrders, ashas, ask, order


async def test_what_is_no_order_number_of_this_shop_is_never_answered_with_another_order() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234")), misshaped="WC-9009")
    assert reply.responses == ["utter_order_status_misshaped"]
    assert "WC-9009" in reply.text
    assert "10234" in reply.text  # what the numbers look like, not this customer's order
    assert "on its way" not in reply.text


@pytest.mark.parametrize("text", ["1023", " 1023 ", "#999", "123456789"])
@pytest.mark.parametrize("kind", [ActionCheckOrderStatus, ActionOtherOrder])
async def test_digits_alone_that_are_no_number_of_ones_own_show_no_order(kind: type[OrderAction], text: str) -> None:
    reply = await ask(kind, ashas(order("10234")), text=text, order_number="10234")
    assert reply.responses == ["utter_order_status_misshaped"]


@pytest.mark.parametrize("text", ["2", "10", "the 2nd", "9876543210"])
async def test_few_digits_or_a_phones_are_no_order_number(text: str) -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234")), text=text)
    assert reply.responses == ["utter_order_status_shipped"]


@pytest.mark.parametrize(("part", "told"), [
    ("00417", True), ("417", True), ("2026/417", True), ("202600417", True),
    ("OS/2026", False), ("2026/4170", False), ("02600417", False), ("PO-00417", False), ("0041", False), ("17", False),
])  # fmt: skip
async def test_a_part_of_the_number_of_one_of_ones_own_orders_names_it(part: str, told: bool) -> None:
    own = ashas(*(Order(f"OS/2026/00{end}", OrderStatus.SHIPPED) for end in ("417", "433")))
    reply = await ask(ActionCheckOrderStatus, own, misshaped=part)
    assert ("OS/2026/00417" in reply.text, reply.slots.get("order_number")) == (told, "OS/2026/00417" if told else None)
    others = await ask(ActionCheckOrderStatus, FakeOrders(), misshaped=part)
    assert others.responses == ["utter_order_status_misshaped"]


@pytest.mark.parametrize(("number", "text", "told"), [
    ("HW/26/10442", "10442 update pls", True),  # whatever the words make of the digits
    ("HW/26/10442", "the one ending 442", True), ("HW/26/10442", "442 of them please", False),
    ("HW/24/00871", "871 any news", False), ("PT-2026-00417", "acaba em 417", True),
    ("113-4820193-7750418", "113-4820193 where", True), ("113-4820193-7750418", "7750418?", True),
    ("BW-50977", "BW 50 977 where r u", True), ("BW-50977", "bw-509\n77", True), ("30051204", "el 3005\n1204", True),
    ("tk26b04419", "t k 26 b 04419", True), ("tk26b04419", "4419 wala", True),
    ("HW/26/10442", "paid 10,442 rs", False), ("HW/26/10442", "WC-10442", False), ("HW/26/10442", "in 2026", False),
    ("14-40718-3356", "order number 14-40718-33562 status", False), ("14-40718-3356", "40718-3356?", True),
    ("58380/26", "o q termina em 380/26", True), ("58380/26", "380/26 unidades", False),
    ("2026-00093", "2026-00093-12", False), ("14-40718-3356", "914-40718-3356", False),
    ("BW-50977", "BW 50 9771", False), ("10234", "102 34 pieces", False),
])  # fmt: skip
def test_a_number_cut_apart_or_a_telling_part_of_it_names_an_own_order(number: str, text: str, told: bool) -> None:
    other = number.translate(str.maketrans("0123456789", "9876543210"))
    own = [Order(number, OrderStatus.SHIPPED), Order(other, OrderStatus.SHIPPED)]
    assert may_name_in_part(text) or not told
    assert [order.number for order in named_in_part(text, None, own)] == ([number] if told else [])


@pytest.mark.parametrize(("said", "told"), [
    ("qb-84-20617", True), ("84-20617", True), ("QB8420617", True), ("qb-84r-20617", False), ("QB-84-20618", False),
    ("XY8420617", False), ("83-20617", False), ("8420618", False),
])  # fmt: skip
def test_letters_between_the_digits_of_an_own_number_may_be_left_out(said: str, told: bool) -> None:
    own = [Order(number, OrderStatus.SHIPPED) for number in ("QB-84K-20617", "QB-83M-20266", "QB-84K-20671")]
    assert [order.number for order in named_in_part(said, said, own)] == (["QB-84K-20617"] if told else [])


@pytest.mark.parametrize(("text", "meant", "told"), [
    ("order no 4K82-D177X where is it", "4K82-D177X", False), ("4k82 d177x", "4k82 d177x", False),
    ("4k82 where is it", "4k82", True), ("#4K82?", "4K82", True), ("D17X where's that got to", None, True),
    ("the one ending 17x", None, True), ("the one ending 18x", None, False), ("17x please", None, False),
])  # fmt: skip
def test_a_part_with_letters_names_its_order_but_no_number_with_a_slip_does(
    text: str, meant: str | None, told: bool
) -> None:
    own = [Order(number, OrderStatus.SHIPPED) for number in ("4K82-D17X", "2H19-B60R")]
    assert may_name_in_part(text) or not told
    assert [order.number for order in named_in_part(text, meant, own)] == (["4K82-D17X"] if told else [])


@pytest.mark.parametrize("text", [
    "key safe is 3958, is it on its way", "paid with the card ending 3958, has it shipped", "my flat is 3958",
    "passei no cartão final 3956, já foi enviado?", "pago con la tarjeta que termina en 3958", "3958 wale card se diya",
])
@pytest.mark.parametrize("number", ["MH.3958/T", "TCH3956-12", "KC2611-3958"])
def test_four_digits_that_are_not_read_as_a_number_name_no_order(number: str, text: str) -> None:
    own = [Order(number, OrderStatus.DELIVERED), Order("MH.4071/K", OrderStatus.SHIPPED)]
    assert named_in_part(text, None, own) == []
    digits = "".join(filter(str.isdigit, text))
    found = [number] if digits in number else []
    assert [order.number for order in named_in_part(text, digits, own)] == found  # read as one it does


@pytest.mark.parametrize(("number", "text"), [
    ("QB-84K-20617", "Qb 83 20617"), ("113-4820193-7750418", "113 4820193 775041"),
])  # fmt: skip
def test_no_group_of_a_number_that_is_none_of_the_shop_names_an_order(number: str, text: str) -> None:
    own = [Order(number, OrderStatus.SHIPPED)]
    assert named_in_part(f"where is {text}", text, own) == []


async def test_zeros_in_front_may_be_left_out_of_a_number() -> None:
    own = ashas(Order("HW/24/00871", OrderStatus.SHIPPED), Order("HW/26/00435", OrderStatus.SHIPPED))
    reply = await ask(ActionCheckOrderStatus, own, misshaped="hw/24/871")
    assert reply.slots.get("order_number") == "HW/24/00871"


async def test_the_end_of_a_number_names_its_order_though_it_is_mostly_zeros() -> None:
    own = ashas(*(Order(f"112-330041{n}-000002{n}", OrderStatus.SHIPPED) for n in (0, 1)))
    reply = await ask(ActionCheckOrderStatus, own, misshaped="0000020")
    assert reply.slots.get("order_number") == "112-3300410-0000020"


@pytest.mark.parametrize(("text", "misshaped"), [
    ("track ee 123-456-789 in", None), ("where is EE123456789IN?", "EE123456789IN"),
])
async def test_a_tracking_number_of_ones_own_leads_to_its_order(text: str, misshaped: str | None) -> None:
    orders = ashas(order("10234", "shipped", 24, tracking_number="EE123456789IN"), order("10241", "packed"))
    reply = await ask(ActionCheckOrderStatus, orders, text=text, misshaped=misshaped)
    assert (reply.responses, reply.slots["order_number"]) == (["utter_order_status_shipped"], "10234")
    foreign = await ask(ActionCheckOrderStatus, orders, text="track EE987654321IN")
    assert foreign.responses == ["utter_order_status_choose"]


@pytest.mark.parametrize(("typed", "on_picture", "told"), [
    ([], "10234 62704", ["shipped 10234"]), ([], "62704 EE123456789IN", ["shipped 10234"]),
    ([], "62704 60001", ["not_found 62704"]), ([], "10555", ["not_found 10555"]),
    (["10555"], "10234", ["not_found 10555", "shipped 10234"]), (["10241"], "62704", ["packed 10241"]),
])  # fmt: skip
async def test_of_the_numbers_on_a_picture_those_count_that_are_orders_of_the_customer(
    typed: list[str], on_picture: str, told: list[str]
) -> None:
    orders = ashas(order("10234", "shipped", 24, tracking_number="EE123456789IN"), order("10241", "packed"))
    numbers = [*typed, *(word for word in on_picture.split() if word.isdigit())]
    reply = await ask(
        ActionCheckOrderStatus, orders, *numbers, text=" ".join([*typed, on_picture]), on_picture=on_picture
    )
    said = [
        f"{message['response'].removeprefix('utter_order_status_')} {message['order_number']}"
        for message in reply.messages
    ]
    assert said == told

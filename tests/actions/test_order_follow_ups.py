"""What follows an answer about an order: when exactly, the other one, the refund, and orders of a former phone."""

from __future__ import annotations

from typing import Any

import pytest

from actions.order_choice import ActionOtherOrder
from actions.order_details import ActionDeliveryDate, ActionOrderCourier, ActionOrderWhyLate
from actions.order_status import (
    ActionCheckOrderStatus,
    OrderAction,
)
from actions.orders.models import Order
from actions.refund_status import ActionCheckRefundStatus
from tests.actions.order_answers import ASHA, FakeOrders, ashas, ask, order


async def test_when_exactly_is_about_the_order_just_shown() -> None:
    orders = ashas(order("10234", "shipped", 24), order("10235", "shipped", 30))
    reply = await ask(ActionDeliveryDate, orders, order_number="10235")
    assert reply.responses == ["utter_order_status_delivery_date"]
    assert "#10235" in reply.text
    assert "in 7 days, on Mon 30 Nov" in reply.text


@pytest.mark.parametrize(
    ("orders", "response"),
    [
        ([order("10234", "shipped")], "utter_order_status_no_delivery_date"),
        ([order("10234", "shipped", 27)], "utter_order_status_delivery_date"),
        ([order("10234", "shipped", 20)], "utter_order_status_shipped"),
        ([order("10234", "out_for_delivery")], "utter_order_status_out_for_delivery"),
        ([order("10234", None, 30)], "utter_order_status_unclear"),
        ([order("10234"), order("10235")], "utter_order_status_choose"),
        ([order("10187", "delivered")], "utter_order_status_no_open_orders"),
    ],
)
async def test_when_exactly_without_an_order_in_mind_is_about_the_open_ones(orders: list[Order], response: str) -> None:
    assert (await ask(ActionDeliveryDate, ashas(*orders))).responses == [response]


@pytest.mark.parametrize("action", [ActionCheckOrderStatus, ActionDeliveryDate])
@pytest.mark.parametrize("told", ["cancelled", "returned", "refunded"])
async def test_a_parcel_that_is_awaited_is_not_the_one_just_told_to_be_cancelled(
    action: type[OrderAction], told: str
) -> None:
    reply = await ask(action, ashas(order("10187", told), order("10234", "shipped", 24)), order_number="10187")
    assert "#10234" in reply.text


async def test_when_exactly_about_a_foreign_order_is_not_found() -> None:
    assert (await ask(ActionDeliveryDate, ashas(), "10555")).responses == ["utter_order_status_not_found"]


async def test_when_exactly_about_two_orders_answers_both() -> None:
    orders = ashas(order("10234", "shipped", 24), order("10235", "packed"))
    reply = await ask(ActionDeliveryDate, orders, "10234", "10235")
    assert reply.responses == ["utter_order_status_delivery_date", "utter_order_status_no_delivery_date"]


def after(response: str, number: str) -> list[dict[str, Any]]:
    """The events of a turn in which this was said of the order, and the message that follows."""
    told = {"event": "bot", "metadata": {"utter_action": response, "order_number": number}}
    return [{"event": "user"}, told, {"event": "user"}]


async def test_an_overdue_order_has_no_new_date_which_is_not_said_twice() -> None:
    late = ashas(order("10234", "delayed", 1))
    told = after("utter_order_status_delayed", "10234")
    first = await ask(ActionDeliveryDate, late, order_number="10234", events=told)
    assert first.responses == ["utter_order_status_no_new_date"]
    again = after("utter_order_status_no_new_date", "10234")
    second = await ask(ActionDeliveryDate, late, order_number="10234", events=again)
    assert second.responses == ["utter_order_status_again"]


async def test_a_day_that_is_doubted_is_told_in_other_words_each_time() -> None:
    said = ["utter_order_status_delivery_date"]
    for _ in range(2):
        events = after(said[-1], "10234")
        on_its_way = ashas(order("10234", "shipped", 24))
        said += (await ask(ActionDeliveryDate, on_its_way, order_number="10234", events=events)).responses
    assert said[1:] == ["utter_order_status_delivery_date_again", "utter_order_status_again"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("why was it cancelled", [("utter_order_status_why_cancelled", "10219")]),
        ("por que o pedido foi cancelado", [("utter_order_status_why_cancelled", "10219")]),
        ("why is it late", [("utter_order_status_not_late", "10234")]),
    ],
)
async def test_why_is_asked_of_the_order_that_is_as_the_words_say(text: str, said: list[tuple[str, str]]) -> None:
    orders = ashas(order("10219", "cancelled"), order("10234", "shipped", 24))
    reply = await ask(ActionOrderWhyLate, orders, text=text)
    assert [(name, number) for name in reply.responses for number in ("10219", "10234") if number in reply.text] == said


async def test_of_several_cancelled_orders_one_is_picked_and_an_open_one_has_its_status_told() -> None:
    several = ashas(order("10219", "cancelled"), order("10220", "cancelled"), order("10234", "shipped", 24))
    assert (await ask(ActionOrderWhyLate, several, text="why was it cancelled")).responses == [
        "utter_order_status_choose"
    ]
    named = await ask(ActionOrderWhyLate, several, "10234", text="why was 10234 cancelled")
    assert named.responses == ["utter_order_status_shipped"]


async def test_what_never_reached_the_customer_is_not_hoped_to_be_loved() -> None:
    orders = ashas(order("10234", "delivered", 1))
    events = [*after("utter_order_status_not_received", "10234"), {"event": "bot", "metadata": {}}, {"event": "user"}]
    for action in (ActionCheckOrderStatus, ActionDeliveryDate):
        reply = await ask(action, orders, order_number="10234", events=events)
        assert reply.responses == ["utter_order_status_not_received"]


async def test_the_other_one_is_the_open_order_not_shown_yet() -> None:
    orders = ashas(order("10234"), order("10235", "packed"), order("10187", "delivered"))
    reply = await ask(ActionOtherOrder, orders, order_number="10234", orders_shown=["10234"])
    assert "#10235" in reply.text
    assert reply.slots["orders_shown"] == ["10234", "10235"]


@pytest.mark.parametrize("kind", [ActionCheckOrderStatus, ActionDeliveryDate, ActionOrderCourier, ActionOrderWhyLate])
@pytest.mark.parametrize(("text", "told"), [
    ("where is my other parcel", "#10235"), ("cadê o outro pedido?", "#10235"), ("any other news of it", "#10234"),
    ("and when does the other one come", "#10235"), ("dusra wala kab aayega", "#10235"),
])
async def test_what_is_asked_of_the_other_order_is_not_told_of_the_one_talked_about(
    kind: type[OrderAction], text: str, told: str
) -> None:
    orders = ashas(order("10234", "shipped", 24), order("10235", "shipped", 26))
    reply = await ask(kind, orders, text=text, order_number="10234", orders_shown=["10234"])
    assert told in reply.text


@pytest.mark.parametrize("kind", [ActionCheckOrderStatus, ActionOtherOrder, ActionDeliveryDate])
@pytest.mark.parametrize(("text", "told"), [
    ("not 10234, the other one, where is that", "#10235"), ("10234 nahi, dusra wala", "#10235"),
    ("no el 10234, el otro, ese cuándo sale", "#10235"), ("o 10234 não, o outro", "#10235"),
    ("10234 नहीं, दूसरा वाला", "#10235"), ("i dont mean 10234 i mean my other order, when's it coming", "#10235"),
    ("o 10234 não, o outro, qdo chega", "#10235"), ("the other one, 10234", "#10234"),
    ("no, the other: 10234", "#10234"),
])  # fmt: skip
async def test_the_other_than_a_number_is_not_that_number(kind: type[OrderAction], text: str, told: str) -> None:
    for read_as in (["10234"], []):  # what is denied is seldom read as an order number
        reply = await ask(kind, ashas(order("10234"), order("10235", "packed")), *read_as, text=text)
        assert (told in reply.text, len(reply.responses)) == (True, 1)


async def test_the_other_one_after_both_is_the_first_again() -> None:
    orders = ashas(order("10234"), order("10235", "packed"))
    reply = await ask(ActionOtherOrder, orders, order_number="10235", orders_shown=["10234", "10235"])
    assert "#10234" in reply.text


@pytest.mark.parametrize("text", ["aur dusra wala kab tak", "दूसरा वाला?"])
async def test_dusra_behind_the_second_is_the_other(text: str) -> None:
    orders = ashas(order("10234"), order("10235", "packed"), order("10187", "delivered"))
    reply = await ask(
        ActionOtherOrder, orders, text=text, order_number="10235", orders_shown=["10235"],
        orders_offered=["10234", "10235"],
    )  # fmt: skip
    assert "#10234" in reply.text


async def test_the_other_one_of_three_is_to_be_picked() -> None:
    orders = ashas(order("10234"), order("10235"), order("10236"))
    reply = await ask(ActionOtherOrder, orders, order_number="10234", orders_shown=["10234"])
    assert [row["title"] for row in reply.rows] == ["#10235", "#10236"]


@pytest.mark.parametrize("text", ["and the other two?", "e os outros dois?", "los otros dos", "baaki do"])
async def test_the_other_two_are_how_many_and_not_the_second(text: str) -> None:
    orders = ashas(order("10234"), order("10235", "packed"), order("10236", "delayed"))
    reply = await ask(ActionOtherOrder, orders, text=text, order_number="10235", orders_shown=["10235"])
    assert sorted(row["title"] for row in reply.rows) == ["#10234", "#10236"]


async def test_which_comes_first_tells_the_day_of_each_that_is_to_come() -> None:
    orders = ashas(order("10234", "shipped", 24), order("10235", "packed", 28), order("10187", "delivered"))
    reply = await ask(ActionDeliveryDate, orders, text="which one comes first")
    assert reply.responses == ["utter_order_status_delivery_date"] * 2
    assert [number in reply.text for number in ("#10234", "#10235", "#10187")] == [True, True, False]


async def test_there_is_no_other_one_when_there_is_one_only() -> None:
    reply = await ask(ActionOtherOrder, ashas(order("10234")), order_number="10234", orders_shown=["10234"])
    assert reply.responses == ["utter_order_status_no_other_order"]


async def test_the_other_one_by_its_number_is_that_one() -> None:
    assert "#10235" in (await ask(ActionOtherOrder, ashas(order("10234"), order("10235")), "10235")).text


async def test_refunds_are_told_order_by_order() -> None:
    orders = ashas(order("10219", "cancelled"), order("10205", "returned"), order("10176", "refunded"), order("10234"))
    reply = await ask(ActionCheckRefundStatus, orders)
    assert [response.rpartition("_")[2] for response in reply.responses] == ["cancelled", "returned", "refunded"]


async def test_a_refund_of_an_order_that_was_not_given_back_gets_its_status() -> None:
    reply = await ask(ActionCheckRefundStatus, ashas(order("10234")), "10234")
    assert reply.responses == ["utter_order_status_shipped"]


async def test_a_refund_of_an_order_that_arrived_and_was_not_sent_back_is_said_not_to_be_on_record() -> None:
    reply = await ask(ActionCheckRefundStatus, ashas(order("10187", "delivered")), "10187")
    assert reply.responses == ["utter_order_status_nothing_given_back"]


async def test_without_anything_given_back_no_refund_is_made_up() -> None:
    assert (await ask(ActionCheckRefundStatus, ashas(order("10234")))).responses == ["utter_order_status_no_refund"]


NEW = "+919800000001"


async def test_who_changed_the_number_is_asked_for_an_order_of_the_former_phone() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234")), phone=NEW, former=ASHA)
    assert reply.responses == ["utter_order_status_number_changed"]
    assert reply.slots["awaiting_order_number"] is True
    assert "10234" not in reply.text.replace(ActionCheckOrderStatus().example(), "")


@pytest.mark.parametrize("action", [ActionCheckOrderStatus, ActionDeliveryDate])
async def test_an_order_of_the_former_phone_that_is_named_opens_that_phones_orders(action: type[OrderAction]) -> None:
    orders = ashas(order("10234", "shipped", 24), order("10241", "packed", 26))
    named = await ask(action, orders, "10234", phone=NEW, former=ASHA)
    assert "#10234" in named.text
    told = [{"event": "user", "metadata": {"former_phone": ASHA}},
            {"event": "bot", "metadata": {"order_number": "10234"}}]  # fmt: skip
    later = await ask(ActionCheckOrderStatus, orders, phone=NEW, former=ASHA, events=told, **named.slots)
    assert "number_changed" not in later.responses[0]
    told[0]["metadata"] = {"former_phone": None}
    before = await ask(ActionCheckOrderStatus, orders, phone=NEW, former=ASHA, events=told, **named.slots)
    assert before.responses == ["utter_order_status_number_changed"], "what the former number was told proves nothing"


async def test_a_third_persons_order_is_as_unknown_to_a_changed_number_as_to_any() -> None:
    reply = await ask(ActionCheckOrderStatus, ashas(order("10234")), "10555", phone=NEW, former=ASHA)
    assert reply.responses == ["utter_order_status_not_found"]


async def test_an_order_of_the_new_number_needs_no_confirmation() -> None:
    orders = FakeOrders(p919800000001=[order("10777", "shipped", 24)], p919876543210=[order("10234")])
    reply = await ask(ActionCheckOrderStatus, orders, phone=NEW, former=ASHA)
    assert "#10777" in reply.text
    assert "10234" not in reply.text

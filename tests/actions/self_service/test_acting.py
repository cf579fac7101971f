"""Acted twice 0, acted without a yes 0, acted for another's order 0: whatever is said, and whatever it is read as."""

from __future__ import annotations

import random
import time
from itertools import pairwise
from typing import Any

import pytest

from actions.orders.models import Order, OrderStatus
from actions.self_service.acts import DONE, NOT_DONE, REFUSED, UNKNOWN, Answer
from actions.self_service.consent import is_yes
from actions.self_service.performing import SelfService
from actions.skill import services
from tests.actions.self_service.talking import AGAIN, ALL, CONFIRM, HERE, OTHER, PACKED, SEVERAL, Owned, Port, Talk

ADDRESS = "12 Moor Lane, Leeds LS1 4DY"


async def test_cancelling_takes_a_yes_and_is_done_once(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    assert await talk.say("cancel my order", "cancel_order") == [CONFIRM]
    assert not port.asked
    assert await talk.say("yes", "affirm") == ["utter_self_service_done_cancel"]
    assert [(act.action, act.order_id, act.requested_by, act.wamid) for act in port.asked] == [
        ("cancel", "10241", "+919876543210", "wamid.2")
    ]
    assert await talk.say("yes", "affirm") == []
    await talk.say("cancel my order", "cancel_order")
    assert await talk.say("yes", "affirm") == ["utter_self_service_already"]
    assert len(port.asked) == 1


async def test_turn_that_runs_again_asks_under_the_same_key(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("cancel my order", "cancel_order")
    await talk.say("yes", "affirm")
    talk.orders.orders = (Order("10241", OrderStatus.CANCELLED),)  # the shop has done it by now
    assert await talk.run_again() == ["utter_self_service_done_cancel"]
    talk.message["text"], talk.message["metadata"]["wamid"] = "yes\nyes", "wamid.3"  # a second one has come in
    assert await talk.run_again() == ["utter_self_service_done_cancel"]
    assert len(port.asked) == 3
    assert len({act.key for act in port.asked}) == 1


@pytest.mark.parametrize(("text", "intent"), [
    ("ok", "affirm"), ("hmm", "affirm"), ("yes?", "affirm"), ("yes but wait", "affirm"), ("thanks", "thank"),
    ("hello", "greet"),
    ("what if i cancel", "out_of_scope"), ("👍", "affirm"), ("not sure", "nlu_fallback"),
])  # fmt: skip
async def test_what_is_no_plain_yes_is_asked_again_whatever_it_was_read_as(port: Port, text: str, intent: str) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("cancel my order", "cancel_order")
    assert await talk.say(text, intent) == [AGAIN]
    assert not port.asked
    assert await talk.say("/affirm", "affirm", kind="button_reply") == ["utter_self_service_done_cancel"]


async def test_plain_yes_counts_whatever_it_was_read_as(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("cancel my order", "cancel_order")
    assert await talk.say("yes, cancel it please", "cancel_order") == ["utter_self_service_done_cancel"]


async def test_no_leaves_the_order_alone(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("cancel my order", "cancel_order")
    assert await talk.say("no", "deny") == ["utter_order_change_kept"]
    assert await talk.say("yes", "affirm") == []
    assert not port.asked


@pytest.mark.parametrize("metadata", [
    {"received_at": time.time() - 60},  # was on its way before the question was
    {"reply_to": "wamid.old"}, {"reply_to": "wamid.old", "quoted": {"plan": "another", "order_number": "10241"}},
    {"shown_plan": None},  # the summary has not reached the customer
    {"shown_plan": "another"}, {"kind": "audio"}, {"kind": "edit"}, {"heard": [{"kind": "voice", "text": "yes"}]},
])  # fmt: skip
async def test_yes_to_something_else_is_none(port: Port, metadata: dict[str, Any]) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("cancel my order", "cancel_order")
    assert await talk.say("yes", "affirm", **metadata) == [AGAIN]
    assert not port.asked


async def test_yes_that_was_on_its_way_when_the_summary_was_sent_is_none(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("cancel my order", "cancel_order")
    asked_at = talk.events[-1]["timestamp"]
    sent = {"timestamp": int(asked_at) - 1, "received_at": asked_at + 0.3}
    assert await talk.say("yes", "affirm", **sent) == [AGAIN]
    assert not port.asked


async def test_yes_to_a_summary_of_something_else_is_none(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("change the address", "change_order")
    await talk.say(ADDRESS, "nlu_fallback")
    talk.slots["change_address"] = "elsewhere, 1 Other Road"
    assert await talk.say("yes", "affirm") == [CONFIRM]
    assert not port.asked


async def test_typed_yes_to_the_summary_that_reached_the_customer_counts(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("cancel my order", "cancel_order")
    plan = talk.events[-1]["metadata"]["plan"]
    assert await talk.say("yes", "affirm", shown_plan=plan) == ["utter_self_service_done_cancel"]


async def test_tap_on_the_button_of_the_summary_counts(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("cancel my order", "cancel_order")
    plan = talk.events[-1]["metadata"]["plan"]
    quoted = {"reply_to": "wamid.q", "quoted": {"plan": plan}, "kind": "button_reply"}
    assert await talk.say("/affirm", "affirm", **quoted) == ["utter_self_service_done_cancel"]


async def test_person_instead_of_a_yes_is_a_ticket(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("cancel my order", "cancel_order")
    await talk.say("a person please", "request_human")
    assert talk.called == [{"sheet": [["wish", "cancel order #10241"]]}]
    assert not port.asked


async def test_order_that_is_not_this_phones_any_more_is_not_touched(port: Port) -> None:
    orders = Owned(PACKED)
    talk = Talk(orders)
    await talk.say("cancel my order", "cancel_order")
    orders.owner = OTHER
    assert await talk.say("yes", "affirm") == ["utter_self_service_not_done"]
    assert not port.asked
    assert talk.called


async def test_database_away_at_the_moment_of_acting_is_not_done_and_a_ticket(port: Port) -> None:
    orders = Owned(PACKED)
    talk = Talk(orders)
    await talk.say("cancel my order", "cancel_order")
    orders.away = True
    assert await talk.say("yes", "affirm") == ["utter_self_service_not_done"]
    assert "Nothing was changed" in str(talk.called)
    assert not port.asked


async def test_customer_without_a_phone_gets_a_person(port: Port) -> None:
    talk = Talk(Owned(PACKED), phone=None)
    assert await talk.say("cancel 10241", "cancel_order", ["10241"]) == ["utter_order_change_ask_confirmed"]
    await talk.say("yes", "affirm")
    assert talk.called
    assert not port.asked


@pytest.mark.parametrize(("answer", "said", "told"), [
    (Answer(UNKNOWN, why="HTTP 500"), "utter_self_service_unknown", "may or may not have been done"),
    (Answer(NOT_DONE, why="HTTP 401"), "utter_self_service_not_done", "Nothing was changed"),
])
async def test_ticket_says_what_was_and_was_not_done(port: Port, answer: Answer, said: str, told: str) -> None:
    port.answer = answer
    talk = Talk(Owned(PACKED))
    await talk.say(f"change the address of my order to {ADDRESS}", "change_order")
    await talk.say(ADDRESS, "nlu_fallback")
    assert await talk.say("yes", "affirm") == [said]
    sheet = dict(talk.called[0]["sheet"])
    assert told in sheet["outcome"]
    assert answer.why in sheet["outcome"]
    assert sheet["wish"] == "change order #10241"
    assert sheet["new address"].endswith("LS1 4DY")
    assert len({act.key for act in port.asked}) == 1


async def test_what_may_have_been_done_is_not_done_again_under_another_key(port: Port) -> None:
    port.answer = Answer(UNKNOWN, why="HTTP 500")
    talk = Talk(Owned(PACKED))
    for _ in range(2):
        await talk.say("cancel my order", "cancel_order")
        await talk.say("yes", "affirm")
    assert len({act.key for act in port.asked}) == 1
    assert len(talk.called) == 2


@pytest.mark.parametrize(("reason", "said"), [
    ("It left at noon.", "utter_self_service_refused"), ("", "utter_self_service_refused_plain"),
])
async def test_reason_of_the_shop_is_told(port: Port, reason: str, said: str) -> None:
    port.answer = Answer(REFUSED, reason=reason)
    talk = Talk(Owned(PACKED))
    await talk.say("cancel my order", "cancel_order")
    assert await talk.say("yes", "affirm") == [said]
    assert talk.said[0]["reason"] == reason
    assert not talk.called


@pytest.mark.parametrize("status", ["shipped", "out_for_delivery", "delivered", "cancelled", "returned", "refunded"])
@pytest.mark.parametrize("intent", ["cancel_order", "change_order"])
async def test_what_has_left_is_not_asked_for(port: Port, status: str, intent: str) -> None:
    talk = Talk(Owned(Order("10241", OrderStatus(status))))
    said = await talk.say("10241", intent, ["10241"])
    assert said[0].startswith("utter_order_change_")
    await talk.say("yes", "affirm")
    assert talk.called
    assert not port.asked


async def test_new_address_is_asked_repeated_and_sent(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    assert await talk.say("i moved", "change_order") == ["utter_ask_change_target"]
    assert await talk.say("/choose_option", "choose_option", option="address") == ["utter_ask_change_address"]
    assert await talk.say("is that free?", "ask_return_policy") == ["utter_ask_change_address"]
    assert await talk.say("hm hm", "nlu_fallback") == ["utter_ask_change_address_again"]
    assert await talk.say("12 Moor Lane\nLeeds\nLS1 4DY", "inform_order_number", ["14123"]) == [CONFIRM]
    assert "12 Moor Lane, Leeds, LS1 4DY" in talk.said[0]["question"]
    await talk.say("yes", "affirm")
    assert port.asked[0].body["address"] == "12 Moor Lane, Leeds, LS1 4DY"
    assert port.asked[0].action == "address"


async def test_who_asks_on_in_a_change_is_asked_once_more_and_then_answered_alone(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("change the address", "change_order")
    assert await talk.say("is it free?", "ask_return_policy") == ["utter_ask_change_address"]
    assert await talk.say("how long does it take?", "ask_return_policy") == []
    assert await talk.say("and to Pune?", "ask_return_policy") == []
    assert await talk.say(ADDRESS, "nlu_fallback") == [CONFIRM], "an address still counts"


async def test_what_a_form_does_not_understand_is_asked_in_other_words_each_time(port: Port) -> None:
    for begins, intent in (("change something", "change_order"), ("change the address", "change_order"),
                           ("return it", "start_return")):  # fmt: skip
        talk = Talk(Owned(HERE if intent == "start_return" else PACKED))
        said = [await talk.say(begins, intent)]
        said += [await talk.say("/choose_option", "choose_option", option="gone") for _ in range(3)]
        assert all(one and one != other for one, other in pairwise(said)), said


async def test_another_change_than_the_address_is_a_persons(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("another size", "change_order")
    assert await talk.say("the size", "change_order") == ["utter_order_change_possible"]
    await talk.say("yes", "affirm")
    assert talk.called
    assert not port.asked


async def test_without_the_shops_system_or_the_action_it_is_the_ticket_of_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    port = Port()
    for service in (None, SelfService(port, ("returns",))):
        monkeypatch.setattr(services, "self_service", lambda service=service: service)
        talk = Talk(Owned(PACKED))
        assert await talk.say("cancel my order", "cancel_order") == ["utter_order_change_cancel_possible"]
        await talk.say("yes", "affirm")
        assert talk.called == [{"sheet": [["wish", "cancel order #10241"]]}]
        talk = Talk(Owned(PACKED))
        assert await talk.say("change the address", "change_order") == ["utter_order_change_possible"]
    assert not port.asked


TEXTS = [
    "yes", "yes please", "haan ji", "sí", "no", "ok", "yes but", "hmm", "why?", "10241", "10187", "10999", ADDRESS,
    "too small", "exchange", "lamp", "everything", "/affirm", "cancel", "the address", "thanks",
]  # fmt: skip
INTENTS = [
    "affirm", "affirm", "deny", "thank", "cancel_order", "change_order", "start_return", "nlu_fallback", "out_of_scope",
    "inform_order_number", "ask_return_policy", "check_order_status", "request_human", "choose_option", "goodbye",
]  # fmt: skip


@pytest.mark.slow
async def test_random_walks_act_only_on_a_yes_to_the_last_summary_once_and_for_own_orders(port: Port) -> None:
    """Every message may be read as anything: no reading can stand for a yes."""
    for seed in range(60):
        await walk(port, random.Random(seed))
    assert {act.action for act in port.asked} == set(ALL), "the walks are too short to show anything"


async def walk(port: Port, chance: random.Random) -> None:
    talk = Talk(Owned(PACKED, HERE, SEVERAL))
    done: set[tuple[str, str, str]] = set()
    for _ in range(40):
        port.answer = Answer(chance.choice([DONE, DONE, REFUSED, UNKNOWN, NOT_DONE]))
        text, asked = chance.choice(TEXTS), len(port.asked)
        summary = next((event["metadata"] for event in reversed(talk.events) if event["event"] == "bot"), {})
        kind = "button_reply" if text == "/affirm" else "text"
        await talk.say(text, chance.choice(INTENTS), [text] if text.isdigit() else [], kind=kind)
        if chance.random() < 0.2:
            await talk.run_again()
        new = {act.key: act for act in port.asked[asked:]}
        assert len(new) <= 1, "one message, one act"
        for act in new.values():
            assert text == "/affirm" or is_yes(text, act.action, act.order_id)
            assert summary["utter_action"] in (CONFIRM, AGAIN)
            assert summary["number"] == act.order_id
            assert act.order_id in ("10241", "10187", "10190")
            what = (act.action, act.order_id, str(act.details))
            assert what not in done, "done twice"
            done |= {what} if port.answer.outcome == DONE else set()
        if talk.called:
            talk, done = Talk(talk.orders), set()  # a person has the conversation; what comes later is another one


async def test_address_that_is_corrected_at_the_summary_is_summed_up_anew(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("change the address", "change_order")
    await talk.say(ADDRESS, "nlu_fallback")
    assert await talk.say("no, 14 Moor Lane, Leeds LS1 4DY", "deny") == [CONFIRM]
    assert "14 Moor Lane" in talk.said[0]["question"]
    await talk.say("yes", "affirm")
    assert port.asked[0].body["address"] == "14 Moor Lane, Leeds LS1 4DY"


async def test_address_in_answer_to_what_should_change_is_taken(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    assert await talk.say("send it to my office", "change_order") == ["utter_ask_change_target"]
    assert await talk.say(ADDRESS, "nlu_fallback") == [CONFIRM]


async def test_same_wish_said_again_at_the_summary_is_no_yes(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("cancel my order", "cancel_order")
    assert await talk.say("cancel it", "cancel_order") == [AGAIN]
    assert not port.asked


async def test_another_wish_in_the_middle_of_one_begins_anew(port: Port) -> None:
    talk = Talk(Owned(PACKED))
    await talk.say("cancel 10241", "cancel_order", ["10241"])
    assert await talk.say("change the address of 10241", "change_order", ["10241"]) == ["utter_ask_change_address"]
    assert not port.asked


async def test_yes_is_no_reason(port: Port) -> None:
    talk = Talk(Owned(HERE))
    await talk.say("return it", "start_return")
    assert await talk.say("yes, go ahead", "affirm") == ["utter_ask_change_reason_again"]

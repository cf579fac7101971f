"""What Rasa utters is collected in the turn, one reply a response."""

from __future__ import annotations

import pytest
from rasa.shared.core.events import BotUttered

from connectors.dialogue.output import WhatsAppOutput
from connectors.message_bus.inbox import Entry
from connectors.message_bus.turn import Turn
from connectors.whatsapp.rendering.messages import MessageShaper, PayloadSigner

CUSTOMER = "919812345670"


@pytest.fixture
def turn() -> Turn:
    return Turn(Entry("message", CUSTOMER, "wamid.in", {}), {"wamid": "wamid.in"})


@pytest.fixture
def output(turn: Turn) -> WhatsAppOutput:
    return WhatsAppOutput(turn, MessageShaper(PayloadSigner("app-secret")))


async def test_a_response_with_everything_is_one_reply_with_what_the_action_passed(
    turn: Turn, output: WhatsAppOutput
) -> None:
    uttered = BotUttered(
        "Your parcel\n\nis here",
        {"image": "https://x.example/a.jpg", "attachment": "https://x.example/a.jpg",
         "buttons": [{"title": "Thanks", "payload": "/thank"}]},
        {"utter_action": "utter_order_status_delivered", "policy_pages": ["return_window"]},
    )  # fmt: skip
    await output.send_response(CUSTOMER, uttered.message())
    (reply,) = turn.replies
    assert reply.body["interactive"]["header"]["image"] == {"link": "https://x.example/a.jpg"}
    assert reply.text == "Your parcel\n\nis here\n[Thanks]"
    assert reply.metadata == {"utter_action": "utter_order_status_delivered", "policy_pages": ["return_window"]}
    assert not {"to", "recipient", "biz_opaque_callback_data"} & reply.body.keys()


@pytest.mark.parametrize("metadata", [{"quote": True}, {"metadata": {"quote": True}}], ids=["action", "domain"])
async def test_a_response_can_quote_the_customers_message(
    turn: Turn, output: WhatsAppOutput, metadata: dict[str, object]
) -> None:
    await output.send_response(CUSTOMER, BotUttered("Found it", {}, metadata).message())
    assert turn.replies[0].body["context"] == {"message_id": "wamid.in"}
    assert turn.replies[0].metadata == {}


async def test_plain_texts_of_rasa_itself_are_collected_too(turn: Turn, output: WhatsAppOutput) -> None:
    await output.send_text_message(CUSTOMER, "Sorry")
    await output.send_response(CUSTOMER, {"text": ""})
    assert [reply.text for reply in turn.replies] == ["Sorry"]

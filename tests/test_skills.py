"""What belongs to a skill is read from the files of designers: what responses count as, intents, what answers them."""

from __future__ import annotations

from pathlib import Path

import pytest

import skills
from skills import ASKS, HELPED, RETRY, UNRESOLVED, Counting

DOMAIN = """
intents:
- greet
- ask_invoice: {meaning: wants the invoice of an order, takes: order, colour: red}
- chat: {small_talk: true, takes: elephants}
- ask_page: {topic: pages}
topics:
  invoice: {feature: invoice, about: order}
  invoice_copy: {feature: copies, counts_as: unresolved}
responses:
  utter_invoice_sent:
  - text: Sent
  - text: On its way
    metadata: {about: refund}
  utter_invoice_which:
  - text: Which one?
    metadata: {counts_as: asks, about: orders, problem: maybe, quote: true}
  utter_invoice_copy_lost: [{text: Lost}]
  utter_hello: [{text: Hello}]
"""
RULES = """
rules:
- rule: Customer asks for an invoice while a form is open
  condition: [{active_loop: a_form}]
  steps: [{intent: ask_invoice}, {action: action_in_between}]
- rule: Customer asks for an invoice
  steps: [{intent: ask_invoice}, {action: action_send_invoice}]
- rule: Customer is friendly
  condition: [{active_loop: null}, {slot_was_set: [{language: en}]}]
  steps: [{or: [{intent: greet}, {intent: chat}]}, {action: utter_hello}]
"""


@pytest.fixture
def written(tmp_path: Path) -> skills.Skills:
    (tmp_path / "data" / "rules").mkdir(parents=True)
    (tmp_path / "domain.yml").write_text(DOMAIN)
    (tmp_path / "data" / "rules" / "invoice.yml").write_text(RULES)
    return skills.load(tmp_path)


@pytest.mark.parametrize(("response", "counting"), [
    ("utter_invoice_sent", Counting("invoice", HELPED, "order")),
    ("utter_invoice_which", Counting("invoice", ASKS, "orders")),
    ("utter_invoice_copy_lost", Counting("copies", UNRESOLVED)),
    ("utter_hello", Counting()),
    ("utter_invoice_of_an_older_version", Counting("invoice", HELPED, "order")),
    ("utter_ask_invoice_number", Counting("invoice", ASKS, "order")),
    ("utter_invoices", Counting()),
    ("", Counting()),
    (None, Counting()),
])
def test_response_counts_as_its_topic_unless_its_first_variation_says_otherwise(
    written: skills.Skills, response: str | None, counting: Counting
) -> None:
    assert written.counting(response) == counting


def test_intent_says_what_it_means_and_words_that_mean_nothing_count_as_not_written(written: skills.Skills) -> None:
    assert written.intents["ask_invoice"] == skills.Intent("ask_invoice", "wants the invoice of an order", "order")
    assert written.intents["chat"] == skills.Intent("chat", small_talk=True)
    assert written.small_talk == {"chat"}
    assert written.wishes == {"pages": {"ask_page"}}


def test_rule_says_what_answers_an_intent_outside_of_forms(written: skills.Skills) -> None:
    assert written.answers == {"ask_invoice": "action_send_invoice", "greet": "utter_hello", "chat": "utter_hello"}


@pytest.mark.parametrize(("response", "counting"), [
    ("utter_order_status_shipped", Counting("order_status", HELPED, "order")),
    ("utter_order_status_delayed", Counting("order_status", HELPED, "order", problem=True)),
    ("utter_order_status_not_found", Counting("order_status", RETRY, "number", problem=True)),
    ("utter_return_policy_not_covered", Counting("return_policy", UNRESOLVED, "declined")),
    ("utter_clarification_out_of_scope_again", Counting("clarification", UNRESOLVED, "offer")),
    ("utter_greet", Counting(counts_as=ASKS)),
    ("utter_handoff_connecting", Counting("escalation")),
])
def test_responses_of_this_project_count_as_the_log_and_the_escalation_expect(
    response: str, counting: Counting
) -> None:
    assert skills.load().counting(response) == counting


def test_folder_without_a_domain_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"domain\.yml"):
        skills.load(tmp_path)

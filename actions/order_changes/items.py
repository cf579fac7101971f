"""Which items of an order go back, and how many of each: the slots that hold them.

The slots hold lists as Rasa keeps them, one for each `Item`. Of what the order holds several of it is asked how many.
"""

import json
from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any

from actions.orders.models import Order
from actions.self_service import answers
from actions.self_service.acts import plain
from actions.self_service.answers import ALL, Item

NUMBER, ITEMS, OFFERED = "change_order_number", "change_items", "change_items_offered"
HOW_MANY = "count:"  # before item and number in the payload of a row


def returnable(order: Order) -> list[Item]:
    """The order's items that may go back as far as its table says."""
    return [
        Item(item.item_id, plain(item.title) or item.item_id, item.quantity)
        for item in order.items
        if item.item_id and item.returnable is not False
    ]


def listed(value: Any) -> list[Item]:
    """The items that a slot holds."""
    return [Item(*entry) for entry in value or []]


def picked_items(offered: Sequence[Item], option: str, words: str) -> list[Item]:
    """What a tap (`option`) or words choose; where it was asked how many of one, with that number.

    A tap names the item itself: one on the list of another order, further up in the chat, chooses nothing of this one.
    """
    asked = how_many_of(offered)
    of_it = f"{HOW_MANY}{asked.item_id}:" if asked else ""
    if asked and (not option or option.startswith(of_it)):
        count = answers.count(option.removeprefix(of_it) or words, asked.quantity)
        begun = [item for item in offered if item.chosen is not None]
        return [replace(item, chosen=count) if item == asked else item for item in begun] if count else []
    if option not in ("", ALL):
        tapped = [item for item in offered if item.item_id == option][:1]
        return [replace(item, chosen=1 if item.quantity == 1 else 0) for item in tapped]
    return answers.items(option or words, offered)


def same_items(one: Any, other: Any) -> bool:
    """Whether two values of the slot of offered items are of the same order's, whatever is chosen of them."""
    first, second = ([entry[:3] for entry in value or []] for value in (one, other))
    return first == second


def entries(items: Sequence[Item]) -> list[list[Any]]:
    return [list(astuple(item)) for item in items]


def chosen(offered: Sequence[Item], picked: Sequence[Item]) -> dict[str, Any]:
    """Slots once these are chosen: they go back, or of one it has to be asked how many."""
    if any(item.chosen == 0 for item in picked):
        by_id = {item.item_id: item.chosen for item in picked}
        return {ITEMS: None, OFFERED: entries([replace(item, chosen=by_id.get(item.item_id)) for item in offered])}
    return {ITEMS: entries(picked), OFFERED: entries([replace(item, chosen=None) for item in offered])}


def how_many_of(offered: Sequence[Item]) -> Item | None:
    return next((item for item in offered if item.chosen == 0), None)


def choice(option: str) -> str:
    """What a row or button for an answer to a question of the form sends."""
    return f"/choose_option{json.dumps({'option': option}, separators=(',', ':'))}"

"""How the assistant gets control back: the helpdesk says solved, an agent hands back, or who waits wishes it.

Solved, and handed back with the ticket left open, come in three steps, so that an agent's last words reach the
customer before the assistant speaks, whatever order webhooks and messages come in: the helpdesk says so (`ending`);
the worker reads the ticket once more and queues the return behind all that the agent said (`return_version`); control
changes when the customer's inbox comes to it.
"""

import json
import time
from typing import Any

from sqlalchemy import update
from sqlalchemy.engine import Connection, Row

from handoff.storage.database import Database
from handoff.storage.queries import (
    TicketRef,
    add_delivery,
    add_job,
    change_control,
    change_takeover,
    lock_control,
    locked_takeover,
    takeover_by_id,
)
from handoff.storage.tables import deliveries
from handoff.takeover.inbox_entries import BACK_TAG, RETURNED, SETTLED_TAG, WITH_ASSISTANT_TAG, version_of_return
from handoff.takeover.state_machine import FIRST_POLL_S

ANNOUNCE_AGAIN_S = 300.0
HANDED_BACK = "back"  # beside the statuses: an agent leaves the customer to the assistant, and the ticket open
WITH_ASSISTANT = {"status": "pending", "add_tag": WITH_ASSISTANT_TAG}
WITH_PEOPLE = {"status": "open", "remove_tag": WITH_ASSISTANT_TAG}
SETTLED = {"status": "solved", "add_tag": SETTLED_TAG}
UNREACHED_NOTE = (
    "The customer is with the assistant again, because no ticket could be opened when they asked for a person. A public"
    " reply here reaches them."
)
SETTLED_NOTE = (
    "The customer wrote that it is solved and nobody needs to answer. The conversation is with the assistant again. A"
    " public reply here would still reach them."
)
HANDED_BACK_NOTE = "With the assistant again, as you wished. A public reply here would still reach the customer."
RETURNED_NOTE = (
    "With the assistant again: the customer chose to go back to it. A public reply here would still reach them."
)


def status_changed(
    db: Database, ticket: TicketRef, status: str, at: float, now: float | None = None
) -> str:
    """The helpdesk says that a ticket is open, solved, closed or HANDED_BACK. Older news than the newest is ignored.

    Returns ending, open, stale, over (the takeover had ended already) or unknown_ticket.
    """
    now = time.time() if now is None else now
    with db.write() as connection:
        takeover = locked_takeover(connection, ticket)
        if takeover is None:
            return "unknown_ticket"
        at_once = at == takeover.status_at and takeover.ending == HANDED_BACK  # its reply opened it in the same second
        if at < takeover.status_at or (at_once and status == "open"):
            return "stale"
        ending = status if status in ("solved", "closed", HANDED_BACK) else None
        values: dict[str, Any] = {"status_at": at}
        if takeover.state != "closed" and takeover.return_version is None:
            values |= {"ending": ending, "next_poll_at": now if ending else takeover.next_poll_at}
        elif takeover.state == "closed" and ending in ("solved", "closed") and takeover.next_poll_at is not None:
            values["next_poll_at"] = now  # the customer had gone back; the next request needs a ticket of its own
        change_takeover(connection, takeover.id, **values)
        if takeover.state == "closed":
            return "over"
        return "ending" if ending else "open"


def announce_return(connection: Connection, takeover: Row, now: float) -> None:
    """Queue the end of the takeover for the customer's inbox, behind all that the agent said; again if it was queued.

    The caller holds the customer's lock. Nothing changes hands before accept_return.
    """
    control_version = takeover.return_version or lock_control(connection, takeover.customer).control_version + 1
    change_takeover(
        connection, takeover.id, return_version=control_version, next_poll_at=now + ANNOUNCE_AGAIN_S, poll_failures=0
    )
    entry_id = f"{RETURNED}{takeover.external_id}:{control_version}"
    payload = {"reason": "agent" if takeover.ending == HANDED_BACK else "solved", "reference": takeover.reference}
    if not add_delivery(connection, takeover, "conversation_returned", entry_id, payload, now):
        # It was handed over long ago and nothing came of it (a Redis that lost its data); the inbox knows doubles.
        connection.execute(
            update(deliveries)
            .where(deliveries.c.entry_id == entry_id)
            .values(state="pending", payload=json.dumps(payload))
        )


def accept_return(db: Database, customer: str, entry_id: str, now: float | None = None) -> None:
    """The customer's inbox has come to a return: the assistant is in control, unless the agent took it again."""
    now = time.time() if now is None else now
    control_version = version_of_return(entry_id)
    with db.write() as connection:
        control = lock_control(connection, customer)
        if control.takeover_id is None or control.owner == "bot":
            return
        takeover = takeover_by_id(connection, control.takeover_id)
        if takeover.return_version == control_version and control.control_version == control_version - 1:
            handed_back = takeover.ending == HANDED_BACK
            give_back(connection, takeover, "agent" if handed_back else "solved", now)
            if handed_back:
                body = {"note": HANDED_BACK_NOTE, **WITH_ASSISTANT, "remove_tag": BACK_TAG}
                add_job(connection, takeover.id, "note", entry_id, body, now)


def give_back(connection: Connection, takeover: Row, closed_as: str, now: float) -> int:
    """Put the assistant in control; returns the new control version. The caller holds the customer's lock."""
    control_version = int(lock_control(connection, takeover.customer).control_version) + 1
    change_takeover(
        connection, takeover.id, state="closed", closed_at=now, closed_as=closed_as, ending=None, return_version=None,
        next_poll_at=now + FIRST_POLL_S, poll_failures=0,
    )  # fmt: skip
    change_control(connection, takeover.customer, control_version=control_version, owner="bot")
    return control_version


def give_back_as_wished(connection: Connection, takeover: Row, wish: str, now: float) -> None:
    """A waiting customer wants the assistant, or nobody any more: at once, as no agent has said anything yet.

    `wish`: assistant; settled; or assistant_and_more, when the message is answered instead of announcing the return.
    """
    settled = wish == "settled"
    control_version = give_back(connection, takeover, "settled" if settled else "customer", now)
    entry_id = f"{RETURNED}{takeover.external_id}:{control_version}"
    if wish != "assistant_and_more":
        payload = {"reason": "settled" if settled else "customer", "reference": takeover.reference}
        add_delivery(connection, takeover, "conversation_returned", entry_id, payload, now)
    body = {"note": SETTLED_NOTE, **SETTLED} if settled else {"note": RETURNED_NOTE, **WITH_ASSISTANT}
    add_job(connection, takeover.id, "note", entry_id, body, now)


def give_back_unreached(connection: Connection, takeover: Row, now: float) -> None:
    """No ticket can be had: the customer is told so, once, and has the assistant. The caller holds their lock."""
    control_version = give_back(connection, takeover, "unreached", now)
    payload = {"reason": "unreachable", "reference": takeover.reference}
    entry_id = f"{RETURNED}{takeover.external_id}:{control_version}"
    add_delivery(connection, takeover, "conversation_returned", entry_id, payload, now)
    add_job(connection, takeover.id, "note", entry_id, {"note": UNREACHED_NOTE, **WITH_ASSISTANT}, now)

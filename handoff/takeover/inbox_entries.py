"""How the inbox entries of a takeover are named. The names are kept in Redis and SQL, so they never change meaning."""

import re

RETURNED = "returned:"  # begins the id of a conversation_returned entry, which ends in its control_version

SETTLED_TAG = "settled_by_customer"  # of a ticket whose waiting customer wrote that it is solved
WITH_ASSISTANT_TAG = "with_the_assistant"  # of a ticket whose customer went back to the assistant
BACK_TAG = "back_to_assistant"  # that an agent gives a ticket whose customer the assistant is to go on with

_RETURN = re.compile(r"returned:handoff:[0-9a-f-]+:(\d+)(?::\d+)?$")


def comment_entry_id(backend: str, comment_id: str) -> str:
    """The inbox id of an agent's comment."""
    return f"{backend}:comment:{comment_id}"


def version_of_return(entry_id: str) -> int:
    """The control_version that a conversation_returned entry (or a reply key made from it) announces; -1 for none."""
    match = _RETURN.match(entry_id)
    return int(match[1]) if match else -1


def is_agents(entry_id: str) -> bool:
    """Whether an inbox id (or a reply key made from it) is an agent's comment."""
    return ":comment:" in entry_id

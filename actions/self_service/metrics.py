"""What the shop was asked to do, in the folder that all processes share: it appears on the Rasa server's `/metrics`."""

from prometheus_client import Counter

ACTS = Counter(
    "assistant_self_service",
    "What customers confirmed; outcome: done, refused by the shop, unknown or not_done (both became a ticket)",
    ["action", "outcome"],
)

"""How Redis is laid out: customers in partitions, everything of a partition under one hash tag.

Keys with one tag are on one server of a Redis Cluster, so one script may work on them; no command of ours goes across
tags. docs/engineers.md has the table of all keys. The layout's number is kept in Redis (`connectors.message_bus.
migration`): whoever finds another one touches nothing.
"""

import zlib

LAYOUT = 2
PARTITIONS = 256
"""Must never change but by a new layout: it decides where a customer's messages wait."""
IDENTITY = "{identity}"
LOG = "{log}"


def partition_of(customer: str) -> int:
    """The partition that holds everything of this customer."""
    return zlib.crc32(customer.encode("utf-8", "surrogatepass")) % PARTITIONS


def tag(partition: int) -> str:
    """What the keys of a partition begin with."""
    return f"{{wa:{partition}}}"


def log_stream(partition: int) -> str:
    """Records for the conversation log of the partition's customers, oldest first; one field `j`, JSON."""
    return f"{tag(partition)}:log"


def alias(name: str) -> str:
    """Holds the customer whom this wa_id, user_id or (with + before it) shared phone belongs to."""
    return f"{IDENTITY}:id:{name}"


def profile(customer: str) -> str:
    """Hash: the current ids of a customer."""
    return f"{IDENTITY}:profile:{customer}"

"""What a kind of file is read by, and that there may be nothing to read."""

from typing import Protocol


class NotReadable(Exception):
    """A file has no words that we could find; the message is a word for the log: why."""


class Ability(Protocol):
    """Finds the words of one kind of file."""

    max_bytes: int
    at_once: int  # files of all customers; of one customer half as many

    async def words(self, data: bytes) -> str:
        """What is said or shown, never blank. Raises NotReadable, and nothing else."""
        ...

    async def close(self) -> None:
        ...

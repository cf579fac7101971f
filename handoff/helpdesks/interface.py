"""What the worker asks of a helpdesk. Each backend is one module; one test suite holds for all of them.

Errors are named by remedy. Every call may be made again after any of them: `open_ticket` and `add_comment` are
told whether they were tried before, and then check first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from handoff.helpdesks.agent_words import words_and_pictures
from handoff.helpdesks.timestamps import epoch_or

IN_OUR_NAME = "requester_refused"
THEY_WROTE = "The customer wrote:"
NOT_IN_THEIR_NAME = (
    "{helpdesk} does not take {name} as the requester (suspended or blocked, perhaps), so this ticket is in the"
    " assistant's name. Your public replies reach the customer on WhatsApp all the same."
)


class HelpdeskError(Exception):
    """Something the helpdesk did not do."""


class RetryLater(HelpdeskError):
    """Away, overloaded or slow: the same call is made again, not before `after_s` seconds when that is given.

    Whether the call took effect is unknown.
    """

    def __init__(self, why: str, after_s: float | None = None) -> None:
        super().__init__(why)
        self.after_s = after_s


class Refused(HelpdeskError):
    """The request is wrong as it stands (422, 400, 404): the same call will not succeed.

    `fields`: what of it the helpdesk complained about, each `name` or `name:code`, as the helpdesk names them.
    """

    def __init__(self, why: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(" ".join([why, *fields]))
        self.fields = fields


class Gone(Refused):
    """The ticket takes no words any more: closed for good, merged into another, deleted or marked as spam."""


class NotAllowed(HelpdeskError):
    """Credentials or rights are missing (401, 403): an operator has to act."""


@dataclass(frozen=True)
class Ticket:
    """A ticket as the helpdesk knows it. `requester_id` is the customer there, when the helpdesk has customers."""

    id: str
    url: str = ""
    requester_id: str | None = None
    without: tuple[str, ...] = ()
    """What of the draft the helpdesk refused, so that the ticket was opened without it (or with a stopgap)."""


@dataclass(frozen=True)
class Draft:
    """A ticket to be opened. `priority` is normal, high or urgent; `note` is its first comment, private.

    `follows` is the id of a ticket that is gone and that this one continues.
    """

    external_id: str
    reference: str
    subject: str
    note: str
    priority: str
    tags: tuple[str, ...]
    customer: str
    customer_name: str
    phone: str | None = None
    order_number: str | None = None
    follows: str | None = None


@dataclass(frozen=True)
class NewComment:
    """A comment of ours. `marker` is in the body and nowhere else in the ticket: it finds a lost answer again.

    `author` is "customer" (public, in the customer's name) or "assistant" (a private note). With the comment the
    ticket may get a `status` (open, pending, solved), a `priority` (normal, high, urgent) and a tag more or less.
    """

    author: str
    body: str
    marker: str
    status: str | None = None
    priority: str | None = None
    add_tag: str | None = None
    remove_tag: str | None = None


@dataclass(frozen=True)
class SeenComment:
    """A comment read in the helpdesk. `by_staff`: written by the shop's people or programs, not by the customer."""

    id: str
    text: str
    at: float
    public: bool
    by_staff: bool
    media: tuple[str, ...] = ()

    @classmethod
    def read(
        cls, id: Any, at: Any, public: bool, by_staff: bool, plain: str, written: str, files: Iterable[Any]
    ) -> "SeenComment":
        """A comment as a helpdesk shows it: `plain`, and as it was `written`, with the links of its files.

        Only agents' words go on and become WhatsApp's: a customer's, and notes that quote them, may be made to be slow.
        """
        text, pictures = words_and_pictures(written) if public and by_staff else (plain, ())
        others = (str(link) for link in files if link and link not in pictures)
        return cls(str(id), text, epoch_or(at, 0.0), public, by_staff, (*pictures, *others))


@dataclass(frozen=True)
class TicketView:
    """A ticket as it stands. `status` is open, solved or closed (solved for good)."""

    status: str
    comments: tuple[SeenComment, ...] = field(default=())


class Helpdesk(Protocol):
    """A ticket system. Methods block (seconds at most), are called from several threads, and raise HelpdeskError."""

    name: str

    def open_ticket(self, draft: Draft, tried_before: bool) -> Ticket:
        """Open the ticket of this external id, or find it: never two."""
        ...

    def add_comment(self, ticket: Ticket, comment: NewComment, tried_before: bool) -> str | None:
        """Add the comment of this marker, or find it: never two. Its id, if the helpdesk says it.

        Raises Gone when the ticket is one that takes no words any more.
        """
        ...

    def read_ticket(self, ticket: Ticket) -> TicketView:
        """The ticket's status and comments. Raises Gone for one that was deleted."""
        ...

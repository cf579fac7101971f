"""`python -m handoff`: an agent's desk in the terminal, for tickets kept in the conversation database (TICKETING=log).

    python -m handoff                          open tickets
    python -m handoff show MG-1001             a ticket with all its comments
    python -m handoff reply MG-1001 "words"    to the customer
    python -m handoff note MG-1001 "words"     for colleagues only
    python -m handoff solve MG-1001            the assistant has the conversation again
    python -m handoff migrate [0005]           the tables of tickets to the newest migration, or to that one
"""

import argparse
import json
import sys
import time

from sqlalchemy import select
from sqlalchemy.engine import Row

import settings
import signals
from handoff.helpdesks.interface import HelpdeskError, Ticket
from handoff.helpdesks.log_tickets import LogTickets
from handoff.jobs import trouble
from handoff.storage.database import Database, HandoffUnavailable
from handoff.storage.queries import change_takeover
from handoff.storage.schema import REVISIONS
from handoff.storage.tables import jobs, log_tickets, takeovers
from sql_servers.migrations import NoSuchRevision

EXPLANATION = {
    trouble.UNREACHABLE: "the helpdesk does not answer",
    trouble.RATE_LIMITED: "the helpdesk limits our rate; it is tried again later",
    trouble.UNAUTHORIZED: "the helpdesk refuses our credentials; replace them and start the worker again",
    trouble.REFUSED: "the helpdesk refuses the ticket; the worker's log says with which error",
    trouble.INTERNAL_ERROR: "the worker failed; its log says where",
}


def main(arguments: list[str] | None = None) -> int:
    """0, or 1 with a sentence on standard error."""
    signals.restore()
    parser = argparse.ArgumentParser(prog="python -m handoff", description="Answer tickets from the terminal.")
    what = ["list", "show", "reply", "note", "solve", "migrate"]
    parser.add_argument("what", nargs="?", default="list", choices=what)
    parser.add_argument("reference", nargs="?", help="the ticket's number, such as MG-1001")
    parser.add_argument("words", nargs="?", default="")
    given = parser.parse_args(arguments)
    db = Database(settings.load().values["CONVERSATION_DATABASE_URL"] or "")
    try:
        if given.what == "migrate":
            return _migrate(db, given.reference or REVISIONS[-1])
        return _list(db) if given.what == "list" else _one(db, given.what, given.reference or "", given.words)
    except (HandoffUnavailable, HelpdeskError, NoSuchRevision) as error:
        return _fail(f"The tickets cannot be reached: {error}.")
    finally:
        db.close()


def _migrate(db: Database, revision: str) -> int:
    db.move_to(revision)
    print(f"The tables of tickets are at {revision}.")
    return 0


def _list(db: Database) -> int:
    with db.read() as connection:
        rows = connection.execute(
            select(takeovers, jobs.c.trouble)
            .outerjoin(jobs, (jobs.c.takeover_id == takeovers.c.id) & (jobs.c.kind == "open"))
            .where(takeovers.c.state != "closed")
            .order_by(takeovers.c.id)
        ).all()
    for row in rows:
        waited = (time.time() - row.opened_at) / 60
        not_yet = "" if row.ticket_id else f"  no ticket yet: {EXPLANATION.get(row.trouble, 'about to be opened')}"
        print(f"{row.reference}  {row.priority:<8}  {row.reason:<16}  {row.state:<7}  {waited:.0f} min{not_yet}")
    if not rows:
        print("Nobody waits for a person.")
    return 0


def _one(db: Database, what: str, reference: str, words: str) -> int:
    takeover = _takeover(db, reference)
    if takeover is None:
        return _fail(f"There is no ticket {reference!r}. `python -m handoff` lists the open ones.")
    if takeover.backend not in (None, "log"):
        return _fail(f"{reference} is answered in {takeover.backend}: {takeover.ticket_url}")
    if not takeover.ticket_id:
        return _fail(f"{reference} is not opened yet; the worker does that within a second, if it runs.")
    if what in ("reply", "note") and not words.strip():
        return _fail(f'Say something: python -m handoff {what} {reference} "words"')
    desk = LogTickets(db)
    if what == "show":
        _show(db, desk, takeover)
    elif what == "solve":
        desk.set_status(takeover.ticket_id, "solved")
    else:
        desk.reply(takeover.ticket_id, words, public=what == "reply")
    with db.write() as connection:
        change_takeover(connection, takeover.id, takeovers.c.return_version.is_(None), next_poll_at=time.time())
    return 0


def _takeover(db: Database, reference: str) -> Row | None:
    with db.read() as connection:
        return connection.execute(select(takeovers).where(takeovers.c.reference == reference)).first()


def _show(db: Database, desk: LogTickets, takeover: Row) -> None:
    with db.read() as connection:
        content = select(log_tickets.c.content).where(log_tickets.c.id == int(takeover.ticket_id))
        draft = json.loads(connection.execute(content).scalar() or "{}")
    view = desk.read_ticket(Ticket(takeover.ticket_id))
    print(f"{draft.get('subject', takeover.reference)}  ({view.status})\n\n{draft.get('note', '')}")
    for comment in view.comments:
        who = "customer" if not comment.by_staff else "agent" if comment.public else "note"
        print(f"\n--- {who}\n{comment.text}")


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

"""The ticket's first note, private: what an agent reads before the first word to the customer.

Three lines first (who, what about, in which mood and why), then the order, what was tried, and a reply to begin with
where the pages have one; the whole conversation stands below.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from handoff.byte_limits import cut, size
from handoff.configuration import HandoffConfiguration
from handoff.files.links import file_line
from handoff.takeover.brief import Brief
from handoff.takeover.state_machine import Request

MAX_BODY = 60_000  # Zendesk cuts at 64 KiB without a word
MAX_LAST_WORDS = 600
MAX_ORDER_NUMBER = 60
CONTINUES = (
    "This continues ticket #{ticket}, which takes no more words: it was closed, merged, deleted or marked as spam. What"
    " the customer wrote since stands below."
)
HOW_TO = (
    "Your public replies go to the customer on WhatsApp, private notes do not. Solve the ticket to give the"
    " conversation back to the assistant."
)
REASONS = {
    "refund_request": "asks for a refund",
    "complaint": "complains",
    "frustration": "is frustrated",
    "repeated_failure": "was not understood several times",
    "human_requested": "asks for a person",
}
UPSET = frozenset({"complaint", "frustration"})


def first_note(
    reference: str, follows: str | None, request: Request, brief: Brief, configuration: HandoffConfiguration, key: str
) -> str:
    """The note of a new ticket. `key` signs the links to the customer's files."""
    head = [f"{reference}: a WhatsApp customer {wants(request)}."]
    if follows:
        head += ["", CONTINUES.format(ticket=follows)]
    lines = [*head, *_body(request, brief, configuration, key), "", HOW_TO]
    return _note(lines, "Conversation:", request, configuration)


def again_note(request: Request, brief: Brief, configuration: HandoffConfiguration, key: str) -> str:
    """For a ticket whose customer went back to the assistant, and now waits for a person once more."""
    head = [f"The customer waits for a person again: {wants(request)}."]
    lines = [*head, *_body(request, brief, configuration, key)]
    return _note(lines, "Meanwhile with the assistant:", request, configuration)


def wants(request: Request) -> str:
    """What the customer does that a person is called for, and about which order."""
    number = _number(request)
    about = f" about order #{number}" if number else ""
    return f"{REASONS.get(request.reason, request.reason)}{about}"


def _note(lines: list[str], title: str, request: Request, configuration: HandoffConfiguration) -> str:
    head = cut("\n".join([*lines, "", title]), MAX_BODY // 2)
    return f"{head}\n{_conversation(request, configuration.hours.zone, MAX_BODY - size(head) - 4)}"


def _body(request: Request, brief: Brief, configuration: HandoffConfiguration, key: str) -> list[str]:
    lines = ["", _who(request, brief), _about(request, brief), _mood(request, brief)]
    order = [*brief.order, *_order_link(request, configuration)]
    tried = [f"- {line}" for line in brief.tried]
    about = f"Order #{_number(request)}:" if request.order_number else "Open orders of this phone:"
    for title, found in ((about, order), ("What the assistant tried:", tried)):
        lines += ["", title, *found] if found else []
    if brief.reply:
        title = "Draft reply, from your pages word for word or held against them (not sent):"
        lines += ["", title, brief.reply, "", "Sources:", *brief.sources]
    files = [file_line(*file, configuration.public_url, key) for file in brief.files]
    lines += ["", "Files from the customer:", *files] if files else []
    if request.score_breakdown:
        why = [f"  {name}: {value}" for name, value in request.score_breakdown]
        lines += ["", "Why the assistant called you:", *why]
    return lines


def _who(request: Request, brief: Brief) -> str:
    name, phone = one_line(request.profile_name or "name unknown"), request.phone or "phone unknown"
    return ", ".join([f"Customer: {name}", phone, *([f"writes {brief.language}"] if brief.language else [])])


def _about(request: Request, brief: Brief) -> str:
    said = [text for _, author, text in request.transcript if author == "customer"]
    number = _number(request)
    order = f"order #{number}{f' ({brief.order_status})' if brief.order_status else ''}" if number else ""
    words = f"last words: “{cut(one_line(said[-1]), MAX_LAST_WORDS)}”" if said else ""
    return f"About: {'; '.join(part for part in (order, words) if part) or 'nothing was said'}"


def _mood(request: Request, brief: Brief) -> str:
    mood = "upset" if brief.upset or request.reason in UPSET else "no anger noticed"
    why = f"reason {request.reason}, priority {request.priority}"
    return f"Mood: {mood}; {REASONS.get(request.reason, request.reason)} ({why})"


def _number(request: Request) -> str:
    return cut(one_line(request.order_number or ""), MAX_ORDER_NUMBER)


def _order_link(request: Request, configuration: HandoffConfiguration) -> list[str]:
    link = configuration.order_link if request.order_number else None
    return [link.replace("{order_number}", request.order_number or "")] if link else []


def _conversation(request: Request, zone: ZoneInfo, room: int) -> str:
    """The latest lines that fit."""
    kept: list[str] = []
    for at, author, text in reversed(request.transcript):
        line = f"[{clock(at, zone)}] {author}: {text}"
        room -= size(line) + 4
        if room < 40:
            kept.append("(earlier messages left out)")
            break
        kept.append(line)
    return "\n".join(reversed(kept)) or "(no earlier messages)"


def clock(at: float, zone: ZoneInfo) -> str:
    """Day and time in the shop's zone."""
    return dt.datetime.fromtimestamp(at, zone).strftime("%d %b %H:%M")


def one_line(text: str) -> str:
    """Without line breaks and runs of blanks."""
    return " ".join(text.split())

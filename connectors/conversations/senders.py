"""Who sent a message: a phone number (`wa_id`), a business-scoped `user_id`, or both.

Since 2026 Meta leaves the phone out for customers who hide it, and then only `user_id` (like `IN.1349…`) names
them. Identity comes from these signed fields alone, never from what the customer writes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import phonenumbers

from lenient_json import as_mapping, identifier, objects, text

_USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
_VCARD_PHONE = re.compile(r"^TEL[^:\r\n]*:([+0-9 ().-]{5,40})\s*$", re.IGNORECASE | re.MULTILINE)
_SEPARATORS = re.compile(r"[\s().-]")
_DIGITS = re.compile(r"[0-9]{5,15}")
# WhatsApp ids of Mexican mobiles kept the 1 that the numbering plan dropped in 2019.
_MEXICAN_MOBILE = re.compile(r"^521(?=[0-9]{10}$)")


@dataclass(frozen=True)
class Sender:
    """At least one of `wa_id` (digits of the phone number) and `user_id`."""

    wa_id: str | None
    user_id: str | None
    profile_name: str | None = None


@dataclass(frozen=True)
class IdentityChange:
    """Meta says that a customer's ids changed: the conversation moves from the old ones to the new ones."""

    old_wa_id: str | None
    old_user_id: str | None
    new_wa_id: str | None
    new_user_id: str | None


def e164(digits: str | None) -> str | None:
    """'+919876543210' from a wa_id or a written international number, or None when it is not a phone number."""
    bare = _SEPARATORS.sub("", digits or "").removeprefix("+")
    if not _DIGITS.fullmatch(bare):
        return None
    try:
        number = phonenumbers.parse("+" + _MEXICAN_MOBILE.sub("52", bare))
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country_of(wa_id: str, user_id: str) -> str | None:
    """The country (ISO 3166) of a phone, else the one that a user_id begins with."""
    if _DIGITS.fullmatch(wa_id):
        try:
            number = phonenumbers.parse("+" + wa_id)
        except phonenumbers.NumberParseException:
            return None
        region = phonenumbers.region_code_for_number(number)
        region = region or phonenumbers.region_code_for_country_code(number.country_code or 0)
        return region if len(region) == 2 and region != "ZZ" else None
    return user_id[:2] if _USER_ID.fullmatch(user_id) else None


def read_sender(
    message: Mapping[str, Any], contacts: list[Mapping[str, Any]], is_system: bool = False
) -> Sender | None:
    """The sender, or None when the body does not say unambiguously who it was.

    The profile beside a system message may already show the new ids, so there only the message itself counts.
    """
    wa_id, user_id = _own_ids(message)
    contact = {} if is_system else _contact_of(wa_id, user_id, contacts)
    wa_id = wa_id or _wa_id(contact.get("wa_id"))
    user_id = user_id or identifier(contact.get("user_id"))
    if is_system and not (wa_id or user_id):
        user_id = _previous_user_id(message)
    if not (wa_id or user_id):
        return None
    name = " ".join(text(as_mapping(contact.get("profile")).get("name"), 120).split())
    return Sender(wa_id, user_id, name or None)


def read_recipient(sent: Mapping[str, Any], contacts: list[Mapping[str, Any]]) -> Sender | None:
    """The customer whom somebody else wrote to under our number; None when it does not say who that is."""
    to, user_id = identifier(sent.get("to")), identifier(sent.get("to_user_id") or sent.get("recipient_user_id"))
    if to and _USER_ID.fullmatch(to):
        to, user_id = None, user_id or to
    wa_id = _wa_id(to)
    contact = _contact_of(wa_id, user_id, contacts)
    wa_id, user_id = wa_id or _wa_id(contact.get("wa_id")), user_id or identifier(contact.get("user_id"))
    return Sender(wa_id, user_id) if wa_id or user_id else None


def _own_ids(message: Mapping[str, Any]) -> tuple[str | None, str | None]:
    sent_from = identifier(message.get("from"))
    user_id = identifier(message.get("from_user_id"))
    if sent_from and _USER_ID.fullmatch(sent_from):
        return None, user_id or sent_from
    return _wa_id(sent_from), user_id


def _wa_id(value: Any) -> str | None:
    found = identifier(value)
    return found.lstrip("+") or None if found else None


def _contact_of(
    wa_id: str | None, user_id: str | None, contacts: list[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """The profile that belongs to the message; with several, only one that names the same id."""
    for contact in contacts:
        if wa_id and _wa_id(contact.get("wa_id")) == wa_id:
            return contact
        if user_id and identifier(contact.get("user_id")) == user_id:
            return contact
    if len(contacts) != 1:
        return {}
    other_phone = wa_id and _wa_id(contacts[0].get("wa_id"))
    other_user = user_id and identifier(contacts[0].get("user_id"))
    return {} if other_phone or other_user else contacts[0]


def identity_change(message: Mapping[str, Any], sender: Sender) -> IdentityChange | None:
    """The change that a system message tells of, or None (a new security code changes no identity)."""
    system = as_mapping(message.get("system"))
    if system.get("type") not in ("user_changed_number", "user_changed_user_id"):
        return None
    new_wa_id = _wa_id(system.get("wa_id")) or _wa_id(system.get("new_wa_id"))
    new_user_id = identifier(system.get("user_id"))
    old_wa_id = sender.wa_id or _wa_id(system.get("customer"))
    old_user_id = _previous_user_id(message) or sender.user_id
    change = IdentityChange(
        old_wa_id=old_wa_id,
        old_user_id=old_user_id if old_user_id != new_user_id else None,
        new_wa_id=new_wa_id if new_wa_id != old_wa_id else None,
        new_user_id=new_user_id,
    )
    return change if change.new_wa_id or change.new_user_id else None


def _previous_user_id(message: Mapping[str, Any]) -> str | None:
    system = as_mapping(message.get("system"))
    return identifier(system.get("previous_user_id")) or identifier(message.get("previous_user_id"))


def shared_phone(message: Mapping[str, Any], sender: Sender) -> str | None:
    """The sender's own phone (E.164), when this message answers our request for it; else None.

    A card that a customer picks from the address book is anybody's. Only `origin: contact_request` is the customer's
    own, and only if every id on the one card agrees with the sender and it names exactly one number.
    """
    cards = objects(message.get("contacts"))
    if len(cards) != 1 or not _answers_request(message, cards[0]):
        return None
    if identifier(cards[0].get("user_id")) not in (None, sender.user_id):
        return None
    phones = objects(cards[0].get("phones"))
    written = {e164(_wa_id(phone.get("wa_id"))) or e164(text(phone.get("phone"), 40)) for phone in phones}
    written |= {e164(found) for found in _VCARD_PHONE.findall(text(cards[0].get("vcard"), 10_000))}
    if len(written) != 1:
        return None
    phone = written.pop()
    return phone if sender.wa_id is None or e164(sender.wa_id) == phone else None


def _answers_request(message: Mapping[str, Any], card: Mapping[str, Any]) -> bool:
    origins = [value for value in (message.get("origin"), card.get("origin")) if value is not None]
    return bool(origins) and all(origin == "contact_request" for origin in origins)

"""The rows of `orders`, each read as the product will read it; what cannot be understood is counted, never shown."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

import settings
from actions.orders.columns import Columns
from actions.orders.days import day, shop_today
from actions.orders.numbers import normal_number, same_number
from actions.orders.phones import NUMBER, e164
from actions.orders.rows import NOT_KNOWN, RowReader, web_link
from components.order_numbers.shape import Shape
from privacy.outbound_links import AllowedLinks, host_of
from shop import STATUSES, Shop
from workbench.shop_check.doubts import Doubts
from workbench.shop_check.files import shape_of_orders
from workbench.shop_check.findings import ERROR, INFORMATION, WARNING, ShopFinding, masked, word_shown

MAX_ROWS = 50_000
FEW = 0.01  # a smaller share of rows than this is worth a warning, no error
EXAMPLES = 3
MANY_OF_ONE_PHONE = (30, 0.1)  # orders, and their share: no customer of a shop has so many
DATES = ("estimated_delivery", "placed_at", "delivered_at")
_READ = ("order_id", "customer_name", "customer_phone", "status", "carrier", "tracking_number", "tracking_url", *DATES)


@dataclass
class _Counts:
    """What was seen in the rows."""

    rows: int = 0
    ids: Counter[str] = field(default_factory=Counter)
    unread_ids: Counter[str] = field(default_factory=Counter)  # by their look
    no_id: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    no_phone: int = 0
    unread_phones: Counter[str] = field(default_factory=Counter)
    phones: Counter[str] = field(default_factory=Counter)
    ambiguous_phones: int = 0
    home_phones: int = 0  # numbers that the region gives out
    no_such_phones: int = 0  # as long as the region's, but of no area or network of it
    phones_abroad: Counter[str] = field(default_factory=Counter)  # by country, of another code than the region's
    no_links: int = 0
    foreign_links: Counter[str] = field(default_factory=Counter)  # by where they lead
    unread_dates: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in DATES})


def count_rows(connection: Connection, orders: Columns) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(sa.table(orders.table))).scalar_one())


def row_findings(
    connection: Connection, orders: Columns, ours: Shop, rows: int, newest_first: bool
) -> Iterator[ShopFinding]:
    """What is wrong with the values of the table, by column. At most 50 000 rows are read."""
    if not rows:
        yield ShopFinding(WARNING, "orders", "orders", "the table is empty", "rows, or another ORDERS_DATABASE_URL", 0)
        return
    doubts = Doubts(RowReader(ours.region, ours.time_zone, ours.orders.get("statuses") or {}), shop_today())
    counts = _counted(connection, orders, ours, newest_first, doubts)
    yield ShopFinding(INFORMATION, "orders", "orders", f"{counts.rows} of {rows} orders were read", count=rows)
    yield from _ids(counts)
    yield from _statuses(_all_statuses(connection, orders) or counts.statuses, ours)
    yield from _phones(counts, ours)
    yield from doubts.findings()
    if counts.no_links:
        yield ShopFinding(
            WARNING, "orders", "orders.tracking_url", f"{counts.no_links} of {counts.rows} tracking links are no web "
            "addresses: customers are sent none", "whole addresses that begin with https://", counts.no_links,
        )  # fmt: skip
    if counts.foreign_links:
        lost = counts.foreign_links.total()
        yield ShopFinding(
            WARNING, "orders", "orders.tracking_url", f"{lost} of {counts.rows} tracking links are not sent: `links` "
            f"of shop.yml does not name where they lead, {_looks(counts.foreign_links)}",
            "add the domains that are your carriers' to links", lost,
        )  # fmt: skip
    for name, unread in counts.unread_dates.items():
        if unread:
            yield ShopFinding(
                _by_share(unread.total(), counts.rows), "orders", f"orders.{name}",
                f"{unread.total()} of {counts.rows} dates cannot be read, or could be two days: {_looks(unread)}",
                "a DATE column, or text like 2026-12-19; customers are not given a date that is not understood",
                unread.total(),
            )  # fmt: skip


def _counted(connection: Connection, orders: Columns, ours: Shop, newest_first: bool, doubts: Doubts) -> _Counts:
    query = sa.select(*(orders[name] for name in _READ if name in orders)).limit(MAX_ROWS)
    if newest_first:
        query = query.order_by(orders["order_id"].desc())
    allowed = AllowedLinks(ours.links, settings.load().shop_path / "policy_kb") if ours.links else None
    permitted = lru_cache(maxsize=None)(allowed.permits_host) if allowed else None  # the pages are looked through
    counts, shape, zone = _Counts(), shape_of_orders(), ZoneInfo(ours.time_zone)
    # All rows first: the database's time limit is not for what we make of them.
    for row in connection.execute(query).mappings().all():
        counts.rows += 1
        doubts.see(row)
        counts.statuses[_text(row["status"])] += 1
        _count_id(counts, row["order_id"], shape)
        _count_phone(counts, row["customer_phone"], ours.region)
        _count_dates(counts, row, zone, ours.region)
        counts.no_links += bool(_text(row.get("tracking_url"))) and web_link(row["tracking_url"]) is None
        if permitted and row.get("tracking_url"):
            host = host_of(_text(row["tracking_url"]))
            if host is None or not permitted(host):
                counts.foreign_links[host or "no link"] += 1
    return counts


def _count_id(counts: _Counts, value: object, shape: Shape | None) -> None:
    number = normal_number(value)
    if not number:
        counts.no_id += 1
        return
    counts.ids[(number.lstrip("0") if number.isdigit() else number).casefold()] += 1
    said_back = shape.written(number) if shape else number
    if said_back is None or not same_number(said_back, number):
        counts.unread_ids[masked(number)] += 1


def _count_phone(counts: _Counts, value: object, region: str) -> None:
    written = _text(value)
    if written.casefold() in NOT_KNOWN:
        counts.no_phone += 1
    elif (number := e164(value, region)) is None or not _is_whole(parsed := phonenumbers.parse(number)):
        counts.unread_phones[masked(written)] += 1
    else:
        counts.phones[number] += 1
        counts.ambiguous_phones += _could_be_abroad(value, number)
        code = parsed.country_code or 0
        if code != phonenumbers.country_code_for_region(region):
            counts.phones_abroad[phonenumbers.region_code_for_country_code(code)] += 1
        elif phonenumbers.is_valid_number(parsed) or _is_given_out(code, str(parsed.national_number)[:-6]):
            counts.home_phones += 1
        else:
            counts.no_such_phones += 1


def _is_whole(number: phonenumbers.PhoneNumber) -> bool:
    """Whether a number can be dialled from everywhere: without its area's code it is nobody's on WhatsApp."""
    possible = phonenumbers.is_possible_number_with_reason(number)
    return bool(possible == phonenumbers.ValidationResult.IS_POSSIBLE)


@lru_cache(maxsize=4096)
def _is_given_out(code: int, beginning: str) -> bool:
    """Whether a country has numbers that begin so and go on with six more digits."""
    return any(
        phonenumbers.is_valid_number(phonenumbers.PhoneNumber(country_code=code, national_number=int(beginning + end)))
        for end in (6 * digit for digit in "0123456789")
    )


def _count_dates(counts: _Counts, row: Mapping[str, Any], zone: ZoneInfo, region: str) -> None:
    for name in DATES:
        value = row.get(name)
        if value is not None and _text(value).casefold() not in NOT_KNOWN and day(value, zone, region) is None:
            counts.unread_dates[name][masked(_text(value))] += 1


def _could_be_abroad(value: object, number: str) -> bool:
    """Whether a number without a country code is a real one of its region and, its first digits one, of another."""
    found = NUMBER.search(str(value))
    if not found or found.group().lstrip("(")[:1] in "+＋0":
        return False
    digits = "".join(c for c in found.group() if c.isdigit())
    try:
        abroad = phonenumbers.parse(f"+{digits}", None)
        at_home = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return False
    if abroad.country_code == at_home.country_code:
        return False
    return phonenumbers.is_valid_number(abroad) and phonenumbers.is_valid_number(at_home)


def _ids(counts: _Counts) -> Iterator[ShopFinding]:
    if counts.unread_ids:
        yield ShopFinding(
            ERROR, "orders", "orders.order_id",
            f"{counts.unread_ids.total()} of {counts.rows} order numbers are not of the shape in shop.yml, so "
            f"customers who write them are not understood: {_looks(counts.unread_ids)}",
            "orders.id_examples of shop.yml: one real number of each of these kinds (9 stands for a digit, A for a "
            "letter), shortest and longest", counts.unread_ids.total(),
        )  # fmt: skip
    if counts.no_id:
        yield ShopFinding(ERROR, "orders", "orders.order_id", f"{counts.no_id} of {counts.rows} orders have no number",
                          "fill the column, or leave these rows out of the view", counts.no_id)  # fmt: skip
    twice = [times for times in counts.ids.values() if times > 1]
    if twice:
        yield ShopFinding(
            ERROR, "orders", "orders.order_id", f"{len(twice)} order numbers are in {sum(twice)} rows (capitals, '#' "
            "and zeros in front make no difference), so a customer may be told of the wrong one",
            "one row an order: a primary key on the table, DISTINCT or a narrower join in the view", len(twice),
        )  # fmt: skip


def _all_statuses(connection: Connection, orders: Columns) -> Counter[str] | None:
    """Every status word with its count; None where that takes too long."""
    status = orders["status"]
    try:
        grouped = connection.execute(sa.select(status, sa.func.count()).group_by(status)).all()
    except SQLAlchemyError:
        return None
    counted: Counter[str] = Counter()
    for word, times in grouped:
        counted[_text(word)] += times
    return counted


def _statuses(counted: Counter[str], ours: Shop) -> Iterator[ShopFinding]:
    own = ours.orders.get("statuses") or {}
    reader = RowReader(ours.region, ours.time_zone, own)
    known = {**{status: status for status in STATUSES}, **{word.casefold(): status for word, status in own.items()}}
    for word, times in counted.most_common():
        if not word:
            yield ShopFinding(WARNING, "orders", "orders.status", f"{times} of {counted.total()} orders have no status",
                              "fill the column; customers are told that it is not known", times)  # fmt: skip
        elif reader.order({"order_id": "1", "status": word}).status is None:
            close = get_close_matches(word.casefold(), list(known), 1, 0.0)[0]
            yield ShopFinding(
                ERROR, "orders", "orders.status",
                f"the status '{word_shown(word)}' ({times} of {counted.total()} orders) has no meaning",
                f"orders.statuses of shop.yml: '{word_shown(word)}: {known[close]}', or another of "
                f"{', '.join(STATUSES)}", times,
            )  # fmt: skip


def _phones(counts: _Counts, ours: Shop) -> Iterator[ShopFinding]:
    where = "orders.customer_phone"
    if counts.unread_phones:
        unread = counts.unread_phones.total()
        yield ShopFinding(
            _by_share(unread, counts.rows), "orders", where, f"{unread} of {counts.rows} phones cannot be read as "
            f"numbers of {ours.region} or with a country code: {_looks(counts.unread_phones)}",
            "write them with their country code (+...), or correct region in shop.yml; whose phone is not understood "
            "is not told of the order", unread,
        )  # fmt: skip
    abroad = counts.phones_abroad.total()
    if abroad > counts.home_phones:
        yield ShopFinding(
            WARNING, "orders", where, f"{abroad} of {counts.rows} phones have the country code of another country than "
            f"{ours.region}, the region of shop.yml: {_looks(counts.phones_abroad)}. Numbers without one are read as "
            f"{ours.region}'s", f"region: {counts.phones_abroad.most_common(1)[0][0]} in shop.yml, unless most "
            "customers are foreign", abroad,
        )  # fmt: skip
    if counts.no_such_phones > counts.home_phones:
        yield ShopFinding(
            WARNING, "orders", where, f"{counts.no_such_phones} of {counts.rows} phones are as long as those of "
            f"{ours.region}, but of no area or network that it has: they may be another country's without its code",
            "correct region in shop.yml, or write phones with their country code (+...)", counts.no_such_phones,
        )  # fmt: skip
    most = max(counts.phones.values(), default=0)
    if most >= max(MANY_OF_ONE_PHONE[0], MANY_OF_ONE_PHONE[1] * counts.rows):
        yield ShopFinding(
            WARNING, "orders", where, f"one phone is on {most} of {counts.rows} orders: whoever writes from it is told "
            "of them all. The shop's own, or one that stands for none?",
            "no phone where the customer's is not known", most,
        )  # fmt: skip
    if counts.no_phone:
        all_of_them = counts.no_phone == counts.rows
        yield ShopFinding(
            ERROR if all_of_them else WARNING, "orders", where, f"{counts.no_phone} of {counts.rows} orders have no "
            "phone: nobody is told of them", "the customer's WhatsApp number in this column", counts.no_phone,
        )  # fmt: skip
    if counts.ambiguous_phones:
        yield ShopFinding(
            WARNING, "orders", where, f"{counts.ambiguous_phones} of {counts.rows} phones without a country code could "
            f"be of {ours.region} or of another country; they are read as {ours.region}'s",
            "write them with their country code (+...)", counts.ambiguous_phones,
        )  # fmt: skip


def _by_share(rows: int, of: int) -> str:
    return ERROR if rows >= FEW * of else WARNING


def _looks(looks: Counter[str]) -> str:
    return ", ".join(f"{look} ({times})" for look, times in looks.most_common(EXAMPLES))


def _text(value: object) -> str:
    return " ".join((value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")).split())

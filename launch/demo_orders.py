"""Sample orders: `python -m launch.demo_orders` creates and fills the table, again and again without harm.

The demo shop's are written below; any other shop has the same cases in its own shape: its order numbers, status words
and phones. Only the default SQLite database is touched, unless `--any-database` is given; a table that was not made
here is left alone. Dates are relative to the day of seeding and are moved along once a day, so that they never age.
`STATE_DIR/demo_customers.json` tells the simulator who there is to be.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import phonenumbers
import sqlalchemy as sa

import settings
import settings_values
import shop
from actions.orders.phones import e164
from components.order_numbers.samples import sample_numbers
from components.order_numbers.shape import Shape
from components.order_numbers.shops import shop_pattern

METADATA = sa.MetaData()
ORDERS = sa.Table(
    "orders",
    METADATA,
    sa.Column("order_id", sa.String(40), primary_key=True),
    sa.Column("customer_name", sa.String(80)),
    sa.Column("customer_phone", sa.String(20), index=True),
    sa.Column("status", sa.String(30)),
    sa.Column("estimated_delivery", sa.Date),
    sa.Column("carrier", sa.String(60)),
    sa.Column("tracking_number", sa.String(60)),
    sa.Column("tracking_url", sa.String(500)),
    sa.Column("total", sa.Numeric(10, 2)),
)
ITEMS = sa.Table(
    "order_items",
    METADATA,
    sa.Column("order_id", sa.String(40), index=True),
    sa.Column("item_id", sa.String(60), primary_key=True),
    sa.Column("title", sa.String(80)),
    sa.Column("quantity", sa.Integer),
    sa.Column("returnable", sa.Boolean),
)
SEEDED = sa.Table("demo_seed", METADATA, sa.Column("seeded_on", sa.Date, primary_key=True))


@dataclass(frozen=True)
class DemoCustomer:
    """Somebody to be in the demo; {delivered} in what they try is the first such order of theirs."""

    name: str
    phone: str
    shows: str
    tries: tuple[str, ...] = ()


ASHA = DemoCustomer("Asha Rao", "+919876543210", "One order on its way", (
    "Where is my order?", "Return {delivered}", "{delivered} says delivered but I did not get it", "I want my money!",
))  # fmt: skip
VIKRAM = DemoCustomer("Vikram Shetty", "+919812345670", "Several orders to choose from", (
    "Where is my order?", "Status of {out_for_delivery} and {confirmed}", "Cancel {placed}", "Change the address",
))  # fmt: skip
MEERA = DemoCustomer("Meera Iyer", "+919900112233", "No order yet", ("Where is my order?", "Do you match prices?"))
FARHAN = DemoCustomer("Farhan Qureshi", "+919845098450", "More than ten open orders", (
    "Show my orders", "The second one", "Where is {out_for_delivery}?",
))  # fmt: skip
LAKSHMI = DemoCustomer("Lakshmi Menon", "+919447012345", "A cancelled, a returned and a refunded order", (
    "Where is my refund for {returned}?", "When was {refunded} refunded?", "Was {cancelled} cancelled?",
))  # fmt: skip
ROHAN = DemoCustomer("Rohan Das", "+919830055667", "A late order, and one that has arrived", (
    "{delayed} is so late!! What is happening?", "Return {delivered}", "Let me talk to a human",
))  # fmt: skip
CUSTOMERS = (ASHA, VIKRAM, MEERA, FARHAN, LAKSHMI, ROHAN)


@dataclass(frozen=True)
class DemoItem:
    """One line of an order."""

    title: str
    quantity: int = 1
    returnable: bool = True


@dataclass(frozen=True)
class DemoOrder:
    """One order of the demo. `due` counts days from today; `carrier` None: not handed over, or not known."""

    number: str
    customer: DemoCustomer
    status: str
    due: int | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_page: str = "https://track.marigold.example"
    items: tuple[DemoItem, ...] = ()
    total: float | None = None

    def row(self, today: date) -> dict[str, object]:
        number = self.tracking_number
        return {
            "order_id": self.number,
            "customer_name": self.customer.name,
            "customer_phone": self.customer.phone,
            "status": self.status,
            "estimated_delivery": None if self.due is None else today + timedelta(days=self.due),
            "carrier": self.carrier,
            "tracking_number": number,
            "tracking_url": f"{self.tracking_page}/{number}" if number else None,
            "total": self.total,
        }


DEMO_ORDERS = (
    DemoOrder("10234", ASHA, "shipped", 1, "Delhivery", "DL4402918"),
    DemoOrder("10187", ASHA, "delivered", -9, "Delhivery", "DL4371120", items=(
        DemoItem("Blue cotton kurta", 2), DemoItem("Brass lamp"), DemoItem("Silver earrings", returnable=False),
    ), total=4297.0),
    DemoOrder("10235", VIKRAM, "out_for_delivery", 0, "Blue Dart", "BD7715520"),
    DemoOrder("10241", VIKRAM, "confirmed", 6, items=(DemoItem("Linen shirt"),), total=1899.0),
    DemoOrder("10248", VIKRAM, "placed", items=(DemoItem("Leather sandals"),), total=2499.0),
    DemoOrder("10198", VIKRAM, "delivered", -4, "Ekart", "EK9920331"),
    *(
        DemoOrder(str(10301 + n), FARHAN, status, due, carrier, tracking)
        for n, (status, due, carrier, tracking) in enumerate(
            [
                ("shipped", 2, "Delhivery", "DL4403001"), ("shipped", 3, "Ekart", None), ("shipped", 4, None, None),
                ("packed", 3, "Blue Dart", None), ("packed", 5, None, None), ("packed", None, None, None),
                ("confirmed", 6, None, None), ("confirmed", 7, None, None), ("confirmed", None, None, None),
                ("placed", 8, None, None), ("placed", None, None, None),
                ("out_for_delivery", 0, "India Post", "EE123456789IN"),
            ]
        )
    ),
    DemoOrder("10219", LAKSHMI, "cancelled"),
    DemoOrder("10205", LAKSHMI, "returned", -12, "Ekart", "EK9918120"),
    DemoOrder("10176", LAKSHMI, "refunded", -21, "Delhivery", "DL4366410"),
    DemoOrder("10252", LAKSHMI, "packed", 3),
    DemoOrder("10226", ROHAN, "delayed", -2, "India Post", "EE987654321IN"),
    DemoOrder("10259", ROHAN, "delayed"),
    DemoOrder("10201", ROHAN, "delivered", -1, "Blue Dart", "BD7714087"),
    DemoOrder("10262", ROHAN, "confirmed", 4),
    DemoOrder("10264", ROHAN, "shipped", None, "Delhivery", "DL4404112"),
)


_NAMES = ("Alex Morgan", "Sam Rivera", "Robin Costa", "Kim Andersen", "Noa Martin", "Toni Silva")
_COURIER, _TRACKING_PAGE = "Sample Courier", "https://track.example"
_PHONE_STEP = 111  # between the numbers of two people


def samples(folder: Path | None = None) -> tuple[Sequence[DemoCustomer], Sequence[DemoOrder]]:
    """Customers and orders of the shop (default: SHOP_DIR). Raises shop.ShopError."""
    if (folder or settings.load().shop_path) == settings.PROJECT_ROOT:
        return CUSTOMERS, DEMO_ORDERS
    ours = shop.load(folder)
    phones = _phones(ours.region)
    people = {one: replace(one, name=name, phone=next(phones)) for one, name in zip(CUSTOMERS, _NAMES, strict=True)}
    words = {meaning: word for word, meaning in reversed((ours.orders.get("statuses") or {}).items())}
    numbers = sample_numbers(Shape.of(shop_pattern()), ours.orders.get("id_examples") or (), len(DEMO_ORDERS))
    return tuple(people.values()), [
        replace(order, number=number, customer=people[order.customer], status=words.get(order.status, order.status),
                carrier=order.carrier and _COURIER, tracking_page=_TRACKING_PAGE,
                items=tuple(replace(item, title=f"Sample item {place}") for place, item in enumerate(order.items, 1)),
                tracking_number=order.tracking_number and f"SAMPLE{n:04d}")
        for n, (order, number) in enumerate(zip(DEMO_ORDERS, numbers, strict=False), 1)
    ]  # fmt: skip


def _phones(region: str) -> Iterator[str]:
    """Made-up mobile numbers of a region, in E.164."""
    number = (phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
              or phonenumbers.example_number(region))  # fmt: skip
    while number:
        if phonenumbers.is_valid_number(number):
            yield str(e164(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), region))
        number.national_number = (number.national_number or 0) + _PHONE_STEP


def seed(url: str, today: date) -> str:
    """Make the table of sample orders current. Returns what was done: created, refreshed, current or not_ours."""
    orders = samples()[1]
    engine = sa.create_engine(settings_values.database_url(url), future=True)
    try:
        tables = sa.inspect(engine).get_table_names()
        if ORDERS.name in tables and SEEDED.name not in tables:
            return "not_ours"
        with engine.begin() as connection:
            METADATA.create_all(connection)
            if "total" not in {column["name"] for column in sa.inspect(connection).get_columns(ORDERS.name)}:
                connection.execute(sa.text("ALTER TABLE orders ADD COLUMN total NUMERIC(10, 2)"))  # of an older release
            seeded = connection.execute(sa.select(SEEDED.c.seeded_on)).scalar()
            if seeded and not _are_these(connection, orders):
                for table in (ORDERS, ITEMS):
                    connection.execute(table.delete())  # shop.yml says another shape or region now
                seeded = None
            if seeded == today:
                return "current"
            _write(connection, orders, today, new=seeded is None)
        return "created" if seeded is None else "refreshed"
    finally:
        engine.dispose()


def _are_these(connection: sa.engine.Connection, orders: Sequence[DemoOrder]) -> bool:
    """Whether any of these orders is there: somebody may have changed or removed some to try something."""
    there = connection.execute(sa.select(ORDERS.c.order_id, ORDERS.c.customer_phone)).all()
    return not {(order.number, order.customer.phone) for order in orders}.isdisjoint(map(tuple, there))


def _write(connection: sa.engine.Connection, orders: Sequence[DemoOrder], today: date, new: bool) -> None:
    rows = [order.row(today) for order in orders]
    if new:
        connection.execute(ORDERS.insert(), rows)
        connection.execute(ITEMS.insert(), list(_item_rows(orders)))
    for row in [] if new else rows:
        # Only the dates: an order that somebody changed or removed to try something stays so.
        connection.execute(
            ORDERS.update()
            .where(ORDERS.c.order_id == row["order_id"])
            .values(estimated_delivery=row["estimated_delivery"])
        )
    connection.execute(SEEDED.delete())
    connection.execute(SEEDED.insert(), [{"seeded_on": today}])


def _item_rows(orders: Sequence[DemoOrder]) -> Iterator[dict[str, object]]:
    for order in orders:
        for place, item in enumerate(order.items, 1):
            yield {"order_id": order.number, "item_id": f"{order.number}-{place}", **asdict(item)}


def _with_numbers(customer: DemoCustomer, orders: Sequence[DemoOrder]) -> DemoCustomer:
    """Their messages with their own order numbers; one that has no such order is left out."""
    meanings = shop.load().orders.get("statuses") or {}
    first: dict[str, str] = {}
    for order in orders:
        if order.customer.phone == customer.phone:
            first.setdefault(meanings.get(order.status, order.status), order.number)
    tries = [text for text in customer.tries if all(name in first for _, name, _, _ in Formatter().parse(text) if name)]
    return replace(customer, tries=tuple(text.format(**first) for text in tries))


def write_customers(folder: Path, customers: Sequence[DemoCustomer]) -> Path:
    """Write `demo_customers.json`: a list of {"name", "phone", "shows", "tries"}."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "demo_customers.json"
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps([asdict(customer) for customer in customers], indent=2), encoding="utf-8")
    draft.replace(path)
    return path


def prepare(configured: settings.Settings, any_database: bool = False) -> str:
    """Seed the sample orders and write their customers. Returns what was done, for the terminal.

    Only the default SQLite is seeded unless told otherwise: any other database is the shop's own.
    """
    state = configured.state_path
    url = configured.values["ORDERS_DATABASE_URL"] or ""
    customers, orders = samples()
    if url != settings.sqlite_url(state / "orders.db") and not any_database:
        stranger = DemoCustomer("Visitor", customers[0].phone, "Has no order: add a customer's number to see theirs")
        write_customers(state, customers if configured.shop_path == settings.PROJECT_ROOT else [stranger])
        return "ORDERS_DATABASE_URL is the shop's own database; it is only read."
    write_customers(state, [_with_numbers(customer, orders) for customer in customers])
    today = datetime.now(ZoneInfo(shop.load().time_zone)).date()
    outcome = seed(url, today)
    if outcome == "not_ours":
        return "The table `orders` was not made here; it is only read."
    return f"Sample orders {outcome}: {len(orders)} orders of {len(customers)} customers."


def main(arguments: list[str] | None = None) -> int:
    """The command. Somebody else's database is left alone, which is not a failure."""
    parser = argparse.ArgumentParser(prog="python -m launch.demo_orders", description=__doc__)
    parser.add_argument(
        "--any-database", action="store_true", help="seed ORDERS_DATABASE_URL even if it is not the default SQLite"
    )
    options = parser.parse_args(arguments)
    print(prepare(settings.load(), options.any_database), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

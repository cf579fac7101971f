"""Customers who own an order each, and what they ask."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import count

import sqlalchemy as sa

from launch.demo_orders import ORDERS

Question = Callable[[str], str]

MAX_CUSTOMERS = 20_000
_FIRST_ORDER, _FIRST_CUSTOMER = 20_000, 919_700_000_000
_numbers = count()


def new_customer() -> str:
    """The wa_id of a customer who has not written yet."""
    return str(_FIRST_CUSTOMER + next(_numbers) % MAX_CUSTOMERS)


def order_of(customer: str) -> str:
    """The number of a customer's order."""
    return str(_FIRST_ORDER + int(customer) - _FIRST_CUSTOMER)


def hello(customer: str) -> str:
    """Answered from the domain."""
    return "hello"


def where_is_my_order(customer: str) -> str:
    """Answered by the action server from the orders database."""
    return f"where is my order {order_of(customer)}"


def add_orders(url: str) -> None:
    """One order on its way for every customer, beside the demo's."""
    due = date.today() + timedelta(days=2)
    rows = [
        {
            "order_id": str(_FIRST_ORDER + n), "customer_name": "Customer", "status": "shipped", "carrier": "Delhivery",
            "customer_phone": f"+{_FIRST_CUSTOMER + n}", "estimated_delivery": due, "tracking_number": f"DL{n:07d}",
        }
        for n in range(MAX_CUSTOMERS)
    ]  # fmt: skip
    engine = sa.create_engine(url, future=True)
    with engine.begin() as connection:
        connection.execute(ORDERS.insert(), rows)
    engine.dispose()

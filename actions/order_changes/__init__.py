"""The skill of cancelling, changing and returning an order: the form, what it asks, and what its yes leads to.

May import what other actions may. Start reading in `form.py`, then `which_order.py`, `details.py` and `acting.py`.
"""

from actions.order_changes import form, which_order  # what holds actions is known once the room is

__all__ = ["form", "which_order"]

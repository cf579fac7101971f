"""The skill of cancelling, changing and returning an order: the form, what it asks, and what its yes leads to.

May import what other actions may. Start reading in `form.py`, then `which_order.py`, `details.py` and `acting.py`.
"""

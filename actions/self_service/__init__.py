"""What the shop itself can be asked to do: cancel an order, change its address, register a return.

A port (`acts.py`), its adapters, and what counts as a yes. Imports the root modules only. Start reading in `acts.py`,
then `performing.py`.
"""

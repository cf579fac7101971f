"""Natural dialogues played against the trained model: reading them, playing them, and a table of what was right.

May import actions, components and the rest of the workbench. Start reading at `cases.py` (what a dialogue file says),
then `play.py`; `make dialogues` and `tests/dialogues` show the table of `report.py`.
"""

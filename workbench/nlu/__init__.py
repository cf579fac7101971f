"""How well the trained model understands: labelled phrases, held-out reports, levels.

Imports `components`. Start reading in `levels.py`.
"""

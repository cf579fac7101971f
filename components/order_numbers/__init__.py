"""Order numbers in customers' messages: of which shape a shop's are, and what only looks like one.

Imports rasa (the extractor alone), `privacy/indic.py` and the shop. Start reading in `extractor.py`, then `finding.py`.
"""

"""What the shop's policy pages say: finding the section that answers a question, and answering from it with proof.

Imports `actions.llm` and settings, no skill and no sister. Start reading in `answers/answering.py`, then
`retrieval/retriever.py`.
"""

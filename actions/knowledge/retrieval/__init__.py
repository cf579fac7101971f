"""Which section answers a question, and does any?

Imports `pages`. Start reading in `retriever.py`.
"""

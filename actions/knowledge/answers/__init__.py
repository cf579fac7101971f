"""A grounded answer from the sections found: by an LLM, or in the section's own sentences.

Imports `pages`, `retrieval`, `grounding` and `actions.llm`. Start reading in `answering.py`.
"""

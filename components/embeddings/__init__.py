"""What a sentence means, as a vector: the bundled multilingual model, and the vectors that are shipped.

Imports nothing else of ours but `components.text` (to ship them). Start reading in `sentence_embeddings.py`.
"""

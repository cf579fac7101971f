"""Where the vectors of what the pages say are kept: a file (default), PostgreSQL with pgvector, or Pinecone.

Imports `actions.knowledge.pages` and `sql_servers`. Start reading in `interface.py`.
"""

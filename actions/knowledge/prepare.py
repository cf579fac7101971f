"""`python -m actions.knowledge.prepare`: check the pages and ship their embeddings with them.

Designers run it after editing pages. It is never required: what was not prepared is embedded at the next start, in
about 15 ms a phrase. The whole of it takes half a minute.
"""

from __future__ import annotations

import sys

import settings
from actions.knowledge.documents import KnowledgeError, load_pages
from actions.knowledge.embedding import E5, RememberingEmbedder, pack
from actions.knowledge.index import EMBED_AS, entries_of
from actions.knowledge.retrieval import SHIPPED, wording_of


def main() -> int:
    """Exit status 1 when a page has a mistake, which is printed."""
    folder = settings.load().shop_path / "policy_kb"
    try:
        pages = load_pages(folder)
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 1
    texts = dict.fromkeys((entry.text, EMBED_AS[entry.kind]) for entry in entries_of(pages, wording_of(pages)))
    pack(folder / SHIPPED, RememberingEmbedder(E5(), None, shipped=folder / SHIPPED), list(texts))
    print(f"{len(pages.pages)} pages, {len(pages.sections)} sections, {len(texts)} phrases: ready.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m actions.knowledge.retrieval.coverage`: which usual topics the shop's pages answer, and with which section.

A topic counts as answered when most ways of asking it find an answer. It is a hint for whoever writes pages: what
customers usually ask and no page answers.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from actions.knowledge.pages.documents import KnowledgeError
from actions.knowledge.pages.topics import Topic, load_topics
from actions.knowledge.retrieval.retriever import Finding, default_retriever

PHRASINGS = 5
UNASKED = ("world",)  # areas that no shop's pages are about


def coverage(topics: Sequence[Topic], find: Callable[[str], Finding]) -> Iterator[tuple[Topic, str | None]]:
    """Each topic with the key of the section that answers most of its phrasings, None when most are refused."""
    for topic in topics:
        if topic.area not in UNASKED:
            findings = [find(phrase) for phrase in topic.asked[:PHRASINGS]]
            keys = [finding.best.key for finding in findings if finding.answerable and finding.best]
            yield topic, Counter(keys).most_common(1)[0][0] if len(keys) * 2 > len(findings) else None


def main() -> int:
    """Print the answered topics with their sections, then the others."""
    try:
        covered = list(coverage(load_topics(), default_retriever(wait=True).find))
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 1
    answered = [(topic, key) for topic, key in covered if key]
    print(f"Your pages answer {len(answered)} of {len(covered)} usual topics:")
    for topic, key in answered:
        print(f"  {topic.about:44} {key}")
    print("Not answered: " + "; ".join(topic.about for topic, key in covered if not key))
    return 0


if __name__ == "__main__":
    sys.exit(main())

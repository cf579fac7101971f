"""`python -m actions.knowledge.retrieval --jsonl`: the evaluation adapter.

Reads {"question"} lines and prints {"page", "section", "score", "answerable"} lines, of the shop that SHOP_DIR names.
"""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator

import signals
from actions.knowledge.pages.documents import KnowledgeError
from actions.knowledge.retrieval.retriever import Finding, default_retriever

log = logging.getLogger(__name__)


def answer_lines(lines: Iterable[str], find: Callable[[str], Finding]) -> Iterator[str]:
    """One JSON line out for each line in; a line that is no {"question": text} gets an unanswerable one."""
    for line in lines:
        try:
            asked = json.loads(line)
            question = asked["question"] if isinstance(asked, dict) else None
            finding = find(question) if isinstance(question, str) else Finding("")
        except (ValueError, KeyError, RecursionError) as error:
            log.warning("knowledge.adapter.bad_line error=%s", type(error).__name__)
            finding = Finding("")
        best = finding.best
        yield json.dumps({
            "page": best.page if best else None,
            "section": best.heading if best else None,
            "score": finding.score,
            "answerable": finding.answerable,
        }, ensure_ascii=False)


def main(arguments: list[str] | None = None) -> int:
    """The evaluation adapter: JSON lines on standard output, everything else on standard error."""
    signals.restore()
    parser = argparse.ArgumentParser(prog="python -m actions.knowledge.retrieval", description=main.__doc__)
    parser.add_argument("--jsonl", action="store_true", required=True, help="JSON lines in, JSON lines out")
    parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    try:
        retriever = default_retriever(wait=True)
        incoming = (raw.decode("utf-8", "replace") for raw in sys.stdin.buffer)
        for line in answer_lines(incoming, retriever.find):
            print(line, flush=True)
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())

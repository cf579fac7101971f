"""`python -m components.escalation --jsonl`: a decision for each line of JSON, as the contract has it. `--fit`: learn
from the examples, and leave what was learnt where training finds it."""

import json
import sys
from collections.abc import Iterable
from typing import Any

import signals
from components.escalation.assessment import TurnContext, assess
from components.escalation.examples import EscalationDataError
from components.escalation.reasons import Reader, default_reasons, fit
from components.escalation.settings import EscalationConfigError, EscalationSettings, default_settings


def answer(line: str, reader: Reader, settings: EscalationSettings) -> dict[str, Any]:
    """The decision for one line; a line that is not an object counts as an empty message."""
    try:
        record = json.loads(line)
    except ValueError:
        print(f"not JSON, counted as empty: line of {len(line)} characters", file=sys.stderr)
        record = {}
    record = record if isinstance(record, dict) else {}
    text, intent = record.get("text"), record.get("intent")
    intent = intent.get("name") if isinstance(intent, dict) else intent
    known = TurnContext(text if isinstance(text, str) else "", intent if isinstance(intent, str) else None)
    assessed = assess(known, reader, settings)
    return {name: getattr(assessed, name) for name in ("escalate", "reason", "priority", "score")}


def answer_lines(lines: Iterable[str]) -> int:
    """Decide each line on standard output. Returns an exit status."""
    try:
        settings, reader = default_settings(), default_reasons()
    except (EscalationConfigError, EscalationDataError) as error:
        print(error, file=sys.stderr)
        return 1
    for line in lines:
        if line.strip():
            print(json.dumps(answer(line, reader, settings)), flush=True)
    return 0


if __name__ == "__main__":
    signals.restore()
    if sys.argv[1:] == ["--fit"]:
        fit()
        sys.exit()
    if sys.argv[1:] != ["--jsonl"]:
        sys.exit("usage: python -m components.escalation --jsonl < messages.jsonl")
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    sys.exit(answer_lines(sys.stdin))

"""Counters of what the LLM did, in the folder that all processes share: they appear on the Rasa server's `/metrics`."""

from prometheus_client import Counter, Histogram

from actions.llm.client import TIMEOUT, Usage

ANSWERING, READING = "policy_answer", "reading"
_SECONDS = (0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12)
_REJECTED = frozenset(("wrong_citation", "wrong_command", "wrong_number_of_commands", "impossible"))
_PLAIN = frozenset((TIMEOUT, "refusal", "not_covered", "unclear", "read"))

CALLS = Counter(
    "assistant_llm_calls",
    "Questions to the LLM; outcome: grounded, read, not_covered, unclear, rejected, refusal, timeout or error",
    ["provider", "purpose", "outcome"],
)
SECONDS = Histogram("assistant_llm_seconds", "Waiting for the LLM", ["provider", "purpose"], buckets=_SECONDS)
TOKENS = Counter("assistant_llm_tokens", "Tokens that the provider counted", ["provider", "purpose", "direction"])


def count(provider: str, purpose: str, outcome: str, seconds: float, usage: Usage) -> None:
    """One call that ended. `outcome` is one of `CALLS`."""
    CALLS.labels(provider, purpose, outcome).inc()
    SECONDS.labels(provider, purpose).observe(seconds)
    TOKENS.labels(provider, purpose, "in").inc(usage.input_tokens)
    TOKENS.labels(provider, purpose, "out").inc(usage.output_tokens)


def outcome_of(reason: str) -> str:
    """A verdict, or an LlmFailed's reason, as one of the outcomes; an answer that says what may not be is rejected."""
    if reason in _REJECTED:
        return "rejected"
    return reason if reason in _PLAIN else "error"

"""How grave a message is that a customer adds while they wait for a person.

The dialogue does not run then, so its escalation policy is asked here, without the dialogue's memory.
"""

import logging

from components.escalation.assessment import TurnContext, assess
from components.escalation.reasons import default_reasons

log = logging.getLogger(__name__)


def priority_of(text: str) -> str | None:
    """MEDIUM, HIGH or CRITICAL, as if the message had called a person; None when it would not have. Never raises."""
    try:
        assessed = assess(TurnContext(text), default_reasons())
    except Exception as error:  # a message reaches its ticket whatever becomes of its grade
        log.error("grading.failed error=%s", type(error).__name__)
        return None
    return assessed.priority if assessed.escalate else None

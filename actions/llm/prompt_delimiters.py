"""What customers write reaches a model as data, between marks of its own, never among the instructions."""

MAX_MESSAGE_CHARS = 1000


def wrap_untrusted(name: str, words: str, limit: int = MAX_MESSAGE_CHARS) -> str:
    """The customer's words, shortened, as `<name>` … `</name>`; what looks like markup in them loses its brackets."""
    plain = words[:limit].replace("<", "(").replace(">", ")")
    return f"<{name}>\n{plain}\n</{name}>"

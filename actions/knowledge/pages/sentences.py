"""Where a sentence ends, and what a list says with the words that open it."""

import re

_SENTENCE_END = re.compile(r"(?<=[.!?।…])[\"”»)]?\s+(?=[\"“«(¿¡]?[^\Wa-zà-öø-ÿ_]|[₹$€£])")
_SHORTENED = re.compile(
    r"\b(?:e\.g|i\.e|p\. ?ej|ex|approx|aprox|máx|mín|max|min|nº|núm|av|art|sra?|dra?|mrs?|ms|etc|St)\.$", re.I
)
_MAX_LIST_CHARS = 320  # characters of a list that is read as one sentence with its opening words


def split_sentences(text: str) -> list[str]:
    """Sentences of prose, white space collapsed; a blank line or a list item ends one."""
    sentences: list[str] = []
    for part in re.split(r"\n\s*\n|\n(?=\s*(?:[-*•·]|\d+\.)\s)", text):
        plain = " ".join(re.sub(r"^\s*(?:[-*•·]|\d+\.)\s+|[*_]{2}", "", part.strip(), flags=re.M).split())
        whole = ""
        for piece in _SENTENCE_END.split(plain):
            whole = f"{whole} {piece}".strip()
            if whole and not _SHORTENED.search(whole):
                sentences.append(whole)
                whole = ""
        sentences += [whole] if whole else []
    return sentences


def one_line(text: str) -> str:
    """The text with single blanks for all white space."""
    return " ".join(text.split())


def add_items(sentences: list[str], items: list[str]) -> None:
    """Adds a list; short items that complete a sentence ("Not returnable:") are read with it."""
    if sentences and sentences[-1].endswith(":") and items:
        lead = sentences.pop()
        whole = f"{lead} {'; '.join(item.rstrip('.;,') for item in items)}."
        items = [whole] if len(whole) <= _MAX_LIST_CHARS else [f"{lead} {item}" for item in items]
    sentences += items

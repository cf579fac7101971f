"""Times as helpdesks write them."""

import datetime as dt
import re


def epoch(written: str) -> float:
    """Epoch seconds of `2026-11-23T08:00:00.123456789Z` or of digits. Raises ValueError."""
    if re.fullmatch(r"\d{9,11}(\.\d+)?", written):
        return float(written)
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)", written)
    if match is None:
        raise ValueError("not a timestamp")
    offset = "+00:00" if match[3] == "Z" else match[3]
    whole = dt.datetime.fromisoformat(match[1] + (offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"))
    return whole.timestamp() + float(f"0.{match[2] or 0}")


def epoch_or(written: object, otherwise: float) -> float:
    """The same, and `otherwise` for what is not a time."""
    if isinstance(written, dt.datetime):
        return written.timestamp()
    try:
        return epoch(str(written))
    except ValueError:
        return otherwise

"""Made-up order numbers of a shop's shape: for sample orders, and to show customers what one looks like."""

import re
from collections.abc import Iterator, Sequence

from components.order_numbers.shape import Form, Shape

_STEP = 7  # numbers side by side differ in more than their last digit
_MAX_TRIES = 2000


def sample_numbers(shape: Shape, examples: Sequence[object], count: int) -> list[str]:
    """So many numbers of the shape, all different: the examples counted on. Fewer where there are no more."""
    starts = [str(example).strip().lstrip("#") for example in reversed(examples)]
    start = next(filter(shape.fits, [*starts, *(made for form in shape.forms for made in _made(form))]), None)
    numbers: list[str] = []
    for tried in range(_MAX_TRIES if start else 0):
        number = _counted_on(str(start), tried * _STEP)
        if len(numbers) < count and shape.fits(number) and number not in numbers:
            numbers.append(number)
    return numbers


def example_number(shape: Shape, examples: Sequence[object]) -> str:
    """What one looks like: the first example, else a made one, which a pattern of unusual signs may not take."""
    made = (number for form in shape.forms for number in _made(form))
    return str(next(iter((*examples, *sample_numbers(shape, (), 1), *made))))


def _counted_on(number: str, by: int) -> str:
    """The number with its digits, read as one from first to last, counted on."""
    digits = "".join(re.findall(r"[0-9]", number))
    counted = iter(f"{(int(digits) + by) % 10 ** len(digits):0{len(digits)}d}")
    return re.sub(r"[0-9]", lambda _: next(counted), number)


def _made(form: Form) -> Iterator[str]:
    """A number of a form for each first digit: patterns may allow some alone."""
    for first in "123456789":
        yield "".join(
            part.text if part.kind == "text" else "A" * part.low if part.kind == "letters"
            else first + "0" * (max(part.low, min(part.high, 4)) - 1)
            for part in form
        )  # fmt: skip

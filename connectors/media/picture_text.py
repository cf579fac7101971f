"""Text and codes in a picture that may be anything: huge, broken, or made to break who reads it.

What a file is, and how large its picture, is told by its head before a pixel is unpacked; what is read is a small copy.
The packages are an extra (requirements-pictures.in), imported here and nowhere else.
"""

from __future__ import annotations

import io
from typing import Any

import numpy
import zxingcpp
from PIL import Image, ImageFile, ImageOps
from rapidocr_onnxruntime import RapidOCR

from connectors.media.abilities import NotReadable

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 25_000_000  # a phone's camera; WhatsApp sends a tenth
MAX_SIDE = 1600
MAX_RATIO = 3  # the reader enlarges what is narrow until it fills the memory, so that is laid on a wider sheet
MAX_ROWS, MAX_CODES, MAX_CHARS = 80, 10, 200
MIN_SCORE = 0.6
# On goods, not on labels.
_RETAIL = ("EAN", "UPC", "ISBN", "DataBar")


class PictureText:
    """Reads one picture after the other, on one core."""

    def __init__(self) -> None:
        self._text = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)

    def read(self, data: bytes) -> dict[str, list[str]]:
        """`rows` of text from top to bottom, and the words of `codes`. Raises NotReadable."""
        picture = _small(data)
        found, _ = self._text(numpy.asarray(picture)[:, :, ::-1])
        rows = _rows([(box, str(words)) for box, words, score in found or [] if float(score) >= MIN_SCORE])
        codes = [
            str(code.text)[:MAX_CHARS]
            for code in zxingcpp.read_barcodes(picture)
            if not any(word in str(code.format).replace(" ", "") for word in _RETAIL)
        ]
        return {"rows": [row[:MAX_CHARS] for row in rows[:MAX_ROWS]], "codes": codes[:MAX_CODES]}


def _small(data: bytes) -> Image.Image:
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS or min(width, height) < 8:
                raise NotReadable("picture_too_large" if width * height > MAX_PIXELS else "no_picture")
            picture.draft("RGB", (MAX_SIDE, MAX_SIDE))
            picture.thumbnail((MAX_SIDE, MAX_SIDE))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except NotReadable:
        raise
    except Exception:  # whatever a broken file does to the library
        raise NotReadable("no_picture") from None
    width, height = upright.size
    sheet = max(width, height // MAX_RATIO), max(height, width // MAX_RATIO)
    return ImageOps.pad(upright, sheet, color="white", centering=(0, 0)) if sheet != upright.size else upright


def _rows(boxes: list[tuple[Any, str]]) -> list[str]:
    """Words that stand beside each other as one row: "Order number      10234"."""
    rows: list[list[tuple[float, str]]] = []
    ends = float("-inf")  # of the row that is being filled, by its first words
    for box, word in sorted(boxes, key=lambda one: min(y for _, y in one[0])):
        top, bottom = min(y for _, y in box), max(y for _, y in box)
        if (top + bottom) / 2 > ends:
            rows.append([])
            ends = bottom
        rows[-1].append((min(x for x, _ in box), word))
    return [" ".join(word for _, word in sorted(row)) for row in rows]

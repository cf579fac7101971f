"""Pictures and voice notes that customers send: kept in memory, fetched by id the way Meta serves media."""

import base64
import binascii
import hashlib
import secrets
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache

IMAGE_MAX_BYTES = 5 * 1024 * 1024
IMAGE_TYPES = ("image/jpeg", "image/png")
VOICE_TYPE = "audio/ogg; codecs=opus"
SAID = b"SAID="


class MediaRefused(ValueError):
    """Not a picture that WhatsApp would send; the message says why."""


@dataclass(frozen=True)
class Media:
    """One file: its id, MIME type and bytes."""

    id: str
    mime_type: str
    data: bytes

    @property
    def sha256(self) -> str:
        return base64.b64encode(hashlib.sha256(self.data).digest()).decode()


class MediaStore:
    """Every file of this run, by id."""

    def __init__(self) -> None:
        self._media: dict[str, Media] = {}

    def add(self, mime_type: str, data: bytes) -> Media:
        media = Media(str(10**15 + secrets.randbelow(9 * 10**15)), mime_type, data)
        self._media[media.id] = media
        return media

    def find(self, media_id: str) -> Media | None:
        return self._media.get(media_id)

    def clear(self) -> None:
        self._media.clear()


def picture_from(mime_type: str, base64_data: str) -> tuple[str, bytes]:
    """A picture that the browser chose. Raises MediaRefused."""
    if mime_type not in IMAGE_TYPES:
        raise MediaRefused("WhatsApp takes pictures as JPEG or PNG.")
    try:
        data = base64.b64decode(base64_data, validate=True)
    except (binascii.Error, ValueError):
        raise MediaRefused("The picture did not arrive whole.") from None
    if not 0 < len(data) <= IMAGE_MAX_BYTES:
        raise MediaRefused("WhatsApp takes pictures of up to 5 MB.")
    return mime_type, data


def voice_note(words: str, seconds: float) -> bytes:
    """A voice note of that length in which only the twin's speech service (`twin/speech.py`) hears the words."""
    said = SAID + words.encode()
    tags = b"OpusTags" + struct.pack("<III", 0, 1, len(said)) + said
    pages = ((b"OpusHead" + bytes(11), 0), (tags, 0), (bytes(40), int(seconds * 48_000)))
    return b"".join(_ogg_page(body, at) for body, at in pages)


def words_of(voice: bytes) -> str:
    """What such a note says; nothing for any other file."""
    at = voice.find(SAID)
    if at < 4:
        return ""
    (length,) = struct.unpack_from("<I", voice, at - 4)
    return voice[at + len(SAID) : at + length].decode(errors="replace")


def _ogg_page(body: bytes, position: int) -> bytes:
    """A page as far as anybody here looks at it: its position in 48,000ths of a second; a long body is in one piece."""
    sizes = bytes(255 for _ in range(len(body) // 255)) + bytes([len(body) % 255])
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, 0, position, 1, 0, 0, len(sizes) % 256)
    return head + sizes + body


@lru_cache(maxsize=1)
def sample_picture() -> bytes:
    """A PNG of a parcel with a torn corner, drawn here so that no picture need be shipped."""
    width, height = 320, 220
    rows = b"".join(b"\0" + b"".join(_parcel(x, y) for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _parcel(x: int, y: int) -> bytes:
    """The colour at a point: table, shadow, cardboard, tape, torn corner."""
    inside = 70 <= x < 250 and 50 <= y < 180
    if inside and (x - 250) + (50 - y) > -46:
        return b"\x4a\x35\x24" if (x * 7 + y * 3) % 11 > 3 else b"\x6b\x4d\x33"
    if inside and 150 <= x < 170:
        return b"\xe7\xd3\xae"
    if inside:
        return b"\xc7\x9a\x63" if y > 58 else b"\xd9\xb0\x7c"
    if 80 <= x < 262 and 60 <= y < 190:
        return b"\xb9\xb3\xa8"
    return b"\xe9\xe5\xdd"


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

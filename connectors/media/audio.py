"""What kind of sound a file holds, by its bytes, and how long it is where that can be told cheaply."""

import struct
from collections.abc import Callable

_OPUS_HZ = 48_000  # of an Ogg page's position, whatever was recorded
_OGG_HEADER_BYTES = 27
_MAX_PAGE_BYTES = 65_307


def kind_of(data: bytes) -> tuple[str, str] | None:
    """(extension, MIME type) of a sound file; None for anything else."""
    return next((found for is_kind, *found in _KINDS if is_kind(data)), None)  # type: ignore[return-value]


def seconds_of(data: bytes) -> float | None:
    """How long an Ogg voice note or an MP4 sound is; None where the file does not say."""
    if data.startswith(b"OggS"):
        return _ogg_seconds(data)
    return _mp4_seconds(data) if data[4:8] == b"ftyp" else None


def _ogg_seconds(data: bytes) -> float | None:
    """By the position that the last page says."""
    last = data.rfind(b"OggS", max(0, len(data) - 2 * _MAX_PAGE_BYTES))
    if last < 0 or len(data) < last + _OGG_HEADER_BYTES or b"OpusHead" not in data[:256]:
        return None
    (position,) = struct.unpack_from("<q", data, last + 6)
    return position / _OPUS_HZ if position >= 0 else None


def _mp4_seconds(data: bytes) -> float | None:
    """By the movie header: version, flags, two times, units a second, units."""
    at = data.find(b"mvhd")
    if at < 0 or len(data) < at + 36:
        return None
    layout, start = (">IQ", at + 24) if data[at + 4] == 1 else (">II", at + 16)
    a_second, units = struct.unpack_from(layout, data, start)
    return units / a_second if a_second else None


def _starts(*heads: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(heads)


_KINDS: tuple[tuple[Callable[[bytes], bool], str, str], ...] = (
    (_starts(b"OggS"), "ogg", "audio/ogg"),
    (lambda data: data[4:8] == b"ftyp", "m4a", "audio/mp4"),
    (_starts(b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"), "mp3", "audio/mpeg"),
    (_starts(b"\xff\xf1", b"\xff\xf9"), "aac", "audio/aac"),
    (_starts(b"#!AMR"), "amr", "audio/amr"),
    (lambda data: data.startswith(b"RIFF") and data[8:12] == b"WAVE", "wav", "audio/wav"),
    (_starts(b"fLaC"), "flac", "audio/flac"),
    (_starts(b"\x1aE\xdf\xa3"), "webm", "audio/webm"),
)

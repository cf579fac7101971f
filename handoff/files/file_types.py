"""What a file is, by its content: neither its name nor what somebody says of it counts.

The types are those that WhatsApp takes from a business (https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media),
and a few more that customers send as documents. Whatever could run in a browser or on a desk is none of them.
"""

import re
import zipfile
from io import BytesIO

MIB = 1024 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OFFICE_FOLDERS = {
    "word/": f"{_OFFICE}.wordprocessingml.document",
    "xl/": f"{_OFFICE}.spreadsheetml.sheet",
    "ppt/": f"{_OFFICE}.presentationml.presentation",
}
# Old Office files look alike; which of them it is, is no matter of safety.
_OLD_OFFICE = {
    "doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint",
}  # fmt: skip
DOCUMENTS = frozenset({"application/pdf", "text/plain", *_OFFICE_FOLDERS.values(), *_OLD_OFFICE.values()})

# How WhatsApp shows a type, and how large it may be.
LIMITS = {"image": 5 * MIB, "video": 16 * MIB, "audio": 16 * MIB, "document": 100 * MIB}
_SENT_AS = {
    **dict.fromkeys(("image/jpeg", "image/png"), "image"),
    **dict.fromkeys(("video/mp4", "video/3gpp"), "video"),
    **dict.fromkeys(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), "audio"),
    **dict.fromkeys(DOCUMENTS, "document"),
}
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
)
_MP3_OR_AAC = {0xF1: "audio/aac", 0xF9: "audio/aac", 0xFB: "audio/mpeg", 0xF3: "audio/mpeg", 0xF2: "audio/mpeg"}
_MARKUP = re.compile(r"\s*(?:<\?|<!|<[a-z])|#!|%!", re.IGNORECASE)
MAX_TEXT_BYTES = 2 * MIB
MAX_PARTS = 5000


def content_type(content: bytes, filename: str = "") -> str | None:
    """The MIME type of a file, None for one of no type that we pass on."""
    for beginning, found in _BEGINNINGS:
        if content.startswith(beginning):
            return found
    if content[4:8] == b"ftyp":
        return _of_brand(content[8:12])
    if content.startswith(b"OggS"):
        return "audio/ogg" if b"OpusHead" in content[:200] else None
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"PK\x03\x04"):
        return _office(content)
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _OLD_OFFICE.get(filename.rpartition(".")[2].lower())
    if len(content) > 2 and content[0] == 0xFF and content[1] in _MP3_OR_AAC:
        return _MP3_OR_AAC[content[1]]
    return "text/plain" if _is_plain_text(content) else None


def sent_as(found: str | None) -> str | None:
    """image, video, audio or document: how WhatsApp sends a file of this type; None when it does not."""
    return _SENT_AS.get(found or "")


def _of_brand(brand: bytes) -> str | None:
    if brand.startswith(b"3g"):
        return "video/3gpp"
    if brand.startswith(b"M4A"):
        return "audio/mp4"
    if brand in (b"heic", b"heix", b"mif1", b"heif"):
        return "image/heic"
    return None if brand.startswith((b"qt", b"avif", b"crx")) else "video/mp4"


def _office(content: bytes) -> str | None:
    """Word, Excel, PowerPoint by the folder that holds their parts; no macros, and no other archive."""
    if content.count(b"PK\x01\x02") > MAX_PARTS:  # each entry begins so: none is read of an archive made of names
        return None
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return None
    if "[Content_Types].xml" not in names:
        return None
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    kinds = [found for folder, found in _OFFICE_FOLDERS.items() if any(name.startswith(folder) for name in names)]
    return kinds[0] if len(kinds) == 1 else None


def _is_plain_text(content: bytes) -> bool:
    """Words, not markup or a script that a program would take for more than that."""
    if not content.strip() or len(content) > MAX_TEXT_BYTES:
        return False
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    control = sum(letter < " " and letter not in "\t\n\r\f" for letter in text)
    return not control and _MARKUP.match(text) is None

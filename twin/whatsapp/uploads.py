"""Files that the shop uploads to send them: Meta's types and sizes, and that an id is what the message says it is.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
"""

from typing import Any

from aiohttp import BodyPartReader, web

from twin.whatsapp.graph_errors import Refusal
from twin.whatsapp.media import Media, MediaStore

MIB = 1024 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument"
TYPES = {
    "audio": ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
    "document": (
        "text/plain", "application/pdf", "application/msword", "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint", f"{_OFFICE}.wordprocessingml.document", f"{_OFFICE}.spreadsheetml.sheet",
        f"{_OFFICE}.presentationml.presentation",
    ),
    "image": ("image/jpeg", "image/png"),
    "sticker": ("image/webp",),
    "video": ("video/mp4", "video/3gpp"),
}  # fmt: skip
KIND_OF = {mime: kind for kind, mimes in TYPES.items() for mime in mimes}
MAX_BYTES = {"audio": 16 * MIB, "document": 100 * MIB, "image": 5 * MIB, "sticker": 500 * 1024, "video": 16 * MIB}
BEGINS = {
    "image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n", "application/pdf": b"%PDF-", "audio/ogg": b"OggS",
}  # fmt: skip


async def read_upload(request: web.Request) -> tuple[dict[str, str], BodyPartReader | None, bytes]:
    """The form's fields, its file's part and content; no more of it than the largest file may have."""
    fields: dict[str, str] = {}
    file, content = None, bytearray()
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name != "file":
            fields[part.name or ""] = (await part.read(decode=True))[:200].decode("utf-8", "replace")
            continue
        file = part
        while chunk := await part.read_chunk(64 * 1024):
            if len(content) <= MAX_BYTES["document"]:
                content += chunk
    return fields, file, bytes(content)


def check_upload(fields: dict[str, str], file: BodyPartReader | None, content: bytes) -> Refusal | None:
    """What Graph answers to an upload that it does not take."""
    if fields.get("messaging_product") != "whatsapp":
        return Refusal(100, "(#100) The parameter messaging_product is required.")
    if file is None or not file.filename:
        return Refusal(100, "(#100) The parameter file is required.")
    mime = (file.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if mime not in KIND_OF:
        return Refusal(100, f"(#100) Param file must be a file with one of the following types: {', '.join(KIND_OF)}.")
    if fields.get("type", mime).partition(";")[0] != mime:
        return Refusal(100, "(#100) Param type is not the type of the file.")
    if not content or len(content) > MAX_BYTES[KIND_OF[mime]]:
        return Refusal(131053, f"Media upload error: {len(content)} bytes of {mime}.")
    if not content.startswith(BEGINS.get(mime, b"")):
        return Refusal(131053, f"Media upload error: the file is no {mime}.")
    return None


def kept(store: MediaStore, file: BodyPartReader, content: bytes) -> Media:
    """The uploaded file under an id."""
    return store.add((file.headers.get("Content-Type") or "").partition(";")[0].strip().lower(), content)


def check_media_id(body: dict[str, Any], store: MediaStore) -> Refusal | None:
    """An id that nobody uploaded, or that is of another kind than the message."""
    kind = str(body.get("type"))
    media_id = (body.get(kind) or {}).get("id") if kind in TYPES else None
    if media_id is None:
        return None
    media = store.find(media_id)
    if media is None:
        return Refusal(
            100, f"(#100) Param {kind}['id'] is not a valid whatsapp business account media attachment ID."
        )
    if KIND_OF.get(media.mime_type.partition(";")[0]) != kind:
        return Refusal(131053, f"Media upload error: {media.mime_type} cannot be sent as {kind}.")
    return None

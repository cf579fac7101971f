"""A file is what its content is."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest

from handoff.files.file_types import content_type, sent_as

OFFICE = "application/vnd.openxmlformats-officedocument"


def archive(*names: str) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as written:
        for name in names:
            written.writestr(name, "x")
    return made.getvalue()


FILES: list[tuple[bytes, str, str | None, str | None]] = [
    (b"\xff\xd8\xff\xe0rest", "photo.exe", "image/jpeg", "image"),
    (b"\x89PNG\r\n\x1a\nrest", "", "image/png", "image"),
    (b"RIFF\0\0\0\0WEBPVP8 ", "sticker.webp", "image/webp", None),
    (b"GIF89a...", "fun.gif", "image/gif", None),
    (b"%PDF-1.7\n", "invoice.pdf", "application/pdf", "document"),
    (b"\0\0\0\x18ftypmp42....", "clip.mp4", "video/mp4", "video"),
    (b"\0\0\0\x18ftyp3gp4....", "clip.3gp", "video/3gpp", "video"),
    (b"\0\0\0\x18ftypM4A ....", "voice.m4a", "audio/mp4", "audio"),
    (b"\0\0\0\x18ftypheic....", "photo.heic", "image/heic", None),
    (b"OggS" + bytes(24) + b"OpusHead", "voice.ogg", "audio/ogg", "audio"),
    (b"OggS" + bytes(24) + b"\x01vorbis", "song.ogg", None, None),
    (b"ID3\x04rest", "song.mp3", "audio/mpeg", "audio"),
    (b"\xff\xf1rest", "a.aac", "audio/aac", "audio"),
    (b"#!AMR\nrest", "a.amr", "audio/amr", "audio"),
    (archive("[Content_Types].xml", "word/document.xml"), "a.docx", f"{OFFICE}.wordprocessingml.document", "document"),
    (archive("[Content_Types].xml", "xl/workbook.xml"), "b", f"{OFFICE}.spreadsheetml.sheet", "document"),
    (archive("[Content_Types].xml", "word/vbaProject.bin"), "macro.docm", None, None),
    (archive("evil.exe"), "a.docx", None, None),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "old.doc", "application/msword", "document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "setup.msi", None, None),
    ("order,état\n1,ok\n".encode(), "orders.csv", "text/plain", "document"),
    (b"<html><script>alert(1)</script>", "page.txt", None, None),
    (b"\xef\xbb\xbf  <svg onload=alert(1)>", "drawing.svg", None, None),
    (b"#!/bin/sh\nrm -rf /", "run.txt", None, None),
    (b"MZ\x90\0rest", "photo.jpg", None, None),
    (b"", "empty.txt", None, None),
    (b"PK\x03\x04broken", "a.docx", None, None),
    (archive("[Content_Types].xml", "word/document.xml", *map(str, range(5000))), "many_parts.docx", None, None),
]


@pytest.mark.parametrize(("content", "name", "found", "kind"), FILES, ids=range(len(FILES)))
def test_a_file_is_what_its_content_is_whatever_it_is_called(
    content: bytes, name: str, found: str | None, kind: str | None
) -> None:
    assert content_type(content, name) == found
    assert sent_as(found) == kind

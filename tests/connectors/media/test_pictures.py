"""Numbers on a picture: which of them count, and a reader that nothing a customer sends can break."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import struct
import sys
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from connectors.media import picture_server
from connectors.media.abilities import NotReadable
from connectors.media.picture_server import PictureServer
from connectors.media.pictures import PictureReader, numbers_in
from launch.processes import free_port
from settings import PROJECT_ROOT
from tests.children import child
from twin.whatsapp.media import sample_picture

FIVE, LETTERS = r"\d{5}", r"WC-\d{4,6}"
LABEL = [
    "Delhivery Express", "AWB:DL4402918", "Order No: 10234", "12 MG Road,Bengaluru560001", "Ph:9876543210",
    "Weight 450 g Qty 2", "Rs.1,499.00PREPAID", "Date28/11/2026",
]  # fmt: skip


@pytest.mark.parametrize(("rows", "codes", "numbers"), [
    (LABEL, [], ["10234", "DL4402918"]), ([], ["DL4402918"], ["DL4402918"]), (["10234"], [], ["10234"]),
    (["0rder No:88234"], [], ["88234"]), (["Pedido n9 91331"], [], ["91331"]),
    (["62704", "Order #10234"], [], ["10234", "62704"]),  # with words beside it before alone
    ([], ["https://track.example/DL4402918?x=1"], ["DL4402918"]), ([], ["https://shop.example/o/10234"], ["10234"]),
    (["Courier DelhiveryDL4402918"], [], ["DelhiveryDL4402918"]), (["FMPP0123456789"], [], ["FMPP0123456789"]),
    (["Order 10234", "BENGALURU560001"], [], ["10234"]),
    (["Total 12499", "Call 1800 123 4567", "28 Nov 2026"], [], []), (["THANK YOU"], ["WIFI:S:home;P:secret;;"], []),
    ([f"Order {10000 + n}" for n in range(9)], [], ["10000", "10001", "10002"]), ([], [], []),
])  # fmt: skip
def test_order_numbers_count_and_tracking_codes_and_nothing_else(
    rows: list[str], codes: list[str], numbers: list[str]
) -> None:
    assert numbers_in(rows, codes, FIVE) == numbers


@pytest.mark.slow
def test_numbers_are_of_the_shops_own_shape() -> None:
    assert numbers_in(["Order wc 1043", "PIN 560001"], ["WC-20455"], LETTERS) == ["WC-1043", "WC-20455"]


class Server:
    """A reading process that answers as told."""

    def __init__(self) -> None:
        self.answer: Any = {"rows": LABEL, "codes": []}
        self.status = 200
        self.asked = 0

    async def read(self, request: web.Request) -> web.Response:
        self.asked += 1
        await request.read()
        if isinstance(self.answer, str):
            return web.Response(text=self.answer, status=self.status)
        return web.json_response(self.answer, status=self.status)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server, app = Server(), web.Application(client_max_size=8 * 1024 * 1024)
    app.router.add_post("/", server.read)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"  # type: ignore[attr-defined]
    yield server
    await runner.cleanup()


async def read(url: str, data: bytes) -> str:
    try:
        return await PictureReader(url).words(data)
    except NotReadable as reason:
        return f"not readable: {reason}"


async def test_a_pictures_numbers_are_its_words(server: Any) -> None:
    assert await read(server.url, sample_picture()) == "10234\nDL4402918"


@pytest.mark.parametrize(("status", "answer", "outcome"), [
    (422, {"why": "picture_too_large"}, "picture_too_large"), (503, {"why": "too_many"}, "too_many"),
    (200, {"rows": ["a parcel"]}, "no_number"), (200, {"rows": 7, "codes": [None, {}]}, "no_number"),
    (500, "<html>", "reader_away"), (200, [], "no_number"),
])  # fmt: skip
async def test_a_picture_without_numbers_has_no_words(server: Any, status: int, answer: Any, outcome: str) -> None:
    server.status, server.answer = status, answer
    assert await read(server.url, sample_picture()) == f"not readable: {outcome}"


async def test_what_is_no_picture_by_its_bytes_is_not_given_to_the_reader(server: Any) -> None:
    assert await read(server.url, b"GIF89a") == "not readable: no_picture"
    assert server.asked == 0


async def test_a_reader_that_is_not_there_costs_no_more_than_the_words() -> None:
    assert await read("http://127.0.0.1:1/", sample_picture()) == "not readable: reader_away"


@contextlib.asynccontextmanager
async def serving(read: Callable[[bytes], dict[str, list[str]]]) -> AsyncIterator[str]:
    """The reading process's routes around a function that reads."""
    runner = web.AppRunner(PictureServer(read).app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def test_a_picture_that_takes_too_long_takes_the_process_along_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    killed, release = [], threading.Event()
    monkeypatch.setattr(picture_server, "READ_WITHIN_S", 0.1)
    monkeypatch.setattr(picture_server.os, "kill", lambda pid, number: killed.append((pid, number)))
    async with serving(lambda data: {"rows": [str(release.wait(5))]}) as url:
        assert await read(url, sample_picture()) == "not readable: reader_away"
        release.set()
    assert killed == [(os.getpid(), signal.SIGKILL)], "the launcher does not count that as a failure"


async def test_what_nobody_waits_for_any_more_is_not_read() -> None:
    seen, release = [], threading.Event()

    def wait(data: bytes) -> dict[str, list[str]]:
        seen.append(data[-1:])
        release.wait(5)
        return {"rows": ["Order 10234"], "codes": []}

    async with serving(wait) as url:
        reads = [asyncio.create_task(read(url, sample_picture() + bytes([number]))) for number in range(3)]
        await asyncio.sleep(0.2)
        first = seen[0][0]  # whichever came in first is being read
        given_up, kept = (number for number in range(3) if number != first)
        reads[given_up].cancel()
        await asyncio.sleep(0.1)
        release.set()
        assert [await reads[first], await reads[kept]] == ["10234", "10234"]
    assert seen == [bytes([first]), bytes([kept])]


# ------------------------------------------------------------ the reader itself, with the extra's packages


@pytest.fixture(scope="module")
def reader() -> Iterator[str]:
    """The process as the launcher starts it; its address."""
    pytest.importorskip("rapidocr_onnxruntime", reason="needs the packages of READ_PICTURES: `make pictures`")
    url = f"http://127.0.0.1:{free_port()}/"
    command = [sys.executable, "-m", "connectors.media.picture_server"]
    environment = {"PICTURES_URL": url, "PYTHONPATH": str(PROJECT_ROOT)}
    with child(command, environment):
        asyncio.run(_until_it_answers(url))
        yield url


async def _until_it_answers(url: str) -> None:
    deadline = time.monotonic() + 60
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < deadline:
            try:
                async with session.get(url) as answer:
                    assert answer.status == 200
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.2)
    raise AssertionError("the reader did not start")


def picture(*lines: str, size: tuple[int, int] = (800, 500), code: str = "") -> bytes:
    """A PNG with lines of text and a bar code."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", size, "white")
    font = ImageFont.load_default(size=34)
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((40, 30 + 60 * number), line, fill="black", font=font)
    if code:
        import numpy
        import zxingcpp

        drawn = zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.Code128), scale=3)
        image.paste(Image.fromarray(numpy.array(drawn)).convert("RGB"), (40, size[1] - 200))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


async def test_a_label_is_read_text_and_code(reader: str) -> None:
    data = picture("Delhivery Express", "Order No: 10234", "Ph: 9876543210", code="DL4402918")
    assert await read(reader, data) == "10234\nDL4402918"


def _png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG that says any size, whatever it holds."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("data", "outcome"), [
    (_png(60_000, 60_000, zlib.compress(bytes(10_000_000), 9)), "no_picture"),
    (_png(6_000, 6_000, zlib.compress(bytes(10_000_000), 9)), "picture_too_large"),
    (_png(3_000, 3_000, zlib.compress(bytes(1000))), "no_picture"),
    (_png(2, 2, zlib.compress(bytes(14))), "no_picture"),
    (_png(5_000, 16, zlib.compress(bytes(16 * 15_001), 9)), "no_number"), (sample_picture()[:500], "no_picture"),
    (b"\xff\xd8\xff\xe0" + bytes(2000), "no_picture"), (b"RIFF\x10\0\0\0WEBPVP8 ", "no_picture"),
    (b"\x89PNG\r\n\x1a\n", "no_picture"),
], ids=["bomb", "huge", "short", "tiny", "narrow", "cut", "jpeg", "webp", "head"])  # fmt: skip
async def test_a_picture_made_to_break_it_does_not(reader: str, data: bytes, outcome: str) -> None:
    assert await read(reader, data) == f"not readable: {outcome}"


async def test_it_goes_on_after_all_that(reader: str) -> None:
    assert await read(reader, picture("Order #10234")) == "10234"

"""Attachments are fetched whole, under their names, and our credentials go to the helpdesk alone."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from aiohttp import web

from handoff.files import attachments
from handoff.files.attachments import TooLarge, fetch
from handoff.files.public_web import is_public
from handoff.helpdesks.interface import Refused, RetryLater
from tests.handoff.stand_ins import serving

shown: list[str | None] = []
asked: list[str] = []


@pytest.fixture(scope="module")
def files() -> Iterator[str]:
    async def file(request: web.Request) -> web.Response:
        shown.append(request.headers.get("Authorization"))
        headers = {"Content-Disposition": "attachment; filename*=UTF-8''../fa%C3%A7ade.pdf"}
        return web.Response(body=b"x" * 1000, headers=headers)

    async def elsewhere(request: web.Request) -> web.Response:
        shown.append(request.headers.get("Authorization"))
        raise web.HTTPFound(f"http://{request.host.replace('127.0.0.1', 'localhost')}/file")

    async def again(request: web.Request) -> web.Response:
        raise web.HTTPFound("/again")

    async def inside(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="the cloud's keys")

    async def broken(request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["status"]))

    def make() -> web.Application:
        app = web.Application()
        app.add_routes([
            web.get("/file", file), web.get("/elsewhere", elsewhere), web.get("/again", again),
            web.get("/broken/{status}", broken), web.get("/inside", inside),
        ])  # fmt: skip
        return app

    with serving(make) as url:
        yield url


def test_credentials_stay_with_the_helpdesk_where_a_redirect_leads_on(files: str) -> None:
    shown.clear()
    file = fetch(f"{files}/elsewhere?name=receipt.pdf", 2000, files.partition("//")[2], lambda: "Bearer secret")
    assert (len(file.content), file.filename) == (1000, "façade.pdf")
    assert shown == ["Bearer secret", None]


def test_a_file_that_is_larger_than_asked_for_is_not_read_to_its_end(files: str) -> None:
    with pytest.raises(TooLarge):
        fetch(f"{files}/file", 999, files.partition("//")[2])


@pytest.mark.parametrize(("path", "error"), [
    ("/broken/404", Refused), ("/broken/503", RetryLater), ("/again", Refused),
])  # fmt: skip
def test_what_is_not_there_is_told_by_its_remedy(files: str, path: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        fetch(files + path, 1000, files.partition("//")[2])


def test_a_file_that_comes_drop_by_drop_holds_nobody_up_for_longer_than_its_time(
    files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "TOTAL_TIMEOUT_S", 0.0)
    with pytest.raises(RetryLater):
        fetch(f"{files}/file", 2000, files.partition("//")[2])


def test_an_address_that_is_none_is_told_as_one() -> None:
    with pytest.raises(RetryLater):
        fetch("https://[desk/file", 2000)


def test_nothing_of_our_own_network_is_asked_whatever_a_link_says(
    files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo",
        lambda host, *more, **options: resolve("127.0.0.1" if host == "files.example" else host, *more, **options),
    )  # fmt: skip
    port = files.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "files.example", "0x7f.1"):
        with pytest.raises(Refused, match="our own network"):
            fetch(f"http://{host}:{port}/inside", 1000, "desk.example")
    assert asked == []


@pytest.mark.parametrize(("address", "public"), [
    ("93.184.216.34", True), ("2606:2800:220:1:248:1893:25c8:1946", True), ("::ffff:93.184.216.34", True),
    ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.0.1", False), ("172.16.0.1", False), ("100.64.0.1", False),
    ("169.254.169.254", False), ("::1", False), ("fe80::1%eth0", False), ("fd00::1", False), ("0.0.0.0", False),
    ("::ffff:10.0.0.1", False), ("224.0.0.1", False),
])  # fmt: skip
def test_which_addresses_are_the_public_webs(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("link", ["file:///etc/passwd", "ftp://desk.example/a", "javascript:alert(1)"])
def test_only_the_web_is_read(link: str) -> None:
    with pytest.raises(Refused):
        fetch(link, 1000)

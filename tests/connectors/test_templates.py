"""Our templates against what Meta has of them, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from connectors.templates import Template, main
from tests.handoff.stand_ins import serving

SHOP = "name: Oak\nupdates: {order.shipped: {text: 'Order {order} left.', template: 'order_shipped:en'}}\n"


def at_meta(
    name: str, language: str = "en", status: str = "APPROVED", body: str = "{{1}} {{2}} {{3}}"
) -> dict[str, Any]:
    components = [{"type": "HEADER", "text": "{{1}}"}, {"type": "BODY", "text": body}]
    return {"name": name, "language": language, "status": status, "category": "UTILITY", "components": components}


class Meta:
    """Gives one template a page."""

    def __init__(self) -> None:
        self.templates: list[dict[str, Any]] = []
        self.tokens: list[str] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v25.0/77/message_templates", self.page)
        return app

    async def page(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers["Authorization"])
        at = int(request.query.get("after", "0"))
        paging: dict[str, Any] = {"cursors": {"after": str(at + 1)}}
        if at + 1 < len(self.templates):
            paging["next"] = "http://attacker.example/steals-the-token"
        return web.json_response({"data": self.templates[at : at + 1], "paging": paging})


@pytest.fixture
def meta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meta]:
    there = Meta()
    (tmp_path / "shop.yml").write_text(SHOP)
    with serving(there.app) as url:
        for name, value in {
            "SHOP_DIR": str(tmp_path), "WHATSAPP_GRAPH_URL": f"{url}/v25.0", "WHATSAPP_ACCESS_TOKEN": "t",
            "WHATSAPP_PHONE_NUMBER_ID": "5", "WHATSAPP_BUSINESS_ACCOUNT_ID": "77", "WHATSAPP_REOPEN_TEMPLATE": "",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        yield there


def test_what_fits_passes_whatever_page_it_stands_on(meta: Meta, capsys: pytest.CaptureFixture[str]) -> None:
    meta.templates = [at_meta("other"), at_meta("order_shipped")]
    assert main(["check"]) == 0
    assert "1 templates named, 0 do not fit." in capsys.readouterr().out
    assert meta.tokens == ["Bearer t"] * 2
    assert main(["list"]) == 0
    assert "order_shipped:en  APPROVED  UTILITY  3 parameters" in capsys.readouterr().out


@pytest.mark.parametrize(("there", "remedy"), [
    ([], "there is none of this name"), ([at_meta("order_shipped", "de")], "it has de"),
    ([at_meta("order_shipped", status="PAUSED")], "is PAUSED"), ([at_meta("order_shipped", body="{{1}}")], "takes 1"),
    ([{"name": "order_shipped", "language": "en"}], "is unknown"),
    ([{"name": 5, "components": "x"}], "none of this name"),
])  # fmt: skip
def test_what_does_not_fit_is_named_with_its_remedy(
    meta: Meta, there: list[dict[str, Any]], remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    meta.templates = there
    assert main(["check"]) == 1
    said = capsys.readouterr().out
    assert remedy in said
    assert "shop.yml, updates.order.shipped" in said


def test_a_template_of_each_language_is_checked(
    meta: Meta, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "name: Oak\nupdates: {order.shipped: {text: x, template: {en: 'left:en', pt: 'left:pt_BR'}}}\n"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "shop.yml").write_text(said)
    monkeypatch.setenv("SHOP_DIR", str(tmp_path / "other"))
    meta.templates = [at_meta("left")]
    assert main(["check"]) == 1
    assert "updates.order.shipped.pt: left:pt_BR does not exist (it has en)" in capsys.readouterr().out


def test_the_reopen_template_is_checked_too(meta: Meta, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHATSAPP_REOPEN_TEMPLATE", "reopen:pt_BR")
    meta.templates = [at_meta("order_shipped")]
    assert main(["check"]) == 1
    meta.templates.append(at_meta("reopen", "pt_BR", body="{{1}}"))
    assert main(["check"]) == 0


def test_without_an_account_or_an_answer_it_says_so(
    meta: Meta, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WHATSAPP_GRAPH_URL", "http://127.0.0.1:1/v25.0")
    assert main(["check"]) == 2
    monkeypatch.setenv("WHATSAPP_BUSINESS_ACCOUNT_ID", "")
    assert main(["check"]) == 2
    assert "WHATSAPP_BUSINESS_ACCOUNT_ID" in capsys.readouterr().err


def test_a_placeholder_that_stands_twice_is_one_parameter() -> None:
    assert Template.read(at_meta("a", body="{{1}} and {{1}} and {{name}}")).parameters == 2

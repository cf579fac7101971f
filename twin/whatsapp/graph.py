"""The Graph API that the shop's assistant calls: messages, read receipts, media."""

import asyncio
import hmac
import json
import re
from typing import Any

from aiohttp import web

from twin.whatsapp.faults import Fault
from twin.whatsapp.graph_errors import Refusal
from twin.whatsapp.limits import check_message, check_read_receipt
from twin.whatsapp.network import Network
from twin.whatsapp.uploads import check_media_id, check_upload, kept, read_upload

VERSION = r"{version:v\d+\.\d+}"
PROXY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class GraphApi:
    """Routes of the simulated graph.facebook.com."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(f"/{VERSION}/{{phone_number_id}}/messages", self.messages)
        app.router.add_post(f"/{VERSION}/{{phone_number_id}}/media", self.upload)
        app.router.add_get(f"/{VERSION}/{{media_id:\\d+}}", self.media)
        app.router.add_get("/lookaside/{media_id}", self.media_bytes)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """Send a message, or mark one as read."""
        refusal = self._refuse_caller(request)
        if refusal is not None:
            return answer(refusal)
        try:
            body = json.loads(await request.read())
        except ValueError:
            return answer(Refusal(100, "The request body is not valid JSON."))
        if not isinstance(body, dict):
            return answer(Refusal(100, "The request body must be a JSON object."))
        if "status" in body:
            return await self._read(request, body)
        return await self._send(request, body)

    async def _read(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        failed = await self._failed(request, "read")
        if failed is not None:
            return failed
        refusal = check_read_receipt(body)
        if refusal is not None:
            return self._refuse(body, refusal)
        self.network.records.receipts.append(body)
        self.network.mark_read(body["message_id"], typing="typing_indicator" in body)
        return web.json_response({"success": True})

    async def _send(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        to = addressee(body)
        fault = self.network.faults.take("send", to)
        if fault is not None and fault.kind in ("error", "html", "reset", "hang"):
            return await self._fail(request, fault)
        refusal = check_message(body) or check_media_id(body, self.network.media)
        refusal = refusal or self.network.refuse(to, body.get("type") == "template")
        if refusal is not None:
            return self._refuse(body, refusal)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        failing = None
        if fault is not None and fault.kind == "failed_status":
            failing = Refusal(fault.code, "The message could not be delivered.")
        wamid = self.network.accept(to, body, failing)
        if fault is not None and fault.kind == "accept_then_hang":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == "accept_then_reset":
            return cut(request)
        return web.json_response(_accepted(body, to, wamid))

    async def _failed(self, request: web.Request, call: str) -> web.StreamResponse | None:
        """What a fault answers to a call that sends nothing; None on a good day, or a slow one."""
        fault = self.network.faults.take(call, None)
        if fault is not None and fault.kind != "slow":
            return await self._fail(request, fault)
        if fault is not None:
            await asyncio.sleep(fault.seconds)
        return None

    async def _fail(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        """Answer as the fault says; nothing is stored."""
        if fault.kind == "reset":
            return cut(request)
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds)
            return cut(request)
        if fault.kind == "html":
            return web.Response(status=fault.http or 502, text=PROXY_PAGE, content_type="text/html")
        return answer(Refusal(fault.code, "Asked for through the control API.", http=fault.http))

    def _refuse(self, body: dict[str, Any], refusal: Refusal) -> web.Response:
        self.network.records.refused.append({"body": body, "code": refusal.code, "details": refusal.details})
        return answer(refusal)

    def _refuse_caller(self, request: web.Request) -> Refusal | None:
        """Wrong token, or a phone number id that is not this shop's."""
        expected = f"Bearer {self.network.configuration.access_token}"
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode()):
            return Refusal(190, "Invalid OAuth access token - Cannot parse access token")
        number = request.match_info.get("phone_number_id", self.network.configuration.phone_number_id)
        if number != self.network.configuration.phone_number_id:
            details = f"Unsupported post request. Object with ID '{number}' does not exist."
            return Refusal(100, details, subcode=33)
        return None

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Keep a file that a message will be sent with."""
        failed = await self._failed(request, "upload")
        if failed is not None:
            return failed
        refusal = self._refuse_caller(request)
        if refusal is None and not request.content_type.startswith("multipart/form-data"):
            refusal = Refusal(100, "(#100) The parameter file is required.")
        if refusal is not None:
            return answer(refusal)
        fields, file, content = await read_upload(request)
        refusal = check_upload(fields, file, content)
        if refusal is not None or file is None:
            return self._refuse({"type": "upload", **fields}, refusal or Refusal(100, "no file"))
        return web.json_response({"id": kept(self.network.media, file, content).id})

    async def media(self, request: web.Request) -> web.Response:
        """Where a customer's picture or voice note can be fetched."""
        refusal = self._refuse_caller(request)
        stored = self.network.media.find(request.match_info["media_id"])
        if refusal is None and stored is None:
            refusal = Refusal(100, "Unsupported get request. Object does not exist.", subcode=33)
        if refusal is not None or stored is None:
            return answer(refusal or Refusal(100, "Object does not exist."))
        return web.json_response(
            {
                "messaging_product": "whatsapp",
                "url": f"{request.scheme}://{request.host}/lookaside/{stored.id}",
                "mime_type": stored.mime_type,
                "sha256": stored.sha256,
                "file_size": len(stored.data),
                "id": stored.id,
            }
        )

    async def media_bytes(self, request: web.Request) -> web.Response:
        """The file itself, for holders of the token only."""
        refusal = self._refuse_caller(request)
        if refusal is not None:
            return answer(refusal)
        stored = self.network.media.find(request.match_info["media_id"])
        if stored is None:
            raise web.HTTPNotFound
        return web.Response(body=stored.data, headers={"Content-Type": stored.mime_type})


def addressee(body: dict[str, Any]) -> str:
    """The customer's key from `to` (which wins) or `recipient`; empty when neither is a string."""
    if isinstance(body.get("to"), str):
        return re.sub(r"\D", "", body["to"])
    return body["recipient"] if isinstance(body.get("recipient"), str) else ""


def answer(refusal: Refusal) -> web.Response:
    return web.json_response(refusal.body(), status=refusal.status)


def cut(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _accepted(body: dict[str, Any], to: str, wamid: str) -> dict[str, Any]:
    contact = {"input": body["to"], "wa_id": to} if "to" in body else {"input": to, "user_id": to}
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": wamid}]}

"""The product's inspector and dashboard under /console, so that they stand beside the phone on one address."""

import contextlib
import json

import aiohttp
from aiohttp import web

from twin.configuration import TwinConfiguration

TIMEOUT_S = 60.0  # the first question of a day reads a model
PASSED_ON = ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control", "Content-Type")


class Console:
    """Passes requests on with the token, which browsers never see."""

    def __init__(self, configuration: TwinConfiguration) -> None:
        self._url, self._token = configuration.inspector_url, configuration.inspector_token

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/console", self.page)
        app.router.add_route("*", "/console/{path:.*}", self.pass_on)

    async def forget(self, customer: str) -> None:
        """The product forgets a customer of the demo. Without an inspector nobody can ask it to.

        Raises HTTPServiceUnavailable when it did not: then the phone must not forget either.
        """
        if self._url is None:
            return
        headers = {"Authorization": f"Bearer {self._token}"}
        status = 0
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session,
                session.post(f"{self._url}/api/forget", json={"customer": customer}, headers=headers) as answer,
            ):
                status = answer.status
        if status != 200:
            reason = json.dumps({"error": "The assistant cannot forget just now. Try again in a moment."})
            raise web.HTTPServiceUnavailable(text=reason, content_type="application/json")

    async def page(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/console/")

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        if self._url is None:
            raise web.HTTPNotFound(text="There is no inspector: `make run` has one.")
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": request.content_type}
        target = f"{self._url}/{request.match_info['path']}"
        try:
            body = await request.read() or None
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session,
                session.request(request.method, target, params=request.query, data=body, headers=headers) as answer,
            ):
                passed = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
                return web.Response(status=answer.status, body=await answer.read(), headers=passed)
        except (aiohttp.ClientError, OSError, TimeoutError):
            return web.json_response({"error": "The inspector is starting or away."}, status=503)

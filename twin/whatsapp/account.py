"""What the Graph API tells of the shop's app, number and business account: `make doctor` asks for it."""

from typing import Any

from aiohttp import web

from twin.configuration import TwinConfiguration
from twin.whatsapp.graph import VERSION, answer
from twin.whatsapp.graph_errors import Refusal

APP_ID = "670843887433847"
FIELDS = ("messages", "smb_message_echoes", "messaging_handovers", "standby")


class Account:
    """GET routes; to be added before those whose paths are any number."""

    def __init__(self, configuration: TwinConfiguration) -> None:
        self._own = configuration

    def add_to(self, app: web.Application) -> None:
        own = self._own
        described: dict[str, tuple[str, Any]] = {
            "app": (own.access_token, {"id": APP_ID, "name": own.shop_name}),
            own.phone_number_id: (own.access_token, {"id": own.phone_number_id}),
            f"{APP_ID}/subscriptions": (f"{APP_ID}|{own.app_secret}", {"data": [{
                "object": "whatsapp_business_account", "callback_url": own.webhook_url, "active": True,
                "fields": [{"name": name, "version": "v25.0"} for name in FIELDS]}]}),
            f"{own.business_account_id}/subscribed_apps": (own.access_token, {"data": [
                {"whatsapp_business_api_data": {"id": APP_ID, "name": own.shop_name}}]}),
        }  # fmt: skip
        for path, (token, body) in described.items():
            app.router.add_get(f"/{VERSION}/{path}", self._route(token, body))

    @staticmethod
    def _route(token: str, body: Any) -> Any:
        async def show(request: web.Request) -> web.Response:
            if request.headers.get("Authorization") != f"Bearer {token}":
                return answer(Refusal(190, "Invalid OAuth access token - Cannot parse access token"))
            return web.json_response(body)

        return show

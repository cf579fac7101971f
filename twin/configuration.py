"""What the twin reads from its environment. Nothing else in this package does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class TwinConfiguration:
    """Addresses, and the secrets that Meta and the shop would share."""

    host: str
    port: int
    webhook_url: str
    health_url: str
    app_secret: str
    access_token: str
    phone_number_id: str
    state_dir: Path
    ticketing: str = "log"
    helpdesk_url: str | None = None
    helpdesk_token: str | None = None
    helpdesk_webhook_url: str | None = None
    helpdesk_webhook_secret: str | None = None
    shop_secret: str | None = None
    orders_file: Path | None = None
    statuses: Mapping[str, str] = field(default_factory=dict)
    shop_name: str = "The shop"
    shop_phone: str = "918040001234"
    time_zone: str = "UTC"
    shops: Mapping[str, str] = field(default_factory=dict)
    """Folder → name of the shops that may be gone on with."""
    desk_switch: Path | None = None
    """The file that says whether people answer now, whatever the shop's hours."""
    inspector_url: str | None = None
    inspector_token: str = ""
    icon: Path | None = None
    """The shop's own drawing (SVG); without one its initials."""
    fails_over: bool = False
    """Whether there are two Redis servers, one of which can take over."""
    business_account_id: str = "102290129340398"


class ConfigurationMissing(ValueError):
    """A variable that the twin needs is not set; the message names it."""


def from_environment(environ: Mapping[str, str]) -> TwinConfiguration:
    """Read TWIN_PORT, HOST, RASA_PORT, SHOP_*, STATE_DIR, WHATSAPP_* and ZENDESK_*. Raises ConfigurationMissing."""
    required = ("WHATSAPP_APP_SECRET", "WHATSAPP_ACCESS_TOKEN", "WHATSAPP_PHONE_NUMBER_ID")
    missing = [name for name in required if not environ.get(name)]
    if missing:
        raise ConfigurationMissing(f"Set {', '.join(missing)} (`make run` does), then start the twin again.")
    host = environ.get("HOST") or "127.0.0.1"
    assistant = f"http://{_reachable(host)}:{environ.get('RASA_PORT') or 5005}"
    return TwinConfiguration(
        host=host,
        port=int(environ.get("TWIN_PORT") or 8080),
        webhook_url=f"{assistant}/webhooks/whatsapp/webhook",
        health_url=f"{assistant}/webhooks/whatsapp/",
        app_secret=environ["WHATSAPP_APP_SECRET"],
        access_token=environ["WHATSAPP_ACCESS_TOKEN"],
        phone_number_id=environ["WHATSAPP_PHONE_NUMBER_ID"],
        shop_name=environ.get("SHOP_NAME") or "The shop",
        time_zone=environ.get("SHOP_TIME_ZONE") or "UTC",
        inspector_url=f"http://127.0.0.1:{environ['INSPECTOR_PORT']}" if environ.get("INSPECTOR_TOKEN") else None,
        shops=json.loads(environ.get("SHOPS") or "{}"),
        desk_switch=Path(environ["DESK_SWITCH"]) if environ.get("DESK_SWITCH") else None,
        inspector_token=environ.get("INSPECTOR_TOKEN") or "",
        icon=Path(environ["SHOP_ICON"]) if environ.get("SHOP_ICON") else None,
        shop_secret=environ.get("SHOP_API_SECRET") or None,
        orders_file=Path(environ["SHOP_ORDERS_FILE"]) if environ.get("SHOP_ORDERS_FILE") else None,
        statuses=json.loads(environ.get("SHOP_STATUSES") or "{}"),
        fails_over=bool(environ.get("FAILS_OVER")),
        state_dir=PROJECT_ROOT / (environ.get("STATE_DIR") or "var"),
        ticketing=environ.get("TICKETING") or ("zendesk" if environ.get("ZENDESK_URL") else "log"),
        helpdesk_url=environ.get("ZENDESK_URL") or None,
        helpdesk_token=environ.get("ZENDESK_OAUTH_TOKEN") or None,
        helpdesk_webhook_url=f"{assistant}/webhooks/zendesk/webhook",
        helpdesk_webhook_secret=environ.get("ZENDESK_WEBHOOK_SECRET") or None,
    )


def _reachable(host: str) -> str:
    """A server bound to every address is reached on the loopback one; IPv6 stands in brackets in a URL."""
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{loopback}]" if ":" in loopback else loopback

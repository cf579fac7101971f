"""What Meta has of us: the app's secret, its webhook subscription, the account's, templates; and how our clock goes.

Tokens travel in headers only. Every call is a GET that changes nothing.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import requests

import shop
from connectors import templates
from connectors.message_bus.sending.errors import SendError
from connectors.whatsapp.graph.client import appsecret_proof
from lenient_json import as_mapping, identifier, objects, text
from settings import Settings
from workbench.shop_check.findings import ERROR, INFORMATION, WARNING, ShopFinding

TIMEOUT_S = 4.0
SKEW_S, WRONG_S = 5.0, 60.0
OBJECT, FIELD, PATH = "whatsapp_business_account", "messages", "/webhooks/whatsapp/webhook"
_APP = "the app's own token (its id and WHATSAPP_APP_SECRET)"


@dataclass(frozen=True)
class Answer:
    """Of the Graph API; `skew_s` is how far our clock is ahead of its."""

    status: int
    body: Mapping[str, Any]
    skew_s: float | None


def findings(configured: Settings) -> Iterator[ShopFinding]:
    """Nothing without a token: that it is missing, others say."""
    token, account = configured.whatsapp_access_token, configured.whatsapp_business_account_id
    if not token:
        return
    app = _get(configured, "app", token)
    if app is None:
        yield ShopFinding(ERROR, "meta", "WHATSAPP_GRAPH_URL", "the Graph API does not answer",
                          "see WHATSAPP_GRAPH_URL and this machine's way to it")  # fmt: skip
        return
    yield from clock_findings("the Graph API", app.skew_s)
    own = identifier(app.body.get("id"))
    if app.status != 200 or not own:
        yield ShopFinding(WARNING, "meta", "app", f"whose token it is, is not told (HTTP {app.status}), so the webhook "
                          "cannot be looked at", "a system user's token of the app, with whatsapp_business_messaging "
                          "and whatsapp_business_management")  # fmt: skip
    else:
        yield from _webhook(configured, own)
    if account:
        yield from _account(configured, account, token, own)
        yield from _templates(configured)
    else:
        yield ShopFinding(WARNING, "meta", "WHATSAPP_BUSINESS_ACCOUNT_ID", "it is not set: whether the account sends "
                          "us its messages, and the templates, cannot be looked at", "copy it from the app dashboard, "
                          "WhatsApp → API setup")  # fmt: skip


def clock_findings(whose: str, skew_s: float | None) -> Iterator[ShopFinding]:
    """How far this machine's clock is from another's."""
    if skew_s is None:
        return
    said = f"{abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} {whose}"
    if abs(skew_s) < SKEW_S:
        yield ShopFinding(INFORMATION, "clock", whose, "this machine's agrees with it")
    else:
        yield ShopFinding(ERROR if abs(skew_s) > WRONG_S else WARNING, "clock", whose, f"this machine's is {said}",
                          "set it by NTP (timedatectl set-ntp true): reply windows and leases need it")  # fmt: skip


def _webhook(configured: Settings, app: str) -> Iterator[ShopFinding]:
    """Where Meta sends this app's webhooks, and which."""
    found = _get(configured, f"{quote(app, safe='')}/subscriptions", f"{app}|{configured.whatsapp_app_secret}")
    if found is None or found.status >= 500:
        yield ShopFinding(ERROR, "meta", "webhook", "the app's subscriptions are not told", "try again")
        return
    if found.status != 200:
        yield ShopFinding(ERROR, "meta", "WHATSAPP_APP_SECRET", f"Meta refuses {_APP} (HTTP {found.status}): no "
                          "webhook's signature will be right", "App settings → Basic → App secret, of the access "
                          "token's app")  # fmt: skip
        return
    one = next((one for one in objects(found.body.get("data")) if one.get("object") == OBJECT), None)
    remedy = f"WhatsApp → Configuration: callback URL https://your.host{PATH}, subscribe to {FIELD}"
    if one is None or one.get("active") is False:
        yield ShopFinding(ERROR, "meta", "webhook", "the app is subscribed to no messages of WhatsApp", remedy)
        return
    url = urlsplit(text(one.get("callback_url"), 2000))
    fields = {text(field.get("name")) for field in objects(one.get("fields"))}
    if FIELD not in fields:
        yield ShopFinding(ERROR, "meta", "webhook", f"the field {FIELD} is not subscribed to", remedy)
    elif url.path != PATH:
        yield ShopFinding(ERROR, "meta", "webhook", f"it goes to {url.hostname}{url.path}, which is not ours",
                          remedy)  # fmt: skip
    else:
        yield ShopFinding(INFORMATION, "meta", "webhook", f"{', '.join(sorted(fields))} go to {url.hostname}; Meta "
                          "accepts the app secret")  # fmt: skip


def _account(configured: Settings, account: str, token: str, app: str | None) -> Iterator[ShopFinding]:
    """Whether the business account sends its messages to this app."""
    found = _get(configured, f"{quote(account, safe='')}/subscribed_apps", token)
    if found is None or found.status != 200:
        yield ShopFinding(ERROR, "meta", "WHATSAPP_BUSINESS_ACCOUNT_ID", "the account is not shown to this token "
                          f"(HTTP {found.status if found else 'none'})", "its id from the app dashboard; a token with "
                          "whatsapp_business_management")  # fmt: skip
        return
    apps = {identifier(as_mapping(one.get("whatsapp_business_api_data")).get("id"))
            for one in objects(found.body.get("data"))}  # fmt: skip
    if not apps or (app and app not in apps):
        yield ShopFinding(ERROR, "meta", "subscribed_apps", "the account sends its messages to "
                          f"{'another app' if apps else 'no app'}", "POST /{business account}/subscribed_apps with "
                          "this app's token, or add the number anew in the app dashboard")  # fmt: skip
    else:
        yield ShopFinding(INFORMATION, "meta", "subscribed_apps", "the account sends its messages to this app")


def _templates(configured: Settings) -> Iterator[ShopFinding]:
    try:
        named = templates.wanted(shop.load(), configured)
        wrong = templates.mistakes(named, asyncio.run(templates.fetch(configured))) if named else []
    except shop.ShopError:
        return  # `make check` says what is wrong with it
    except SendError as error:
        yield ShopFinding(WARNING, "meta", "templates", f"they are not told ({type(error).__name__})",
                          "a token with whatsapp_business_management")  # fmt: skip
        return
    for one in wrong:
        problem, _, remedy = one.partition(" Remedy: ")
        yield ShopFinding(ERROR, "meta", "templates", problem, remedy)
    if named and not wrong:
        yield ShopFinding(INFORMATION, "meta", "templates", f"all {len(named)} that are named are approved and fit")


def _get(configured: Settings, path: str, token: str) -> Answer | None:
    """None when nobody answers."""
    asked_at, proof = time.time(), {}
    if configured.values["WHATSAPP_APPSECRET_PROOF"] == "on" and "|" not in token:  # the app's own holds its secret
        proof = {"appsecret_proof": appsecret_proof(token, str(configured.whatsapp_app_secret))}
    try:
        url, authorization = f"{str(configured.whatsapp_graph_url).rstrip('/')}/{path}", f"Bearer {token}"
        answer = requests.get(url, params=proof, timeout=TIMEOUT_S, headers={"Authorization": authorization},
                              allow_redirects=False)  # fmt: skip
    except (requests.RequestException, ValueError):
        return None
    try:
        body = as_mapping(answer.json())
    except ValueError:
        body = {}
    try:  # its clock shows whole seconds
        theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp() + 0.5
    except (KeyError, TypeError, ValueError):
        return Answer(answer.status_code, body, None)
    return Answer(answer.status_code, body, (asked_at + time.time()) / 2 - theirs)

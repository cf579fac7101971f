"""Settings that are missing, or that each are right and do not fit together."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import shop
from handoff.configuration import HandoffConfigurationError, load_configuration
from hot_store import redis_address
from launch import processes
from launch.console import LaunchError
from settings import LLM_KEYS, Settings
from workbench.shop_check.findings import ERROR, INFORMATION, WARNING, ShopFinding

HELPDESKS = {name: f"{name.upper()}_URL" for name in ("zendesk", "freshdesk", "hubspot", "chatwoot")}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
Conflict = tuple[str, str, str, str]
"""Level, variable, what does not fit, remedy."""


def findings(configured: Settings) -> Iterator[ShopFinding]:
    """What `make serve` would refuse, then conflicts."""
    conflicts = list(_conflicts(configured))
    for conflict in conflicts:
        level, variable, problem, remedy = conflict
        yield ShopFinding(level, "settings", variable, problem, remedy)
    if not conflicts:
        yield ShopFinding(INFORMATION, "settings", ".env", "complete, and they fit together")


def _conflicts(configured: Settings) -> Iterator[Conflict]:
    for name in configured.missing():
        yield ERROR, name, "it is not set, so `make serve` does not start", "its value from Meta's app dashboard"
    if configured.values["READ_PICTURES"] == "on":
        try:
            processes.pictures({"PICTURES_URL": ""})
        except LaunchError as error:
            yield ERROR, "READ_PICTURES", *_halves(str(error))
    yield from _graph(str(configured.whatsapp_graph_url))
    yield from _people(configured)
    yield from _unused(configured)
    yield from _shop(configured)
    if configured.host not in LOOPBACK and not (configured.metrics_token or "METRICS_FROM" in configured.chosen):
        yield (WARNING, "METRICS_TOKEN", "others reach this server, and only this machine may read /metrics",
               "a long random text, also for Prometheus (authorization: credentials), or METRICS_FROM")
    redis_url = configured.values["REDIS_URL"]
    shared = redis_url is not None and redis_address.parse(redis_url).kind != redis_address.ONE
    if shared and str(configured.conversation_database_url).startswith("sqlite"):
        yield (WARNING, "CONVERSATION_DATABASE_URL", "Redis survives a machine, and tickets and the log are in a "
               "file on this one", "a PostgreSQL that all machines share")


def _graph(url: str) -> Iterator[Conflict]:
    parts = urlsplit(url)
    if parts.hostname in LOOPBACK:
        yield WARNING, "WHATSAPP_GRAPH_URL", "it is a stand-in on this machine: no customer gets a reply", "unset it"
    elif parts.scheme != "https":
        yield ERROR, "WHATSAPP_GRAPH_URL", "the access token would travel unencrypted", "https://graph.facebook.com/v25.0"


def _people(configured: Settings) -> Iterator[Conflict]:
    try:
        public_url = load_configuration().public_url
    except HandoffConfigurationError as error:
        yield ERROR, "handoff.yml", *_halves(str(error))
        return
    if configured.media_url and not public_url:
        yield (WARNING, "MEDIA_URL", "handoff.yml has no public_url, so tickets cannot link to the copies",
               "public_url: https://your.host in handoff.yml")
    if configured.ticketing == "zendesk" and not configured.zendesk_webhook_secret:
        yield (WARNING, "ZENDESK_WEBHOOK_SECRET", "it is not set: agents' replies come by the poll of every minute",
               "the webhook's signing secret from Zendesk's Admin Center")
    if bool(configured.smtp_url) != bool(configured.escalation_email_to):
        yield (WARNING, "SMTP_URL", "of SMTP_URL and ESCALATION_EMAIL_TO one is set: nobody gets a mail",
               "set both, or none")
    if configured.ticketing == "log" and not (configured.slack_webhook_url or configured.smtp_url):
        yield (WARNING, "TICKETING", "tickets are kept in the database, and nobody is notified of them",
               "a helpdesk, SLACK_WEBHOOK_URL, or SMTP_URL; or look at `python -m handoff` by yourself")


def _unused(configured: Settings) -> Iterator[Conflict]:
    for kind, name in HELPDESKS.items():
        if configured.values[name] and configured.ticketing != kind:
            yield WARNING, name, f"it is set, and TICKETING is {configured.ticketing}", "unset it, or change TICKETING"
    for provider, key in LLM_KEYS.items():
        if configured.values[key] and configured.llm_provider == "none":
            yield WARNING, key, "it is set, and LLM_PROVIDER is none", f"LLM_PROVIDER={provider}, or unset it"
    for kind in ("SPEECH", "EMBEDDINGS"):
        if configured.values[f"{kind}_API_KEY"] and not configured.values[f"{kind}_URL"]:
            yield WARNING, f"{kind}_API_KEY", f"it is set, and {kind}_URL is not", f"set {kind}_URL, or unset it"


def _shop(configured: Settings) -> Iterator[Conflict]:
    try:
        updates = shop.load().updates
    except shop.ShopError as error:
        yield ERROR, "shop.yml", *_halves(str(error))
        return
    if updates and not configured.shop_webhook_secret:
        yield (WARNING, "SHOP_WEBHOOK_SECRET", "shop.yml has updates, and the shop's webhooks are refused without it",
               "set it, on both sides")
    elif configured.shop_webhook_secret and not updates:
        yield (WARNING, "SHOP_WEBHOOK_SECRET", "it is set, and shop.yml has no updates: customers are told nothing",
               "updates in shop.yml, or unset it")


def _halves(message: str) -> tuple[str, str]:
    problem, _, remedy = message.partition(" Remedy: ")
    return problem, remedy or "correct it"

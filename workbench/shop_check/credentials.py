"""The accounts that are set, each tried with one harmless call: LLM, helpdesk, WhatsApp; and whether the shop acts.

No secret is ever shown.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import suppress
from threading import Thread
from urllib.parse import quote

import requests

import shop
from actions.self_service.adapters import shop_port
from actions.skill import services
from handoff.configuration import HandoffConfigurationError, load_configuration
from handoff.helpdesks.backends import helpdesk
from handoff.helpdesks.interface import HelpdeskError, NotAllowed, Refused, RetryLater, Ticket
from settings import LLM_KEYS, Settings, SettingsError
from workbench.shop_check.findings import ERROR, INFORMATION, WARNING, ShopFinding

TIMEOUT_S = 5.0
Outcome = tuple[str, str] | None
"""Problem and remedy; None: it works."""
_SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"],
           "additionalProperties": False}  # fmt: skip


def credential_findings(configured: Settings) -> Iterator[ShopFinding]:
    """One finding for each account that is set."""
    tries: list[tuple[str, str, Callable[[], Outcome]]] = []
    if configured.values["LLM_PROVIDER"] != "none":
        tries.append(("llm", "LLM_PROVIDER", lambda: _llm(configured)))
    if configured.values["TICKETING"] != "log":
        tries.append(("helpdesk", "TICKETING", lambda: _helpdesk(configured)))
    if configured.whatsapp_access_token and configured.whatsapp_phone_number_id:
        tries.append(("whatsapp", "WHATSAPP_ACCESS_TOKEN", lambda: _whatsapp(configured)))
    if configured.embeddings_url:
        tries.append(("embeddings", "EMBEDDINGS_URL", lambda: _embeddings(configured)))
    if configured.passage_store_url:
        tries.append(("passages", "PASSAGE_STORE_URL", lambda: _passages(configured)))
    yield from _self_service(configured)
    for about, variable, attempt in tries:
        _load_client(about, configured)
        outcome = _within(attempt)
        named = {"whatsapp": "the Graph API", "embeddings": configured.embeddings_model,
                 "passages": "the passage store"}.get(
            about, configured.values[variable]
        )
        if outcome is None:
            yield ShopFinding(INFORMATION, about, variable, f"{named} answers and does not refuse the credentials")
        else:
            yield ShopFinding(ERROR, about, variable, f"{named}: {outcome[0]}", outcome[1])


def _load_client(about: str, configured: Settings) -> None:
    """Load an account's library before the clock runs: on a busy machine that takes seconds, and is not its fault."""
    with suppress(Exception):  # whatever is wrong, the attempt tells
        if about == "llm":
            services.llm_client(configured, TIMEOUT_S)
        elif about == "helpdesk":
            helpdesk(configured, load_configuration(), None)  # type: ignore[arg-type]  # not `log`


def _self_service(configured: Settings) -> Iterator[ShopFinding]:
    """Which of its actions the shop's own system is asked for. It is not called: whatever it is asked, it does."""
    listed, url = shop.load().actions, configured.shop_api_url
    if url and not listed:
        yield ShopFinding(WARNING, "self-service", "shop.yml", "SHOP_API_URL is set, but shop.yml lists no actions",
                          f"actions: [{', '.join(shop.ACTIONS)}], or those of them that your shop can do")  # fmt: skip
    elif listed and not url:
        yield ShopFinding(INFORMATION, "self-service", "shop.yml",
                          f"SHOP_API_URL is not set: {', '.join(listed)} become tickets")  # fmt: skip
    elif listed and url:
        can = shop_port(url, configured.shop_api_secret or "").can
        asked = ", ".join(action for action in listed if action in can) or "nothing"
        left = ", ".join(action for action in listed if action not in can)
        yield ShopFinding(INFORMATION, "self-service", "shop.yml", f"the shop's own system is asked for: {asked}"
                          + (f"; what it cannot do becomes tickets: {left}" if left else ""))  # fmt: skip


def _within(attempt: Callable[[], Outcome]) -> Outcome:
    """What an attempt finds, or that it took too long; the thread that goes on waiting ends with the process."""
    done: futures.Future[Outcome] = futures.Future()

    def run() -> None:
        try:
            done.set_result(attempt())
        except Exception as error:  # whatever a client raises is an answer here
            done.set_result((f"it cannot be used ({type(error).__name__})", "see the variables in .env.example"))

    Thread(target=run, daemon=True).start()
    try:
        return done.result(TIMEOUT_S)
    except futures.TimeoutError:
        return f"no answer within {TIMEOUT_S:.0f} s", "see that this machine reaches it"


def _llm(configured: Settings) -> Outcome:
    from actions.llm.client import LlmFailed

    key = LLM_KEYS[str(configured.llm_provider)]
    if not configured.values[key]:
        return f"{key} is not set", "set it, or LLM_PROVIDER=none to work without"
    try:
        asyncio.run(_ask_llm(configured))
    except LlmFailed as failed:
        remedies = {"status_401": key, "status_403": key, "status_404": "LLM_MODEL"}
        if failed.reason in ("malformed", "empty", "max_tokens", "refusal"):
            return None  # it answered, and only the call was tried
        return f"the call failed ({failed.reason})", f"correct {remedies.get(failed.reason, 'its key, model and URL')}"
    return None


async def _ask_llm(configured: Settings) -> None:
    from actions.llm.client import within

    client = services.llm_client(configured, TIMEOUT_S - 1)
    if client is None:
        return
    try:
        request = client.api.structured("Answer {\"ok\": true}.", "ok?", _SCHEMA)
        await within(TIMEOUT_S - 0.5, client.ask(lambda answer, usage: None, **request))
    finally:
        await client.close()


def _helpdesk(configured: Settings) -> Outcome:
    """Looks at a ticket: whether there is one of that id does not matter."""
    try:
        helpdesk(configured, load_configuration(), None).read_ticket(Ticket("1"))  # type: ignore[arg-type]  # not `log`
    except (SettingsError, HandoffConfigurationError) as error:
        return "its settings are not complete", str(error)
    except NotAllowed as error:
        return f"the credentials are refused ({error})", "renew them, with the right to read and write tickets"
    except RetryLater as error:
        return f"it does not answer ({error})", "see that its URL is right and that this machine reaches it"
    except (Refused, HelpdeskError):
        return None
    return None


def _embeddings(configured: Settings) -> Outcome:
    from actions.knowledge.retrieval.embedding_service import EmbeddingService, ServiceAway

    url, model = str(configured.embeddings_url), str(configured.embeddings_model)
    try:
        EmbeddingService(url, configured.embeddings_api_key, model, str).try_once()
    except ServiceAway as error:
        return f"it gives no vectors ({error})", "correct EMBEDDINGS_URL, EMBEDDINGS_API_KEY and EMBEDDINGS_MODEL"
    return None


def _passages(configured: Settings) -> Outcome:
    from actions.knowledge.pages.files import KnowledgeError
    from actions.knowledge.stores.interface import StoreAway
    from actions.knowledge.stores.remembering import chosen_store

    try:
        store = chosen_store(configured, "check", "none")
        if store is not None:
            store.known([bytes(16)])
    except KnowledgeError as error:
        return str(error).split(" Remedy: ")[0], "see docs/backends.md"
    except StoreAway as error:
        return (f"it gives nothing ({error})", "see that it answers, has pgvector and lets our role make a "
                "table; or correct PINECONE_API_KEY")  # fmt: skip
    return None


def _whatsapp(configured: Settings) -> Outcome:
    number, base = str(configured.whatsapp_phone_number_id), str(configured.whatsapp_graph_url).rstrip("/")
    headers = {"Authorization": f"Bearer {configured.whatsapp_access_token}"}
    try:
        answer = requests.get(f"{base}/{quote(number, safe='')}", params={"fields": "id"}, headers=headers,
                              timeout=TIMEOUT_S - 1, allow_redirects=False)  # fmt: skip
    except requests.RequestException as error:
        return f"it cannot be reached ({type(error).__name__})", "see WHATSAPP_GRAPH_URL and the way to it"
    if answer.status_code in (401, 403):
        return f"the access token is refused (HTTP {answer.status_code})", "renew WHATSAPP_ACCESS_TOKEN"
    if answer.status_code >= 400:
        return (f"the number is not known to this token (HTTP {answer.status_code})",
                "WHATSAPP_PHONE_NUMBER_ID from Meta's app dashboard, and a token of the same app")  # fmt: skip
    return None

"""Putting the twin together: one server with the Graph API, the phone, the control API, the agent desk, a shop."""

from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from twin.configuration import TwinConfiguration
from twin.console import Console
from twin.control import ControlApi
from twin.helpdesk.desk import AgentDesk
from twin.llm import LlmStandIn
from twin.memory import Memory
from twin.phone.browser import PhonePage
from twin.phone.chats import Chat
from twin.scenarios.player import Player
from twin.scenarios.routes import Scenarios
from twin.shop_system import ShopSystem
from twin.speech import SpeechStandIn
from twin.whatsapp.account import Account
from twin.whatsapp.graph import GraphApi
from twin.whatsapp.network import Network
from twin.whatsapp.webhooks import FIRST_RETRY_S, WebhookSender

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MAX_REQUEST_BYTES = 16 * 1024 * 1024
NETWORK: web.AppKey[Network] = web.AppKey("network", Network)


@web.middleware
async def _only_our_own_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Other web pages in the same browser may not act here: browsers name the page that asks in `Origin`.

    Nor may one read here whose name was made to lead to this machine: a twin on loopback is asked for by its address.
    """
    origin = request.headers.get("Origin")
    if origin is not None and request.method not in ("GET", "HEAD") and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="Requests from other web pages are refused.")
    bound_to = request.app[NETWORK].configuration.host
    if bound_to in LOOPBACK and urlsplit(f"//{request.host}").hostname not in LOOPBACK:
        raise web.HTTPForbidden(text="Ask for this page at 127.0.0.1 or localhost.")
    return await handler(request)


def make_app(configuration: TwinConfiguration, first_retry_s: float = FIRST_RETRY_S) -> web.Application:
    """The whole twin, ready to run. `first_retry_s` is the wait before the first redelivery of a webhook."""
    app = web.Application(client_max_size=MAX_REQUEST_BYTES, middlewares=[_only_our_own_pages])
    network = Network(
        configuration, WebhookSender(configuration.webhook_url, configuration.app_secret, first_retry_s)
    )
    app[NETWORK] = network
    ControlApi(network).add_to(app)
    desk = AgentDesk(configuration)
    desk.add_to(app)
    Memory(configuration.state_dir, network, desk.helpdesk).add_to(app)
    console = Console(configuration)
    console.add_to(app)

    async def start_over(chat: Chat) -> None:
        await console.forget(chat.customer.key)
        desk.helpdesk.tickets.forget_requester(chat.customer.phone or "")
        network.start_over(chat)

    PhonePage(network, start_over).add_to(app)
    Scenarios(network, Player(network, desk.helpdesk, start_over)).add_to(app)
    Account(configuration).add_to(app)
    GraphApi(network).add_to(app)
    SpeechStandIn().add_to(app)
    LlmStandIn().add_to(app)
    if configuration.shop_secret and configuration.orders_file:
        ShopSystem(configuration.shop_secret, configuration.orders_file, configuration.statuses).add_to(app)

    async def lifetime(_: web.Application) -> AsyncIterator[None]:
        yield
        await network.close()

    app.cleanup_ctx.append(lifetime)
    return app

"""The Sanic application of one Rasa server process: agent, channels, metrics, transport."""

import asyncio
import logging
import os
import time
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import redis.asyncio
from rasa.core import agent as rasa_agent
from rasa.core.agent import Agent
from rasa.core.brokers.broker import EventBroker
from rasa.core.run import configure_app, create_http_input_channels
from rasa.core.tracker_store import TrackerStore, create_tracker_store
from rasa.core.utils import AvailableEndpoints
from rasa.model import get_latest_model
from rasa.shared.exceptions import RasaException
from rasa.shared.utils.common import class_from_module_path
from rasa.utils.endpoints import EndpointConfig
from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, raw

import exposition
import shop
import skills
import tracing
from connectors import metrics
from connectors.conversations.entry_handler import EntryHandler
from connectors.conversations.identity import Identities
from connectors.conversations.message_limit import MessageLimit
from connectors.conversations.order_updates import OrderUpdates
from connectors.conversations.ratings import Ratings
from connectors.conversations.thread_control_mirror import MirroredThreadControl
from connectors.dialogue.action_endpoint import KeptAliveEndpoint
from connectors.dialogue.engine import RasaSpeaker
from connectors.dialogue.grading import priority_of
from connectors.media.abilities import Ability
from connectors.media.pictures import PictureReader
from connectors.media.reading import MediaReader
from connectors.media.speech import SpeechService
from connectors.message_bus import keys
from connectors.message_bus.arrivals import Arrivals
from connectors.message_bus.commit import Commits
from connectors.message_bus.consumer import Consumer
from connectors.message_bus.inbox import connect
from connectors.message_bus.sending.outbox import Outbox
from connectors.message_bus.sending.ports import Graph
from connectors.message_bus.transport import Transport
from connectors.rasa_patches import speedups
from connectors.server.startup import CannotStart, Options, stop_when_told, verify_model
from connectors.whatsapp.graph.client import GraphClient
from connectors.whatsapp.rendering.messages import MessageShaper
from connectors.whatsapp.webhook.payload_ids import PayloadSigner
from handoff.configuration import load_configuration
from handoff.jobs.metrics import Metrics
from handoff.storage.database import Database
from handoff.takeover.customer_messages import wants_assistant
from handoff.takeover.thread_control import ThreadControl
from handoff.updates.opt_outs import OptOuts
from privacy.outbound_links import AllowedLinks
from settings import Settings

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 10.0
# Nobody waits for these calls as Meta does for the webhook's: on a busy machine late is better than again.
BUS_TIMEOUT_S = 10.0
_OURS = frozenset(skills.WORDS_OF_RESPONSES)


def build(settings: Settings, options: Options) -> Sanic:
    """The application, its model loaded. Raises CannotStart."""
    speedups.install()
    agent = load_agent(options.models, options.endpoints, settings.action_token)
    ready_file = Path(os.environ["READY_FILE"]) if os.environ.get("READY_FILE") else None
    channels = _channels(options.credentials)
    app = configure_app(channels, enable_api=False)
    app.ctx.agent = agent
    app.ctx.takeovers = Metrics(Database(str(settings.conversation_database_url)))

    async def start(app: Sanic, _: Any) -> None:
        app.ctx.redis = connect(str(settings.redis_url))
        app.ctx.inbox, app.ctx.arrivals = metrics.CountingInbox(app.ctx.redis), Arrivals()
        graph = app.ctx.graph = GraphClient.from_settings(settings)
        signer = PayloadSigner(str(settings.whatsapp_app_secret))
        configuration = load_configuration()
        dismisses = partial(wants_assistant, configuration=configuration)
        speaker = RasaSpeaker(agent, graph, MessageShaper(signer), allowed_links(agent, settings), dismisses)
        control = app.ctx.control = ThreadControl.from_settings(settings, priority_of)
        wait_s = settings.number("BURST_WAIT_S")
        opt_outs = None
        db = Database(str(settings.conversation_database_url))
        if configuration.ask_rating or (shop.load().updates and settings.shop_webhook_secret):
            opt_outs = OptOuts(db, configuration)
        app.ctx.transport = transport(
            str(settings.redis_url), speaker, graph, control, agent.model_id, wait_s, opt_outs,
            media_reader(settings, app.ctx.redis, graph),
            db if configuration.ask_rating else None,
            int(settings.number("CUSTOMER_MESSAGE_LIMIT")),
            app.ctx.arrivals,
        )  # fmt: skip
        app.ctx.transport.start()
        app.ctx.ready = lambda: agent.is_ready() and app.ctx.transport.partitions.beats()

    async def ready(app: Sanic, _: Any) -> None:
        log.info("server.ready shop=%r model=%s", shop.load().name, agent.model_name)
        stop_when_told(app)
        if ready_file:
            ready_file.touch()

    async def stop(app: Sanic, _: Any) -> None:
        log.info("server.stopping")
        await app.ctx.transport.stop(STOP_TIMEOUT_S)
        if app.ctx.transport.consumer.reader is not None:
            await app.ctx.transport.consumer.reader.close()
        await app.ctx.graph.close()
        await asyncio.to_thread(tracing.stop)
        log.info("server.stopped")

    _measure(app, settings, metrics.labels(shop=shop.load().name, model=str(agent.model_name)))
    app.register_listener(start, "before_server_start")
    app.register_listener(ready, "after_server_start")
    app.register_listener(stop, "before_server_stop")
    return app


def transport(
    url: str,
    speaker: RasaSpeaker,
    graph: Graph,
    authority: ThreadControl,
    model_id: str | None = None,
    burst_wait_s: float = 0.0,
    opt_outs: OptOuts | None = None,
    reader: MediaReader | None = None,
    ratings: Database | None = None,
    messages_per_10_min: int = 0,
    arrivals: Arrivals | None = None,
) -> Transport:
    """The message bus of this process, with Redis connections of its own, between this dialogue and this Graph.

    `ratings`: where answers are kept, when customers are asked how it was with a person; `messages_per_10_min`: how
    many of one customer are answered, 0 for any number; `arrivals`: the webhooks that turns let go first.
    """
    client = connect(url, BUS_TIMEOUT_S, connections=keys.PARTITIONS + 256)  # each partition that is read holds one
    control = MirroredThreadControl(authority, client)
    commits = Commits(client, Identities(client), model_id)
    updates = OrderUpdates(client, speaker, opt_outs) if opt_outs is not None else None
    asking = Ratings(client, ratings, opt_outs) if ratings is not None and opt_outs is not None else None
    limit = MessageLimit(speaker, messages_per_10_min) if messages_per_10_min else None
    handler = EntryHandler(client, speaker, control, updates, asking, limit)
    consumer = Consumer(client, handler, commits, burst_wait_s=burst_wait_s, reader=reader)
    return Transport(client, consumer, Outbox(client, graph, control), arrivals)


def allowed_links(agent: Agent, settings: Settings) -> AllowedLinks | None:
    """Where the assistant may send customers; None, anywhere, unless shop.yml has `links`."""
    named = shop.load().links
    responses = agent.domain.responses if agent.domain else {}
    said = [str(variation) for variation in chain.from_iterable(responses.values())]
    return AllowedLinks(named, settings.shop_path / "policy_kb", said) if named else None


def media_reader(settings: Settings, client: redis.asyncio.Redis, graph: GraphClient) -> MediaReader | None:
    """Who reads voice notes and pictures, where that is configured."""
    abilities: dict[str, Ability] = {}
    if settings.speech_url:
        speech = SpeechService(settings.speech_url, settings.speech_api_key, str(settings.speech_model))
        abilities |= {"voice": speech, "audio": speech}
    if os.environ.get("PICTURES_URL"):
        abilities["image"] = PictureReader(os.environ["PICTURES_URL"])
    return MediaReader(client, graph, abilities) if abilities else None


def _measure(app: Sanic, settings: Settings, running: str) -> None:
    """`GET /metrics` for whoever may read it, and the time of each webhook's acknowledgement."""
    networks = str(settings.values["METRICS_FROM"])

    @app.get("/metrics")
    async def show(request: Request) -> HTTPResponse:
        if not exposition.may_read(request.ip, request.headers, settings.metrics_token, networks):
            return raw("Unauthorized", 401, exposition.NOT_ALLOWED, "text/plain")
        text = await metrics.render(app.ctx.redis, app.ctx.takeovers, running)
        return raw(text, content_type=exposition.CONTENT_TYPE)

    @app.on_request
    async def begin(request: Request) -> None:
        request.ctx.began = time.perf_counter()

    @app.on_response
    async def end(request: Request, response: HTTPResponse) -> None:
        if request.method == "POST" and hasattr(request.ctx, "began"):
            elapsed = time.perf_counter() - request.ctx.began
            metrics.WEBHOOK_SECONDS.labels(str(response.status)).observe(elapsed)


def load_agent(models: Path, endpoints_file: Path, action_token: str | None = None) -> Agent:
    """An agent with the newest model and our stores. Raises CannotStart where Rasa would only warn."""
    model = get_latest_model(str(models))
    if model is None:
        raise CannotStart(f"there is no model in {models}. Remedy: `make train`.")
    try:
        endpoints = AvailableEndpoints.read_endpoints(str(endpoints_file))
    except RasaException as error:
        raise CannotStart(f"{endpoints_file.name} cannot be read ({error}).") from None
    _check_class(endpoints.tracker_store, TrackerStore, "tracker_store", endpoints_file)
    _check_class(endpoints.event_broker, EventBroker, "event_broker", endpoints_file)
    if endpoints.action is not None:
        endpoints.action = KeptAliveEndpoint.like(endpoints.action, action_token)
    verify_model(Path(model))
    agent = asyncio.run(_loaded(model, endpoints))
    if agent is None or not agent.is_ready():
        raise CannotStart(f"the model {Path(model).name} cannot be loaded. Remedy: `make train`.")
    return without_skill_words(without_fallback(agent))


async def _loaded(model: str, endpoints: AvailableEndpoints) -> Agent:
    """With stores that are made here: Rasa would import the libraries of MongoDB and DynamoDB for their errors."""
    endpoints.event_broker = await EventBroker.create(endpoints.event_broker)
    endpoints.tracker_store = create_tracker_store(endpoints.tracker_store, event_broker=endpoints.event_broker)
    return await rasa_agent.load_agent(model_path=model, endpoints=endpoints)


def without_skill_words(agent: Agent) -> Agent:
    """Take out of the domain what responses count as: else it went along with every reply, event and call of an action.

    The log and the policies read it from the file (`skills`).
    """
    domain = agent.domain.as_dict() if agent.domain else {}
    domain.pop("topics", None)
    for responses in (domain.get("responses") or {}, agent.domain.responses if agent.domain else {}):
        for variation in chain.from_iterable(responses.values()):
            kept = {key: word for key, word in (variation.pop("metadata", None) or {}).items() if key not in _OURS}
            if kept:
                variation["metadata"] = kept
    return agent


def without_fallback(agent: Agent) -> Agent:
    """Take Rasa's in-memory fallback out: a store that fails must fail the turn, which then runs again."""
    store = getattr(agent.tracker_store, "_tracker_store", agent.tracker_store)
    agent.tracker_store = store
    if agent.processor is not None:
        agent.processor.tracker_store = store
    return agent


def _check_class(config: EndpointConfig | None, base: type, name: str, file: Path) -> None:
    """Rasa goes on in memory when a class cannot be found; we do not."""
    path = config.type if config is not None else None
    try:
        found = class_from_module_path(path) if path else None
    except (ImportError, AttributeError, ValueError, RasaException):
        found = None
    if not (isinstance(found, type) and issubclass(found, base)):
        raise CannotStart(f"{name} in {file.name} names {path!r}, which is no {base.__name__}. Remedy: correct it.")


def _channels(credentials: Path) -> list[Any]:
    try:
        return list(create_http_input_channels(None, str(credentials)))
    except (RasaException, ValueError) as error:
        raise CannotStart(f"{credentials.name}: {error}") from None

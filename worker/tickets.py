"""The part of the worker that serves takeovers: helpdesk, agents' words, notifications.

One short round after the other: agents' words into the inbox first (a customer waits for them), then tickets that
want reading, then jobs for the helpdesk, then notices. Calls to the helpdesk run in a few threads, so that one
that hangs holds up nobody else's takeover.
"""

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from connectors.message_bus.connections import FollowingRedis
from connectors.message_bus.inbox import Entry, Inbox, InboxUnavailable, connect
from connectors.message_bus.sending.errors import Refused as RefusedByMeta
from connectors.message_bus.sending.errors import SendError
from connectors.whatsapp.graph.client import GraphClient
from handoff.configuration import HandoffConfiguration, load_configuration
from handoff.files.attachments import fetcher
from handoff.files.uploads import UploadFailed, Uploads
from handoff.helpdesks.backends import helpdesk
from handoff.jobs.deliveries import Deliveries, Delivery
from handoff.jobs.dispatcher import RENEW_EVERY_S, Dispatcher
from handoff.jobs.polling import TicketPoller
from handoff.notifications.notices import Notifier
from handoff.notifications.notifiers import channels
from handoff.storage.database import Database, HandoffUnavailable
from settings import Settings
from worker.pauses import pause, rounds

log = logging.getLogger(__name__)

ROUND_S = 0.3
RETRY_S = 2.0
THREADS = 6
DRAIN_S = 5.0
UPLOAD_S = 70.0


class TicketDesk:
    """Everything of a takeover that happens outside a turn."""

    def __init__(
        self,
        deliveries: Deliveries,
        poller: TicketPoller,
        dispatcher: Dispatcher,
        notifier: Notifier,
        uploads: Uploads | None = None,
        threads: int = THREADS,
    ) -> None:
        self._deliveries, self._poller, self._uploads = deliveries, poller, uploads
        self._dispatcher, self._notifier = dispatcher, notifier
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="helpdesk")
        self._busy: dict[tuple[str, int], asyncio.Future[None]] = {}
        self._stopping = threading.Event()

    async def round(self) -> None:
        """Start what is due, without waiting for helpdesks. Raises HandoffUnavailable or InboxUnavailable.

        Comments that cannot be handed over now hold up no ticket.
        """
        unavailable: InboxUnavailable | None = None
        try:
            await self._deliveries.drain()
        except InboxUnavailable as error:
            unavailable = error
        if self._uploads is not None:
            self._start("upload", await asyncio.to_thread(self._uploads.due), self._uploads.work)
        self._start("poll", await asyncio.to_thread(self._poller.due), self._poller.poll)
        work = partial(self._dispatcher.work, stopping=self._stopping.is_set)
        self._start("dispatch", await asyncio.to_thread(self._dispatcher.due), work)
        self._start("notify", [0], lambda _: self._notifier.work())
        if unavailable is not None:
            raise unavailable

    async def keep_leases(self, stop: asyncio.Event) -> None:
        """Renew what the calls under way hold, until `stop`; whatever else this process waits for."""
        while not stop.is_set():
            await pause(stop, RENEW_EVERY_S)
            try:
                await asyncio.to_thread(self._dispatcher.renew)
            except HandoffUnavailable:
                log.debug("handoff.leases.not_renewed")

    async def idle(self, timeout_s: float = DRAIN_S) -> None:
        """Start no further calls and wait for those under way."""
        self._stopping.set()
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=timeout_s)

    def close(self) -> None:
        """Start nothing more; calls under way end by their own timeouts."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, what: str, ids: Iterable[int], work: Callable[[int], None]) -> None:
        loop = asyncio.get_running_loop()
        for number in ids:
            key = (what, number)
            if key not in self._busy:
                future = loop.run_in_executor(self._pool, work, number)
                self._busy[key] = future
                future.add_done_callback(partial(self._ended, key))

    def _ended(self, key: tuple[str, int], done: asyncio.Future[None]) -> None:
        self._busy.pop(key, None)
        if not done.cancelled() and done.exception() is not None:
            log.error("handoff.worker.failed what=%s error=%s", key[0], type(done.exception()).__name__)


def build(configured: Settings, client: FollowingRedis, graph: GraphClient) -> tuple[TicketDesk, Database]:
    """The desk as configured, in a running event loop. Raises SettingsError and HandoffConfigurationError."""
    db = Database(configured.values["CONVERSATION_DATABASE_URL"] or "")
    configuration = _with_public_url(load_configuration(), configured)
    backend, notified, inbox = helpdesk(configured, configuration, db), channels(configured), Inbox(client)

    async def put(entries: Sequence[Delivery]) -> Any:
        return await inbox.put([Entry(entry.kind, entry.customer, entry.id, entry.payload) for entry in entries])

    uploads = Uploads(db, fetcher(configured), sender(graph, asyncio.get_running_loop()))
    media_key = configured.whatsapp_app_secret or ""
    return (
        TicketDesk(
            Deliveries(db, put, configured.whatsapp_reopen_template, files_are_uploaded=True),
            TicketPoller(db, backend, configuration),
            Dispatcher(db, backend, configuration, [channel.name for channel in notified], media_key),
            Notifier(db, configuration, notified),
            uploads,
        ),
        db,
    )


def sender(graph: GraphClient, loop: asyncio.AbstractEventLoop) -> Callable[[bytes, str, str], str]:
    """The Graph client's upload for threads beside its event loop."""

    def send(content: bytes, content_type: str, filename: str) -> str:
        future = asyncio.run_coroutine_threadsafe(graph.upload(content, content_type, filename), loop)
        try:
            return future.result(UPLOAD_S)
        except SendError as error:
            raise UploadFailed(type(error).__name__, isinstance(error, RefusedByMeta)) from error
        except (TimeoutError, concurrent.futures.TimeoutError) as error:
            future.cancel()
            raise UploadFailed("timeout", False) from error

    return send


def _with_public_url(configuration: HandoffConfiguration, configured: Settings) -> HandoffConfiguration:
    """In a local trial the helpdesk and its agents are on this machine, and links to customers' photos may be too."""
    local = urlsplit(configured.zendesk_url or "").hostname in ("127.0.0.1", "localhost", "::1")
    if configuration.public_url or not local:
        return configuration
    return replace(configuration, public_url=configured.url_of("RASA_PORT"))


async def run(configured: Settings, stop: asyncio.Event) -> None:
    """Serve takeovers until `stop` is set; what is under way then gets a few seconds to finish."""
    client = connect(configured.redis_url or "")
    graph = GraphClient.from_settings(configured)
    desk, db = build(configured, client, graph)
    log.info("handoff.worker.started ticketing=%s", configured.ticketing)
    leases = asyncio.create_task(desk.keep_leases(stop))
    try:
        away = (HandoffUnavailable, InboxUnavailable)
        await rounds(stop, desk.round, away, "handoff.worker.waits", ROUND_S, RETRY_S)
        await desk.idle()
    finally:
        leases.cancel()
        desk.close()
        db.close()
        await graph.close()
        await client.close()

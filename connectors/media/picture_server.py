"""`python -m connectors.media.picture_server`: reads pictures for the Rasa servers of this machine, one at a time.

A process of its own: the reader takes half a gigabyte and a core, and a picture that was made to break it must break
nothing else. It has so much memory and no more; a picture that takes too long takes the process along, which the
launcher starts again. `POST /` a file, `{"rows", "codes"}` back, 422 `{"why"}` for what is no picture.
"""

import asyncio
import contextlib
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from aiohttp import web

import settings as settings_module
import signals
from connectors.media.abilities import NotReadable
from privacy import log_lines

log = logging.getLogger(__name__)

MAX_BYTES = 5 * 1024 * 1024  # WhatsApp's own limit
MAX_MEMORY_BYTES = 3 * 1024**3
MAX_WAITING = 20
READ_WITHIN_S = 15.0
NICE = 5


class PictureServer:
    """The routes. One picture is read at a time; what waits when its asker has gone is not read."""

    def __init__(self, read: Callable[[bytes], dict[str, list[str]]]) -> None:
        """`read` may raise NotReadable."""
        self._read, self._thread = read, ThreadPoolExecutor(1)
        self._one, self._waiting = asyncio.Lock(), 0

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BYTES)
        app.router.add_get("/", self.health)
        app.router.add_post("/", self.read)
        return app

    async def health(self, request: web.Request) -> web.Response:
        """200 once it can read."""
        return web.json_response({"status": "ok"})

    async def read(self, request: web.Request) -> web.Response:
        """What a picture says."""
        data = await request.read()
        if self._waiting >= MAX_WAITING:
            return web.json_response({"why": "too_many"}, status=503)
        self._waiting += 1
        try:
            async with self._one:
                if request.transport is None or request.transport.is_closing():
                    return web.json_response({"why": "gone"}, status=503)
                return await self._answer(data)
        finally:
            self._waiting -= 1

    async def _answer(self, data: bytes) -> web.Response:
        reading = asyncio.get_running_loop().run_in_executor(self._thread, self._read, data)
        try:
            return web.json_response(await asyncio.wait_for(asyncio.shield(reading), READ_WITHIN_S))
        except NotReadable as error:
            return web.json_response({"why": str(error)}, status=422)
        except asyncio.TimeoutError:
            # Nothing ends a thread but the end of its process; as one that was killed it counts as no failure.
            log.error("pictures.reader.stuck")
            os.kill(os.getpid(), signal.SIGKILL)
            raise
        except Exception as error:
            log.error("pictures.reader.failed error=%s", type(error).__name__)
            return web.json_response({"why": "broken"}, status=422)


def main() -> int:
    """Serve at PICTURES_URL until SIGTERM."""
    from connectors.media.picture_text import PictureText  # an extra's packages, a second to load

    signals.restore()
    settings = settings_module.load()
    log_lines.configure(getattr(logging, settings.log_level or "INFO"), settings.log_format, settings.secrets())
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    os.nice(NICE)
    with contextlib.suppress(OSError, ValueError):  # macOS has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    where = urlsplit(os.environ["PICTURES_URL"])
    app = PictureServer(PictureText().read).app()
    log.info("pictures.started")
    web.run_app(app, host=where.hostname, port=where.port, print=None, access_log=None, shutdown_timeout=1.0)
    return 0


if __name__ == "__main__":
    sys.exit(main())

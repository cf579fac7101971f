"""Where WORKER_PORT says so: `/health`, and `/metrics` of what this worker counted.

For a worker in a container of its own. Beside the servers of one machine, their `/metrics` has its counters too. It
answers from the event loop that runs the jobs: a worker whose loop hangs is not healthy. A job that fails is, because a
new process could do no better; `worker.job.failed` and the alerts tell of it.
"""

import asyncio

from aiohttp import web

import exposition
from settings import Settings


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until `stop`. Raises OSError when the port is another's."""
    if not settings.values["WORKER_PORT"]:
        await stop.wait()
        return

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def metrics(request: web.Request) -> web.Response:
        token, networks = settings.metrics_token, str(settings.metrics_from)
        if not exposition.may_read(request.remote or "", request.headers, token, networks):
            return web.Response(status=401, headers=exposition.NOT_ALLOWED)
        return web.Response(body=exposition.of_processes(), headers={"Content-Type": exposition.CONTENT_TYPE})

    app = web.Application()
    app.router.add_get("/health", health)
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port("WORKER_PORT")).start()
        await stop.wait()
    finally:
        await runner.cleanup()

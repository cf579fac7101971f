"""One action server process: rasa_sdk's own app with our `actions`, bound to HOST.

rasa_sdk's command line binds to every address of the machine and answers any web page's requests; action calls
carry whole trackers, so ours does neither.
"""

import asyncio
import logging
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import settings as settings_module
import signals
import tracing
from privacy import log_lines

NOBODY: list[str] = []
OPEN = ("/health", "/metrics")  # the second has rules of its own


def main() -> None:
    """Serve until SIGTERM."""
    signals.restore()
    settings = settings_module.load()
    settings.validate()
    import sanic  # noqa: F401 (its filter, which shows others' deprecations, comes with it: ours is to follow)

    warnings.filterwarnings("ignore")
    from rasa_sdk import utils
    from rasa_sdk.endpoint import create_app

    log_lines.configure(settings.log_level or "INFO", settings.log_format, settings.secrets())
    for name in ("sanic", "rasa_sdk", "httpx", "httpx2", "httpcore", "httpcore2", "anthropic", "openai"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Rasa and its SDK are locked together; a warning on every call says nothing new.
    utils.check_version_compatibility = lambda *_: None
    app = create_app("actions", cors_origins=NOBODY)
    app.register_listener(_warm_up, "before_server_start")
    app.add_route(_metrics, "/metrics")
    if settings.action_token:
        app.register_middleware(guard(settings.action_token), "request")
    tracing.start("actions", settings)
    app.register_middleware(_join_trace, "request")
    app.register_listener(_end_traces, "after_server_stop")
    app.run(host=settings.host, port=settings.port("ACTION_PORT"), access_log=False, motd=False)


def guard(token: str) -> Callable[[Any], Awaitable[Any]]:
    """Nobody without the token gets an action run: it would tell of any order."""

    async def refuse(request: Any) -> Any:
        from sanic.response import text

        import exposition

        known = request.path in OPEN or exposition.has_token(request.headers, token)
        return None if known else text("Unauthorized", 401)

    return refuse


async def _metrics(request: Any) -> Any:
    """What this process counted; where all run on one machine, the Rasa server shows that too."""
    from sanic.response import raw

    import exposition

    settings = settings_module.load()
    if not exposition.may_read(request.ip, request.headers, settings.metrics_token, str(settings.metrics_from)):
        return raw("Unauthorized", 401, exposition.NOT_ALLOWED, "text/plain")
    return raw(exposition.of_processes(), content_type=exposition.CONTENT_TYPE)


async def _join_trace(request: Any) -> None:
    tracing.received.set(request.headers.get(tracing.HEADER))


async def _end_traces(app: object, _: object) -> None:
    await asyncio.to_thread(tracing.stop)


async def _warm_up(app: object, _: object) -> None:
    """Build the capabilities before the first call; the policy index takes a while when a page is new."""
    from actions.skill import services

    await asyncio.get_running_loop().run_in_executor(None, services.warm_up)


if __name__ == "__main__":
    main()

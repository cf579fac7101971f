"""One action server process: rasa_sdk's own app with our `actions`, bound to HOST.

rasa_sdk's command line binds to every address of the machine and answers any web page's requests; action calls
carry whole trackers, so ours does neither.
"""

from __future__ import annotations

import asyncio
import logging
import warnings

import settings as settings_module
import signals
from privacy import log_lines

NOBODY: list[str] = []


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
    app.run(host=settings.host, port=settings.port("ACTION_PORT"), access_log=False, motd=False)


async def _warm_up(app: object, _: object) -> None:
    """Build the capabilities before the first call; the policy index takes a while when a page is new."""
    from actions.skill import services

    await asyncio.get_running_loop().run_in_executor(None, services.warm_up)


if __name__ == "__main__":
    main()

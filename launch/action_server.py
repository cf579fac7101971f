"""One action server process: rasa_sdk's own app with our `actions`, bound to HOST.

rasa_sdk's command line binds to every address of the machine; action calls carry whole trackers, so ours does not.
"""

from __future__ import annotations

import logging

from rasa_sdk import utils
from rasa_sdk.endpoint import create_app

import settings as settings_module
from privacy.log_filter import install_log_filter


def main() -> None:
    """Serve until SIGTERM."""
    settings = settings_module.load()
    logging.basicConfig(level=settings.log_level, format="%(levelname)s %(name)s %(message)s")
    install_log_filter()
    utils.check_version_compatibility = lambda *_: None
    app = create_app("actions")
    app.run(host=settings.host, port=settings.port("ACTION_PORT"), access_log=False, motd=False)


if __name__ == "__main__":
    main()

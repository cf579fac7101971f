"""`python -m twin`: serve until SIGINT or SIGTERM."""

import logging
import os
import sys

from aiohttp import web

from twin.app import make_app
from twin.configuration import ConfigurationMissing, from_environment
from twin.connections import Gone

SHUTDOWN_S = 2.0


def main() -> None:
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(Gone())
    try:
        configuration = from_environment(os.environ)
    except ConfigurationMissing as error:
        sys.exit(str(error))
    app = make_app(configuration)
    web.run_app(
        app, host=configuration.host, port=configuration.port, shutdown_timeout=SHUTDOWN_S, print=None, access_log=None
    )


if __name__ == "__main__":
    main()

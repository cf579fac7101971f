"""`python -m workbench.console`: serve until SIGINT or SIGTERM. Started by `make run`, and with INSPECTOR_TOKEN set."""

import logging
import signal
import sys
import threading
from pathlib import Path

import settings as settings_module
from privacy import log_filter
from workbench.console.answers import Answers
from workbench.console.server import ConsoleServer


def main() -> int:
    """The first argument is the folder for copied messages; without one nothing is written. Returns the exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    log_filter.install()
    settings = settings_module.load()
    token = settings.inspector_token
    if not token:
        print("console: set INSPECTOR_TOKEN to a long random text.", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with ConsoleServer(Answers(settings, folder), token, settings.port("INSPECTOR_PORT")) as server:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever(poll_interval=0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""One Rasa server process: `python -m connectors.server`. Several of them share a port and the inbox.

Loads the newest model, serves the channels of credentials.yml, answers inbox entries and sends replies. Refuses to
start, with a remedy, where stock Rasa would warn and go on in memory.
"""

import argparse
import contextlib
import ctypes
import gc
import logging
import os
import socket
import sys
import time
from pathlib import Path

import redis
import structlog

import settings as settings_module
import signals
import tracing
from connectors.message_bus.servers import migration
from connectors.rasa_patches import loading
from connectors.server.startup import CannotStart, Options
from hot_store import redis_address
from privacy import log_filter, log_lines
from settings import PROJECT_ROOT, Settings, SettingsError

# Longer than a fifth of the minute in which five failures of a child end everything (launch/supervisor.py).
REDIS_TIMEOUT_S = 20.0
# Connections that wait to be accepted (at most the system's somaxconn): who finds no place tries again in 1 s, then in
# 3 s. Sanic's 100 are few when Meta delivers thousands at once.
BACKLOG = 4096


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status."""
    signals.restore()
    gc.disable()  # what loading makes mostly stays: to look for garbage in it takes a fifth of the start
    options = _options(arguments)
    os.chdir(PROJECT_ROOT)
    try:
        settings = settings_module.load()
        settings.validate()
        settings.replace_in(os.environ)  # for credentials.yml and endpoints.yml
        configure_logging(settings)
        _check_redis(settings)
        listening = _reserve_port(settings)
        _share_metrics(settings)
        tracing.start("server", settings)
        loading.install()
        from connectors.server.application import build

        app = build(settings, options)
        loading.warn_of_tensorflow()
        keep_private(settings)  # what was imported since may have brought handlers of its own
    except (CannotStart, SettingsError) as error:
        print(f"The Rasa server cannot start: {error}", file=sys.stderr)
        return 1
    # Libraries that Rasa imports set levels of their own.
    logging.getLogger().setLevel(settings.log_level or "INFO")
    _settle()
    # Its own handlers of signals are not used: `connectors.server.startup.stop_when_told`.
    app.run(sock=listening, workers=1, access_log=False, motd=False, backlog=BACKLOG, register_sys_signals=False)
    return 0


def _settle() -> None:
    """Forget what loading left behind; what stays is not looked through for garbage again, at 0.1 s each time."""
    gc.collect()
    gc.freeze()
    gc.enable()
    with contextlib.suppress(OSError, AttributeError):  # not every libc has it
        ctypes.CDLL(None).malloc_trim(0)


def _options(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m connectors.server", description=__doc__)
    models = settings_module.load().models_path
    parser.add_argument("--models", type=Path, default=models, help="the newest archive counts")
    parser.add_argument("--endpoints", type=Path, default=PROJECT_ROOT / "endpoints.yml")
    parser.add_argument("--credentials", type=Path, default=PROJECT_ROOT / "credentials.yml")
    return Options(**{name: path.resolve() for name, path in vars(parser.parse_args(arguments)).items()})


def configure_logging(settings: Settings) -> None:
    """Rasa's structlog would print every debug event, customers' words included, if it were left alone."""
    level = getattr(logging, settings.log_level or "INFO", logging.INFO)
    try:
        log_lines.configure(level, settings.log_format, settings.secrets())
    except RuntimeError as error:
        raise CannotStart(f"the logs cannot be kept private ({error}).") from None
    for name in ("rasa", "sanic", "matplotlib", "apscheduler", "asyncio", "aiohttp", "urllib3", "jax", "numba"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    # Libraries' deprecations are for developers; Rasa switches them on for everybody.
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(max(level, logging.WARNING)),
        # Into the lines of everybody else, behind the same filter; by itself it prints to standard output.
        logger_factory=structlog.stdlib.LoggerFactory(),
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer(key_order=["event"])],
        cache_logger_on_first_use=True,
    )


def keep_private(settings: Settings) -> None:
    """Put the privacy filter on every log handler there is. Raises CannotStart: without it no process serves."""
    try:
        log_filter.install(settings.secrets())
    except RuntimeError as error:
        raise CannotStart(f"the logs cannot be kept private ({error}).") from None


def _share_metrics(settings: Settings) -> None:
    """prometheus-client reads the variable when it is imported."""
    folder = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(settings.state_path / "metrics")))
    folder.mkdir(parents=True, exist_ok=True)


def _check_redis(settings: Settings) -> None:
    """Wait for a Redis that is being restarted too: to give up at once, again and again, would end the product."""
    if not settings.redis_url:
        raise CannotStart("REDIS_URL is not set. Remedy: start it with `make serve`, or name a Redis.")
    deadline = time.monotonic() + REDIS_TIMEOUT_S
    try:
        while not _answers(settings.redis_url):
            if time.monotonic() > deadline:
                redis_address.client(settings.redis_url, socket_connect_timeout=3, socket_timeout=3).ping()
            time.sleep(0.2)
        migration.ensure(settings.redis_url)
    except migration.LayoutUnusable as error:
        raise CannotStart(str(error)) from None
    except (redis.RedisError, ValueError) as error:
        raise CannotStart(
            f"the Redis of REDIS_URL does not answer ({type(error).__name__}). Remedy: start it or correct REDIS_URL."
        ) from None


def _answers(url: str) -> bool:
    try:
        return bool(redis_address.client(url, socket_connect_timeout=3, socket_timeout=3).ping())
    except redis.RedisError:
        return False


def _reserve_port(settings: Settings) -> socket.socket:
    """A socket of our own on the shared port; connections are spread over all processes that have one."""
    host, port = settings.host or "127.0.0.1", settings.port("RASA_PORT")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise CannotStart(
            f"port {port} of {host} cannot be used ({error.strerror}). Remedy: stop what uses it or set RASA_PORT."
        ) from None
    listening.setblocking(False)
    return listening


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

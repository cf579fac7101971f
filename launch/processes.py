"""The processes of the product, and the environment that each gets."""

import contextlib
import fcntl
import json
import os
import random
import shutil
import socket
import sys
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from typing import IO

import redis
from sqlalchemy.exc import ArgumentError

import settings as settings_module
import shop
from handoff.storage.database import Database, HandoffUnavailable
from hot_store import redis_address
from launch.console import LaunchError
from launch.embedded_redis import EmbeddedRedis, RedisPair, settle
from launch.supervisor import STOP_BACKENDS, STOP_STORES, Child
from settings import PROJECT_ROOT, Settings

READY_TIMEOUT_S = 180.0
PICTURE_PACKAGES = ("rapidocr_onnxruntime", "zxingcpp")


def answers(url: str) -> bool:
    """Whether a GET of `url` gives 200 within a second."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 (our own http address)
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def listens(port: int) -> bool:
    """Whether somebody takes connections on a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def quiet_port() -> int:
    """A free port from which the system makes no connections of its own.

    A client that reconnects to a port of the other kind while nobody listens there may be given that very port: it then
    talks to itself, and the server that comes back finds its port taken.
    """
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        return free_port()
    for _ in range(100):
        port = random.randrange(15000, 32000)  # noqa: S311 (no secret)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port < lowest:
                return port
    return free_port()


def check_port(settings: Settings, name: str) -> None:
    """Raise LaunchError when somebody else listens on the port that variable `name` holds."""
    port, host = settings.port(name), settings.actions_host if name == "ACTION_PORT" else str(settings.host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise LaunchError(
                f"Port {port} of {host} cannot be used ({error.strerror}). "
                f"Remedy: stop what uses it, or choose another with {name}=..."
            ) from None


def child_environment(settings: Settings) -> dict[str, str]:
    """The launcher's environment with every setting resolved, for a child process."""
    metrics = settings.state_path / "metrics"
    inherited = dict(os.environ)
    settings.replace_in(inherited)
    return {
        **inherited,
        settings_module.COMPLETE: "1",
        "STATE_DIR": str(settings.state_path),
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
        "RASA_TELEMETRY_ENABLED": "false",
        # Sanic takes a class from distutils: with Python's own, setuptools is not imported.
        "SETUPTOOLS_USE_DISTUTILS": "stdlib",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # Several processes share the cores; a numerical library that starts a thread a core slows them all.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
    }


def prepare_state(settings: Settings) -> IO[bytes]:
    """Create the state folder, private to this user; forget the last run's metrics.

    The returned file locks the folder until it is closed: two starts would wipe each other's files.
    """
    state = settings.state_path
    try:
        state.mkdir(parents=True, exist_ok=True)
        state.chmod(0o700)
        lock = (state / ".lock").open("wb")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(state / "metrics", ignore_errors=True)
        (state / "metrics").mkdir()
    except BlockingIOError:
        raise LaunchError(f"STATE_DIR {state} is in use by another start of the assistant. "
                          "Remedy: stop that one, or choose another folder with STATE_DIR=...") from None
    except OSError as error:
        raise LaunchError(f"STATE_DIR {state} cannot be written ({error.strerror}). "
                          "Remedy: choose another with STATE_DIR=...") from None
    return lock


def embedded_redis(settings: Settings, port: int) -> tuple[str, Child]:
    """The embedded Redis as a child, and its URL (also kept in STATE_DIR for the command line tools)."""
    settle(settings.state_path)
    server = EmbeddedRedis(settings.state_path / "redis", port)
    server.folder.mkdir(parents=True, exist_ok=True)
    _keep_address(settings, server.url)
    client = redis.Redis.from_url(server.url, socket_timeout=1)

    def is_ready() -> bool:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False

    return server.url, Child("redis", server.command(), dict(os.environ), is_ready, quiet=True, stop_group=STOP_STORES)


def redis_pair(settings: Settings) -> tuple[RedisPair, list[Child]]:
    """Two embedded servers behind a sentinel, so that one can fail over to the other."""
    pair = RedisPair(settings.state_path, *(quiet_port() for _ in range(3)))
    _keep_address(settings, pair.url)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    return pair, [
        Child(name, command, environment, partial(pair.is_ready, name), quiet=True, stop_group=STOP_STORES)
        for name, command in pair.commands().items()
    ]


def _keep_address(settings: Settings, url: str) -> None:
    address = settings.state_path / "redis.url"
    address.write_text(url)
    address.chmod(0o600)


def check_redis(url: str) -> None:
    """Raise LaunchError when the operator's Redis cannot be used."""
    try:
        redis_address.client(url, socket_connect_timeout=3, socket_timeout=3).ping()
    except (redis.RedisError, ValueError) as error:
        raise LaunchError(f"REDIS_URL does not answer ({type(error).__name__}). Remedy: start that Redis, correct "
                          "REDIS_URL, or unset it to use the embedded one.") from None


def check_conversations(settings: Settings) -> None:
    """Raise LaunchError when the database of takeovers cannot be used: no customer would get an answer."""
    try:
        database = Database(str(settings.conversation_database_url))
        try:
            database.prepare()
        finally:
            database.close()
    except (HandoffUnavailable, ArgumentError, ImportError, OSError, TypeError, ValueError) as error:
        # Names of errors only: a driver's message may hold the address with its password.
        reason = str(error) if isinstance(error, HandoffUnavailable) else type(error).__name__
        raise LaunchError(f"CONVERSATION_DATABASE_URL cannot be used ({reason}). Remedy: start that database, correct "
                          "the URL (SQLite: a folder that can be written), or unset it to use SQLite.") from None


def action_server(settings: Settings, environment: dict[str, str]) -> Child:
    health = f"{settings.url_of('ACTION_PORT')}/health"
    environment = environment | {"HOST": settings.actions_host}
    return Child("actions", [sys.executable, "-m", "launch.action_server"], environment, lambda: answers(health),
                 stop_group=STOP_BACKENDS)


def rasa_servers(settings: Settings, environment: dict[str, str]) -> list[Child]:
    """RASA_WORKERS processes behind one port; each is ready when it has written its own readiness file."""
    count = int(settings.number("RASA_WORKERS"))
    if count < 1:
        raise LaunchError(f"RASA_WORKERS must be at least 1, not {count}.")
    folder = settings.state_path / "ready"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    children = []
    for index in range(1, count + 1):
        ready_file = folder / f"rasa-{index}"
        children.append(
            Child(
                f"rasa-{index}",
                [sys.executable, "-m", "connectors.server"],
                {**environment, "READY_FILE": str(ready_file)},
                ready_file.exists,
                ready_timeout_s=READY_TIMEOUT_S,
            )
        )
    return children


def worker(environment: dict[str, str]) -> Child:
    return Child("worker", [sys.executable, "-m", "worker"], environment, lambda: True)


def console(settings: Settings, environment: dict[str, str], folder: Path | None = None) -> Child:
    """The inspector. `folder` keeps what is copied for the project, and lets the demo start over."""
    command = [sys.executable, "-m", "workbench.console", *([str(folder)] if folder else [])]
    port = settings.port("INSPECTOR_PORT")
    is_ready = (lambda: listens(port)) if folder else (lambda: True)  # customers do not wait for it
    return Child("inspector", command, environment, is_ready, stop_group=STOP_BACKENDS)


def pictures(environment: dict[str, str]) -> Child:
    """Who reads customers' pictures, at PICTURES_URL. Raises LaunchError without the packages for it."""
    if not all(any(Path(place, name).is_dir() for place in sys.path) for name in PICTURE_PACKAGES):
        raise LaunchError("READ_PICTURES is on, and the packages for it are not installed. Remedy: `make pictures`, or "
                          "READ_PICTURES=off.")
    command = [sys.executable, "-m", "connectors.media.picture_server"]
    url = environment["PICTURES_URL"]
    return Child("pictures", command, environment, lambda: answers(url), stop_group=STOP_BACKENDS, vital=False)


def shops_at_hand(settings: Settings) -> dict[str, str]:
    """Folder → name: this shop, the demo's, and those in folders beside the project."""
    beside = [path.parent for path in sorted(PROJECT_ROOT.parent.glob("*/shop.yml"))]
    others = [folder for folder in beside if not (folder / "launch").is_dir()]  # another copy of the project
    found: dict[str, str] = {}
    for folder in (settings.shop_path, PROJECT_ROOT, *others):
        with contextlib.suppress(shop.ShopError):
            found[str(folder)] = shop.load(folder).name
    return found


def twin(settings: Settings, environment: dict[str, str]) -> Child:
    url = f"{settings.url_of('TWIN_PORT')}/"
    ours = shop.load()
    environment = environment | {"SHOP_NAME": ours.name, "SHOP_TIME_ZONE": ours.time_zone,
                                 "SHOP_ICON": str(settings.shop_path / "icon.svg"),
                                 "SHOPS": json.dumps(shops_at_hand(settings)),
                                 "FAILS_OVER": "1" if str(settings.values["REDIS_URL"]).startswith("redis+") else ""}
    if settings.values["SHOP_API_URL"] == f"{settings.url_of('TWIN_PORT')}/shop":
        environment["SHOP_ORDERS_FILE"] = str(settings.state_path / "orders.db")
        environment["SHOP_STATUSES"] = json.dumps(ours.orders.get("statuses") or {})
    return Child("twin", [sys.executable, "-m", "twin"], environment, lambda: answers(url), stop_group=STOP_BACKENDS)


def newest_model() -> Path | None:
    """The shop's newest archive."""
    archives = sorted(settings_module.load().models_path.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    return archives[-1] if archives else None

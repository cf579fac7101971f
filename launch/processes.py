"""The processes of the product, and the environment that each gets."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path

import redis

from launch.console import LaunchError
from launch.embedded_redis import EmbeddedRedis
from launch.supervisor import Child
from settings import PROJECT_ROOT, Settings

READY_TIMEOUT_S = 180.0


def answers(url: str) -> bool:
    """Whether a GET of `url` gives 200 within a second."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 (our own http address)
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_port(settings: Settings, name: str) -> None:
    """Raise LaunchError when somebody else listens on the port that variable `name` holds."""
    port = settings.port(name)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, port))
        except OSError as error:
            raise LaunchError(
                f"Port {port} of {settings.host} cannot be used ({error.strerror}). "
                f"Remedy: stop what uses it, or choose another with {name}=..."
            ) from None


def child_environment(settings: Settings) -> dict[str, str]:
    """The launcher's environment with every setting resolved, for a child process."""
    metrics = settings.state_path / "metrics"
    return {
        **os.environ,
        **settings.as_environment(),
        "STATE_DIR": str(settings.state_path),
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # Several processes share the cores; a numerical library that starts a thread a core slows them all.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
    }


def prepare_state(settings: Settings) -> None:
    """Create the state folder, private to this user; forget the last run's metrics."""
    state = settings.state_path
    try:
        state.mkdir(parents=True, exist_ok=True)
        state.chmod(0o700)
        shutil.rmtree(state / "metrics", ignore_errors=True)
        (state / "metrics").mkdir()
    except OSError as error:
        raise LaunchError(f"STATE_DIR {state} cannot be written ({error.strerror}). "
                          "Remedy: choose another with STATE_DIR=...") from None


def embedded_redis(settings: Settings, port: int) -> tuple[str, Child]:
    """The embedded Redis as a child, and its URL (also kept in STATE_DIR for the command line tools)."""
    server = EmbeddedRedis(settings.state_path / "redis", port)
    server.folder.mkdir(parents=True, exist_ok=True)
    address = settings.state_path / "redis.url"
    address.write_text(server.url)
    address.chmod(0o600)
    client = redis.Redis.from_url(server.url, socket_timeout=1)

    def is_ready() -> bool:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False

    return server.url, Child("redis", server.command(), dict(os.environ), is_ready, quiet=True)


def check_redis(url: str) -> None:
    """Raise LaunchError when the operator's Redis cannot be used."""
    try:
        redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3).ping()
    except (redis.RedisError, ValueError) as error:
        raise LaunchError(f"REDIS_URL does not answer ({type(error).__name__}). Remedy: start that Redis, correct "
                          "REDIS_URL, or unset it to use the embedded one.") from None


def action_server(settings: Settings, environment: dict[str, str]) -> Child:
    health = f"http://{reachable(settings.host)}:{settings.action_port}/health"
    return Child("actions", [sys.executable, "-m", "launch.action_server"], environment, lambda: answers(health))


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


def twin(settings: Settings, environment: dict[str, str]) -> Child:
    url = f"http://{reachable(settings.host)}:{settings.twin_port}/"
    return Child("twin", [sys.executable, "-m", "twin"], environment, lambda: answers(url))


def reachable(host: str | None) -> str:
    """An address to call a server that is bound to `host`."""
    return "127.0.0.1" if host in (None, "0.0.0.0", "::") else host  # noqa: S104 (comparing, not binding)


def newest_model() -> Path | None:
    """The newest archive in models/."""
    archives = sorted((PROJECT_ROOT / "models").glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    return archives[-1] if archives else None

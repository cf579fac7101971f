"""Each image of deploy/Dockerfile has what its command needs, and its command runs as it would in the container.

No engine builds it here. Its files are laid out as its lines say, with the packages of its lock and no others, on a
file system that cannot be written; `make chaos` also installs the packages, as the Dockerfile does.
"""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import aiohttp
import pytest
import sqlalchemy

import settings
import yaml_files
from benchmarks import webhooks
from benchmarks.graph_stand_in import GraphStandIn
from launch import bootstrap, demo_orders, locking, processes
from tests.conftest import free_port
from tests.deploy import images, manifests
from tests.deploy.images import ROOT, image
from tests.deploy.manifests import Container
from tests.known_pages import bring_pages
from tests.otlp_collector import Collector, collector

TARGETS = ("server", "actions", "worker", "assistant")
# Not ours: what other programs in the image read.
OTHERS = {
    "HOME", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONWARNINGS", "RASA_TELEMETRY_ENABLED",
    "TF_CPP_MIN_LOG_LEVEL", "SQLALCHEMY_SILENCE_UBER_WARNING", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
}  # fmt: skip
READY_WITHIN_S = 300.0
WATCHING = {"Authorization": "Bearer token-of-metrics"}
PORTS = {"server": "RASA_PORT", "actions": "ACTION_PORT", "worker": "WORKER_PORT"}


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_one_of_our_modules_as_nobody_special_and_is_asked_how_it_is(target: str, tmp_path: Path) -> None:
    has = images.lay_out(target, tmp_path / "app")
    assert has.user == "10001"
    assert set(has.environment) - OTHERS <= {variable.name for variable in settings.VARIABLES}
    assert has.command[:2] == [".venv/bin/python", "-m"]
    module = tmp_path.joinpath("app", *has.command[2].split("."))
    assert module.with_suffix(".py").exists() or (module / "__main__.py").exists()
    default = {v.name: v.default for v in settings.VARIABLES} | has.environment
    port = default[PORTS.get(target, "RASA_PORT")]
    assert f"http://127.0.0.1:{port}/" in has.health[-1]


def test_images_install_what_the_launcher_would_and_only_what_was_locked() -> None:
    runs = [rest for stage in ("packages", "packages-training", *(f"packages-{name}" for name in PORTS))
            for instruction, rest in images.lines(stage) if instruction == "RUN"]  # fmt: skip
    assert f"pip install --no-cache-dir uv=={bootstrap.UV_VERSION}" in runs
    installs = [line for line in runs if "pip" in line and "uv==" not in line]
    assert len(installs) == 4
    assert all("uv pip sync --require-hashes requirements" in line for line in installs)


def test_a_server_s_image_has_the_versions_that_trained_the_model_and_no_tensorflow() -> None:
    every, server = ({line for line in (ROOT / name).read_text().splitlines() if line[:1].isalpha()}
                     for name in ("requirements.lock", "requirements-server.lock"))  # fmt: skip
    left_out = {re.split(r"==", line)[0] for line in every - server}
    assert server < every
    assert left_out == set(locking.ONLY_TRAINING)


def test_no_secret_and_no_state_gets_into_an_image() -> None:
    for name in (".env", "var", ".git", ".venv", "models"):
        assert images.is_left_out(PurePosixPath(name)), name


@dataclass
class Pods:
    """The three images started as the manifests say, with ports of this machine in place of Services."""

    folder: Path
    environment: dict[str, str]
    give_packages: Callable[[Path, Path], None] = images.give_packages
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in PORTS})
    running: dict[str, subprocess.Popen[Any]] = field(default_factory=dict)

    def run(self, stack: ExitStack, container: Container) -> subprocess.Popen[Any]:
        """Lay the image out (once) and run what the manifest runs in it."""
        app = self.folder / container.image / "app"
        has = image(container.image)
        if not app.exists():
            images.lay_out(container.image, app, self.models())
            self.give_packages(app, has.lock)
            images.make_read_only(app)
        told = manifests.settings_of(manifests.rendered("small")) | self.environment
        told |= {PORTS[name]: str(port) for name, port in self.ports.items()}
        told["ACTION_URL"] = f"http://127.0.0.1:{self.ports['actions']}/webhook"
        told |= {entry["name"]: re.sub(r"^/(secrets|owner)", str(self.folder / "secrets"), entry["value"])
                 for entry in container.spec["env"]}  # fmt: skip
        here = self.folder / container.name
        return stack.enter_context(images.running(has, app, here, told, container.spec.get("args")))

    def models(self) -> Path:
        """What training leaves."""
        model = processes.newest_model()
        assert model is not None, "there is no model. Remedy: make train."
        folder = self.folder / "models"
        folder.mkdir(exist_ok=True)
        if not (folder / model.name).exists():
            (folder / model.name).symlink_to(model)
        return folder

    def log(self, name: str) -> str:
        here = self.folder / name if (self.folder / name).exists() else self.folder / "assistant"
        return (here / "log").read_text(errors="replace")[-3000:]

    def address(self, name: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    async def answers(self, session: aiohttp.ClientSession, name: str, path: str) -> str:
        """The body of a probe's 200, waited for."""
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            assert self.running[name].poll() is None, self.log(name)
            try:
                async with session.get(self.address(name, path)) as response:
                    if response.status == 200:
                        return await response.text()
            except (aiohttp.ClientError, OSError):
                pass
            await asyncio.sleep(0.2)
        raise AssertionError(f"{name} does not answer on {path}: {self.log(name)}")


@pytest.fixture
async def graph() -> AsyncIterator[GraphStandIn]:
    stand_in = GraphStandIn(free_port())
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
def pods(tmp_path: Path, redis_url: str, graph: GraphStandIn) -> Iterator[Pods]:
    """Their stores, secrets and settings; nothing runs yet."""
    stores = settings.load({"STATE_DIR": str(tmp_path / "stores")}, tmp_path / "none")
    demo_orders.prepare(stores)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name, value in {
        "WHATSAPP_VERIFY_TOKEN": "verify", "WHATSAPP_APP_SECRET": webhooks.APP_SECRET, "WHATSAPP_ACCESS_TOKEN": "token",
        "WHATSAPP_PHONE_NUMBER_ID": webhooks.PHONE_NUMBER_ID, "REDIS_URL": redis_url,
        "ORDERS_DATABASE_URL": str(stores.orders_database_url),
        "CONVERSATION_DATABASE_URL": str(stores.conversation_database_url), "METRICS_TOKEN": "token-of-metrics",
        "ACTION_TOKEN": "token-of-actions",
    }.items():  # fmt: skip
        (secrets / name).write_text(value + "\n")
    environment = {"WHATSAPP_GRAPH_URL": graph.url, "ARCHIVE_URL": f"file://{tmp_path}/archive", "BURST_WAIT_S": "0"}
    found = Pods(tmp_path, environment)
    yield found
    for app in tmp_path.glob("*/app"):
        subprocess.run(["chmod", "-R", "u+w", app], check=False, timeout=60)


@pytest.mark.journey
@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "give_packages", [images.give_packages, pytest.param(images.install_packages, marks=pytest.mark.marathon)]
)
async def test_the_three_images_answer_a_customer_as_the_manifests_start_them(
    pods: Pods, graph: GraphStandIn, give_packages: Callable[[Path, Path], None]
) -> None:
    pods.give_packages = give_packages
    bring_pages(pods.folder / "actions/state")
    containers = manifests.containers(manifests.rendered("small"))
    with ExitStack() as stack:
        traces = stack.enter_context(collector())
        pods.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = traces.url
        for name in ("actions", "worker", "server"):
            pods.running[name] = pods.run(stack, containers[name])
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10), headers=WATCHING) as session:
            for name in PORTS:
                probes = {containers[name].spec[f"{kind}Probe"]["httpGet"]["path"]
                          for kind in ("startup", "readiness", "liveness")}  # fmt: skip
                for path in (*probes, containers[name].pod["metadata"]["annotations"]["prometheus.io/path"]):
                    await pods.answers(session, name, path)
            meta = webhooks.Meta(pods.address("server", ""))
            asked = webhooks.text_message("919876543210", "wamid.images", "where is my order 10234")
            assert await meta.post(webhooks.notification([asked])) == 200
            await _until(lambda: any("10234" in answer.text for answer in graph.accepted), pods)
            scaled = await pods.answers(session, "server", "/metrics")
            assert re.search(r"^assistant_inbox_oldest_seconds 0", scaled, re.MULTILINE), "what KEDA reads"
            # What each process counts is on its own page: they share no folder.
            counted = await pods.answers(session, "actions", "/metrics")
            assert 'assistant_order_lookups_total{outcome="answered"} 1' in counted
        url = (pods.folder / "secrets/CONVERSATION_DATABASE_URL").read_text().strip()
        await _until(lambda: _logged(url) == 1, pods)
        steps = manifests.containers(manifests.rendered("large"))["worker"].pod["spec"].get("initContainers", ())
        for step in steps:  # again, by the tables' owner: nothing is left to do
            migrating = pods.run(stack, Container(step["name"], "worker", step, {}))
            assert await asyncio.to_thread(migrating.wait, 60) == 0, pods.log(step["name"])
        archiving = pods.run(stack, containers["archive"])
        assert await asyncio.to_thread(archiving.wait, 60) == 0, pods.log("archive")
        for process in pods.running.values():
            process.send_signal(signal.SIGTERM)
        for name, process in pods.running.items():
            grace_s = containers[name].pod["spec"]["terminationGracePeriodSeconds"]
            assert await asyncio.to_thread(process.wait, grace_s) == 0, pods.log(name)
    _is_one_trace(traces)
    written = [path for path in pods.folder.glob("*/tmp/*") if path.is_file()]
    assert not written, "what is kept belongs under /state"


def _is_one_trace(found: Collector) -> None:
    """From the webhook through all three processes, and nothing private in it."""
    [webhook] = found.named("webhook")
    spans = [span for span in found.spans if span.trace == webhook.trace]
    services = {span.name: span.service.removeprefix("assistant-") for span in spans}
    assert services == {
        "webhook": "server", "webhooks.store": "server", "inbox.put": "server", "turn": "server",
        "action.call": "server", "action": "actions",
        "orders.lookup": "actions", "graph.send": "server", "log.store": "worker",
    }  # fmt: skip
    names = {span.id: span.name for span in spans}
    assert {names[span.parent] for span in spans if span.name == "action"} == {"action.call"}
    everything = "".join(found.bodies)
    for private in ("919876543210", "where is my order", "10234", "wamid."):
        assert private not in everything, private


@pytest.mark.marathon
@pytest.mark.model
@pytest.mark.timeout(600)
async def test_the_image_of_compose_serves_and_stops_in_time(pods: Pods) -> None:
    composed = yaml_files.read(ROOT / "compose.yaml")["services"]["assistant"]
    assert composed["build"] == {"context": ".", "dockerfile": "deploy/Dockerfile"}, "its last stage"
    app = pods.folder / "assistant/app"
    has = images.lay_out("assistant", app, pods.models())
    images.give_packages(app, has.lock)
    told = {path.name: path.read_text() for path in (pods.folder / "secrets").iterdir()} | pods.environment
    told |= {"RASA_WORKERS": "1", "RASA_PORT": str(pods.ports["server"]), "ACTION_PORT": str(pods.ports["actions"])}
    with images.running(has, app, app.parent, told) as process:
        pods.running["server"] = process
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session:
            await pods.answers(session, "server", "/webhooks/whatsapp/")
        process.send_signal(signal.SIGTERM)
        grace_s = int(composed["stop_grace_period"].removesuffix("s"))
        assert await asyncio.to_thread(process.wait, grace_s) == 0, pods.log("assistant")


async def _until(holds: Any, pods: Pods) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not holds():
        assert time.monotonic() < deadline, "\n".join(pods.log(name) for name in PORTS)
        await asyncio.sleep(0.2)


def _logged(url: str) -> int:
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.connect() as connection:
            return int(connection.execute(sqlalchemy.text("SELECT count(*) FROM conversations")).scalar_one())
    except sqlalchemy.exc.OperationalError:
        return 0  # the worker has not made the tables yet
    finally:
        engine.dispose()

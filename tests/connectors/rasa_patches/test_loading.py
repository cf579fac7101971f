"""A server process reads of a model what serving needs; whoever needs the rest gets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import rasa
from rasa.shared.core.domain import Domain
from tarsafe import TarSafe, TarSafeException

from connectors.rasa_patches import loading
from settings import PROJECT_ROOT
from workbench.nlu.archives import newest_archive

# In a process of its own: what was imported once cannot be taken back.
SERVES, THEN_NEEDS_IT = (
    """
import sys
from pathlib import Path
from connectors.rasa_patches import loading
assert loading.install() and loading.install()
from typing import get_type_hints
from rasa.graph_components.providers.domain_provider import DomainProvider
assert "model_storage" in get_type_hints(DomainProvider.load), "Rasa reads them before it trains"
from connectors.server.application import load_agent
agent = load_agent(Path(sys.argv[1]), Path("endpoints.yml"))
metadata = agent.processor.model_metadata
for library in ("tensorflow", "sklearn", "matplotlib", "apscheduler", "pkg_resources"):
    assert library not in sys.modules, f"{library} was imported"
for library in ("pymongo", "boto3", "slack_sdk", "aiogram", "twilio", "socketio", "questionary"):
    assert library not in sys.modules, f"{library} was imported"
assert "opentelemetry" not in sys.modules, "traces are off"
assert agent.domain is agent.processor.graph_runner._instantiated_nodes["domain_provider"]._component._domain
""",
    """
from rasa.core.channels import BUILTIN_CHANNELS, RestInput, input_channel_classes
assert [channel.name() for channel in input_channel_classes] == list(BUILTIN_CHANNELS)
assert BUILTIN_CHANNELS["rest"] is BUILTIN_CHANNELS.get("rest") is RestInput
assert BUILTIN_CHANNELS.get("pigeon") is None
from rasa.core import tracker_store
assert tracker_store.Key("sender_id").eq("1")
assert any(node.uses.__name__ == "IntentClassifier" for node in metadata.train_schema.nodes.values())
assert metadata.as_dict()["train_schema"]["nodes"]
from rasa.core.policies.ted_policy import TEDPolicy
from rasa.utils import train_utils
from rasa.utils.tensorflow.callback import RasaTrainingLogger
assert isinstance(train_utils.create_common_callbacks(1)[0], RasaTrainingLogger)
from rasa.nlu.test import plot_utils
from rasa.utils.tensorflow.model_data import train_test_split
assert len(train_test_split([1, 2, 3, 4], test_size=0.5)) == 2
import asyncio
from rasa.core import jobs
async def scheduler_runs():
    assert (await jobs.scheduler()).running and await jobs.scheduler() is await jobs.scheduler()
    jobs.kill_scheduler()
asyncio.run(scheduler_runs())
plot_utils.plot_paired_histogram([[0.1], [0.2]], "t", None)
""",
)


def run(code: str, *arguments: str) -> None:
    environment = {**os.environ, "ACTION_URL": "http://127.0.0.1:1/webhook", "REDIS_URL": "redis://127.0.0.1:1"}
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]


@pytest.mark.model
@pytest.mark.slow
def test_a_server_serves_without_what_trains_and_what_needs_it_then_gets_it() -> None:
    run(SERVES + THEN_NEEDS_IT, str(newest_archive().parent))


@pytest.mark.model
def test_the_domain_that_is_read_is_the_one_that_stock_rasa_reads(tmp_path: Path) -> None:
    with tarfile.open(newest_archive()) as archive:
        archive.extractall(tmp_path)
    ours = Domain.from_dict(json.loads((tmp_path / "metadata.json").read_text())["domain"])
    assert ours.as_dict() == Domain.from_path(tmp_path / "components" / "domain_provider").as_dict()


def test_another_version_of_rasa_is_loaded_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rasa, "__version__", "3.7.0")
    monkeypatch.setattr(loading, "_read_less", lambda: pytest.fail("patched"))
    assert loading.install() is False


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("../out" if kind == tarfile.REGTYPE else "in")
    member.type, member.linkname = kind, "../out"
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.addfile(member)
    (tmp_path / "model").mkdir()
    with pytest.raises(TarSafeException):
        loading.unpack(tmp_path / "model.tar.gz", tmp_path / "model")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["model", "model.tar.gz"]


def test_an_archive_is_packed_as_it_is_and_unpacked_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(bytes(100_000))
    with loading.uncompressed(TarSafe).open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "weights", arcname="components/weights")
    assert (tmp_path / "model.tar.gz").stat().st_size > 100_000
    loading.unpack(tmp_path / "model.tar.gz", tmp_path / "model")
    assert (tmp_path / "model" / "components" / "weights").read_bytes() == bytes(100_000)

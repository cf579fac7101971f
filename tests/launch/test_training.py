"""The model is trained only when something that goes into it changed."""

from __future__ import annotations

import errno
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from connectors.server.startup import CannotStart, verify_model
from launch import training
from launch.console import LaunchError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data" / "nlu").mkdir(parents=True)
    (tmp_path / "data" / "nlu" / "general.yml").write_text("version: '3.1'\n")
    for name in ("domain.yml", "config.yml", "requirements.lock"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(training, "PROJECT_ROOT", tmp_path)
    monkeypatch.setattr(training, "models_folder", lambda: tmp_path / "models")
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "var"))
    return tmp_path


@pytest.mark.parametrize("name", ["data/nlu/general.yml", "domain.yml", "config.yml"])
def test_every_input_counts(project: Path, name: str) -> None:
    before = training.fingerprint()
    (project / name).write_text("changed")
    assert training.fingerprint() != before


def test_what_policy_answers_are_made_with_does_not_count(project: Path) -> None:
    before = training.fingerprint()
    (project / "data" / "policy_topics").mkdir()
    (project / "data" / "policy_topics" / "delivery.yml").write_text("policy_topics: []")
    assert training.fingerprint() == before


def test_another_pattern_of_order_numbers_counts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = training.fingerprint()
    monkeypatch.setenv("ORDER_NUMBER_PATTERN", r"\d{7}")
    assert training.fingerprint() != before


def test_nothing_is_trained_when_nothing_changed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "models").mkdir()
    current = project / "models" / f"assistant-{training.fingerprint()}.tar.gz"
    current.touch()
    monkeypatch.setattr(training.subprocess, "run", lambda *_, **__: pytest.fail("it trained again"))
    assert training.train() == current


def test_a_model_that_is_there_serves_where_nothing_can_be_written(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the image, with a read-only root file system."""

    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    (project / "models" / ".lock").mkdir(parents=True)  # cannot be opened for writing, whoever tries
    current = project / "models" / f"assistant-{training.fingerprint()}.tar.gz"
    current.touch()
    monkeypatch.setattr(training.os, "utime", read_only)
    assert training.train() == current


def test_a_trained_model_has_its_sum_beside_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = project / "models" / f"assistant-{training.fingerprint()}.tar.gz"

    def run(command: list[str], **_: object) -> CompletedProcess[str]:
        model.write_bytes(b"a model")
        return CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(training.subprocess, "run", run)
    assert training.train() == model
    verify_model(model)
    model.write_bytes(b"another")
    with pytest.raises(CannotStart, match="is not the one that was trained"):
        verify_model(model)


@pytest.mark.slow
@pytest.mark.parametrize(("program", "words"), [("workbench", "Nothing was trained"), ("rasa", "Training failed")])
def test_failed_training_is_said_with_the_remedy(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], program: str, words: str
) -> None:
    def run(command: list[str], **_: object) -> CompletedProcess[str]:
        if program not in command[2]:
            return CompletedProcess(command, 0, "", "")
        return CompletedProcess(command, 1, "Exception: data/nlu/general.yml is broken", "UserWarning: noise")

    monkeypatch.setattr(training.subprocess, "run", run)
    with pytest.raises(LaunchError, match=words):
        training.train()
    said = capsys.readouterr().err
    assert "data/nlu/general.yml is broken" in said
    assert "noise" not in said


def test_a_designers_mistake_is_said_with_its_own_remedy(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = "no_such_intent data/rules/general.yml:3: `intent: gret` is not in domain.yml\n    write greet\n"
    monkeypatch.setattr(training.subprocess, "run", lambda command, **_: CompletedProcess(command, 1, found, ""))
    with pytest.raises(LaunchError, match="Nothing was trained"):
        training.train()
    assert found in capsys.readouterr().err


def test_old_models_are_forgotten_but_not_other_archives(project: Path) -> None:
    models = project / "models"
    models.mkdir()
    for number in range(5):
        for ending in ("tar.gz", "tar.gz.sha256"):
            (models / f"assistant-{number}.{ending}").touch()
    (models / "handmade.tar.gz").touch()
    training._forget_old_models(models / "assistant-0.tar.gz")
    left = {path.name for path in models.iterdir()}
    assert "handmade.tar.gz" in left
    archives = {name for name in left if name.startswith("assistant-") and name.endswith(".gz")}
    assert len(archives) <= training.KEPT_MODELS + 1
    assert {name.removesuffix(".sha256") for name in left if name.endswith(".sha256")} == archives

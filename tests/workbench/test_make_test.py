"""`make test` for designers: their files first, a failing check explained, and never a green end without training."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from launch import testing
from launch.console import LaunchError
from launch.testing import Check

OK = [sys.executable, "-c", "print('fine')"]


def fails(words: str, status: int = 1) -> list[str]:
    return [sys.executable, "-c", f"import sys; print({words!r}); sys.exit({status})"]


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, designers: Check, *checks: Check, trains: bool = True) -> int:
    def train() -> Path:
        if not trains:
            raise LaunchError("Training failed.")
        return tmp_path / "model.tar.gz"

    monkeypatch.setattr(testing, "DESIGNERS", designers)
    monkeypatch.setattr(testing, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(testing, "checks", lambda model, folder: list(checks))
    monkeypatch.setattr(testing.training, "train", train)
    return testing.run_everything()


def test_everything_passes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, tmp_path, Check("files", OK, "mend"), Check("one", OK, "mend")) == 0
    assert "checks: 3 passed, 0 failed" in capfd.readouterr().out


def test_a_designers_mistake_fails_though_everything_else_passes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, Check("files", fails("domain.yml:7"), "mend it"), Check("one", OK, "")) == 1
    shown = capfd.readouterr()
    assert "domain.yml:7" in shown.out
    assert "checks: 2 passed, 1 failed" in shown.out


@pytest.mark.parametrize("files", [OK, fails("domain.yml:7")])
def test_without_a_trained_model_the_end_is_red(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], files: list[str]
) -> None:
    assert run(monkeypatch, tmp_path, Check("files", files, "mend"), Check("one", OK, ""), trains=False) == 1
    assert "Training failed." in capfd.readouterr().err


def test_a_failure_is_shown_as_its_explanation_instead_of_its_output(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    story = Check("stories", fails("pages of warnings"), "", explain=fails("expected | happened"), quiet=True)
    assert run(monkeypatch, tmp_path, Check("files", OK, ""), story) == 1
    shown = capfd.readouterr().out
    assert "expected | happened" in shown
    assert "pages of warnings" not in shown


@pytest.mark.parametrize("explain", [OK, fails("cannot load", status=2), ()])
def test_a_failure_that_cannot_be_explained_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], explain: list[str]
) -> None:
    check = Check("stories", fails("the traceback"), "", explain=explain, quiet=True)
    assert run(monkeypatch, tmp_path, Check("files", OK, ""), check) == 1
    assert "the traceback" in capfd.readouterr().out

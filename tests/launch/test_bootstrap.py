"""The set-up step: which Python it takes, when it does nothing, and what it says when it cannot go on."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The module as it is run: a file, not part of a package; its folders moved to a temporary place."""
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", ROOT / "launch" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / ".installed")
    monkeypatch.setattr(module, "EXTRAS_ASKED", tmp_path / ".venv" / ".extras")
    monkeypatch.setattr(module, "TOOLS", tmp_path / "tools")
    monkeypatch.delenv("PYTHON", raising=False)
    return module


def environment(bootstrap) -> Path:
    """A whole one but for its Python, whose place this is."""
    (bootstrap.VENV / "bin").mkdir(parents=True)
    (bootstrap.VENV / "pyvenv.cfg").touch()
    return bootstrap.VENV / "bin" / "python"


def test_python_variable_comes_first(bootstrap, monkeypatch) -> None:
    monkeypatch.setenv("PYTHON", sys.executable)
    assert bootstrap.find_python310() == sys.executable


def test_python_variable_that_is_no_310_is_said_and_passed_over(bootstrap, monkeypatch, capsys) -> None:
    monkeypatch.setenv("PYTHON", "/bin/false")
    assert bootstrap.find_python310() != "/bin/false"
    assert "not a working Python 3.10" in capsys.readouterr().out


def test_pyenv_is_searched_when_the_path_has_none(bootstrap, monkeypatch, tmp_path) -> None:
    python = tmp_path / "pyenv" / "versions" / "3.10.99" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(bootstrap, "is_python310", lambda path: path == str(python))
    assert bootstrap.find_python310() == str(python)


def test_another_users_pyenv_is_passed_over(bootstrap, monkeypatch, tmp_path) -> None:
    """`su` hands PYENV_ROOT on, and the folder may not be read."""
    def refuse(self: Path, pattern: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(Path, "glob", refuse)
    assert bootstrap.pyenv_candidates() == []


def test_a_user_without_a_home_is_served_too(bootstrap, monkeypatch) -> None:
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert bootstrap.pyenv_candidates() == []


def test_nothing_is_done_when_the_environment_matches_the_lock(bootstrap, monkeypatch) -> None:
    environment(bootstrap).touch()
    bootstrap.STAMP.write_text(bootstrap.lock_digest())
    monkeypatch.setattr(bootstrap, "install", lambda: pytest.fail("it installed again"))
    assert bootstrap.main() == 0


def test_a_changed_lock_installs_again(bootstrap, monkeypatch) -> None:
    environment(bootstrap).touch()
    bootstrap.STAMP.write_text("another lock")
    called = []
    monkeypatch.setattr(bootstrap, "install", lambda: called.append(True))
    assert bootstrap.main() == 0
    assert called


def test_an_extra_that_was_asked_for_once_stays_installed(bootstrap, monkeypatch) -> None:
    synced: list[list[str]] = []
    environment(bootstrap).symlink_to(sys.executable)
    monkeypatch.setattr(bootstrap, "get_uv", lambda: "uv")
    monkeypatch.setattr(bootstrap, "run_uv", lambda uv, arguments, remedy: synced.append(arguments[4:]))
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "pictures"])
    assert bootstrap.main() == 0
    monkeypatch.setattr(sys, "argv", ["bootstrap.py"])
    assert bootstrap.main() == 0, "nothing to do"
    bootstrap.STAMP.write_text("another lock")
    assert bootstrap.main() == 0
    assert synced == [[str(ROOT / "requirements-dev.lock"), str(ROOT / "requirements-pictures.lock")]] * 2


def test_what_was_left_of_an_environment_is_replaced(bootstrap, monkeypatch) -> None:
    """Who is interrupted while it is made or removed leaves a folder that uv does not clear."""
    environment(bootstrap).symlink_to(sys.executable)
    (bootstrap.VENV / "pyvenv.cfg").unlink()
    bootstrap.STAMP.write_text(bootstrap.lock_digest())

    def run_uv(uv: str, arguments: list[str], remedy: str) -> None:
        if arguments[0] == "venv":
            assert not bootstrap.VENV.exists()
            environment(bootstrap).symlink_to(sys.executable)

    monkeypatch.setattr(bootstrap, "get_uv", lambda: "uv")
    monkeypatch.setattr(bootstrap, "run_uv", run_uv)
    monkeypatch.setattr(sys, "argv", ["bootstrap.py"])
    assert bootstrap.main() == 0
    assert bootstrap.is_current()


def test_missing_pip_names_the_remedy(bootstrap, monkeypatch, capsys) -> None:
    monkeypatch.setattr(bootstrap, "pip_installs_uv", lambda python: False)
    assert bootstrap.main() == 1
    assert "Remedy" in capsys.readouterr().err


def test_locks_hold_hashes_and_no_index_address() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        text = lock.read_text()
        assert "--hash=sha256:" in text, lock.name
        assert "://" not in text, lock.name

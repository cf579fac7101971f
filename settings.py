"""Every setting of the product, read from the environment in one place.

`VARIABLES` is the table behind `.env.example` and the README; `load()` turns the environment (over `.env`,
the environment wins) into one frozen object, each value cleaned once (`settings_values`) and any of them taken
from the file that `NAME_FILE` names. Nothing else in the project reads `os.environ` for configuration.
"""

import hashlib
import os
from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import settings_values
from settings_values import LLM_READERS, UnusableValue
from settings_variables import VARIABLES, Variable

__all__ = ["PROJECT_ROOT", "VARIABLES", "Settings", "SettingsError", "Variable", "load", "sqlite_url"]

PROJECT_ROOT = Path(__file__).resolve().parent
COMPLETE = "SETTINGS_COMPLETE"
"""Set for the launcher's children: their environment holds every setting, and `.env` is not read again."""


class SettingsError(ValueError):
    """A variable is missing or malformed; the message names it and the remedy."""


REQUIRED_TO_SERVE = (
    "WHATSAPP_VERIFY_TOKEN",
    "WHATSAPP_APP_SECRET",
    "WHATSAPP_ACCESS_TOKEN",
    "WHATSAPP_PHONE_NUMBER_ID",
)

DATABASES = ("ORDERS_DATABASE_URL", "CONVERSATION_DATABASE_URL")
LLM_KEYS = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
DEFAULT_LLM_MODELS = {"anthropic": "claude-haiku-5-5", "openai": "gpt-5.4-mini"}


@dataclass(frozen=True)
class Settings:
    """The environment, resolved. Attributes are the variables' names in lower case; absent ones are None."""

    values: Mapping[str, str | None]
    chosen: frozenset[str] = frozenset()
    """Names of the variables that the environment or `.env` sets."""
    ignored: frozenset[str] = frozenset()
    """Names that only `.env` sets and that were left out."""

    def __getattr__(self, name: str) -> str | None:
        try:
            return self.values[name.upper()]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self) -> str:
        """Names only: values may be secrets."""
        return f"Settings({', '.join(sorted(name for name, value in self.values.items() if value))})"

    @property
    def redis_url(self) -> str | None:
        """REDIS_URL, else the embedded Redis of the running assistant (None when there is neither)."""
        if self.values["REDIS_URL"]:
            return self.values["REDIS_URL"]
        try:
            return (self.state_path / "redis.url").read_text().strip() or None
        except OSError:
            return None

    @property
    def state_path(self) -> Path:
        """STATE_DIR as an absolute path (relative ones start at the project root)."""
        return (PROJECT_ROOT / (self.values["STATE_DIR"] or "var")).resolve()

    @cached_property
    def shop_path(self) -> Path:
        """SHOP_DIR as an absolute path (relative ones start at the project root); the root itself by default."""
        return (PROJECT_ROOT / (self.values["SHOP_DIR"] or "")).resolve()

    @property
    def models_path(self) -> Path:
        """Where the shop's trained models are: models/ of the project for the demo shop, else in its state."""
        if self.values["MODELS_DIR"]:
            return (PROJECT_ROOT / self.values["MODELS_DIR"]).resolve()
        return (PROJECT_ROOT if self.shop_path == PROJECT_ROOT else self.state_path) / "models"

    @property
    def action_url(self) -> str:
        """Where action calls go. Raises SettingsError for an ACTION_PORT that is none."""
        return self.values["ACTION_URL"] or f"{self.url_of('ACTION_PORT')}/webhook"

    @property
    def reader_asked(self) -> str:
        """When the LLM is asked what a message means, one of LLM_READERS; never without an LLM or the time for it."""
        asked = self.values["LLM_READER"] or LLM_READERS[0]
        possible = self.values["LLM_PROVIDER"] != "none" and self.number("LLM_INTENT_TIMEOUT_S") > 0
        return asked if possible else LLM_READERS[0]

    def number(self, name: str) -> float:
        """A numeric variable by its name. Raises SettingsError when it is not a number."""
        value = self.values[name]
        try:
            return float(value or "")
        except ValueError:
            raise SettingsError(f"{name} must be a number, not {value!r}.") from None

    def port(self, name: str) -> int:
        """A port variable by its name, 1 to 65535."""
        value = self.number(name)
        if not (value.is_integer() and 1 <= value <= 65535):
            raise SettingsError(f"{name} must be a port between 1 and 65535, not {self.values[name]!r}.")
        return int(value)

    @property
    def actions_host(self) -> str:
        """Where the launcher's action server listens: it tells anybody of any order, so on this machine alone."""
        return "::1" if ":" in (self.values["HOST"] or "") else "127.0.0.1"

    def url_of(self, port_name: str) -> str:
        """`http://host:port` at which to call a server that is bound to HOST."""
        host = self.actions_host if port_name == "ACTION_PORT" else self.values["HOST"] or "127.0.0.1"
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (comparing, not binding)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port(port_name)}"

    def validate(self) -> None:
        """Raise SettingsError for a value that would fail only when a customer writes. Needs SQLAlchemy."""
        try:
            settings_values.check(self.values)
        except UnusableValue as error:
            raise SettingsError(str(error)) from None
        for name in DATABASES:
            self._check_database_url(name)
        if "?" in str(self.state_path):
            raise SettingsError("STATE_DIR must not contain a question mark. Remedy: choose another folder.")
        key = LLM_KEYS.get(str(self.values["LLM_PROVIDER"]))
        if key and not self.values[key]:
            raise SettingsError(
                f"LLM_PROVIDER is {self.values['LLM_PROVIDER']}, but {key} is not set. "
                "Remedy: set it, or LLM_PROVIDER=none to answer without an LLM."
            )

    def _check_database_url(self, name: str) -> None:
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            usable = make_url(str(self.values[name])).drivername in settings_values.DATABASE_DRIVERS
        except (ArgumentError, ValueError):
            usable = False
        if not usable:
            raise SettingsError(
                f"{name} cannot be used: it is not a valid database URL, or of a database or driver that is not here. "
                "Remedy: write it as postgresql://user:password@host:5432/name (or mysql://…, for MariaDB too; special "
                "characters of the password percent-encoded), or unset it to use SQLite."
            )

    def missing(self, names: tuple[str, ...] = REQUIRED_TO_SERVE) -> list[str]:
        """Those of `names` that have no value."""
        return [name for name in names if not self.values.get(name)]

    def secrets(self) -> list[str]:
        """The secret values, for the log filter to keep out of every line."""
        values = (self.values[variable.name] for variable in VARIABLES if variable.secret)
        return [value for value in values if value]

    def as_environment(self) -> dict[str, str]:
        """The variables that have a value, for a child process; Rasa reads ACTION_URL from it."""
        known = {name: value for name, value in self.values.items() if value is not None}
        return known | {"ACTION_URL": self.action_url}

    def replace_in(self, environ: MutableMapping[str, str]) -> None:
        """Put the resolved values into an environment, in place of what they were read from.

        For what reads the environment itself: Rasa fills in `${NAME}` of its YAML files.
        """
        for variable in VARIABLES:
            environ.pop(variable.name, None)
            environ.pop(f"{variable.name}_FILE", None)
        environ.update(self.as_environment())


def sqlite_url(path: Path) -> str:
    """The SQLAlchemy URL of a SQLite file. Only a question mark would end the path early; `validate` refuses it."""
    return f"sqlite:///{path}"


def _read(name: str, source: Mapping[str, str | None]) -> str | None:
    try:
        return settings_values.named(name, source)
    except UnusableValue as error:
        raise SettingsError(str(error)) from None


def load(
    environ: Mapping[str, str] | None = None, env_file: Path | None = None, not_from_file: Collection[str] = ()
) -> Settings:
    """Resolve all variables: the environment over `.env` over the defaults. Empty values count as absent.

    Raises SettingsError for a `NAME_FILE` that cannot be read, and for both `NAME` and `NAME_FILE`.
    What `.env` says of the names in `not_from_file` is left out.
    """
    if environ is None and env_file is None and not not_from_file:
        # The bytes behind os.environ, which would decode each of them every time.
        known = _unchanged(frozenset(vars(os.environ)["_data"].items()), _version(PROJECT_ROOT / ".env"))
        if known is not None:
            return known
    return _resolved(os.environ if environ is None else environ, env_file, not_from_file)


_NAMES_OF_FILES = frozenset(f"{variable.name}_FILE" for variable in VARIABLES)
_NAMES = _NAMES_OF_FILES | {variable.name for variable in VARIABLES}


@lru_cache(maxsize=1)
def _unchanged(environ: frozenset[tuple[bytes, bytes]], version: tuple[int, int] | None) -> Settings | None:
    """Resolved again when the environment or `.env` (its `version`) changes: every turn asks several times.

    None where a variable names a file, which may change meanwhile.
    """
    return _resolved(os.environ, None, ()) if _NAMES_OF_FILES.isdisjoint(os.environ) else None


def _version(file: Path) -> tuple[int, int] | None:
    try:
        written = file.stat()
    except OSError:
        return None
    return written.st_mtime_ns, written.st_size


def _resolved(environ: Mapping[str, str], env_file: Path | None, not_from_file: Collection[str]) -> Settings:
    from_file: Mapping[str, str | None] = {}
    if env_file or not environ.get(COMPLETE):
        from_file = _written(env_file or PROJECT_ROOT / ".env")
    in_file = {variable.name: _read(variable.name, from_file) for variable in VARIABLES}
    in_environment = {variable.name: _read(variable.name, environ) for variable in VARIABLES}
    ignored = frozenset(name for name in not_from_file if in_file[name] and not in_environment[name])
    values: dict[str, str | None] = {}
    chosen = set()
    for variable in VARIABLES:
        name = variable.name
        value = in_environment[name] or (None if name in ignored else in_file[name])
        values[name] = value or variable.default
        if value:
            chosen.add(name)
    _resolve(values)
    return Settings(values, frozenset(chosen), ignored)


def _written(env_file: Path) -> Mapping[str, str | None]:
    try:
        return settings_values.written(env_file, _NAMES)
    except UnusableValue as error:
        raise SettingsError(str(error)) from None


def _resolve(values: dict[str, str | None]) -> None:
    """Fill in the defaults that depend on other variables."""
    state = _state(values)
    if values["SHOP_DIR"]:
        values["STATE_DIR"] = str(state)
    for name, file in zip(DATABASES, ("orders.db", "conversations.db"), strict=True):
        values[name] = settings_values.database_url(values[name] or sqlite_url(state / file))
    values["ARCHIVE_URL"] = values["ARCHIVE_URL"] or (state / "archive").as_uri()
    values["LOG_LEVEL"] = (values["LOG_LEVEL"] or "INFO").upper()
    values["LOG_FORMAT"] = (values["LOG_FORMAT"] or "text").lower()
    values["RASA_WORKERS"] = values["RASA_WORKERS"] or str(os.cpu_count() or 1)
    values["LLM_PROVIDER"] = _choice("LLM_PROVIDER", values, LLM_KEYS, "none")
    values["LLM_MODEL"] = values["LLM_MODEL"] or DEFAULT_LLM_MODELS.get(str(values["LLM_PROVIDER"]))
    values["TICKETING"] = _choice(
        "TICKETING",
        values,
        {name: f"{name.upper()}_URL" for name in ("zendesk", "freshdesk", "hubspot", "chatwoot")},
        "log",
    )


def _state(values: Mapping[str, str | None]) -> Path:
    """STATE_DIR of the demo shop; below it a folder for each other shop, so that no two shops' state mixes."""
    state = (PROJECT_ROOT / (values["STATE_DIR"] or "var")).resolve()
    shop = (PROJECT_ROOT / (values["SHOP_DIR"] or "")).resolve()
    if shop == PROJECT_ROOT:
        return state
    own = Path("shops", f"{shop.name}-{hashlib.sha256(str(shop).encode()).hexdigest()[:8]}")
    return state if state.parts[-2:] == own.parts else state / own  # a child was told the shop's own


def _choice(name: str, values: Mapping[str, str | None], by_variable: dict[str, str], otherwise: str) -> str:
    """The named option, or the first whose variable is set, or `otherwise`."""
    chosen = values[name]
    options = [*by_variable, otherwise]
    if chosen is None:
        return next((option for option, variable in by_variable.items() if values[variable]), otherwise)
    if chosen not in options:
        raise SettingsError(f"{name} must be one of {', '.join(options)}, not {chosen!r}.")
    return chosen

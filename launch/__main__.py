"""`python -m launch run|serve|train|test|lock`: what the Makefile's targets do."""

import json
import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path

import settings as settings_module
import signals
from actions.knowledge.pages import documents
from handoff.configuration import HandoffConfigurationError, load_configuration
from launch import console, demo_orders, embedded_redis, processes, training
from launch.console import LaunchError, done, fail, say
from launch.supervisor import Child, Supervisor
from settings import Settings, SettingsError

TWIN_PHONE_NUMBER_ID = "106540352242922"
NOT_FROM_ENV_FILE = frozenset(
    variable.name
    for variable in settings_module.VARIABLES
    if variable.name in ("REDIS_URL", "CONVERSATION_DATABASE_URL", "ORDERS_DATABASE_URL", "ARCHIVE_URL", "MEDIA_URL",
                         "TICKETING", "ACTION_URL", "HOST")
    or variable.name.startswith(
        ("ZENDESK_", "FRESHDESK_", "HUBSPOT_", "CHATWOOT_", "SLACK_", "SMTP_", "ESCALATION_", "SHOP_API_", "SPEECH_")
    )
)
"""What in `.env` may be a live shop's: made-up customers must not get into its queue, database or helpdesk, and who
reaches the live servers must not reach the demo's phones and desk, which ask for no password."""


def serve() -> int:
    """The assistant alone, configured by the environment."""
    settings = settings_module.load()
    missing = settings.missing()
    if missing:
        raise LaunchError(
            f"{', '.join(missing)} must be set. Remedy: put the values from Meta's app dashboard into the environment "
            "or into .env (.env.example lists every variable), or try `make run`, which needs none."
        )
    return _start(settings, with_twin=False)


def run(failover: bool = False) -> int:
    """The whole assistant with the simulator, on local secrets made for this run.

    `failover`: with two embedded Redis servers, one of which can take over from the other.
    """
    settings = settings_module.load(not_from_file=NOT_FROM_ENV_FILE)
    if settings.ignored:
        say(f"Not used from .env, which is for `make serve`: {', '.join(sorted(settings.ignored))} "
            "(set them in the environment to try them here).")
    twin_address = settings.url_of("TWIN_PORT")
    made = _Secrets(settings.state_path / "demo_secrets.json")
    local = {
        "WHATSAPP_VERIFY_TOKEN": made["WHATSAPP_VERIFY_TOKEN"],
        "WHATSAPP_APP_SECRET": made["WHATSAPP_APP_SECRET"],
        "WHATSAPP_ACCESS_TOKEN": made["WHATSAPP_ACCESS_TOKEN"],
        "WHATSAPP_PHONE_NUMBER_ID": TWIN_PHONE_NUMBER_ID,
        "WHATSAPP_GRAPH_URL": f"{twin_address}/v25.0",
    }
    if settings.ticketing == "log" and "TICKETING" not in settings.chosen:
        local |= {
            "TICKETING": "zendesk",
            "ZENDESK_URL": f"{twin_address}/helpdesk",
            "ZENDESK_OAUTH_TOKEN": made["ZENDESK_OAUTH_TOKEN"],
            "ZENDESK_WEBHOOK_SECRET": made["ZENDESK_WEBHOOK_SECRET"],
        }
    if settings.chosen.isdisjoint({"SHOP_API_URL", "ORDERS_DATABASE_URL"}):
        # The demo's own orders: the twin does what a customer confirms, in their table.
        local |= {"SHOP_API_URL": f"{twin_address}/shop", "SHOP_API_SECRET": secrets.token_hex(16)}
    if "SPEECH_URL" not in settings.chosen:
        # The twin's voice messages are not sound: only the twin can hear what they say.
        local |= {"SPEECH_URL": f"{twin_address}/speech/v1", "SPEECH_API_KEY": secrets.token_hex(16)}
    local["INSPECTOR_TOKEN"] = secrets.token_hex(16)
    if "INSPECTOR_PORT" not in settings.chosen:
        local["INSPECTOR_PORT"] = str(processes.quiet_port())
    if "PUBLIC_URL" not in settings.chosen:
        local["PUBLIC_URL"] = settings.url_of("RASA_PORT")  # the desk shows customers' pictures
    if "DESK_SWITCH" not in settings.chosen:
        local["DESK_SWITCH"] = str(settings.state_path / "desk")
    next_shop = settings.state_path / "next_shop"
    next_shop.unlink(missing_ok=True)
    status = _start(replace(settings, values={**settings.values, **local}), with_twin=True, failover=failover)
    if status == 0 and next_shop.exists():
        folder = next_shop.read_text(encoding="utf-8")
        say(f"Going on with the shop in {folder} ...")
        again = [sys.executable, "-m", "launch", "run", *(["failover"] if failover else [])]
        os.execve(sys.executable, again, {**os.environ, "SHOP_DIR": folder})  # noqa: S606 (ourselves)
    return status


class _Secrets:
    """Secrets made for the demo once: what customers see of an earlier run (signed buttons) goes on working."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __getitem__(self, name: str) -> str:
        try:
            known = dict(json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            known = {}
        if not known.get(name):
            known[name] = secrets.token_hex(16)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch(mode=0o600)
            self._file.write_text(json.dumps(known), encoding="utf-8")
        return str(known[name])


def _start(settings: Settings, with_twin: bool, failover: bool = False) -> int:
    settings.validate()
    load_configuration()
    ports = ["RASA_PORT", "ACTION_PORT", *(["TWIN_PORT"] if with_twin else [])]
    ports += ["INSPECTOR_PORT"] if settings.inspector_token else []
    for name in ports:
        processes.check_port(settings, name)
    with processes.prepare_state(settings):
        if settings.values["REDIS_URL"]:
            processes.check_redis(str(settings.values["REDIS_URL"]))
        processes.check_conversations(settings)
        _show_pages(settings.shop_path / "policy_kb")
        training.train()
        done(demo_orders.prepare(settings))
        if with_twin and settings.desk_switch:
            Path(settings.desk_switch).write_text("open", encoding="utf-8")
        return _supervise(settings, with_twin, failover)


def _show_pages(folder: Path) -> None:
    """Name the pages that cannot be used: no question about any page is answered before they are mended."""
    for path, message in documents.examine(folder)[1]:
        problem = message.partition(": ")[2]
        fail(f"{folder.name}/{path.name}: {problem} Until then no question about the pages is answered.")


def _supervise(settings: Settings, with_twin: bool, failover: bool) -> int:
    children: list[Child] = []
    also = {}
    if not settings.values["REDIS_URL"]:
        if failover:
            pair, children = processes.redis_pair(settings)
            url, also = pair.url, {"failover": pair.master}
        else:
            url, child = processes.embedded_redis(settings, processes.quiet_port())
            children.append(child)
        settings = replace(settings, values={**settings.values, "REDIS_URL": url})
    environment = processes.child_environment(settings)
    if with_twin:
        children.append(processes.twin(settings, environment))
    if not settings.values["ACTION_URL"]:
        children.append(processes.action_server(settings, environment))
    if settings.values["READ_PICTURES"] == "on":
        environment["PICTURES_URL"] = f"http://127.0.0.1:{processes.quiet_port()}/"
        children.append(processes.pictures(environment))
    children.append(processes.worker(environment))
    children.extend(processes.rasa_servers(settings, environment))
    if settings.inspector_token:
        folder = settings.state_path / "review" if with_twin else None
        children.append(processes.console(settings, environment, folder))
    kill_folder = settings.state_path / "kill" if with_twin else None
    try:
        return Supervisor(children, kill_folder, also).run(lambda: _announce(settings, with_twin))
    finally:
        if also:
            embedded_redis.settle(settings.state_path)


def _announce(settings: Settings, with_twin: bool) -> None:
    if with_twin:
        done(f"Ready. Open {settings.url_of('TWIN_PORT')}/ and talk to the shop. Ctrl-C stops everything.")
    else:
        done(f"Ready. Webhook: {settings.url_of('RASA_PORT')}/webhooks/whatsapp/webhook")


def train() -> int:
    training.train()
    return 0


def test() -> int:
    from launch import testing

    return testing.run_everything()


def lock() -> int:
    from launch import locking

    return locking.lock()


COMMANDS = {"run": run, "serve": serve, "train": train, "test": test, "lock": lock}


def main(arguments: list[str]) -> int:
    """Run the named command. Returns its exit status."""
    signals.restore()
    with_failover = arguments == ["run", "failover"]
    if not with_failover and (len(arguments) != 1 or arguments[0] not in COMMANDS):
        console.fail(f"Usage: python -m launch {'|'.join(COMMANDS)} (run failover: with two Redis servers)")
        return 2
    try:
        return run(failover=True) if with_failover else COMMANDS[arguments[0]]()
    except (LaunchError, SettingsError, HandoffConfigurationError) as error:
        fail(str(error))
        return 1
    except OSError as error:  # a full disk, a read-only or another user's folder
        fail(f"{error.filename or 'A file'} cannot be used ({error.strerror or type(error).__name__}). "
             "Remedy: room and rights there, or another folder with STATE_DIR=...")
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

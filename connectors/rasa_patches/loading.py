"""Loading a model without what only training needs: half the memory of a server process and most of its start.

    TensorFlow        stock Rasa imports it for the names of three classes that training makes objects of
    scikit-learn      for one function of training; with it comes most of SciPy
    matplotlib        for what draws the results of `rasa test`
    APScheduler       for reminders, which nothing here sets; with it comes pkg_resources
    channels          fifteen of Rasa's own, with the libraries of Slack, Telegram, Twilio …: each when asked for
    MongoDB, DynamoDB their libraries, for tracker stores that are not configured
    archive           the original unpacks it twice, the first time to look at the names in it; and packs it with all
                      its might, though numbers hardly get smaller: 65 MB instead of 81
    train schema      the original imports every class of the graph that made the model, TensorFlow's among them
    domain            the original parses and checks the archive's YAML four times; the archive holds it as JSON too
    training data     see `connectors.rasa_patches.training_data`

Nothing is forbidden: a component of config.yml that needs TensorFlow imports it as ever, and training works. To be
installed before anything else of rasa is imported. Guarded by the version as `connectors.rasa_patches.speedups`.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable
from functools import cached_property, partial, wraps
from types import ModuleType, SimpleNamespace
from typing import Any

from connectors.rasa_patches import schemas, training_data

log = logging.getLogger(__name__)

WRITTEN_FOR = "3.6."

# What these modules import, and call only in functions of training, of testing, of other tracker stores and
# of reminders.
IMPORTERS = ("rasa.core.tracker_store", "rasa.utils.train_utils", "rasa.nlu.test", "rasa.core.jobs")
CALLED_LATER: dict[str, tuple[str, ...]] = {
    "apscheduler.schedulers.asyncio": ("AsyncIOScheduler",),
    "boto3.dynamodb.conditions": ("Key",),
    "pymongo.collection": ("Collection",),
    "rasa.utils.tensorflow.callback": ("RasaTrainingLogger", "RasaModelCheckpoint"),
    "rasa.utils.tensorflow.data_generator": ("RasaBatchDataGenerator",),
    "sklearn": (),
    "sklearn.model_selection": ("train_test_split",),
    "rasa.utils.plotting": ("plot_confusion_matrix", "plot_paired_histogram"),
}
CHANNELS = "rasa.core.channels"
# By the name in credentials.yml.
OWN_CHANNELS = {
    "cmdline": ("console", "CmdlineInput"),
    "facebook": ("facebook", "FacebookInput"),
    "slack": ("slack", "SlackInput"),
    "telegram": ("telegram", "TelegramInput"),
    "mattermost": ("mattermost", "MattermostInput"),
    "twilio": ("twilio", "TwilioInput"),
    "twilio_voice": ("twilio_voice", "TwilioVoiceInput"),
    "rasa": ("rasa_chat", "RasaChatInput"),
    "botframework": ("botframework", "BotFrameworkInput"),
    "rocketchat": ("rocketchat", "RocketChatInput"),
    "callback": ("callback", "CallbackInput"),
    "rest": ("rest", "RestInput"),
    "socketio": ("socketio", "SocketIOInput"),
    "webexteams": ("webexteams", "WebexTeamsInput"),
    "hangouts": ("hangouts", "HangoutsInput"),
}


class ChannelsWhenAsked(dict[str, Any]):
    """Rasa's own channels by name; a class is imported when somebody takes it."""

    def __getitem__(self, name: str) -> Any:
        module, channel = super().__getitem__(name)
        return getattr(importlib.import_module(f"{CHANNELS}.{module}"), channel)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 (this is it)


class WhenAsked(ModuleType):
    """Stands for a module that is imported when somebody takes something of it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system looks at it
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


def install(training: bool = False) -> bool:
    """Install all of it; for `training` also its order (`connectors.rasa_patches.graph_run`), which servers have among
    the speed-ups. False, with a warning, when this is not the Rasa that it was written for."""
    import rasa

    if not rasa.__version__.startswith(WRITTEN_FOR):
        log.warning("loading.stock rasa=%s written_for=%sx", rasa.__version__, WRITTEN_FOR)
        return False
    if sys.modules.keys().isdisjoint((CHANNELS, *IMPORTERS)):
        _import_what_serves()
    _read_less()
    schemas.install()
    training_data.install()
    if training:
        from rasa.engine.runner.dask import DaskGraphRunner

        from connectors.rasa_patches import graph_run

        DaskGraphRunner.run = graph_run.run_graph
    return True


def warn_of_tensorflow() -> None:
    """Say that the model needs it, which is what to know when a process is large and slow to start."""
    if "tensorflow" in sys.modules:
        log.warning("server.tensorflow.loaded: 350 MB more a process. Remedy: a pipeline and policies in config.yml "
                    "without it (not DIETClassifier, ResponseSelector, TEDPolicy ...), then `make train`.")  # fmt: skip


def _import_what_serves() -> None:
    """Import them with stand-ins; these are gone afterwards, so that whoever imports the real ones gets them."""
    stand_ins = {module: ModuleType(module) for module in CALLED_LATER if module not in sys.modules}
    for module, stand_in in stand_ins.items():
        vars(stand_in).update({name: _maker(module, name) for name in CALLED_LATER[module]})
    for name, (module, channel) in OWN_CHANNELS.items():
        stand_in = stand_ins[f"{CHANNELS}.{module}"] = ModuleType(module)
        setattr(stand_in, channel, SimpleNamespace(name=partial(str, name)))
    sys.modules.update(stand_ins)
    try:
        for importer in (CHANNELS, *IMPORTERS):
            importlib.import_module(importer)
    finally:
        for module in stand_ins:
            del sys.modules[module]
    _take_channels_when_asked(sys.modules[CHANNELS])


def _take_channels_when_asked(channels: Any) -> None:
    by_class = {channel: name for name, (_, channel) in OWN_CHANNELS.items()}
    for channel in by_class:
        delattr(channels, channel)
    channels.BUILTIN_CHANNELS = ChannelsWhenAsked(OWN_CHANNELS)
    del channels.input_channel_classes

    def taken(name: str) -> Any:
        if name == "console":  # which `rasa.core.run` imports, and only `rasa shell` uses
            return WhenAsked(f"{CHANNELS}.console")
        if name == "input_channel_classes":
            return [channels.BUILTIN_CHANNELS[one] for one in OWN_CHANNELS]
        if name not in by_class:
            raise AttributeError(f"module {CHANNELS!r} has no attribute {name!r}")
        return channels.BUILTIN_CHANNELS[by_class[name]]

    channels.__getattr__ = taken


def _maker(module: str, name: str) -> Callable[..., Any]:
    """What calls a class or function of a module, which is imported by then."""

    def make(*arguments: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*arguments, **options)

    return make


def _read_less() -> None:
    from rasa.engine.graph import ExecutionContext, GraphSchema
    from rasa.engine.storage import local_model_storage
    from rasa.engine.storage.local_model_storage import LocalModelStorage
    from rasa.engine.storage.resource import Resource
    from rasa.engine.storage.storage import ModelMetadata, ModelStorage
    from rasa.graph_components.providers.domain_provider import DomainProvider

    stock_from_dict, stock_load = ModelMetadata.from_dict, DomainProvider.load
    if getattr(stock_load, "reads_less", False):
        return
    read: dict[str, Any] = {}  # model id → its domain, from reading its metadata until its graph is made

    class ReadWhenAsked(GraphSchema):
        """A graph schema whose classes are imported when somebody looks at its nodes."""

        def __init__(self, serialized: dict[str, Any]) -> None:
            self._serialized = serialized

        @cached_property
        def nodes(self) -> dict[str, Any]:
            return dict(GraphSchema.from_dict(self._serialized).nodes)

    def from_dict(serialized: dict[str, Any]) -> ModelMetadata:
        """As ModelMetadata.from_dict."""
        metadata = stock_from_dict({**serialized, "train_schema": {"nodes": {}}})
        metadata.train_schema = ReadWhenAsked(serialized["train_schema"])
        read.clear()
        read[metadata.model_id] = metadata.domain
        return metadata

    @wraps(stock_load)  # with its annotations, which Rasa reads before it trains: names of this function are not found
    def load(
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **options: Any,
    ) -> DomainProvider:
        """As DomainProvider.load."""
        domain = read.pop(execution_context.model_id or "", None)
        if domain is None:
            return stock_load(config, model_storage, resource, execution_context, **options)
        return DomainProvider(model_storage, resource, domain)

    load.reads_less = True  # type: ignore[attr-defined]
    ModelMetadata.from_dict = staticmethod(from_dict)
    DomainProvider.load = staticmethod(load)
    LocalModelStorage._extract_archive_to_directory = staticmethod(unpack)
    local_model_storage.TarSafe = uncompressed(local_model_storage.TarSafe)


def uncompressed(tar: Any) -> Any:
    """A class of tar files that writes .tar.gz as everybody reads it, without making it smaller."""

    class Uncompressed(tar):
        @classmethod
        def gzopen(cls, *arguments: Any, **options: Any) -> Any:
            return super().gzopen(*arguments, **{"compresslevel": 0, **options})

    return Uncompressed


def unpack(archive: Any, folder: Any) -> None:
    """As LocalModelStorage._extract_archive_to_directory: each member is looked at before it is written."""
    from rasa.engine.storage.local_model_storage import LocalModelStorage
    from tarsafe import TarSafe, TarSafeException

    with TarSafe.open(archive, mode="r:gz") as packed:
        checks = (packed._is_traversal_attempt, packed._is_unsafe_symlink, packed._is_unsafe_link, packed._is_device)
        for member in packed:
            if any(check(tarinfo=member) for check in checks):
                raise TarSafeException(f"the model holds what leads out of its folder: {member.name}")
            super(TarSafe, packed).extract(member, folder)
    LocalModelStorage._assert_not_rasa2_archive(folder)

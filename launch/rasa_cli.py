"""Rasa's own command line, as `python -m launch.rasa_cli ...`: quiet, without telemetry, from the project root.

Rasa logs whole trackers at DEBUG unless told otherwise, and prints deprecation warnings of its own dependencies.
TensorFlow, 3 s of processor at each start, is imported only where something of config.yml needs it.
"""

import os
import sys
import warnings

import signals
from settings import PROJECT_ROOT


def main() -> None:
    """Run `rasa` with the given arguments."""
    signals.restore()
    warnings.filterwarnings("ignore")
    os.environ.update(RASA_TELEMETRY_ENABLED="false", TF_CPP_MIN_LOG_LEVEL="3", SQLALCHEMY_SILENCE_UBER_WARNING="1")
    os.environ.setdefault("RASA_CACHE_DIRECTORY", str(PROJECT_ROOT / "var" / "rasa-cache"))
    os.chdir(PROJECT_ROOT)
    sys.path.insert(0, str(PROJECT_ROOT))
    from connectors.rasa_patches import loading

    loading.install(training=True)
    from rasa.__main__ import main as rasa_main

    rasa_main()


if __name__ == "__main__":
    main()
